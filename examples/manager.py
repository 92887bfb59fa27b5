#!/usr/bin/env python3
"""A VM manager on vmrun(8): python3 manager.py RUN-DIR FILE...

Runs a vmrun for each FILE and prints the events of all VMs.  Resets a VM that has given up once, by its
control socket.  SIGINT and SIGTERM stop all VMs.  docs/managers.md explains it.
"""
import json, os, selectors, signal, socket, subprocess, sys

VMRUN = os.environ.get("VMRUN", "vmrun")


class Vm:
    def __init__(self, run_dir, file):
        self.run_dir, self.name, self.resets, self.text = run_dir, None, 0, b""
        # In a new session, so that ^C at the terminal reaches only the manager.
        self.process = subprocess.Popen(
            [VMRUN, "--run-dir", run_dir, "--events", "fd:1", file],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)

    def request(self, **request):
        """Sends a request to the vmrun and returns its answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.run_dir, self.name, "control"))
            s.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(s.makefile().readline())

    def hear(self, event):
        self.name = event["vm"]
        words = [event.get(key) for key in ("target", "cause", "action")]
        print(f'{event["vm"]}: {event["event"]}', *(word for word in words if word), flush=True)
        if event["event"] == "given_up" and self.resets == 0:
            self.resets += 1
            print(f"{self.name}: one more chance", self.request(cmd="reset"), flush=True)


def main(run_dir, *files):
    selector, (reader, writer) = selectors.DefaultSelector(), socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    vms = [Vm(run_dir, file) for file in files]
    for vm in vms:
        selector.register(vm.process.stdout, selectors.EVENT_READ, vm)
    selector.register(reader, selectors.EVENT_READ)
    while len(selector.get_map()) > 1:
        for key, _ in selector.select():
            if key.data is None:
                reader.recv(1)
                for vm in vms:
                    vm.process.terminate()  # the stop ladder; the second signal escalates
            elif data := os.read(key.fd, 65536):
                *lines, key.data.text = (key.data.text + data).split(b"\n")
                for line in lines:
                    key.data.hear(json.loads(line))
            else:
                selector.unregister(key.fileobj)
    return max(vm.process.wait() for vm in vms)


sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
