#!/usr/bin/env python3
"""Reports how much of src the tests have executed: report.py BUILD-DIRECTORY

Prints lines and branches of each room, and writes BUILD/uncovered.txt: each function with lines that
were not executed, and the numbers of these lines.  Fails if src or a room is below a bound, or a
function is not executed at all, unless tests/coverage/uncovered.txt lists it with the reason; and if
that file lists anything else.
"""

import collections
import json
import pathlib
import subprocess
import sys

# Percent.  Branches are those of gcc without the ones that --exclude-unreachable-branches and
# --exclude-throw-branches of gcovr leave out: of lines without code, and of C++ exceptions.
LINES, BRANCHES = 95, 85

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = ROOT / "tests/coverage/uncovered.txt"


class Count:
    """The executed lines and branches of a part of the sources."""

    def __init__(self):
        self.lines = self.lines_hit = self.branches = self.branches_hit = 0

    def add(self, line):
        self.lines += 1
        self.lines_hit += line["count"] > 0
        self.branches += len(line["branches"])
        self.branches_hit += sum(branch["count"] > 0 for branch in line["branches"])

    def line_rate(self):
        return 100 * self.lines_hit / self.lines if self.lines else 100

    def branch_rate(self):
        return 100 * self.branches_hit / self.branches if self.branches else 100

    def is_low(self):
        return self.line_rate() < LINES or self.branch_rate() < BRANCHES

    def __str__(self):
        return (
            f"{self.lines_hit:6} of {self.lines:6} lines {self.line_rate():6.1f} %"
            f"{self.branches_hit:7} of {self.branches:6} branches {self.branch_rate():6.1f} %"
        )


def measure(build):
    """Returns gcovr's files; the objects of a file that is compiled several times are merged."""
    data = build / "coverage.json"
    subprocess.run(
        ["gcovr", "--root", str(ROOT), "--filter", str(ROOT / "src") + "/", "--json", str(data)]
        + ["--exclude-throw-branches", "--exclude-unreachable-branches"]
        + [str(build / part) for part in ("CMakeFiles", "tests/freebsd", "tests/luamodule")],
        check=True,
    )
    return json.loads(data.read_text())["files"]


def by_function(file):
    """Returns the lines of each function of a file."""
    functions = sorted((f["lineno"], f["name"]) for f in file["functions"])
    result = collections.defaultdict(list)
    for line in file["lines"]:
        if line.get("gcovr/noncode"):
            continue
        name = ""
        for start, candidate in functions:
            if start <= line["line_number"]:
                name = candidate
        result[name].append(line)
    return result


def ranges(numbers):
    """Returns "3-5 9" for 3, 4, 5, 9."""
    parts = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def read_list():
    """Returns the reasons: those of rooms by name, those of functions by "FILE FUNCTION"."""
    reasons = {}
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            what, _, reason = line.partition(": ")
            if not reason or what in reasons:
                sys.exit(f"{LIST}: expected WHAT: REASON, once: {line}")
            reasons[what] = reason
    return reasons


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    rooms = collections.defaultdict(Count)
    total = Count()
    low, missed = set(), []
    for file in measure(build):
        name = file["file"]
        for function, lines in by_function(file).items():
            count = Count()
            for line in lines:
                for each in (count, rooms[name.split("/")[1]], total):
                    each.add(line)
            open_lines = [line["line_number"] for line in lines if line["count"] == 0]
            if open_lines:
                missed.append(f"{name} {function}: {ranges(open_lines)}")
            if count.lines_hit == 0:
                low.add(f"{name} {function}")
    for room, count in sorted(rooms.items()):
        print(f"{room:10} {count}")
        if count.is_low():
            low.add(room)
    print(f"{'all':10} {total}")
    if total.is_low():
        low.add("all")
    (build / "uncovered.txt").write_text("".join(line + "\n" for line in sorted(missed)))
    print(f"{build / 'uncovered.txt'} lists the lines that no test executes")

    reasons = read_list()
    for what in sorted(low - reasons.keys()):
        print(f"too little is executed, and no reason is in {LIST.relative_to(ROOT)}: {what}")
    for what in sorted(reasons.keys() - low):
        print(f"executed; delete it in {LIST.relative_to(ROOT)}: {what}")
    return 1 if low != reasons.keys() else 0


sys.exit(main())
