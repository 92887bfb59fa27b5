#!/usr/bin/env python3
"""Changes one thing in vmrun and sees whether a test fails, some hundred times (README.md).

    mutate.py BUILD [--seed N] [--count N] [--jobs N] [--resume] [--list] [ROOM|FILE...]

Each change is a mutant: a negated condition, another operator, a constant that is one off, another
status that is returned, a statement that is dropped. Without ROOM or FILE the rooms of related.txt
are changed. --count is the number of mutants, default 650, 0: all of them; --seed chooses others;
--resume does not test again what the run before has killed; --list prints all mutants that there are,
and tests none. A mutant that no test notices is a survivor:
it is printed, and fails unless survivors.txt lists it with the reason or fewer than 1 in 20 survive.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import pathlib
import pickle
import queue
import re
import shutil
import signal
import sys
import threading
import time

import sites
from world import Failed, MUTANT_MAX, ROOT, SHARED, Test, Tree, all_tests, digest

HERE = pathlib.Path(__file__).resolve().parent
ONE_IN = 20
# Seconds that the tests of the room and those of others may take for one mutant.
BUDGET = {False: 90, True: 30}


def say(text):
    print(f"mutate: {text}", file=sys.stderr, flush=True)


def room_of(name):
    return name.split("/")[1]


def related():
    """Returns the expressions for the tests of each room, its own first."""
    rooms = {}
    for line in (HERE / "related.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, rest = line.partition(":")
            rooms[room] = [re.compile(part) for part in rest.replace(";", " ").split()]
    return rooms


def chosen_files(commands, words, rooms):
    """Returns the names of the files to change."""
    result = set()
    for word in words or rooms:
        found = {name for name in commands if word in (name, room_of(name))}
        if not found:
            raise Failed(f'expected a room or a file of the library, such as machine or src/machine/stop.c: "{word}"')
        result |= found
    return sorted(result)


class Mutants:
    """All mutants of the rooms, by number."""

    def __init__(self, world, rooms):
        self.world, self.commands = world, world.commands()
        cache = world.home / "sites.pickle"
        key = digest([ROOT / "src", ROOT / "include", HERE / "sites.py"]) + " ".join(rooms)
        self.of_file = {}
        if cache.exists():
            old, self.of_file = pickle.loads(cache.read_bytes())
            self.of_file = self.of_file if old == key else {}
        if not self.of_file:
            say("finding what can be changed")
            names = [name for name in self.commands if room_of(name) in rooms]
            self.of_file = {name: self.find(name) for name in sorted(names)}
            cache.write_bytes(pickle.dumps((key, self.of_file)))
        everything = [each for name in sorted(self.of_file) for each in self.of_file[name]]
        self.numbered = dict(enumerate(everything, 1))
        if len(everything) >= MUTANT_MAX:
            raise Failed(f"{len(everything)} mutants, more than MUTANT_MAX of switch.h")

    def text(self, name):
        return (ROOT / name).read_text(encoding="latin-1")

    def find(self, name):
        """Returns the mutants of a file that a compiler takes."""
        command, base = self.commands[name], pathlib.Path(name).name
        mutants = sites.find(command, name)
        head = "static int mutant(int n) { return n; }\n"
        together = head + sites.with_all(self.text(name), enumerate(mutants)).split("\n", 1)[1]
        if self.world.object_code(command, base, together) is None:
            mutants = [each for each in mutants
                       if self.world.object_code(command, base, sites.with_one(self.text(name), each))]
        return mutants

    def mutated(self):
        """Returns the text of each changed file with all of its mutants."""
        result = {}
        for number, each in self.numbered.items():
            result.setdefault(each.file, []).append((number, each))
        return {name: sites.with_all(self.text(name), numbered).encode("latin-1")
                for name, numbered in result.items()}

    def is_equivalent(self, each):
        """Returns whether the compiler makes the same code of the mutant."""
        command, base, text = self.commands[each.file], pathlib.Path(each.file).name, self.text(each.file)
        plain = self.world.object_code(command, base, text)
        return plain == self.world.object_code(command, base, sites.with_one(text, each))


def in_parallel(jobs, function, items):
    """Calls function(slot, item) for all, with a slot that no other call has; yields the results."""
    slots = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def call(item):
        slot = slots.get()
        try:
            return function(slot, item)
        finally:
            slots.put(slot)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(call, item) for item in items]
        try:
            for each in concurrent.futures.as_completed(waiting):
                yield each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            Test.end_all()
            raise


def record(world, tests, jobs):
    """Learns what each test reaches and how long it takes; keeps it for tests that have not changed."""
    file = world.home / "recorded.json"
    common = digest([ROOT / part for part in ("src", "include", "lua", "hooks", *SHARED)]
                    + [HERE / "sites.py", HERE / "fence.sh"])
    old, known = json.loads(file.read_text()) if file.exists() else ("", {})
    known = known if old == common else {}
    of_directory = {}
    for test in tests:
        if test.directory not in of_directory:
            of_directory[test.directory] = digest([ROOT / test.directory])
        test.key = hashlib.sha256(f"{of_directory[test.directory]} {test.name}".encode()).hexdigest()
    fresh = [test for test in tests if test.key not in known]
    if fresh:
        say(f"running {len(fresh)} tests without a mutant")
    for test in in_parallel(jobs, lambda slot, test: test.record(world, slot, 300) or test, fresh):
        if test.passes:
            known[test.key] = [test.seconds, sorted(test.reached)]
            file.write_text(json.dumps([common, known]))
        else:
            say(f"left out, because it fails without a mutant: {test.name}")
    tests = [test for test in tests if test.key in known]
    for test in tests:
        test.seconds, reached = known[test.key]
        test.reached = frozenset(reached)
    return tests


class Judge:
    """Runs the related tests of mutants."""

    def __init__(self, world, tests, rooms):
        self.world, self.tests, self.rooms = world, tests, rooms
        self.killers = collections.defaultdict(collections.Counter)
        self.lock = threading.Lock()

    def tests_for(self, number, each):
        """Returns the tests that reach a mutant: those that killed others of its function first, then
        those of its room, the fastest first, then others."""
        order = []
        for test in self.tests:
            ranks = [rank for rank, word in enumerate(self.rooms[room_of(each.file)]) if word.match(test.suite)]
            if ranks and number in test.reached:
                order.append((-self.killers[each.file, each.function][test.name], ranks[0] > 0, test.seconds, test))
        order.sort(key=lambda entry: entry[:3])
        left, result = dict(BUDGET), []
        for _, is_other, seconds, test in order:
            left[is_other] -= seconds
            if left[is_other] >= 0 or not result:
                result.append(test)
        return result

    def status(self, test, number):
        """Returns the status of a test with a mutant; None: it takes three times as long as without, and 10 s."""
        limit = 10 + 3 * test.seconds
        status = test.run(self.world, limit, MUTANT=str(number))
        if status is None:
            # Other work may have made the machine slow since the time was taken.
            begin = time.monotonic()
            test.run(self.world, None)
            now = 10 + 3 * (time.monotonic() - begin)
            if now > limit:
                status = test.run(self.world, now, MUTANT=str(number))
        return status

    def judge(self, _slot, numbered):
        """Returns what became of a mutant: killed, killed by time, survived or not reached."""
        number, each = numbered
        with self.lock:
            tests = self.tests_for(number, each)
        for test in tests:
            status = self.status(test, number)
            if status != 0:
                with self.lock:
                    self.killers[each.file, each.function][test.name] += 1
                return each, "by time" if status is None else "killed", test.name
        return each, "survived" if tests else "not reached", ""


def entry(each):
    return f"{each.file} {each.function}: {each.change}"


def lot(seed, each):
    """Returns what a mutant draws: most of the chosen remain when the sources change a little."""
    return hashlib.sha256(f"{seed} {entry(each)}".encode()).digest()


def listed():
    """Returns the reasons of survivors.txt: an entry a line, its reason in the next one."""
    reasons, last = {}, None
    for line in (HERE / "survivors.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if line[0].isspace():
            reasons[last] = line.strip()
        else:
            last = line
            if last in reasons:
                raise Failed(f"survivors.txt: listed twice: {last}")
            reasons[last] = ""
    for what, reason in reasons.items():
        if not reason:
            raise Failed(f"survivors.txt: expected a reason in the next line: {what}")
    return reasons


def fate_line(each, fate, by):
    return f"{fate}\t{each.file}:{each.line}: {each.function}: {each.change}\t{by}\n"


def killed_before(log, chosen):
    """Returns the fates of mutants that the log has as killed; lines may have moved since."""
    by = {}
    for line in log.read_text(encoding="latin-1").splitlines() if log.exists() else []:
        fate, what, test = line.split("\t")
        file, _, change = what.partition(":")
        by[f"{file} {change.partition(': ')[2]}"] = (fate, test)
    return {each: by[entry(each)] for _, each in chosen if by.get(entry(each), ("",))[0] in ("killed", "by time")}


def test_all(judge, chosen, jobs, resume):
    """Returns the fate of each chosen mutant, and prints how far it has come."""
    log = judge.world.home / "fates.txt"
    fates, begin = {}, time.monotonic()
    before = killed_before(log, chosen) if resume else {}
    with open(log, "w", encoding="latin-1") as out:
        for each, (fate, by) in before.items():
            fates[each] = fate
            judge.killers[each.file, each.function][by] += 1
            out.write(fate_line(each, fate, by))
        left = [(number, each) for number, each in chosen if each not in before]
        for each, fate, by in in_parallel(jobs, judge.judge, left):
            fates[each] = fate
            out.write(fate_line(each, fate, by))
            out.flush()
            if len(fates) % 50 == 0:
                alive = sum(fate in ("survived", "not reached") for fate in fates.values())
                say(f"{len(fates)} of {len(chosen)} mutants, {alive} alive, {time.monotonic() - begin:.0f} s")
    return fates


def report(mutants, fates):
    """Prints the survivors and the totals; returns the status."""
    reasons = listed()
    alive = [each for each, fate in fates.items() if fate in ("survived", "not reached")]
    same = {each for each in alive if mutants.is_equivalent(each)}
    unlisted, excused = [], 0
    for each in sorted(alive, key=lambda m: (m.file, m.line, m.start)):
        if each in same:
            continue
        if entry(each) in reasons:
            excused += 1
            continue
        unlisted.append(each)
        print(f"{each.file}:{each.line}: {fates[each]}: {each.function}: {each.change}")
    status = 0
    existing = {entry(each) for each in mutants.numbered.values()}
    noticed = {entry(each) for each, fate in fates.items() if each not in alive or each in same}
    for what in reasons:
        if what in noticed or what not in existing:
            why = "killed, or the same code" if what in noticed else "no such mutant"
            print(f"{why}; delete it in tests/mutate/survivors.txt: {what}")
            status = 1
    count = collections.Counter(fates[each] for each in fates if each not in same)
    total = sum(count.values())
    print(f"{total} mutants: {count['killed']} killed, {count['by time']} by time, {count['survived']} survived, "
          f"{count['not reached']} not reached by a test; {excused} of these are listed; "
          f"{len(same)} more are the same code")
    if len(unlisted) * ONE_IN >= max(total, 1):
        print(f"1 in {ONE_IN} or more survive without a reason in tests/mutate/survivors.txt: {len(unlisted)} of {total}")
        status = 1
    return status


def options():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=650)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("what", nargs="*")
    return parser.parse_intermixed_args()


def mutate(what):
    rooms = related()
    world = Tree(what.build)
    if not what.list:
        world.check_fence()
    if not (world.build / "build.ninja").exists():
        world.copy({})
        world.configure()
    mutants = Mutants(world, rooms)
    files = set(chosen_files(mutants.of_file, what.what, rooms))
    chosen = [(number, each) for number, each in mutants.numbered.items() if each.file in files]
    if what.list:
        for number, each in chosen:
            print(f"{number}: {each.file}:{each.line}: {each.function}: {each.change}")
        return 0
    if 0 < what.count < len(chosen):
        chosen = sorted(chosen, key=lambda numbered: lot(what.seed, numbered[1]))[:what.count]
    say(f"{len(chosen)} of {len(mutants.numbered)} mutants are chosen")
    say("building the tree with all mutants")
    world.copy(mutants.mutated())
    world.compile(what.jobs)
    used = {room_of(name) for name in files}
    words = [word for room in used for word in rooms[room]]
    tests = [test for test in all_tests(world) if any(word.match(test.suite) for word in words)]
    tests = record(world, tests, what.jobs)
    return report(mutants, test_all(Judge(world, tests, rooms), chosen, what.jobs, what.resume))


def main():
    if not shutil.which("clang"):
        sys.exit("mutate: clang is not installed, which finds what can be changed")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return mutate(options())
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (Failed, sites.Unreadable) as why:
        sys.exit(f"mutate: {why}")


sys.exit(main())
