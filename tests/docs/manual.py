#!/usr/bin/env python3
"""Compares the tables of vmrun(8) with what vmrun has, and makes the table of events.

    manual.py SOURCE VMRUN

Options come from --help, causes, exit statuses, requests and states from the rows in src, events from
their schema. UPDATE=1 rewrites the table of events. A name that only one side has is a fault.
"""
import json
import os
import re
import subprocess
import sys

BEGIN = '.\\" Made from the schema of events: UPDATE=1 ctest -R docs.manual\n'
END = '.\\" End of what is made from the schema of events.\n'


# --- the page ---


def lines_of(page, section):
    """The lines of a section or subsection."""
    start = re.search(rf"^\.S[hs] {re.escape(section)}\n", page, re.M).end()
    end = re.compile(r"^\.S[hs] ", re.M).search(page, start)
    return page[start:end.start() if end else len(page)].split("\n")


def items_of(lines, depth=1):
    """Yields list number, text after .It, and lines below, for each entry of the lists at a depth."""
    level, lists, item = 0, 0, None
    for line in lines:
        if line.startswith(".Bl"):
            level += 1
            lists += level == depth
        if line.startswith(".El") or line.startswith(".It") and level == depth:
            if item and level == depth:
                yield item
                item = None
            level -= line.startswith(".El")
        if line.startswith(".It") and level == depth:
            item = (lists, line[4:], [])
        elif item:
            item[2].append(line)


def words_in(text, macro):
    """The words that stand behind a macro, as in `Cm stop , kill`."""
    found = []
    for run in re.findall(rf"(?:^|[. ]){macro} ((?:(?![A-Z][a-z] )\S+(?: |$))+)", text, re.M):
        found += [word for word in run.split() if re.match(r"\w", word)]
    return found


def list_with(lines, first):
    """The entries of the list that has this word in an entry."""
    items = list(items_of(lines))
    number = next(n for n, head, _ in items if first in head.split())
    return [(head, body) for n, head, body in items if n == number]


# --- what vmrun has ---


def read(source, name):
    with open(f"{source}/{name}", encoding="utf-8") as file:
        return file.read()


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def options_of(vmrun):
    """Each option, -x or --word, and whether it takes an argument."""
    options = {}
    for line in output_of(vmrun, "--help").stdout.split("\n"):
        left = re.match(r"  (-\w|  )(?:, |  )(--[\w-]+)?(?: +([A-Z=]+))?  ", line)
        for name in left.groups()[:2] if left else ():
            if name and name.strip():
                options[name] = left.group(3) is not None
    return options


def causes_of(source):
    return re.findall(r'\[CAUSE_(\w+)\] = \{ "(\w+)"', read(source, "src/spec/cause.c"))


def statuses_of(source):
    return {name: int(number) for name, number in
            re.findall(r"\bSTATUS_(\w+) = (\d+)", read(source, "src/base/error.h"))}


def status_by_cause(source):
    """What policy_exit_status() returns for each cause; 128 + N stands for a signal."""
    statuses = statuses_of(source)
    body = re.search(r"^int policy_exit_status\(.*?^}", read(source, "src/policy/policy.c"), re.M | re.S).group()
    found, pending = {}, []
    for case, value in re.findall(r"case CAUSE_(\w+):|return ([^;]+);", body):
        pending += [case] if case else []
        if value:
            number = statuses[re.findall(r"STATUS_(\w+)", value)[-1]]
            found.update((cause, str(number) + (" + N" if "signal" in value else "")) for cause in pending)
            pending = []
    rest = str(number)  # of the default, which comes last
    return {name: found.get(constant, rest) for constant, name in causes_of(source)}


def requests_of(source):
    """The members of each request."""
    rows = re.search(r"\} commands\[\] = \{\n(.*?)^\};", read(source, "src/control/request.c"), re.M | re.S).group(1)
    return {row.group(1): re.findall(r'\{ "([\w-]+)"', row.group(2))
            for row in re.finditer(r'^\t\{ "([\w-]+)", REQUEST_\w+,(.*?\} \}) \}?,?$', rows, re.M | re.S)}


def states_of(source):
    text = re.search(r"\bstates\[\] = \{(.*?)\}", read(source, "src/control/request.c"), re.S).group(1)
    return re.findall(r'"(\w+)"', text)


# --- comparisons ---


def differences(what, page, real):
    for name in sorted(set(page) - set(real)):
        yield f"{what}: vmrun has no {name}"
    for name in sorted(set(real) - set(page)):
        yield f"{what}: not on the page: {name}"


def check_options(page, vmrun):
    real, shown = options_of(vmrun), {}
    for head, _ in list_with(lines_of(page, "DESCRIPTION"), "-config"):
        for part in head.split(" , "):
            word = re.match(r"Fl (\S+)(.*)", part)
            shown["-" + word.group(1)] = re.search(r"\b(Ar|Cm) ", word.group(2)) is not None
    yield from differences("option", shown, real)
    for name in set(shown) & set(real):
        if shown[name] != real[name]:
            yield f"option {name}: --help and the page differ about its argument"
    if len(real) < 40:
        yield f"only {len(real)} options found in --help"


def check_print(page, vmrun):
    """The words of --print, which its error lists."""
    body = next(body for _, head, body in items_of(lines_of(page, "DESCRIPTION")) if head.startswith("Fl -print"))
    shown = [words_in(head, "Cm")[0] for _, head, _ in items_of(body)]
    listed = re.search(r"--print takes (.*), got", output_of(vmrun, "--print", "?").stderr).group(1)
    yield from differences("--print", shown, re.findall(r"[\w-]+", listed.replace(" or ", " ")))


def check_causes(page, source):
    shown = [words_in(head, "Cm")[0] for head, _ in list_with(lines_of(page, "Causes"), "reboot")]
    yield from differences("cause", shown, [name for _, name in causes_of(source)])


def check_statuses(page, source):
    real, shown, numbers = status_by_cause(source), {}, set()
    items = list(items_of(lines_of(page, "EXIT STATUS")))
    for _, head, body in items:
        numbers.update(re.findall(r"\d+", head))
        before = "\n".join(body).split(":\n")[0]
        shown.update((cause, head) for cause in words_in(before, "Cm") if cause in real)
    yield from differences("exit status: cause", shown, real)
    for cause in set(shown) & set(real):
        if shown[cause] != real[cause]:
            yield f"exit status of {cause}: {real[cause]}, on the page {shown[cause]}"
    others = statuses_of(source)
    del others["DENIED"]  # of vmrunctl
    yield from differences("exit status", numbers, [str(number) for number in others.values()])


def check_requests(page, source):
    real, shown = requests_of(source), {}
    for head, body in list_with(lines_of(page, "CONTROL"), "status"):
        for name in words_in(head, "Cm"):
            shown[name] = words_in("\n".join(body), "Va")
    yield from differences("request", shown, real)
    for name in set(shown) & set(real):
        for member in set(real[name]) - set(shown[name]):
            yield f"request {name}: not on the page: {member}"


def check_states(page, source):
    shown = [words_in(head, "Cm")[0] for head, _ in list_with(lines_of(page, "CONTROL"), "waiting")]
    yield from differences("state", shown, states_of(source))


def events(source):
    rows = [(o["title"], " , ".join(o["required"])) for o in json.loads(read(source, "schema/event.schema.json"))["oneOf"]]
    name, members = (max((row[i] for row in rows), key=len).replace(" ,", ",") for i in (0, 1))
    return (f'.Bl -column "{name}" "{members}"\n'
            + "".join(f".It Cm {event} Ta Va {listed}\n" for event, listed in rows) + ".El\n")


def main(source, vmrun):
    path = f"{source}/man/vmrun.8"
    page = read(source, "man/vmrun.8")
    start = page.index(BEGIN) + len(BEGIN)
    made = page[:start] + events(source) + page[page.index(END, start):]
    if os.environ.get("UPDATE") and made != page:
        with open(path, "w", encoding="utf-8") as file:
            file.write(made)
        page = made
    faults = [] if page == made else ["another table of events than the schema: run UPDATE=1 ctest -R docs.manual"]
    for check, argument in ((check_options, vmrun), (check_print, vmrun), (check_causes, source),
                            (check_statuses, source), (check_requests, source), (check_states, source)):
        faults += check(page, argument)
    print(*[f"man/vmrun.8: {fault}" for fault in faults], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
