"""What the benchmarks share: the built programs, a scratch directory, specs, and guests' times."""
import json
import mmap
import os
import re
import shutil
import struct
import subprocess
import tempfile
import time

HEAD = struct.Struct("qqq")  # struct times of times.h: limit, n, life
STAMP = struct.Struct("q")
TIMES_BYTES = 1 << 20
MAX_LIVES = (TIMES_BYTES - HEAD.size) // (2 * STAMP.size)
IN_MEMORY = "/dev/shm"
PATIENCE = 60  # seconds to wait for an event before a benchmark fails


class Failed(Exception):
    """A program did not do what a benchmark needs."""


def found(program):
    return shutil.which(program) is not None


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def await_true(question, what, poll=0.001):
    """Waits until question() is true."""
    end = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {PATIENCE} s")
        time.sleep(poll)


class Times:
    """The file that a guest shares with the script (times.h)."""

    def __init__(self, path, limit, life=0):
        with open(path, "wb") as file:
            file.truncate(TIMES_BYTES)
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), TIMES_BYTES)
        HEAD.pack_into(self.map, 0, min(limit, MAX_LIVES), 0, life)

    def lives(self):
        return HEAD.unpack_from(self.map, 0)[1]

    def at(self, index):
        return STAMP.unpack_from(self.map, HEAD.size + index * STAMP.size)[0]

    def gaps(self):
        """Returns the nanoseconds from each exit to the first instruction of the next life."""
        return [self.at(2 * life) - self.at(2 * life - 1) for life in range(1, self.lives())]


class World:
    """The programs of a build directory, and a scratch directory that leave() removes."""

    def __init__(self, build):
        build = os.path.abspath(build)
        self.vmrun = os.path.join(build, "vmrun")
        self.test_vmrun = os.path.join(build, "tests/program/vmrun")
        self.vmrunctl = os.path.join(build, "vmrunctl")
        self.fakebhyve = os.path.join(build, "tests/fake/fakebhyve")
        self.source = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
        self.programs = os.path.join(build, "tests/bench")
        self.dir = tempfile.mkdtemp(prefix="vmrun-bench.")
        # Run directories are below /run or /var/run, which is in memory on most systems.
        self.memory = tempfile.mkdtemp(prefix="vmrun-bench.", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else self.dir)
        self.children = []
        self.rom = self.path("rom")
        with open(self.rom, "wb") as file:
            file.truncate(4096)
        self.env = {k: v for k, v in os.environ.items() if not re.match("FAKE|VMRUN_|NOTIFY_", k)}
        self.env.update(LC_ALL="C", HOME=self.dir, XDG_RUNTIME_DIR=self.dir)

    def program(self, name):
        return os.path.join(self.programs, name)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def run_dir(self):
        return os.path.join(self.memory, "run")

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def spec(self, file, **keys):
        """Writes a spec of the smallest VM with these keys."""
        vm = {"name": os.path.splitext(file)[0], "cpu": 1, "mem": "64M", "bootrom": self.rom,
              "backoff": False, "restart_limit": False, **keys}
        return self.write(file, json.dumps(vm, indent=1) + "\n")

    def run_of(self, spec, *options, program=None, checks=False):
        """Returns the command that runs a spec."""
        unchecked = [] if checks else ["--no-requirement-check"]
        return [program or self.vmrun, "--state-dir", self.path("state"), "--run-dir",
                self.run_dir(), *unchecked, *options, spec]

    def environment(self, **more):
        return {**self.env, **more}

    def start(self, command, **env):
        child = subprocess.Popen(command, env=self.environment(**env), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 start_new_session=True)
        self.children.append(child)
        return child

    def end(self, child, signal_number=15):
        """Ends a child and waits for it."""
        if child.poll() is None:
            child.send_signal(signal_number)
        child.wait(PATIENCE)
        self.children.remove(child)

    def service(self, name, program):
        """Makes a directory for s6-supervise and runsv."""
        directory = self.path(name)
        os.makedirs(directory, exist_ok=True)
        shutil.copy(program, os.path.join(directory, "run"))
        return directory

    def leave(self):
        for child in list(self.children):
            try:
                os.killpg(child.pid, 9)
            except ProcessLookupError:
                pass
            child.wait()
        shutil.rmtree(self.memory, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def instructions(world, command, **env):
    """Returns the instructions that a command executes, without those of its children."""
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=no"]
    done = subprocess.run(valgrind + command, env=world.environment(**env), capture_output=True,
                          text=True, check=False)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if collected is None:
        raise Failed(f"valgrind counted nothing: {done.stderr[-300:]}")
    return int(collected.group(1))
