"""Measures what a host's many supervisors cost: memory, descriptors, starts, lists and a stop of all."""
import os
import time
from subprocess import DEVNULL, run

from world import Failed, await_true, percentile

HELD = ("Private_Clean:", "Private_Dirty:")


def private(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(HELD))


def proportional(pid):
    """Returns the KiB of a process with its part of the pages that others map too."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def processor_ms(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e6


def sizes(directory):
    """Returns the number of files below a directory, and the KiB of their blocks."""
    paths = [os.path.join(at, name) for at, _, names in os.walk(directory) for name in names]
    return len(paths), sum(os.lstat(path).st_blocks for path in paths) / 2


def of_each(table, name, values):
    table.row(name, percentile(values, 0.5), max(values), sum(values))


def held(table, vms):
    if not os.path.exists("/proc/self/smaps_rollup"):
        table.row("memory and descriptors of vmrun", "no smaps_rollup")
        return
    of_each(table, "private memory of a vmrun, KiB", [private(vm.pid) for vm in vms])
    of_each(table, "memory of a vmrun with its part of shared pages, KiB", [proportional(vm.pid) for vm in vms])
    of_each(table, "descriptors of a vmrun", [len(os.listdir(f"/proc/{vm.pid}/fd")) for vm in vms])
    if os.path.exists("/proc/self/schedstat"):
        of_each(table, "processor time of a vmrun for its start, ms", [processor_ms(vm.pid) for vm in vms])


def asked(world, table, counts):
    for words in (["list"], ["--json", "list"], ["metrics"]):
        taken = []
        for _ in range(counts.lists):
            began = time.monotonic()
            done = run([world.vmrunctl, "--run-dir", world.run_dir(), *words], env=world.env, stdin=DEVNULL,
                       stdout=DEVNULL, check=False)
            taken.append(1000 * (time.monotonic() - began))
            if done.returncode != 0:
                raise Failed(f"vmrunctl {words}: status {done.returncode}")
        table.row(f"vmrunctl {' '.join(words)}, ms", percentile(taken, 0.5), max(taken), "")


def idle(table, vms, counts):
    """Prints the processor time of all vmruns while nothing happens."""
    if not os.path.exists("/proc/self/schedstat"):
        return
    time.sleep(counts.settle_seconds)  # vmrun's last timer of a start is that of 10 s
    before = [processor_ms(vm.pid) for vm in vms]
    time.sleep(counts.idle_seconds)
    of_each(table, f"processor time of a vmrun in {counts.idle_seconds} s, ms",
            [processor_ms(vm.pid) - ms for vm, ms in zip(vms, before)])


def stop(world, processes):
    """Ends processes by SIGTERM, and returns the ms until all have ended and left nothing."""
    began = time.monotonic()
    for each in processes:
        each.terminate()
    for each in processes:
        if each.wait(600) != 0:
            raise Failed(f"a process ended with status {each.returncode}")
        world.children.remove(each)
    took = 1000 * (time.monotonic() - began)
    await_true(lambda: not os.path.exists(world.run_dir()) or not os.listdir(world.run_dir()), "an empty run directory")
    return took


def together(world, counts, table, start_vms, crowd):
    """Prints what VMs in one process cost, which a manager runs through libvmrun."""
    table.section(f"scale: {crowd} VMs in one process", "of each", "all")
    (process,), took = start_vms(world, crowd, together=True)

    def row(name, figure):
        table.row(name, figure / crowd, figure)

    row("starting these VMs one after another, until all run, ms", 1000 * took)
    if os.path.exists("/proc/self/smaps_rollup"):
        row("private memory of the process, KiB", private(process.pid))
        row("descriptors of the process", len(os.listdir(f"/proc/{process.pid}/fd")))
    if os.path.exists("/proc/self/schedstat"):
        time.sleep(counts.settle_seconds)
        before = processor_ms(process.pid)
        time.sleep(counts.idle_seconds)
        row(f"processor time of the process in {counts.idle_seconds} s, ms", processor_ms(process.pid) - before)
    row("SIGTERM, until all have ended, ms", stop(world, [process]))


def scale(world, counts, table, start_vms):
    table.section(f"scale: {counts.crowd} running VMs", "median", "largest", "all")
    vms, took = start_vms(world, counts.crowd)
    table.row("starting these VMs side by side, until all run, ms", 1000 * took / counts.crowd, "", 1000 * took)
    held(table, vms)
    asked(world, table, counts)
    for name, directory in (("run", world.run_dir()), ("state", world.path("state"))):
        files, kib = sizes(directory)
        table.row(f"files in the {name} directory", files / counts.crowd, "", files)
        table.row("their blocks, KiB", kib / counts.crowd, "", kib)
    idle(table, vms, counts)
    took = stop(world, vms)
    table.row("SIGTERM to all, until all have ended, ms", took / counts.crowd, "", took)
    for crowd in counts.crowds:
        together(world, counts, table, start_vms, crowd)
