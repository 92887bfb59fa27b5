#!/usr/bin/env python3
"""Compares the lists in vmrun-hooks(5), vmrunctl(8) and vmrun(8) with the rows that the programs have.

    rows.py MANUALS VMRUN VMRUNCTL ANSWERS

A run that finds no file ANSWERS writes those of vmrunctl there; one that finds it does not ask again.

The functions, values and members of hooks come from vmrun --print lua-types, the commands and options
from --help and from the answers of vmrunctl to a command with an option. A page that lacks one of
them, or has one that does not exist, is an error.
"""
import json
import os
import re
import subprocess
import sys
import tempfile


def output_of(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def part_of(page, title):
    """The lines below a heading, up to the next."""
    found = re.search(rf"^\.S[hs] {re.escape(title)}\n(.*?)(?=^\.S[hs] |\Z)", page, re.M | re.S)
    return found.group(1) if found else ""


def items_of(lines, form):
    """What a form, with one group, finds in the items of lists."""
    return {name for line in lines for name in re.findall(form, line)}


def items_below(text, lead="\n"):
    """The items of the list that follows this text, without those of the lists in it."""
    depth, items = 0, []
    for line in text.partition(lead)[2].split("\n"):
        if line.startswith(".Bl "):
            depth += 1
        elif line == ".El":
            depth -= 1
        elif line.startswith(".It ") and depth == 1:
            items.append(line[4:])
        if depth == 0 and items:
            break
    return items


def compared(what, page, rows):
    return ([f"{what}: missing from the page: {name}" for name in sorted(rows - page)]
            + [f"{what}: only in the page: {name}" for name in sorted(page - rows)])


# --- vmrun-hooks(5) ---


def fields_of(types, name):
    """The named fields of a class and of the class that it extends."""
    found = re.search(rf"^---@class {re.escape(name)}(?:: (\S+))?\n((?:---@field .*\n)*)", types, re.M)
    own = set(re.findall(r"^---@field (\w+)", found.group(2), re.M))
    return own | (fields_of(types, found.group(1)) if found.group(1) else set())


def hook_faults(page, types):
    table, hooks = part_of(page, "The vmrun table"), part_of(page, "The hooks")
    facts, options = part_of(page, "The facts that hooks get"), part_of(page, "Options of hooks")
    functions = dict(re.findall(r"^function vmrun\.(\w+)\((.*)\)", types, re.M))
    names = set(functions) | set(re.findall(r"^vmrun\.(\w+) = ", types, re.M))
    called = dict(re.findall(r"^---@field (on_\w+)\? \(?fun\((.*?)\)", types, re.M))
    counts = {f"vmrun.{name}": arguments.count(",") + (arguments != "") for name, arguments in functions.items()}
    counts |= {name: arguments.count(":") for name, arguments in called.items()}

    yield from compared("vmrun", items_of(items_below(table), r"\bvmrun\.(\w+)"), names)
    yield from compared("hooks", items_of(items_below(hooks, "calls all functions"), r"^Fn (on_\w+)"), set(called))
    for name in sorted(set(re.findall(r"\bvmrun\.(\w+)", page)) - names - {"conf"}):
        yield f"vmrun: does not exist: vmrun.{name}"
    shown = "\n".join(items_below(table) + items_below(hooks, "calls all functions"))
    for name, arguments in re.findall(r"^Fn (\S+) ?(.*)$", shown, re.M):
        if name in counts and len(re.findall(r'"[^"]*"|\w+', arguments)) != counts[name]:
            yield f"{name}: expected {counts[name]} arguments, the page has: {arguments}"
    for lead, name in ((".Va boot\nhas", "vmrun.Boot"), (".Va boot.devices\nhas", "vmrun.Chosen"),
                       (".Va exit\nhas", "vmrun.Exit")):
        members = items_of(items_below(facts, lead), r"(?:Va|Fn| ,) (\w+)")
        yield from compared(name, members, fields_of(types, name))
    words = re.search(r'^\.It Fn vmrun\.exec "(.*)"$', table, re.M)
    yield from compared("vmrun.exec", set(re.findall(r"(\w+) =", words.group(1))) if words else set(),
                        fields_of(types, "vmrun.Command"))
    kinds = re.search(r"^---@alias vmrun\.OptionKind (.*?)fun\(", types, re.M | re.S).group(1)
    yield from compared("kinds of options", items_of(items_below(options, "The kinds are:"), r"(?:Cm| ,) (\w+)"),
                        set(re.findall(r'"(\w+)"', kinds)))


# --- vmrunctl(8) and vmrun(8) ---


def help_options(text):
    """Name and argument of each option of a help text."""
    form = r"^  (?:-., |    )--([a-z-]+)(?: ([A-Z][A-Z0-9=_-]*))?"
    return dict(re.findall(form, text, re.M))


def taken_options(vmrunctl, name, argument, options):
    """The options that a command takes, apart from those of all commands."""
    taken = set()
    with tempfile.TemporaryDirectory() as empty:
        for option, value in options.items():
            words = [vmrunctl, "-r", empty + "/run", "--state-dir", empty + "/state", name]
            words += ["demo"] if argument is not None else []
            words += ["x"] if argument and not argument.startswith("[") else []
            words += ["--" + option] + (["0"] if value else [])
            said = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False).stderr
            if f"takes no --{option}" not in said:
                taken.add(option)
    return taken


def all_taken_options(vmrunctl, commands, options, overviews, answers):
    """The options of each command, from the file of answers, which is made if it does not exist."""
    if not os.path.exists(answers):
        taken = {name: sorted(taken_options(vmrunctl, name, None if name in overviews else argument, options))
                 for name, argument in commands.items()}
        with open(answers, "w", encoding="utf-8") as file:
            json.dump(taken, file)
    with open(answers, encoding="utf-8") as file:
        return json.load(file)


def control_faults(page, vmrunctl, answers):
    text = output_of(vmrunctl, "--help")
    options = help_options(text)
    commands = dict(re.findall(r"^  ([a-z][a-z-]*)(?: (\[?[A-Z]+\]?))? {2,}", text, re.M))
    overviews = re.search(r"vmrunctl \[options\] (\w+) \| (\w+)$", text, re.M).groups()
    special = {o: v for o, v in options.items() if o not in ("run-dir", "state-dir", "json", "help", "version")}
    shown = dict(re.findall(r"^Cm ([a-z-]+) ?(.*)$", "\n".join(items_below(page, "The commands are:")), re.M))
    taken = all_taken_options(vmrunctl, commands, special, overviews, answers)

    yield from compared("options", set(re.findall(r"(?:Fl| ,) -([a-z-]+)", page)), set(options))
    yield from compared("commands", set(shown), set(commands))
    for name, argument in commands.items():
        if name not in shown:
            continue
        word = argument.strip("[]").lower()
        form = f"Oo Ar {word} Oc" if argument.startswith("[") else f"Ar {word}" if word else ""
        before = re.split(r" ?O[op] Fl", " " + shown[name])[0].strip()
        if before != form:
            yield f'{name}: expected the argument "{form}", the page has "{before}"'
        yield from compared(f"options of {name}", set(re.findall(r"Fl -([a-z-]+)", shown[name])), set(taken[name]))


def option_faults(page, vmrun):
    listed = items_of(items_below(page, "The options are:"), r"\bFl -([a-z][a-z-]*)")
    return compared("options", listed, set(help_options(output_of(vmrun, "--help"))))


def main(manuals, vmrun, vmrunctl, answers):
    def page(name):
        with open(os.path.join(manuals, name), encoding="utf-8") as file:
            return file.read()

    types = output_of(vmrun, "--print", "lua-types")
    faults = [f"vmrun-hooks.5: {f}" for f in hook_faults(page("vmrun-hooks.5"), types)]
    faults += [f"vmrunctl.8: {f}" for f in control_faults(page("vmrunctl.8"), vmrunctl, answers)]
    faults += [f"vmrun.8: {f}" for f in option_faults(page("vmrun.8"), vmrun)]
    print(*faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
