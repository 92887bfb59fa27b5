#!/usr/bin/env python3
"""Counts the instructions of a start and of one reboot, and prints them beside those recorded.

    counts.py BUILD [--record]

A start is `vmrun -d` of a spec of 1 KB. A reboot is what one more life of the guest costs vmrun, from
the exit to the next start. Only instructions of vmrun itself are counted, not those of the kernel and
of the guest, so that the load of a machine does not change them; compilers, flags and libraries do.
--record writes the counts to counts.txt. Nothing fails on a count.
"""
import os
import sys

from bench import deep_spec
from world import Failed, Times, World, found, instructions

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.txt")
FEW, MANY = 5, 55


def reboots(world, lives):
    """Returns the instructions of a run in which the guest lives as often as given."""
    times = Times(world.path("times"), lives)
    preloaded = {"LD_PRELOAD": world.program("pidfd.so")} if sys.platform == "linux" else {}
    counted = instructions(world, world.run_of(world.spec("reboot.json")), BENCH_TIMES=world.path("times"),
                           VMRUN_BHYVE=world.program("turn"), **preloaded)
    if times.lives() != lives:
        raise Failed(f"{times.lives()} of {lives} lives below valgrind")
    return counted


def take(world):
    small, _ = deep_spec(world, "small.json", 1000)
    start = instructions(world, [world.vmrun, "-d", small])
    return {"start": start, "reboot": (reboots(world, MANY) - reboots(world, FEW)) // (MANY - FEW)}


def recorded():
    counts = {}
    with open(RECORD, encoding="ascii") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, count = line.split()
                counts[name] = int(count)
    return counts


def record(counts):
    """Writes the counts and keeps the comments of the file."""
    with open(RECORD, encoding="ascii") as lines:
        comments = [line for line in lines if line.startswith("#")]
    with open(RECORD, "w", encoding="ascii") as file:
        file.writelines(comments)
        file.writelines(f"{name} {count}\n" for name, count in counts.items())


def main(arguments):
    if not arguments or len(arguments) > 2 or arguments[1:] not in ([], ["--record"]):
        sys.exit(__doc__)
    if not found("valgrind"):
        print("instructions are not counted: valgrind is not installed")
        return
    world = World(arguments[0])
    try:
        counts = take(world)
    except Failed as why:
        print(f"instructions are not counted: {why}")
        return
    finally:
        world.leave()
    before = recorded()
    print(f"{'instructions of vmrun':<24}{'now':>12}{'recorded':>12}{'change':>11}")
    for name, count in counts.items():
        old = before.get(name)
        beside = f"{old:>12,} {100 * (count - old) / old:>+8.1f} %" if old else f"{'-':>12}{'-':>11}"
        print(f"{name:<24}{count:>12,}{beside}")
    if "--record" in arguments:
        record(counts)


if __name__ == "__main__":
    main(sys.argv[1:])
