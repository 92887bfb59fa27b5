"""Clients of a vmrun that come and go while its guest reboots: some polite, some not."""
import json
import os
import random
import signal
import socket
import subprocess
import threading

from world import Failed

PATIENCE = 60  # seconds
SHORT = 0.05   # for what may not come, because the guest waits
SIGNALS = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCONT, signal.SIGCHLD]
COMMANDS = [["status"], ["history"], ["--json", "history"], ["why"], ["wait"]]
RECENT = 200  # events that a short-lived follower asks for, of the 1000 that vmrun keeps


class Client:
    """A connection to the control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def line(self):
        """Returns the next line without its end, or None when the connection has ended."""
        while b"\n" not in self.unread:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.unread += data
        line, _, self.unread = self.unread.partition(b"\n")
        return line

    def ask(self, **request):
        self.send(**request)
        return json.loads(self.line())

    def must(self, **request):
        answer = self.ask(**request)
        if not answer["ok"]:
            raise Failed(f"refused: {request}: {answer}")
        return answer


class Crowd:
    """Threads that each play one client after another, until pause() or end()."""

    def __init__(self, world, name, pid, newest):
        self.world, self.name, self.pid = world, name, pid
        self.newest = newest  # a function: the seq of a recent event
        self.path = os.path.join(world.run_dir(), name, "control")
        self.condition = threading.Condition()
        self.open = self.ended = False
        self.inside = self.played = 0
        self.fault = None
        self.threads = [threading.Thread(target=self.play, args=(random.Random(i),), daemon=True)
                        for i in range(3)]
        for thread in self.threads:
            thread.start()

    def pause(self):
        """Waits until no client is connected; raises the fault that a client has found."""
        with self.condition:
            self.open = False
            if not self.condition.wait_for(lambda: self.inside == 0, 2 * PATIENCE):
                raise Failed("a client hangs")
        if self.fault is not None:
            raise Failed(f"a client: {self.fault!r}") from self.fault

    def resume(self):
        with self.condition:
            self.open = True
            self.condition.notify_all()

    def end(self):
        self.pause()
        with self.condition:
            self.ended = True
            self.condition.notify_all()
        for thread in self.threads:
            thread.join()

    def play(self, dice):
        roles = [self.asks, self.asks, self.follows, self.reads_console, self.types, self.waits, self.errs,
                 self.chooses, self.leaves_early, self.does_not_read, self.half_closes, self.runs_script,
                 self.signals, self.signals]
        while True:
            with self.condition:
                self.condition.wait_for(lambda: self.open or self.ended)
                if self.ended:
                    return
                self.inside += 1
            try:
                role = self.runs_program if dice.random() < 0.02 else dice.choice(roles)
                role(dice)
            except Exception as fault:  # pylint: disable=broad-except
                self.fault = self.fault or fault
            with self.condition:
                self.inside -= 1
                self.played += 1
                self.open = self.open and self.fault is None
                self.condition.notify_all()

    def connect(self):
        return Client(self.path)

    # --- the clients -----------------------------------------------------------------------------

    def asks(self, _):
        with self.connect() as client:
            answer = client.must(id="s", cmd="status")
            if answer["vm"] != self.name or answer["id"] != "s":
                raise Failed(f"another VM's answer: {answer}")

    def follows(self, dice):
        """Reads events from a recent one on, and leaves in the middle of one."""
        first = max(1, self.newest() - dice.randrange(RECENT))
        with self.connect() as client:
            client.must(cmd="events", **{"from": first})
            client.socket.settimeout(SHORT)
            try:
                for wanted in range(first, first + dice.randrange(RECENT // 2)):
                    event = json.loads(client.line())
                    if event["seq"] != wanted or event["event"] == "lost":
                        raise Failed(f"event {wanted} wanted, not {event}")
            except TimeoutError:
                pass

    def reads_console(self, dice):
        """Reads the backlog and some lives, whose numbers follow each other."""
        last = None
        with self.connect() as client:
            left = client.must(cmd="console")["backlog"] + dice.randrange(1000)
            client.socket.settimeout(SHORT)
            try:
                while left > 0 and (line := client.line()) is not None:
                    left -= len(line) + 1
                    if line.startswith(b"life ") and len(line) == 14:
                        number = int(line[5:12])
                        if last is not None and number != last + 1:
                            raise Failed(f"the console has {number} after {last}")
                        last = number
            except TimeoutError:
                pass

    def types(self, dice):
        """Types for a guest that does not read; another client may be typing already."""
        with self.connect() as client:
            if client.ask(cmd="console", write=True)["ok"]:
                client.socket.sendall(b"typed\n" * dice.randrange(1, 200))

    def waits(self, dice):
        request = dice.choice([{"cmd": "wait-for", "text": "life", "timeout": 0.05},
                               {"cmd": "wait-for", "text": "never printed", "timeout": 0, "backlog": True},
                               {"cmd": "wait", "state": "running", "timeout": 0.05},
                               {"cmd": "wait", "state": "given_up", "timeout": 0.01},
                               {"cmd": "wait", "gone": True, "timeout": 0.01}])
        with self.connect() as client:
            if client.ask(**request)["ok"] and (request["timeout"] == 0 or "gone" in request):
                raise Failed(f"true, which it is not: {request}")

    def errs(self, dice):
        with self.connect() as client:
            client.socket.sendall(dice.choice([b"{\n", b'{"cmd":"nxt"}\n', b'{"cmd":"next","target":"x"}\n',
                                               b'{"cmd":"reset"}\n', b"\xff\xfe\n", b'{"cmd":"forget","hook":"x"}\n']))
            if json.loads(client.line())["ok"]:
                raise Failed("an error was not refused")

    def chooses(self, dice):
        with self.connect() as client:
            client.must(cmd="next", target=dice.choice("ab"))

    def leaves_early(self, dice):
        with self.connect() as client:
            if dice.random() < 0.5:
                client.socket.sendall(b'{"cmd":"' + b"x" * dice.randrange(30000))

    def does_not_read(self, dice):
        with self.connect() as client:
            client.socket.sendall(b'{"cmd":"status"}\n' * dice.randrange(200))

    def half_closes(self, _):
        with self.connect() as client:
            client.send(cmd="status")
            client.socket.shutdown(socket.SHUT_WR)
            if not json.loads(client.line())["ok"] or client.line() is not None:
                raise Failed("a half-closed client got another answer")

    def runs_script(self, dice):
        """Runs Lua in vmrun; some clients leave while the script waits."""
        with self.connect() as client:
            if dice.random() < 0.5:
                client.send(cmd="run", text="vmrun.sleep(60)")
                return
            answer = client.ask(cmd="run", text="return vmrun.expect('life', { timeout = 0.02 })")
            if not answer["ok"] and answer["error"].find("traceback") >= 0:
                raise Failed(f"a script: {answer}")

    def signals(self, dice):
        """SIGHUP is rarer, because vmrun then reads the whole spec."""
        number = signal.SIGHUP if dice.random() < 0.02 else dice.choice(SIGNALS)
        os.kill(self.pid, number)

    def runs_program(self, dice):
        one = dice.choice(COMMANDS + [["list"], ["metrics"]])
        name = [] if one[-1] in ("list", "metrics") else [self.name]
        done = subprocess.run([self.world.vmrunctl, "--run-dir", self.world.run_dir(), "--state-dir",
                               self.world.path("state"), *one, *name], env=self.world.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0 or done.stderr or not done.stdout and one != ["wait"]:
            raise Failed(f"vmrunctl {one}: status {done.returncode}: {done.stderr or done.stdout}")
