#!/usr/bin/env python3
"""Draws a run of the demo guest: the text of a terminal as SVG.

    picture.py VMRUN GUEST >docs/run.svg
    picture.py VMRUN GUEST docs/run.svg     # status 1 unless the picture shows this run

Needs QEMU. The long line of the policy and that of the accelerator are left out. Pids and times differ between runs and are not compared.
"""
import html
import os
import re
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMAND = "vmrun -t install examples/hello.lua"
LINE, LEFT, TOP, WIDTH = 17, 14, 26, 940
LOOSE = [(r"pid \d+", "pid N"), (r"after \d+\.\d s", "after N s"), (r"accel .*", "accel A")]


def run(vmrun, guest):
    with tempfile.TemporaryDirectory(prefix="pic.") as place:
        env = dict(os.environ, VMRUN_HYPERVISOR="qemu", VMRUN_GUEST=guest, LC_ALL="C")
        words = [vmrun, "--no-log-time", "--run-dir", f"{place}/r", "--state-dir", f"{place}/s"]
        done = subprocess.run(words + COMMAND.split()[1:], cwd=SOURCE, env=env, stdin=subprocess.DEVNULL, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
    lines = done.stdout.decode().replace("\r", "").rstrip("\n").split("\n")
    return ["$ " + COMMAND] + [line for line in lines if "policy of" not in line and "qemu: accel" not in line]


def row(number, text):
    kind = "p" if text.startswith("$ ") else "v" if text.startswith("vmrun: ") else "g"
    return f'<text class="{kind}" x="{LEFT}" y="{TOP + number * LINE}">{html.escape(text)}</text>'


def draw(lines):
    height = TOP + len(lines) * LINE
    style = ("text{font:13px monospace;white-space:pre}.p{fill:#fff;font-weight:bold}"
             ".v{fill:#9cdcfe}.g{fill:#b5cea8}")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" role="img">'
    return "\n".join([head, "<title>A run of vmrun: the guest installs, reboots and powers off</title>",
                      f"<style>{style}</style>", '<rect width="100%" height="100%" rx="6" fill="#1e1e1e"/>',
                      *[row(number, text) for number, text in enumerate(lines)], "</svg>", ""])


def plain(lines):
    text = "\n".join(lines)
    for form, word in LOOSE:
        text = re.sub(form, word, text)
    # The guest and vmrun write to the same terminal; which comes first is not fixed.
    return sorted(text.split("\n"))


def main(vmrun, guest, picture=None):
    lines = run(vmrun, guest)
    if picture is None or os.environ.get("UPDATE"):
        with open(picture or "/dev/stdout", "w", encoding="utf-8") as file:
            file.write(draw(lines))
        return 0
    with open(picture, encoding="utf-8") as file:
        shown = [html.unescape(text) for text in re.findall(r"<text[^>]*>(.*)</text>", file.read())]
    if plain(shown) == plain(lines):
        return 0
    print(f"{picture} shows another run; UPDATE=1 draws this one:", *lines, sep="\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
