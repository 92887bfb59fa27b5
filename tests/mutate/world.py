"""The copy of the tree in which mutants are built and tested, and the tests that run there."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import sites

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANT_MAX = int(re.search(r"MUTANT_MAX (\d+)", (ROOT / "tests/mutate/switch.h").read_text()).group(1))
# What the tests of rooms share.
SHARED = ("tests/fake", "tests/lib", "tests/base", "tests/cli/common.bash")
FENCE = str(ROOT / "tests/mutate/fence.sh")
FENCE_FAILED = 99


class Failed(Exception):
    """No mutants can be tested, for a reason that is not theirs."""


def run(command, log, **options):
    """Returns the status of a command, whose output goes to the log; an interrupt ends its processes, too."""
    with open(log, "ab") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                 **options)
        try:
            return child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGTERM)
            raise


def digest(paths):
    """Returns a hash of the files in these places."""
    result = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                result.update(str(file).encode() + b"\0" + file.read_bytes())
    return result.hexdigest()


class Tree:
    """The copy, in which the files of the chosen rooms have all of their mutants."""

    def __init__(self, build):
        self.home = pathlib.Path(build).resolve()
        self.tree, self.build = self.home / "tree", self.home / "build"
        self.log = self.home / "build.log"
        self.home.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")

    def sources(self):
        """Returns the files of the tree, without those that are built."""
        for directory, names, files in os.walk(ROOT):
            here = pathlib.Path(directory)
            if here == ROOT:
                names[:] = [n for n in names if n != ".git" and not re.match("build(-|$)", n)]
            names[:] = [n for n in names if n != "__pycache__"]
            for name in files:
                if (here / name).is_file() and (here / name) != ROOT / ".git":
                    yield (here / name).relative_to(ROOT)

    def write(self, name, content):
        path = self.tree / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def copy(self, mutated):
        """Makes the copy like the tree, except for the text of these files."""
        wanted = set()
        for name in self.sources():
            wanted.add(str(name))
            content = mutated.get(str(name), (ROOT / name).read_bytes())
            if str(name) == "CMakeLists.txt":
                content = content.replace(b"(vmrun_core OBJECT", b"(vmrun_core OBJECT tests/mutate/switch.c", 1)
            self.write(name, content)
            shutil.copymode(ROOT / name, self.tree / name)
        for old in list(self.tree.rglob("*")):
            if old.is_file() and str(old.relative_to(self.tree)) not in wanted:
                old.unlink()

    def check_fence(self):
        if run([FENCE, self.home, "true"], self.log) != 0:
            raise Failed(f"tests cannot be fenced in, which needs the right to make namespaces: {self.log}")

    def configure(self):
        if (self.build / "build.ninja").exists():
            return
        # Sanitizers see what a dropped free() leaks, and what a wrong index reads.
        words = ["cmake", "--preset", "asan", "-B", self.build, "-D", "VMRUN_TESTS=ON", "-D",
                 "CMAKE_C_FLAGS_DEBUG=-O1"]
        if shutil.which("ccache"):
            words += ["-D", "CMAKE_C_COMPILER_LAUNCHER=ccache"]
        if run(words, self.log, cwd=self.tree) != 0:
            raise Failed(f"the copy of the tree cannot be configured: {self.log}")

    def compile(self, jobs):
        """Builds all programs: CTest does not tell the command of a test whose program is missing."""
        if run(["cmake", "--build", self.build, "-j", str(jobs)], self.log) != 0:
            raise Failed(f"the mutants cannot be built: {self.log}")

    def commands(self):
        """Returns the compile commands of the library, by the name of the file."""
        result = {}
        for each in json.loads((self.build / "compile_commands.json").read_text()):
            name = os.path.relpath(each["file"], self.tree)
            if name.startswith("src/") and "vmrun_core.dir" in each["command"]:
                result[name] = each | {"file": str(ROOT / name)}
        return result

    def object_code(self, command, name, text):
        """Returns the optimized object code of a text, or None if it cannot be compiled."""
        directory = self.home / "object"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="latin-1", newline="")
        words = command["command"].split()
        flags = [word for i, word in enumerate(words)
                 if word.startswith(("-D", "-I", "-std", "-isystem")) or words[i - 1] == "-isystem"]
        compiler = [word for word in words if not word.endswith("ccache")][0]
        done = subprocess.run([compiler, *flags, f"-I{directory}", "-w", "-O2", "-c", name, "-o", "x.o"],
                              cwd=directory, capture_output=True, check=False)
        return (directory / "x.o").read_bytes() if done.returncode == 0 else None


class Test:
    """A program of cmocka, or one test of a suite of bats."""

    running = set()

    def __init__(self, name, command, environment, directory):
        self.name, self.command, self.environment, self.directory = name, command, environment, directory
        self.suite = name.split(":")[0]
        self.seconds, self.reached, self.passes = 0.0, frozenset(), True

    def run(self, world, limit, **variables):
        """Returns the status, or None after the time limit."""
        environment = dict(os.environ, **self.environment, **variables)
        environment.setdefault("ASAN_OPTIONS", "detect_leaks=1")
        environment.setdefault("UBSAN_OPTIONS", "halt_on_error=1")
        environment["CMOCKA_TEST_ABORT"] = "1"  # the first failure is enough
        child = subprocess.Popen([FENCE, str(world.home), *self.command],
                                 env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        Test.running.add(child)
        try:
            status = child.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            # The first process of the fence takes all others with it.
            child.kill()
            child.wait()
            Test.running.discard(child)
        if status == FENCE_FAILED:
            raise Failed("a test cannot be fenced in: fence.sh")
        return status

    @staticmethod
    def end_all():
        """Ends the tests that run, which are not in the terminal's session."""
        for child in list(Test.running):
            child.kill()

    def record(self, world, slot, limit):
        """Runs the test without a mutant, and keeps how long it takes and what it reaches."""
        file = world.home / f"reached.{slot}"
        for _ in range(2):
            file.write_bytes(bytes(MUTANT_MAX))
            before = time.monotonic()
            self.passes = self.run(world, limit, MUTANTS_REACHED=str(file)) == 0
            self.seconds = time.monotonic() - before
            if self.passes:
                break
        self.reached = frozenset(i for i, byte in enumerate(file.read_bytes()) if byte)


def cases_of(path):
    """Returns the names of the tests in a file of bats."""
    return re.findall(r'^@test "((?:[^"\\]|\\.)*)" \{', path.read_text(), re.M)


def all_tests(world):
    """Returns the tests that CTest knows, one for each test of a suite of bats."""
    done = subprocess.run(["ctest", "--test-dir", str(world.build), "--show-only=json-v1"],
                          capture_output=True, check=True)
    result = []
    for test in json.loads(done.stdout)["tests"]:
        command = test.get("command", [])
        properties = {p["name"]: p["value"] for p in test["properties"]}
        environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        if not command:
            raise Failed(f"CTest does not tell the command of {test['name']}")
        suite = pathlib.Path(command[-1])
        if suite.suffix != ".bats":
            directory = pathlib.Path(command[0]).parent.relative_to(world.build) \
                if command[0].startswith(str(world.build)) else "tests"
            result.append(Test(test["name"], command, environment, directory))
            continue
        for case in cases_of(suite):
            only = "^" + re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", case.replace('\\"', '"')) + "$"
            result.append(Test(f"{test['name']}: {case}", [*command[:-1], "-f", only, command[-1]],
                               environment, suite.parent.relative_to(world.tree)))
    return result
