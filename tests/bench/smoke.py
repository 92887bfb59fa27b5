#!/usr/bin/env python3
"""Takes every figure of bench.py a few times and checks that each row has one, whatever it is.

    smoke.py BUILD

Rows of programs that are not installed say so. The measures run at the same time.
"""
import os
import subprocess
import sys

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.py")
MISSING = ("not installed", "no smaps_rollup", "refused")
ROWS = {
    "respawn": ["floor: C, vfork and waitpid", "floor of the promises", "vmrun, checks off  ",
                "vmrun, checks off, an on_exit hook", "vmrun, with checks", "sh, while loop", "s6-supervise", "runsv",
                "5 ms, floor: C, vfork and waitpid", "5 ms, floor of the promises", "5 ms, vmrun, checks off  ",
                "5 ms, vmrun, checks off, an on_exit hook", "5 ms, vmrun, with checks", "5 ms, sh, while loop"],
    "start": ["floor: an empty C program", "vmrun -d, JSON of 1 KB", "vmrun -d, JSON of 100 KB, one target",
              "vmrun -d, JSON of 100 KB, ", "vmrun -d examples/fleet.lua", "sh, an empty script",
              "jq, argv from JSON of 1 KB", "jq, argv from JSON of 100 KB", "python3"],
    "list": ["floor: C, asks each control socket", "vmrunctl list", "vmrunctl --json list", "ps -A",
             "sv status", "starting these VMs"],
    "idle": ["floor: C, passes SIGTERM on", "vmrun", "sh, trap and wait", "s6-supervise", "runsv"],
    "stop": ["floor: SIGTERM to the guest itself", "C, passes SIGTERM on", "vmrun  ", "vmrun, while a hook",
             "sh, trap and wait", "s6-supervise", "runsv"],
    "scale": ["starting these VMs side by side", "private memory of a vmrun", "memory of a vmrun with its part",
              "descriptors of a vmrun", "processor time of a vmrun for its start", "vmrunctl list",
              "vmrunctl --json list", "vmrunctl metrics", "files in the run directory", "their blocks",
              "files in the state directory", "their blocks", "processor time of a vmrun in", "SIGTERM to all",
              *2 * ["starting these VMs one after another", "private memory of the process",
                    "descriptors of the process", "processor time of the process in", "SIGTERM, until all have ended"]],
    "console": ["floor: C, copies a terminal to a file", "vmrun, log  ", "vmrun, log with time stamps",
                "C, copies to s6-log", "C, copies to svlogd"],
}


def wrong(measure, output):
    """Returns the rows that are missing or have no figure."""
    lines = [line[2:] for line in output.splitlines() if line.startswith("  ")]
    if any("no smaps_rollup" in line for line in lines):
        return []
    bad = []
    for row in ROWS[measure]:
        cells = next((line[60:].split("  ") for line in lines if line.startswith(row)), [])
        texts = [c.strip() for c in cells if c.strip()]
        if not texts or not (texts[0] in MISSING or texts[0].replace(",", "").replace(".", "").isdigit()):
            bad.append(row)
    if len(lines) != len(ROWS[measure]):
        bad.append(f"{len(lines)} rows in place of {len(ROWS[measure])}")
    return bad


def main(build):
    runs = {m: subprocess.Popen([sys.executable, "-B", BENCH, build, "--quick", m], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True) for m in ROWS}
    failed = False
    for measure, process in runs.items():
        output = process.communicate()[0]
        bad = wrong(measure, output)
        if process.returncode != 0 or bad:
            failed = True
            print(f"{measure}: status {process.returncode}, wrong: {bad}\n{output}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
