"""Boots of the demo guest in real qemus: what vmrun says of each end is compared with what it was.

Each run of vmrun has a plan, a letter for each of its boots: how that boot ends. A hook hands the guest
its script, and boots again until the plan is done. The policy then stops, and the status of vmrun is
that of the last end.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time

from crowd import Client
from world import Failed, found

AT_ONCE = 4
MOST = 8        # boots of one run
PATIENCE = 120  # seconds that a run may take
PROGRESS = 20   # runs between two lines of progress

# How a boot ends: the guest's script, who ends it once the guest waits, what the event `exit` says
# (cause, status, signal, ended_by), and the exit status of a vmrun whose last boot it was.
ENDS = {
    "r": ("r", None, ("reboot", 0, None, "guest"), 0),
    "k": ("k", None, ("reboot", 0, None, "guest"), 0),
    "p": ("p", None, ("poweroff", 1, None, "guest"), 0),
    "t": ("t", None, ("triple_fault", 3, None, "guest"), 3),
    "h": ("h", None, ("halt", 2, None, "guest"), 0),
    "9": ("w", "kill", ("killed", None, 9, None), 137),
    "b": ("b", "reboot", ("reboot", 1, None, "acpi"), 0),
    "s": ("b", "stop", ("stopped", 1, None, "acpi"), 0),
}
STOP, REBOOT = "s", "b"
GREETING = b"vmrun demo guest"

SPEC = """
local plan = vmrun.args.plan
local scripts = { %(scripts)s }

return {
	name = "%(name)s", cpu = 1, mem = "64M", bootrom = "%(rom)s",
	backoff = false, restart_limit = false, reboot_on = {},
	com1 = "console",
	console = { log = "%(log)s" },
	ready = { console = "waiting" },
	qemu = { accel = "tcg" },
	on_prepare = function(spec, boot)
		local letter = plan:sub(boot.boots + 1, boot.boots + 1)
		spec.fwcfg = { { name = "opt/vmrun/rom", string = scripts[letter] } }
		if not scripts[letter]:find("[bw]") then
			spec.ready = vmrun.null
		end
		-- Not for the other ends: a qemu of version 7.2 that is asked while it exits can hang.
		if letter == "h" then
			spec.qemu.halt_poll = 0.1
		end
		return spec
	end,
	on_exit = function(exit)
		if exit.boots < #plan then
			return vmrun.boot()
		end
	end,
}
"""


def plans(count):
    """Returns plans that have so many boots in all, every end as often as the others."""
    # vmrun always boots after a client's reboot, so that this end is never the last one of a plan.
    dice = random.Random(1)
    letters = [letter for letter, _ in zip(itertools.cycle(ENDS), range(count))]
    dice.shuffle(letters)
    made, plan, size = [], "", dice.randint(1, MOST)
    for letter in letters:
        plan += letter
        if letter == STOP or len(plan) >= size and letter != REBOOT:
            made.append(plan)
            plan, size = "", dice.randint(1, MOST)
    return made + [plan + "p"] if plan.endswith(REBOOT) else made + [plan] if plan else made


class Run:
    """One vmrun and the boots of its plan."""

    def __init__(self, world, number, plan):
        self.world, self.plan = world, plan
        self.name = f"soak-{number}"
        self.log = world.path(self.name + ".console")
        self.exits = []

    def play(self):
        world = self.world
        scripts = ", ".join(f'["{letter}"] = "{end[0]}"' for letter, end in ENDS.items())
        rom = os.path.join(world.programs, "../../examples/guest/guest.rom")
        spec = world.write(self.name + ".lua", SPEC % {"name": self.name, "rom": os.path.abspath(rom),
                                                       "log": self.log, "scripts": scripts})
        messages = world.path(self.name + ".err")
        reader, writer = os.pipe()
        with open(messages, "wb") as err, open(reader, "rb") as events:
            child = subprocess.Popen(
                world.run_of(spec, "--hypervisor", "qemu", "--arg", "plan=" + self.plan, "--events", f"fd:{writer}",
                             checks=True), env=world.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=err, pass_fds=[writer], start_new_session=True)
            world.children.append(child)
            os.close(writer)
            limit = threading.Timer(PATIENCE, child.terminate)
            limit.start()
            try:
                for line in events:
                    self.take(json.loads(line))
                status = child.wait(PATIENCE)
            finally:
                limit.cancel()
        self.check(status)
        world.children.remove(child)
        os.remove(self.log)

    def take(self, event):
        """Ends the guest that is up, if its end comes from outside; keeps how each boot has ended."""
        kind = event["event"]
        if kind == "spawned":
            self.pid = event["pid"]
        elif kind == "exit":
            self.exits.append((event["cause"], event["status"], event["signal"], event["ended_by"]))
        elif kind == "ready":
            how = ENDS[self.plan[len(self.exits)]][1]
            if how == "kill":
                os.kill(self.pid, signal.SIGKILL)
            elif how is not None:
                with Client(os.path.join(self.world.run_dir(), self.name, "control")) as client:
                    client.must(cmd=how)
        elif kind in ("warning", "hook_failed", "given_up"):
            raise Failed(f"{self.name}: {event}")

    def check(self, status):
        wanted = [ENDS[letter][2] for letter in self.plan]
        with open(self.world.path(self.name + ".err"), encoding="utf-8", errors="replace") as err:
            said = err.read()
        with open(self.log, "rb") as log:
            greetings = log.read().count(GREETING)
        if (self.exits, status, greetings) != (wanted, ENDS[self.plan[-1]][3], len(wanted)):
            raise Failed(f"plan {self.plan}: wanted {wanted}, status {ENDS[self.plan[-1]][3]}; got {self.exits}, "
                         f"status {status}, {greetings} guests greeted\n{said[-6000:]}")
        if os.path.exists(os.path.join(self.world.run_dir(), self.name)):
            raise Failed(f"plan {self.plan}: the run directory is left\n{said[-6000:]}")


def soak(world, count):
    if not found("qemu-system-x86_64"):
        print("ok 1 soak.qemu # skip qemu-system-x86_64 is not installed")
        return
    runs = [Run(world, number, plan) for number, plan in enumerate(plans(count))]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for number, done in enumerate(concurrent.futures.as_completed([pool.submit(r.play) for r in runs]), 1):
                done.result()
                if number % PROGRESS == 0:
                    boots = sum(len(run.exits) for run in runs)
                    print(f"{boots:>7} boots  {boots / (time.monotonic() - began):>6.1f} boots/s", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            world.leave()  # ends the runs that a thread waits for
            raise
    causes = collections.Counter(cause for run in runs for cause, *_ in run.exits)
    print(f"{causes.total()} boots of {len(runs)} runs, each end as it was: "
          + ", ".join(f"{number} {cause}" for cause, number in sorted(causes.items())))
