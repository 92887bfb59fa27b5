#!/usr/bin/env python3
"""Compares the mutants of fixture.c, and which of them its main() notices, with fixture.txt.

    test_sites.py COMPILER

UPDATE=1 writes fixture.txt.
"""
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import sites

HERE = pathlib.Path(__file__).resolve().parent


def fates(compiler, directory):
    """Returns a line for each mutant."""
    source = HERE / "fixture.c"
    command = {"command": f"{compiler} -std=c11", "directory": directory, "file": str(source)}
    mutants = [each for each in sites.find(command, "fixture.c") if each.function != "main"]
    text = sites.with_all(source.read_text(encoding="latin-1"), enumerate(mutants, 1))
    program = pathlib.Path(directory, "program")
    program.with_suffix(".c").write_text(text, encoding="latin-1")
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", f"-I{HERE}", "-w", "-o", str(program)]
    subprocess.run([compiler, *flags, str(program) + ".c", str(HERE / "switch.c")], check=True)

    def status(number):
        return subprocess.run([str(program)], env={"MUTANT": str(number)}, timeout=60, check=False).returncode

    if status(0) != 0:
        sys.exit("the program fails without a mutant")
    return [f"{each.line}: {each.function}: {each.change}: {'killed' if status(number) else 'survived'}\n"
            for number, each in enumerate(mutants, 1)]


def main():
    if not shutil.which("clang"):
        print("skipped: clang is not installed, which finds what can be changed")
        return 77
    expected = HERE / "fixture.txt"
    with tempfile.TemporaryDirectory() as directory:
        lines = fates(sys.argv[1], directory)
    if os.environ.get("UPDATE") == "1":
        expected.write_text("".join(lines))
    before = expected.read_text().splitlines(keepends=True)
    sys.stdout.writelines(difflib.unified_diff(before, lines, "fixture.txt", "now"))
    return before != lines


sys.exit(main())
