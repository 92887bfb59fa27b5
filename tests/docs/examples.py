#!/usr/bin/env python3
"""Runs the examples of one page: a manual page (mdoc) or a Markdown page.

    examples.py PAGE

A page is read from top to bottom. Its examples share one directory and one shell, so later commands
see the files, variables and background jobs of earlier ones. In Markdown an example is a fenced
block, in mdoc a `.Bd -literal` block or a `.Dl` line.

Session (```sh, or any block whose first line has a prompt, also one that four blanks indent):

    $ vmrun --simulate reboot,poweroff demo.json
    1	default	reboot	boot	default	default	0
    ...

    `$ ` or `# ` begins a command. A line that ends with `\\` continues in the next. A command must end
    with status 0, or with N where its last words are `# status N`. The lines below a command are its
    output (stdout and stderr); no lines: any output. A line `...` stands for any number of lines, and
    `...` within a line for any text. A line of output that ends with `\\` is one with the next. Pids, uptimes
    ("after 0.1 s") and times are not compared. The directory of the page is /vm in output.

File (any block whose preceding line of text ends with its name and a colon, for instance `demo.json:`):
    The block is written to that file, and a later command must name the file.

Fragment (```json, ```ucl, ```lua, ```c, ```python without a file name; in mdoc the language is guessed):
    A spec, or a part of a spec, which is laid over a small VM with targets install and rescue; `vmrun
    -d` must accept each target, and `--simulate` must walk it without a failed hook. C is compiled, Python is parsed. A Lua
    fragment may be a spec, statements about the table `vm`, or a hook file (`return { on_... }`).

Hidden command (`<!-- test: COMMAND -->` or `.\\" test: COMMAND`):
    The command runs in the same shell before what follows, and must succeed. `guest LINE...` says what
    the next guests do (tests/fake/README.md, Scripts; without: power off). `await COMMAND` polls.
    `checks` makes runs check the host, which is simulated (FAKE_STATE_DIR); without, no run does.
    `dry` makes vmrun print commands instead (-d), for a page whose guests no test has at hand.
    Such a line may also make files that readers have, such as disks: `<!-- test: touch disk.img -->`.

vmrun, vmrunctl, bhyve (fakebhyve) and the commands of FreeBSD are in PATH, so is a pkg-config that knows
vmrun, and PYTHONPATH and LUA_CPATH name the built modules. $SOURCE is the source tree.

tests/docs/unrun.txt lists the blocks that cannot run, with the reason; an entry without its block is
an error, and so is any other block in none of these forms.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = os.environ["SOURCE"]
HERE = os.path.join(SOURCE, "tests/docs")
TITLE = re.compile(r"[`\s(]?([\w./-]+\.(?:jsonc?|lua|conf|ucl|c|py|sh|txt|cmake)|CMakeLists\.txt)`?:$")
PROMPT = re.compile(r"^[$#] ")
GUESSES = [
    ("session", re.compile(r"[$#] ")),
    ("json", re.compile(r'[{"\[]')),
    ("c", re.compile(r"#include|struct |int ")),
    ("lua", re.compile(r"return\b|function\b|local\b|vmrun\.|---@")),
]
BASE = '"name": "demo", "cpu": 1, "mem": "64M", "targets": {"install": {}, "rescue": {}}'


class Block:
    def __init__(self, line, kind, title, lines):
        self.line, self.kind, self.title, self.lines = line, kind, title, lines

    def text(self):
        return "\n".join(self.lines) + "\n"


# --- pages ---


def guess(lines):
    first = next((line for line in lines if line.strip()), "")
    return next((kind for kind, form in GUESSES if form.match(first)), None)


def title_of(text):
    found = TITLE.search(text.strip())
    return found.group(1) if found else None


def unescape(line):
    for old, new in (("\\&", ""), ("\\(dq", '"'), ("\\(aq", "'"), ("\\-", "-"), ("\\e", "\\")):
        line = line.replace(old, new)
    return line


def mdoc_words(line):
    """The text of a line of mdoc, without its macros."""
    words = [w for w in unescape(line).replace('"', "").split() if not re.fullmatch(r"\.?[A-Z][a-z]|\.", w)]
    return " ".join(words).replace(" :", ":")


def read_mdoc(lines):
    blocks, start, before = [], None, ""
    for number, line in enumerate(lines, 1):
        if start is not None:
            if line.startswith(".Ed"):
                body = [unescape(row) for row in lines[start:number - 1]]
                blocks.append(Block(start, guess(body), title_of(before), body))
                start, before = None, ""
        elif re.match(r"\.Bd -(literal|unfilled)", line):
            start = number
        elif line.startswith('.\\" test: '):
            blocks.append(Block(number, "hidden", None, [line[len('.\\" test: '):]]))
        elif line.startswith(".Dl "):
            row = unescape(line[4:])
            if guess([row]) in (None, "session"):
                row = row if PROMPT.match(row) else "$ " + row
            if blocks and blocks[-1].kind == "session" and lines[number - 2].startswith(".Dl "):
                blocks[-1].lines.append(row)
            else:
                blocks.append(Block(number, guess([row]), None, [row]))
        elif not re.match(r"\.(Pp|\\\")", line):
            before = mdoc_words(line)
    return blocks


def fence_kind(language, body):
    if language in ("sh", "console", "shell", "session"):
        return "session" if any(PROMPT.match(row) for row in body) else None
    return language or guess(body)


def read_markdown(lines):
    blocks, start, before, indented = [], None, "", None
    for number, line in enumerate(lines, 1):
        fence = re.match(r"\s*```(\w*)\s*$", line)
        if start is not None:
            if fence and not fence.group(1):
                margin = re.match(r"\s*", lines[start - 1]).group()
                body = [row.removeprefix(margin) for row in lines[start:number - 1]]
                blocks.append(Block(start, fence_kind(language, body), title_of(before), body))
                start, before = None, ""
        elif fence:
            start, language = number, fence.group(1)
        elif line.startswith("<!-- test: "):
            blocks.append(Block(number, "hidden", None, [line[len("<!-- test: "):].removesuffix("-->").strip()]))
        elif line.startswith("    ") and indented is not None:
            indented.lines.append(line[4:])
        elif line.startswith("    ") and not before.startswith(("* ", "- ", "  ")):
            indented = Block(number, guess([line[4:]]), title_of(before), [line[4:]])
            blocks.append(indented)
        elif line.strip():
            before, indented = line, None
    return blocks


def read_page(path):
    with open(path, encoding="utf-8") as page:
        lines = page.read().split("\n")
    return read_markdown(lines) if path.endswith(".md") else read_mdoc(lines)


# --- the list of blocks that cannot run ---


def without_unrun(page, blocks):
    name, faults = os.path.relpath(page, SOURCE), []
    with open(os.path.join(HERE, "unrun.txt"), encoding="utf-8") as rows:
        for row in rows:
            if row.startswith("#") or not row.strip():
                continue
            where, first, reason = row.rstrip("\n").split("\t")
            if not os.path.exists(os.path.join(SOURCE, where)) or not reason:
                faults.append(f"unrun.txt: no such page, or no reason: {row.strip()}")
            if where != name:
                continue
            rest = [b for b in blocks if b.kind == "hidden" or b.lines[0].strip() != first]
            if len(rest) == len(blocks):
                faults.append(f"unrun.txt: {where} has no block that begins with: {first}")
            blocks = rest
    return blocks, faults


# --- from blocks to one shell script ---


class Script:
    """A shell script of steps; each has an expected status and output."""

    def __init__(self, directory):
        self.directory, self.steps, self.rows = directory, [], []

    def step(self, block, command, status=0, output=None):
        number = len(self.steps)
        self.steps.append((block, command, status, output))
        with open(f"{self.directory}/steps/{number}.sh", "w", encoding="utf-8") as file:
            file.write(command + "\n")
        self.rows.append(f'. "$STEPS/{number}.sh" >"$STEPS/{number}.out" 2>&1 </dev/null; echo $? >"$STEPS/{number}.status"')


def commands_of(block):
    """Yields the command, the status and the lines of output of each command of a session."""
    rows, command, output = block.lines, None, []
    for row in rows + ["$ "]:
        if command is not None and command.endswith("\\") and not output:
            command += "\n" + row.removeprefix("> ")
        elif PROMPT.match(row) and row != "# ":
            if command is not None:
                wanted = re.search(r"#\s*status (\d+)$", command)
                yield command, int(wanted.group(1)) if wanted else 0, output
            command, output = row[2:], []
        elif row.strip() or output:
            output.append(row)


def add_session(script, block):
    for command, status, output in commands_of(block):
        while output and not output[-1].strip():
            output.pop()
        script.step(block, command, status, output or None)


def write(block, name, text):
    return f"mkdir -p \"$(dirname {name})\" && cat >{name} <<'END OF FILE' &&\n{text}END OF FILE\n"


def lua_of(text, name):
    """A spec, a hook file, or statements about the table vm: as a spec, or as a hook file."""
    base = 'local vm = { name = "demo", cpu = 1, mem = "64M", targets = { install = {}, rescue = {} } }\n'
    if re.search(r"^return ", text, re.M) and not re.search(r"\bname\s*=", text):
        return f"hook-{name}", text, f"--hook hook-{name}"
    if not re.search(r"^return\b", text, re.M):
        text = text + "\nreturn vm\n"
        text = text if "local vm" in text else base + text
    return name, text, ""


def add_fragment(script, block):
    name, text = f"fragment{len(script.steps)}.{block.kind}", block.text()
    if block.kind == "lua":
        name, text, more = lua_of(text, name)
        spec = "base.json" if more else name
        script.step(block, write(block, name, text) + f"walk {spec} {more}")
    elif block.kind == "json":
        script.step(block, write(block, name, text) + f"spec_of {name} >spec-{name} && walk spec-{name}")
    elif block.kind in ("conf", "ucl"):
        script.step(block, write(block, name, text) + f"ucl {name} && walk {name}")
    elif block.kind == "c":
        script.step(block, write(block, name, text) + f"compile {name}")
    elif block.kind in ("python", "py"):
        script.step(block, write(block, name, text) + f"python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' {name}")
    else:
        return [f"{block.line}: no form of an example: {block.lines[0] if block.lines else ''}"]
    return []


def build(blocks, script):
    faults = []
    for block in blocks:
        later = "\n".join(b.text() for b in blocks if b.line > block.line and b.kind in ("session", "hidden"))
        if block.kind == "hidden":
            script.step(block, block.lines[0])
        elif block.kind == "session":
            add_session(script, block)
        elif block.title is not None:
            script.step(block, write(block, block.title, block.text()) + ":")
            if os.path.basename(block.title) not in later:
                faults.append(f"{block.line}: no later command names {block.title}")
        else:
            faults += add_fragment(script, block)
    return faults


# --- output ---

LOOSE = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"\b(after|up) \d+(\.\d+)? (s|min|h|d)\b( \d+ (s|min|h)\b)?"), r"\1 TIME"),
]


def plain(lines, directory):
    text = re.sub(r"\\\n\s*", "", "\n".join(lines)).replace(os.path.realpath(directory), "/vm").replace(directory, "/vm")
    for form, word in LOOSE:
        text = form.sub(word, text)
    return [line.rstrip() for line in text.rstrip("\n").split("\n")]


def pattern_of(lines):
    rows = []
    for line in lines:
        row = ".*".join(re.escape(part) for part in re.split(r"\.\.\.", line))
        rows.append(r"(?:.*\n)*" if line.strip() == "..." else row + r"\n")
    return re.compile("".join(rows))


def judge(script, number):
    block, command, wanted, output = script.steps[number]
    path = f"{script.directory}/steps/{number}"
    try:
        with open(path + ".status", encoding="utf-8") as file:
            status = int(file.read())
    except (OSError, ValueError):
        return f"{block.line}: did not end: {command}"
    with open(path + ".out", encoding="utf-8", errors="replace") as file:
        got = file.read()
    if status != wanted:
        return f"{block.line}: status {status}, expected {wanted}: {command}\n{got}"
    if output is None:
        return None
    page = f"{script.directory}/page"
    lines = plain(got.split("\n"), page)
    if pattern_of(plain(output, page)).fullmatch("\n".join(lines) + "\n"):
        return None
    return f"{block.line}: other output than on the page: {command}\n" + "\n".join(lines)


# --- the run ---


def environment(directory):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("FAKE_", "VMRUN_"))}
    env.pop("NOTIFY_SOCKET", None)
    env.update(LC_ALL="C", HOME=directory, STEPS=f"{directory}/steps", DOCS=directory, SOURCE=SOURCE,
               XDG_RUNTIME_DIR=f"{directory}/r", FAKE_STATE_DIR=f"{directory}/host",
               FAKEBHYVE_SCRIPT=f"{directory}/guests", FAKEBHYVE_NODISK="1",
               FAKEBHYVE_LOG=f"{directory}/starts", VMRUN_HYPERVISOR="bhyve",
               PATH=f"{directory}/bin:{HERE}/bin:{SOURCE}/tests/fake/bin:{env['PATH']}")
    return env


def run(script, page):
    directory = script.directory
    with open(f"{directory}/run.sh", "w", encoding="utf-8") as file:
        file.write('. "$SOURCE/tests/docs/page.sh"\ncd "$DOCS/page" || exit 1\n' + "\n".join(script.rows) + "\n")
    shell = subprocess.Popen(["bash", f"{directory}/run.sh"], env=environment(directory), start_new_session=True,
                             stdin=subprocess.DEVNULL)
    try:
        shell.wait(timeout=110)
    except subprocess.TimeoutExpired:
        print(f"{page}: the examples did not end")
    end(shell.pid, directory)
    shell.wait()


def end(group, directory):
    """Ends what the page started: its process group, then the guests, which have groups of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass
    try:
        with open(f"{directory}/starts", encoding="utf-8") as starts:
            pids = [int(pid) for pid in re.findall(r'"pid":\s*(\d+)', starts.read())]
    except OSError:
        pids = []
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def main(page):
    directory = tempfile.mkdtemp(prefix="docs.")
    faults = []
    try:
        for name in ("steps", "page", "bin", "host", "r"):
            os.mkdir(f"{directory}/{name}", 0o700)
        os.symlink(os.environ["FAKEBHYVE"], f"{directory}/bin/bhyve")
        with open(f"{directory}/page/base.json", "w", encoding="utf-8") as file:
            file.write("{" + BASE + "}\n")
        blocks, faults = without_unrun(page, read_page(page))
        script = Script(directory)
        faults += build(blocks, script)
        run(script, page)
        faults += [fault for fault in (judge(script, n) for n in range(len(script.steps))) if fault]
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for fault in faults:
        print(f"{page}:{fault}")
    print(f"{os.path.relpath(page, SOURCE)}: {len(script.steps)} steps, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
