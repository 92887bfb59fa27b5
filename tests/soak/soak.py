#!/usr/bin/env python3
"""Runs vmrun for long, with whatever sanitizers its build has, and fails on the first fault.

    soak.py BUILD [bhyve|qemu] [COUNT]

bhyve: COUNT (100000) boots of a guest that ends at once, below one vmrun; see bhyve.py.
qemu:  COUNT (1000) boots of the demo guest in real qemus, four VMs at a time; see qemu.py.
Without a name both, each with its own count.
"""
import os
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "../bench"))

from world import Failed, World  # noqa: E402
import bhyve  # noqa: E402
import qemu  # noqa: E402

PARTS = {"bhyve": (bhyve.soak, 100000), "qemu": (qemu.soak, 1000)}
# A sanitizer keeps freed memory to find its use: with the default of 256 MB the limit would not be
# reached in thousands of boots, and the growth of the quarantine would hide that of vmrun.
ASAN = "detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
UBSAN = "halt_on_error=1:print_stacktrace=1"


def soak(build, part, count):
    run, usual = PARTS[part]
    world = World(build)
    world.programs = os.path.join(os.path.abspath(build), "tests/soak")
    world.env.update(ASAN_OPTIONS=ASAN, UBSAN_OPTIONS=UBSAN)
    began = time.monotonic()
    try:
        run(world, count or usual)
    except Failed as why:
        print(f"soak {part}: {why}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        world.leave()
    print(f"soak {part}: passed in {time.monotonic() - began:.0f} s")
    return 0


def main(arguments):
    if not arguments or len(arguments) > 3:
        sys.exit(__doc__)
    build, *rest = arguments
    parts = [rest.pop(0)] if rest and rest[0] in PARTS else list(PARTS)
    if rest and (not rest[0].isdigit() or int(rest[0]) < 1 or len(rest) > 1):
        sys.exit(__doc__)
    count = int(rest[0]) if rest else None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(max(soak(build, part, count) for part in parts))


if __name__ == "__main__":
    main(sys.argv[1:])
