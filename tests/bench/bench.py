#!/usr/bin/env python3
"""Measures vmrun beside a floor and beside what users would take instead, and prints one table.

    bench.py BUILD [--quick] [MEASURE...]

A measure is respawn, start, list, idle, stop, console or scale; without one, all but scale are taken. --quick takes
each figure a few times only, to see that it can be taken. docs/performance.md explains the rows, docs/scale.md those of scale. A
slow figure is no failure: the status tells only whether the programs did what they should.
"""
import glob
import json
import os
import shutil
import signal
import sys
import time
from subprocess import DEVNULL, PIPE, TimeoutExpired, run

from scale import scale
from world import Failed, Times, World, await_true, found, instructions, percentile

NOT_INSTALLED = "not installed"
LONG_LIFE = 5_000_000  # nanoseconds
LONGEST_RUN = 60  # seconds for one run of a supervisor


class Table:
    """Prints rows as they come, so that a run that is interrupted has told something."""

    def section(self, title, *columns):
        print(f"\n{title:<62}" + "".join(f"{c:>13}" for c in columns), flush=True)

    def row(self, name, *cells):
        texts = [c if isinstance(c, str) else f"{c:,.2f}" if c < 10 else f"{c:,.0f}" for c in cells]
        print(f"  {name:<60}" + "".join(f"{t:>13}" for t in texts), flush=True)


SPREAD = ("p10 us", "median us", "p99 us", "x floor", "x at p10")


def spread(values, floor, unit=1e3):
    """Returns the cells of a distribution, and its ratios to the floor's."""
    low, middle, high = (percentile(values, share) for share in (0.1, 0.5, 0.99))
    return (low / unit, middle / unit, high / unit, middle / percentile(floor, 0.5),
            low / percentile(floor, 0.1))


class Counts:
    """How often each figure is taken."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds, self.lives = (1, 4) if quick else (10, 200)
        self.long_lives = 4 if quick else 60
        self.slow_lives = 2 if quick else 6
        self.starts = 3 if quick else 200
        self.vms, self.lists = (3, 2) if quick else (100, 20)
        self.settle_seconds, self.idle_seconds = (0.1, 0.3) if quick else (11, 6)
        self.twins = 1 if quick else 9
        self.stops = 1 if quick else 30
        self.crowd = 4 if quick else 1000
        self.crowds = (2, 4) if quick else (100, 1000)  # in one process
        self.flood, self.floods = (80_000, 1) if quick else (40_000_000, 3)


# --- respawn -------------------------------------------------------------------------------------


def respawn_commands(world):
    """Returns name, command and whether FreeBSD's commands are needed, of what restarts at once."""
    turn = world.program("turn")
    os.makedirs(world.path("contract"), exist_ok=True)
    records = os.path.join(world.memory, "records")
    os.makedirs(records, exist_ok=True)
    world.write("hook.lua", "return { on_exit = function(exit)\n"
                "\tif exit.cause == 'reboot' then return exit.target end\nend }\n")
    plain, hooked = world.spec("plain.json"), world.spec("hooked.json", hooks=["hook.lua"])
    checked = world.spec("checked.json")
    return [
        ("floor: C, vfork and waitpid", [world.program("loop"), "bare", turn], False),
        ("floor of the promises: C with record, lock and history",
         [world.program("loop"), "contract", records, world.path("contract"), turn], False),
        ("vmrun, checks off", world.run_of(plain), False),
        ("vmrun, checks off, an on_exit hook", world.run_of(hooked), False),
        ("vmrun, with checks (three commands ask the host)", world.run_of(checked, program=world.test_vmrun, checks=True), True),
        ("sh, while loop", ["sh", "-c", 'while "$0"; do :; done', turn], False),
    ]


def checked_host(world):
    """Makes a host with vmm(4), and returns the environment that names it."""
    os.makedirs(world.path("bin"), exist_ok=True)
    for name in ("kldstat", "sysctl", "bhyvectl"):
        if not os.path.exists(world.path("bin", name)):
            shutil.copy(world.program("host"), world.path("bin", name))
    os.makedirs(world.path("host", "vmm"), exist_ok=True)
    return {"PATH": world.path("bin") + ":" + world.env.get("PATH", ""), "FAKE_STATE_DIR": world.path("host")}


def gaps_of(world, command, lives, host, life=0):
    times = Times(world.path("times"), lives, life)
    child = world.start(command, BENCH_TIMES=world.path("times"), VMRUN_BHYVE=world.program("turn"),
                        **(checked_host(world) if host else {}))
    child.wait(LONGEST_RUN)
    world.children.remove(child)
    if host and times.lives() == 0:
        return []  # this host has no vmm(4) and no stand-in for it
    if times.lives() != lives:
        raise Failed(f"{times.lives()} of {lives} lives, status {child.returncode}: {' '.join(command)}")
    return times.gaps()


def slow_gaps(world, counts):
    """Measures what waits between two lives, all of them at the same time; returns name and gaps."""
    running = []
    for name in ("s6-supervise", "runsv"):
        if found(name):
            times = Times(world.path(name + ".times"), counts.slow_lives)
            service = world.service(name + ".respawn", world.program("turn"))
            child = world.start([name, service], BENCH_TIMES=world.path(name + ".times"))
            running.append((name, times, child))
    for name, times, child in running:
        await_true(lambda t=times: t.lives() >= counts.slow_lives, name, 0.02)
        world.end(child)
    return {name: times.gaps() for name, times, _ in running}


def respawn(world, counts, table):
    table.section("respawn: a guest's exit to the next one's first instruction", *SPREAD)
    gaps, lived = {}, {}
    for _ in range(counts.rounds):  # in turn, so that other load meets each of them
        for name, command, host in respawn_commands(world):
            gaps.setdefault(name, []).extend(gaps_of(world, command, counts.lives, host))
            lived.setdefault(name, []).extend(gaps_of(world, command, counts.long_lives, host, LONG_LIFE))
    slow = slow_gaps(world, counts)
    floor = next(iter(gaps.values()))
    for name, values in gaps.items():
        table.row(name, *(spread(values, floor) if values else ["refused"]))
    for name in ("s6-supervise", "runsv"):
        if name in slow:
            table.row(f"{name} (waits for 1 s)", *spread(slow[name], floor))
        else:
            table.row(name, NOT_INSTALLED)
    table.section("respawn, after a life of 5 ms", *SPREAD)
    floor = next(iter(lived.values()))
    for name, values in lived.items():
        table.row(f"5 ms, {name.partition(':')[0] if 'promises' in name else name}", *(spread(values, floor) if values else ["refused"]))


# --- start ---------------------------------------------------------------------------------------


DEVICES = [{"device": "virtio-net", "name": "tap3", "mac": "58:9c:fc:00:00:01"},
           {"device": "virtio-blk", "path": "/vm/disk.img"},
           {"device": "virtio-rnd"}]


def wide_spec(world, name, size):
    """Writes a spec of the given size with one target: the file is long, the VM is small."""
    words = [f"-o{i:06d}.{'x' * 50}=1" for i in range((size - 700) // 68)]
    return world.spec(name, emulations=DEVICES, com1="stdio", extra_options=words)


def deep_spec(world, name, size):
    """Writes a spec of the given size with as many targets as it holds; vmrun checks each of them."""
    targets = {}
    keys = {"emulations": DEVICES, "com1": "stdio", "targets": targets}
    while len(json.dumps(keys, indent=1)) < size - 300:
        targets[f"target{len(targets)}"] = {
            "emulations": [{"device": "ahci-cd", "path": f"/iso/install-{len(targets)}.iso"}],
            "next_target": "default", "mem": "128M"}
    return world.spec(name, **keys), len(targets)


def measure_starts(world, rounds, commands, **env):
    """Runs commands in turn; returns a list of (wall ns, faults, KiB) for each."""
    words = []
    for command in commands:
        words += (["--"] if words else []) + command
    done = run([world.program("runner"), str(rounds), *words], env=world.environment(**env),
               stdout=PIPE, check=True, text=True)
    runs = [[] for _ in commands]
    for line in done.stdout.splitlines():
        index, wall, faults, kib, status = map(int, line.split())
        if status != 0:
            raise Failed(f"status {status}: {' '.join(commands[index])}")
        runs[index].append((wall, faults, kib))
    return runs


JQ = r'''"bhyve -c \(.cpu) -m \(.mem) -l bootrom,\(.bootrom) -l com1,\(.com1) " +
([.emulations | to_entries[] | "-s \(.key + 3),\(.value.device),\(.value.path // .value.name // "")"] |
join(" ")) + " \(.name)"'''


def start_commands(world):
    small, _ = deep_spec(world, "small.json", 1000)
    wide = wide_spec(world, "wide.json", 100_000)
    deep, targets = deep_spec(world, "deep.json", 100_000)
    commands = [
        ("floor: an empty C program", [world.program("empty")]),
        ("vmrun -d, JSON of 1 KB", [world.vmrun, "-d", small]),
        ("vmrun -d, JSON of 100 KB, one target", [world.vmrun, "-d", wide]),
        (f"vmrun -d, JSON of 100 KB, {targets} targets", [world.vmrun, "-d", deep]),
        ("vmrun -d examples/fleet.lua", [world.vmrun, "-d", os.path.join(world.source, "examples/fleet.lua")]),
        ("sh, an empty script", ["sh", "-c", ":"]),
        ("jq, argv from JSON of 1 KB", ["jq", "-r", JQ, small] if found("jq") else None),
        ("jq, argv from JSON of 100 KB", ["jq", "-r", JQ, wide] if found("jq") else None),
        ("python3, an empty program", [sys.executable, "-S", "-c", ""]),
    ]
    return commands


def start(world, counts, table):
    table.section("start: exec to exit", *SPREAD, "instructions", "page faults", "max RSS KiB")
    commands = start_commands(world)
    runs = measure_starts(world, counts.starts, [c for _, c in commands if c], VM="web2")
    floor = [wall for wall, _, _ in runs[0]]
    runs = iter(runs)
    for name, command in commands:
        if command is None:
            table.row(name, NOT_INSTALLED)
            continue
        taken = next(runs)
        if counts.quick or command[0] == sys.executable:
            counted = "not counted"
        elif not found("valgrind"):
            counted = "no valgrind"
        else:
            counted = instructions(world, command, VM="web2")
        table.row(name, *spread([wall for wall, _, _ in taken], floor), counted,
                  percentile([faults for _, faults, _ in taken], 0.5), max(kib for _, _, kib in taken))


# --- list ----------------------------------------------------------------------------------------


def start_vms(world, count, together=False):
    """Starts VMs whose fakebhyve waits for the power button, each with a vmrun of its own or together in one
    process; returns the processes and the time it took."""
    for up in glob.glob(world.path("up*[0-9]")):
        os.remove(up)  # of another measure
    world.write("script", "".join(f"acpi on ready {world.path('up')}{i} wait\n" for i in range(count)))
    specs = [world.spec(f"vm{i}.json") for i in range(count)]
    commands = [world.run_of(spec) for spec in specs]
    if together:
        commands = [[world.program("crowd"), world.run_dir(), world.path("state"), world.fakebhyve, *specs]]
    began = time.monotonic()
    vms = [world.start(command, VMRUN_BHYVE=world.fakebhyve, FAKEBHYVE_NODISK="1",
                       FAKEBHYVE_SCRIPT=world.path("script")) for command in commands]
    await_true(lambda: len(glob.glob(world.path("up*[0-9]"))) >= count, "the VMs of the list")
    return vms, time.monotonic() - began


def list_vms(world, counts, table):
    table.section(f"list: {counts.vms} running VMs", *SPREAD)
    vms, took = start_vms(world, counts.vms)
    services = []
    if found("runsv") and found("sv"):
        for i in range(counts.vms):
            service = world.service(f"sv{i}", world.program("guest"))
            Times(world.path(f"sv{i}.times"), 1)
            services.append(service)
            world.start(["runsv", service], BENCH_TIMES=world.path(f"sv{i}.times"))
        await_true(lambda: all(os.path.exists(os.path.join(s, "supervise/ok")) for s in services), "runsv")
    run_dir = world.run_dir()
    commands = [
        ("floor: C, asks each control socket", [world.program("ask"), run_dir]),
        ("vmrunctl list", [world.vmrunctl, "--run-dir", run_dir, "list"]),
        ("vmrunctl --json list", [world.vmrunctl, "--run-dir", run_dir, "--json", "list"]),
        ("ps -A", ["ps", "-A", "-o", "pid,args"] if found("ps") else None),
        ("sv status of as many runsv", ["sv", "status", *services] if services else None),
    ]
    runs = measure_starts(world, counts.lists, [c for _, c in commands if c])
    floor = [wall for wall, _, _ in runs[0]]
    runs = iter(runs)
    for name, command in commands:
        if command is None:
            table.row(name, NOT_INSTALLED)
        else:
            table.row(name, *spread([wall for wall, _, _ in next(runs)], floor))
    table.row("starting these VMs one after another, until all run", "", took * 1e6)
    for child in vms + world.children:
        if child.poll() is None:
            child.terminate()
    for child in list(world.children):
        world.end(child)


# --- idle ----------------------------------------------------------------------------------------


def supervisors(world, use):
    """Returns name and command of what supervises one guest that waits for SIGTERM."""
    guest = world.program("guest")
    trap = 'trap \'kill "$p"\' TERM; "$0" & p=$!; wait "$p"; wait "$p"'
    return [
        ("floor: C, passes SIGTERM on", [world.program("loop"), "term", guest]),
        ("vmrun", world.run_of(world.spec(f"{use}.json"))),
        ("sh, trap and wait", ["sh", "-c", trap, guest]),
        ("s6-supervise", ["s6-supervise", world.service(f"s6.{use}", guest)]),
        ("runsv", ["runsv", world.service(f"runsv.{use}", guest)]),
    ]


def start_guest(world, command, label):
    """Starts a supervisor; returns it and the times of its guest, which waits for SIGTERM."""
    path = world.path(f"guest{label}.times")
    times = Times(path, 1)
    child = world.start(command, BENCH_TIMES=path, VMRUN_BHYVE=world.program("guest"))
    await_true(lambda: times.lives() == 1, " ".join(command))
    return child, times


def proc(pid, file, *fields):
    """Returns the sum of fields of a file of /proc."""
    total = 0
    with open(f"/proc/{pid}/{file}", encoding="ascii") as lines:
        for line in lines:
            name, _, rest = line.partition(":")
            if name in fields:
                total += int(rest.split()[0])
    return total


def idle(world, counts, table):
    table.section("idle: a supervisor while its guest runs", "private KiB", "x floor", "wake-ups/min")
    if not os.path.exists("/proc/self/smaps_rollup"):
        table.row("all", "no smaps_rollup")
        return
    running = []
    for i, (name, command) in enumerate(supervisors(world, "idle")):
        running.append((name, start_guest(world, command, i)[0] if found(command[0]) else None))
    twins = [start_guest(world, command, f"{t}.{i}")[0]  # they share with the first what can be shared
             for t in range(counts.twins)
             for i, (_, command) in enumerate(supervisors(world, f"twin{t}")) if found(command[0])]
    time.sleep(counts.settle_seconds)  # vmrun's last timer of a start is that of 10 s
    wakes = [proc(c.pid, "status", "voluntary_ctxt_switches") if c else 0 for _, c in running]
    time.sleep(counts.idle_seconds)
    floor = None
    for (name, child), before in zip(running, wakes):
        if child is None:
            table.row(name, NOT_INSTALLED)
            continue
        private = proc(child.pid, "smaps_rollup", "Private_Clean", "Private_Dirty")
        woken = proc(child.pid, "status", "voluntary_ctxt_switches") - before
        floor = floor or private
        table.row(name, private, private / floor, woken * 60 / counts.idle_seconds)
    for child in twins + [c for _, c in running if c]:
        child.terminate()
    for child in twins + [c for _, c in running if c]:
        world.end(child)


# --- stop ----------------------------------------------------------------------------------------


def stop_once(world, command, direct):
    """Returns the nanoseconds from the signal to its receipt, and to the supervisor's end."""
    child, times = start_guest(world, command, 0)
    time.sleep(0.02)  # the supervisor and the processor sleep
    began = time.monotonic_ns()
    os.kill(child.pid, signal.SIGTERM)
    await_true(lambda: times.at(0) != 0, " ".join(command))
    if not direct:
        child.wait(LONGEST_RUN)
    ended = time.monotonic_ns()
    world.end(child)
    return times.at(0) - began, ended - began


def stop(world, counts, table):
    table.section("stop: SIGTERM to the supervisor, until the guest has it", *SPREAD, "gone us")
    commands = [("floor: SIGTERM to the guest itself", [world.program("guest")])] + supervisors(world, "stop")
    commands[1] = ("C, passes SIGTERM on", commands[1][1])
    busy = world.write("busy.lua", f'''return {{ name = "busy", cpu = 1, mem = "64M", bootrom = "{world.rom}",
    on_started = function() while true do end end }}\n''')
    commands.insert(3, ("vmrun, while a hook in Lua computes", world.run_of(busy)))
    taken = {}
    for _ in range(counts.stops):
        for name, command in commands:
            if found(command[0]):
                taken.setdefault(name, []).append(stop_once(world, command, command == commands[0][1]))
    floor = [receipt for receipt, _ in taken[commands[0][0]]]
    for name, _ in commands:
        if name not in taken:
            table.row(name, NOT_INSTALLED)
            continue
        table.row(name, *spread([receipt for receipt, _ in taken[name]], floor),
                  percentile([gone for _, gone in taken[name]], 0.5) / 1e3)


# --- console -------------------------------------------------------------------------------------


def flood_once(world, command, log, least, **env):
    """Returns the seconds that a run takes whose guest floods its console."""
    if os.path.exists(log):
        os.remove(log)
    began = time.monotonic()
    done = run(command, env=world.environment(**env), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, check=False,
               timeout=LONGEST_RUN)
    took = time.monotonic() - began
    if done.returncode != 0 or os.path.getsize(log) < least:
        raise Failed(f"status {done.returncode}, {os.path.getsize(log)} of {least} bytes: {done.stderr[-300:]}")
    return took


def console_commands(world):
    guest = world.program("guest")
    drain = [world.program("drain"), world.path("drain.log"), guest]
    commands = [("floor: C, copies a terminal to a file", drain, "drain.log")]
    for name, stamped in (("vmrun, log", False), ("vmrun, log with time stamps", True)):
        file = "stamped" if stamped else "logged"
        console = {"log": world.path(file + ".log"), "timestamps": stamped, "max_size": "1G"}
        spec = world.spec(file + ".json", com1="console", console=console)
        commands.append((name, world.run_of(spec), file + ".log"))
    for program, words in (("s6-log", "s6-log -b n0 T s0 "), ("svlogd", "svlogd -tt ")):
        command = None
        if found(program):
            directory = world.path(program)
            os.makedirs(directory, exist_ok=True)
            if program == "svlogd":
                world.write("svlogd/config", "s0\n")
            words = words.replace("s0", "s268435455")
            pipe = f'"{world.program("drain")}" /dev/stdout "{guest}" | {words} "{directory}"'
            command = ["sh", "-c", pipe]
        commands.append((f"C, copies to {program} with time stamps", command, f"{program}/current"))
    return commands


def console(world, counts, table):
    table.section(f"console: a flood of {counts.flood / 1e6:g} MB in lines of 80 bytes", "median MB/s", "of floor")
    rates = {}
    commands = console_commands(world)
    env = {"BENCH_FLOOD": str(counts.flood), "VMRUN_BHYVE": world.program("guest")}
    for _ in range(counts.floods):
        for name, command, log in commands:
            if command is not None:
                took = flood_once(world, command, world.path(log), counts.flood, **env)
                rates.setdefault(name, []).append(counts.flood / 1e6 / took)
    floor = percentile(rates[commands[0][0]], 0.5)
    for name, _, _ in commands:
        if name not in rates:
            table.row(name, NOT_INSTALLED)
            continue
        middle = percentile(rates[name], 0.5)
        table.row(name, middle, middle / floor)


MEASURES = {"respawn": respawn, "start": start, "list": list_vms, "idle": idle, "stop": stop, "console": console,
            "scale": lambda world, counts, table: scale(world, counts, table, start_vms)}
# scale has two processes for each of a thousand VMs.
USUAL = [name for name in MEASURES if name != "scale"]


def machine():
    """Returns the processor, its number and the load, which explain figures that are high."""
    model = "unknown processor"
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            model = next((l.partition(":")[2].strip() for l in lines if l.startswith("model name")), model)
    system = os.uname()
    return (f"{model}, {os.cpu_count()} processors, {system.sysname} {system.release}, "
            f"load {os.getloadavg()[0]:.1f} at the start")


def main(arguments):
    quick = "--quick" in arguments
    words = [a for a in arguments if a != "--quick"]
    if not words or any(w not in MEASURES for w in words[1:]):
        sys.exit(__doc__)
    world = World(words[0])
    print(machine())
    try:
        for name in words[1:] or USUAL:
            MEASURES[name](world, Counts(quick), Table())
    except (Failed, TimeoutExpired) as why:
        sys.exit(f"bench: {why}")
    finally:
        world.leave()


if __name__ == "__main__":
    main(sys.argv[1:])
