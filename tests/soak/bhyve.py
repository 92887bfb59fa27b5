"""Reboots of a guest as fast as they go, under one vmrun with hooks, console, events and clients.

The guest (guest.c) ends as it is ordered, and orders are given only as far ahead of the slowest
follower of events as vmrun keeps events, so that every lost event is a fault of vmrun.  At each
checkpoint the guest waits for its order and no client is connected: descriptors, files and children
must be those of the first checkpoint, and memory may not have grown.
"""
import glob
import json
import os
import random
import re
import selectors
import signal
import subprocess
import time

from crowd import Client, Crowd
from world import Failed, await_true

NAME = "soak"
WARM = 1000     # boots before the first checkpoint: rings, caches and the heap have their size then
CHECKPOINTS = 20
AHEAD = 32      # orders ahead of the slowest follower: vmrun keeps 1000 events, about 10 a boot
HISTORY = 200   # lines that vmrun(8) promises, and
SPARE = 200     # those that it lets come together before it shortens the file
LOG_SIZE, LOG_KEEP = 64 << 10, 3
# KiB by which the memory of vmrun may exceed that of the first checkpoint: the heap is never as full
# at two moments. 100,000 boots that each lost the smallest allocation would add 1,600 to 3,200, and
# with a sanitizer 4,800; its allocator gives no page back and fills them slowly.
MAY_GROW, MAY_GROW_SANITIZED = 512, 4096
CYCLE = ["starting", "spawned", "exit", "cleaned", "decided"]
REFUSED = {"lost", "hook_failed", "warning", "given_up", "unhealthy"}
ENDS = {"r": ("reboot", 0, None), "p": ("poweroff", 1, None), "h": ("halt", 2, None),
        "t": ("triple_fault", 3, None), "e": ("error", 4, None), "k": ("killed", None, 9)}
# A client's reboot presses the power button, and the guest powers off.
BY_REQUEST = ("reboot", 1, None)
STOPPED = ("stopped", 1, None)
SANITIZER = re.compile(rb"AddressSanitizer|LeakSanitizer|runtime error")
BAD_LINE = re.compile(SANITIZER.pattern + rb"|warning|bug|failed")

SPEC = """
local vm = {
	name = "%(name)s", cpu = 1, mem = "64M", bootrom = "%(rom)s",
	backoff = false, restart_limit = false,
	com1 = "console",
	console = { log = "%(log)s", max_size = "%(size)dk", keep = %(keep)d },
	ready = { console = "soak guest" },
	targets = { a = { cpu = 2 }, b = { mem = "128M" } },
}

function vm.on_prepare(spec, boot)
	if boot.boots %% 5 == 0 then
		spec.mem = "96M"
		return spec
	end
end

function vm.on_start(boot)
	return true
end

function vm.on_started(boot)
	local found, text = vmrun.expect(vmrun.regex "^life ([0-9]+)")
	if not found and text ~= "gone" then
		error(text)
	end
end

function vm.on_ready(boot)
	vmrun.event { ready = boot.boots }
end

function vm.on_exit(exit)
	if exit.boots %% 7 == 0 then
		vmrun.sleep(0.001)
	end
	if exit.boots %% 50 == 0 then
		assert(vmrun.exec { "true" } == 0)
	end
	if exit.boots %% 100 == 0 then
		vmrun.state.boots = exit.boots
	end
	return ({ "a", "b", "default" })[exit.boots %% 3 + 1]
end

return vm
"""


class Follower:
    """Reads a stream of events and checks that each is there once, in order, and as ordered."""

    def __init__(self, name, ends):
        self.name, self.ends = name, ends
        self.seq = self.spawned = self.exits = self.step = 0
        self.unread = b""
        self.last = None

    def take(self, data):
        *lines, self.unread = (self.unread + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "seq" in event:  # not the answer to the request
                self.check(event)

    def check(self, event):
        kind = event["event"]
        if event["seq"] != self.seq + 1:
            raise Failed(f"{self.name}: event {event['seq']} after {self.seq}: {event}")
        if kind in REFUSED or kind == "reloaded" and event["problems"]:
            raise Failed(f"{self.name}: {event}")
        self.seq += 1
        self.last = event
        if kind in CYCLE:
            if kind != CYCLE[self.step]:
                raise Failed(f"{self.name}: {CYCLE[self.step]} wanted, not {event}")
            self.step = (self.step + 1) % len(CYCLE)
        if kind == "spawned":
            self.spawned += 1
        elif kind == "exit":
            got = (event["cause"], event["status"], event["signal"])
            if self.exits >= len(self.ends) or got != self.ends[self.exits]:
                raise Failed(f"{self.name}: end {self.exits + 1}: {self.ends[self.exits:][:1]} wanted, not {event}")
            self.exits += 1


def descriptors(pid):
    """Returns what the descriptors of a process are, without numbers, or None without /proc."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return sorted(re.sub(r":\[\d+\]", "", os.readlink(entry.path)) for entry in entries)
    except FileNotFoundError:
        return None


def children(pid):
    out = subprocess.run(["ps", "-A", "-o", "ppid=", "-o", "pid="], capture_output=True, text=True, check=True).stdout
    return sum(line.split()[0] == str(pid) for line in out.splitlines())


def files(*tops):
    return sorted(os.path.join(at, name) for top in tops for at, _, names in os.walk(top) for name in names)


def kilobytes(pid):
    """Returns the private memory of a process in KiB, or what is resident without /proc."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    except FileNotFoundError:
        out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
        return int(out)


def cpu_seconds(pid):
    """Returns the processor time of a process so far, or None without /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_sanitized(world):
    with open(os.path.join(os.path.dirname(world.vmrun), "CMakeCache.txt"), encoding="utf-8") as cache:
        return "VMRUN_SANITIZE:BOOL=ON" in cache.read()


class Soak:
    def __init__(self, world):
        self.world = world
        self.dice = random.Random(1)
        self.ends = []    # how each boot was ordered to end
        self.ordered = 0  # orders among them
        self.log = world.path("console", "log")
        os.mkdir(os.path.dirname(self.log))
        os.mkfifo(world.path("orders"))
        self.orders = os.open(world.path("orders"), os.O_RDWR)
        self.poller = selectors.DefaultSelector()
        self.stderr = b""
        self.bad = []
        self.first = self.vmrun = self.crowd = None
        self.samples = []
        self.may_grow = MAY_GROW_SANITIZED if is_sanitized(world) else MAY_GROW

    # --- starting and following ------------------------------------------------------------------

    def start(self):
        world = self.world
        spec = world.write("soak.lua", SPEC % {"name": NAME, "rom": world.rom, "log": self.log,
                                               "size": LOG_SIZE >> 10, "keep": LOG_KEEP})
        reader, writer = os.pipe()
        command = world.run_of(spec, "--events", f"fd:{writer}")
        env = world.environment(SOAK_ORDERS=world.path("orders"), VMRUN_BHYVE=world.program("guest"))
        self.vmrun = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, pass_fds=[writer], start_new_session=True)
        world.children.append(self.vmrun)
        os.close(writer)
        control = os.path.join(world.run_dir(), NAME, "control")
        await_true(lambda: self.connects(control), "control socket")
        self.client.send(cmd="events", **{"from": 1})
        self.followers = [Follower("--events", self.ends), Follower("events of the socket", self.ends)]
        self.follow(reader, self.followers[0].take)
        self.follow(self.client.socket.fileno(), self.followers[1].take)
        self.follow(self.vmrun.stderr.fileno(), self.take_messages)
        self.crowd = Crowd(world, NAME, self.vmrun.pid, lambda: self.followers[0].seq)

    def connects(self, control):
        """Returns whether a client is connected.  The socket's file is there before it listens."""
        try:
            self.client = Client(control)
        except (FileNotFoundError, ConnectionRefusedError):
            if self.vmrun.poll() is not None:
                raise
            return False
        return True

    def follow(self, fd, take):
        self.poller.register(fd, selectors.EVENT_READ, take)

    def take_messages(self, data):
        *lines, self.stderr = (self.stderr + data).split(b"\n")
        self.bad += [line for line in lines if BAD_LINE.search(line) or self.bad][:1000]

    def turn(self):
        """Reads what is there; returns whether anything is followed still."""
        ready = self.poller.select(60)
        if not ready:
            raise Failed(f"nothing happens: {[vars(f) for f in self.followers]}"[:3000])
        for key, _ in ready:
            data = os.read(key.fd, 1 << 16)
            if data:
                key.data(data)
            else:
                self.poller.unregister(key.fd)
        if self.bad or self.crowd.fault:
            self.fail()
        return len(self.poller.get_map()) > 0

    def fail(self):
        """Raises the fault of a message or of a client; a sanitizer's report is read to its end."""
        if any(SANITIZER.search(line) for line in self.bad):
            while data := os.read(self.vmrun.stderr.fileno(), 1 << 16):
                self.take_messages(data)
        if self.bad:
            raise Failed(b"\n".join(self.bad[:100]).decode(errors="replace"))
        self.crowd.pause()

    # --- ordering --------------------------------------------------------------------------------

    def order(self, many):
        """Orders ends up to a number of them, and waits until the boot after these runs."""
        self.crowd.resume()
        until = self.ordered + many
        while any(f.exits < len(self.ends) or f.spawned <= f.exits for f in self.followers) or self.ordered < until:
            slowest = min(f.exits for f in self.followers)
            while self.ordered < until and len(self.ends) < slowest + AHEAD:
                # Reboots are the usual end.
                letter = self.dice.choice("rrrr" + "".join(ENDS))
                self.ordered += 1
                self.ends.append(ENDS[letter])
                os.write(self.orders, b"%s%07d" % (letter.encode(), self.ordered))
            if not self.turn():
                raise Failed(f"vmrun has ended: {self.vmrun.wait()}")
        self.crowd.pause()

    def reboot(self):
        """Ends the boot that waits for an order by a client's request."""
        self.ends.append(BY_REQUEST)
        with Client(self.crowd.path) as client:
            client.must(cmd="reboot")
        # A guest that still runs would take the order of the next one.
        while any(f.exits < len(self.ends) for f in self.followers):
            self.turn()

    # --- checking --------------------------------------------------------------------------------

    def holdings(self):
        pid = self.vmrun.pid
        return {"descriptors": descriptors(pid), "children": children(pid),
                "files": files(self.world.run_dir(), self.world.path("state"))}

    def history(self):
        with open(self.world.path("state", NAME, "history.jsonl"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def check_history(self):
        # The line follows the start of the next boot.
        await_true(lambda: self.history()[-1]["boot"] == len(self.ends), "line of the history")
        lines = self.history()
        boots = [line["boot"] for line in lines]
        wanted = list(range(len(self.ends) - len(lines) + 1, len(self.ends) + 1))
        if boots != wanted or len(lines) > HISTORY + SPARE:
            raise Failed(f"the history has {len(lines)} lines, of the boots {boots[0]} to {boots[-1]}")

    def check_console(self):
        logs = glob.glob(self.log + "*")
        if len(logs) > LOG_KEEP + 1 or any(os.path.getsize(log) > LOG_SIZE for log in logs):
            raise Failed(f"logs: {[(log, os.path.getsize(log)) for log in logs]}")
        text = b""
        for log in sorted(logs, key=lambda log: -int((log.rpartition(".")[2] if log != self.log else "0"))):
            with open(log, "rb") as file:
                text += file.read()
        lives = [int(number) for number in re.findall(rb"^life (\d{7}) [a-z]$", text, re.M)]
        if lives != list(range(self.ordered - len(lives) + 1, self.ordered + 1)):
            raise Failed(f"the log has not the lives {self.ordered - len(lives) + 1} to {self.ordered}: {lives[-50:]}")

    def checkpoint(self):
        with Client(self.crowd.path) as client:
            client.must(cmd="status")  # what the clients before have asked is done
        if self.first is None:
            self.first = self.settled()
        try:
            await_true(lambda: self.holdings() == self.first, "as at the first checkpoint", 0.01)
        except Failed as late:
            raise Failed(f"{late}:\n{self.first}\n{self.holdings()}") from late
        self.check_history()
        self.check_console()
        self.samples.append((len(self.ends), kilobytes(self.vmrun.pid), cpu_seconds(self.vmrun.pid),
                             time.monotonic()))
        self.report()

    def settled(self):
        """Returns what vmrun holds once it has noticed that the clients have left."""
        sockets = lambda h: (h["descriptors"] or []).count("socket")
        # Left: the socket that listens, and the follower.
        await_true(lambda: sockets(self.holdings()) <= 2, "clients that have left", 0.01)
        return self.holdings()

    def report(self):
        boots, size, cpu, at = self.samples[-1]
        held = self.first["descriptors"]
        text = f"{boots:>7} boots  {size:>7} KiB  {len(held) if held else '-':>3} descriptors"
        if len(self.samples) > 1:
            before, _, cpu_before, at_before = self.samples[-2]
            text += f"  {(boots - before) / (at - at_before):>6.0f} boots/s"
            if cpu is not None:
                text += f"  {1e6 * (cpu - cpu_before) / (boots - before):>6.0f} us of processor a boot"
        print(f"{text}  {self.crowd.played:>7} clients", flush=True)
        grown = size - self.samples[0][1]
        if grown > self.may_grow and self.samples[0][0] >= WARM:  # a short run ends before all is warm
            raise Failed(f"memory has grown by {grown} KiB since boot {self.samples[0][0]}")

    def stop(self):
        self.crowd.end()
        self.ends.append(STOPPED)
        self.vmrun.send_signal(signal.SIGTERM)
        while self.turn():
            pass
        status = self.vmrun.wait(60)
        self.take_messages(b"\n")
        if self.bad:
            self.fail()
        for follower in self.followers:
            if follower.last["event"] != "ended" or follower.exits != len(self.ends):
                raise Failed(f"{follower.name}: ends with {follower.last}, {follower.exits} exits")
        if status != 0 or files(self.world.run_dir()):
            raise Failed(f"status {status}, left: {files(self.world.run_dir())}")
        if len({f.seq for f in self.followers}) != 1:
            raise Failed(f"not as many events: {[f.seq for f in self.followers]}")

    def run(self, count):
        self.start()
        warm = min(WARM, count // 3)
        step = max(1, (count - warm) // CHECKPOINTS if count > 10 * WARM else (count - warm) // 2)
        self.order(warm)
        self.checkpoint()
        while self.ordered < count:
            self.reboot()
            self.order(min(step, count - self.ordered))
            self.checkpoint()
        self.stop()
        print(f"{len(self.ends)} boots, each with its end, {self.followers[0].seq} events, none lost; "
              f"{self.crowd.played} clients")


def soak(world, count):
    Soak(world).run(count)
