"""Every script under deploy/ and tests/ says at once what it misses, in one line with how to get it, and ends with a code: tried in an
environment that has nothing but a shell, or a Python, and no build. A new script without a row fails."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE  # noqa: E402

SHELL = ["basename", "bash", "cat", "dirname", "env", "grep", "id", "ls", "mkdir", "realpath", "rm", "sed", "sh", "stat", "touch", "uname"]
AT_ONCE_S = 10
# What is there of the commands that a script needs (the first that is not there is named), its arguments, and words that it has to say.
ROWS = {
    ".ci/run": ([], [], ["dpkg-query"]),
    "deploy/example/generate_workload.py": (["python3"], ["--out", "/nonexistent/file"], ["/nonexistent/file"]),
    "deploy/install-packages": ([], ["deploy/packages"], ["dpkg-query", "Debian"]),
    "deploy/kafka/broker": (["python3"], ["--data", "{folder}/data"], ["java", "deploy/install-packages"]),
    "deploy/kafka/fetch": ([], [], ["java", "deploy/install-packages"]),
    "deploy/kafka/free_ports.py": (["python3"], [], ["how many ports"]),
    "deploy/local": ([], [], ["dpkg-query"]),
    "deploy/quickstart": ([], [], ["dpkg-query"]),
    "tests/coverage": (["python3"], [], ["cmake", "deploy/packages"]),
    "tests/data/slurm/record": ([], [], ["munged", "apt-get install"]),
    "tests/nightly": ([], ["record"], ["dpkg-query"]),
    "tests/probes": (["python3"], ["/nonexistent/file"], ["/nonexistent/file"]),
    "tests/run": ([], [], ["dpkg-query"]),
    "tests/support/promtool": ([], ["{folder}"], ["apt-get", "promtool"]),
    "tests/support/sum_workload.py": (["python3"], ["/nonexistent/file", "--format", "swf"], ["/nonexistent/file"]),
    "tests/support/venv": ([], ["python3", "{folder}/venv", "x==1"], ["python3", "deploy/install-packages"]),
    "tests/support/with_kafka.py": (["python3"], ["--", "true"], ["true"]),
    "tests/tidy/clang_tidy": ([], [], ["run-clang-tidy", "deploy/packages-tests"]),
    "tests/tidy/format.sh": ([], [], ["clang-format", "deploy/packages-tests"]),
    "tests/tidy/openapi_lint.sh": ([], [".", "{folder}"], ["npm", "deploy/packages-tests"]),
    "tests/tidy/schemas_lint.sh": ([], [".", "{folder}"], ["buf", "deploy/packages-tests"]),
    "tests/torture/long": (["python3"], ["--build", "{folder}"], ["granary", "cmake --build"]),
    "tests/torture/torture.py": (["python3"], ["--journal", "embedded", "--build", "{folder}"], ["granary", "cmake --build"]),
}
# Needs that come later than the first: what is there, arguments, environment, words.
LATER = [
    ("tests/torture/long", ["python3"], ["--journal", "kafka", "--build", "{built}"], {}, ["java", "deploy/install-packages"]),
    ("tests/torture/long", ["python3", "java"], ["--build", "{built}"], {}, ["jars", "deploy/kafka/fetch"]),
    ("tests/torture/long", ["python3", "java"], ["--journal", "kafka", "--build", "{built}"], {"GRANARY_KAFKA_JARS": "{jars}"}, ["client", "tests/support/venv"]),
    ("tests/torture/torture.py", ["python3", "java"], ["--journal", "kafka", "--build", "{built}"], {"GRANARY_KAFKA_JARS": "{jars}"}, ["client"]),
    ("tests/support/with_kafka.py", ["python3", "true"], ["--", "true"], {}, ["java"]),
    ("tests/support/with_kafka.py", ["python3", "true", "java"], ["--", "true"], {}, ["jars", "deploy/kafka/fetch"]),
    ("deploy/kafka/broker", ["python3", "java"], ["--data", "{folder}/data"], {}, ["jars", "deploy/kafka/fetch"]),
    ("deploy/kafka/fetch", ["java"], [], {}, ["mvn"]),
    ("deploy/local", [], ["/nonexistent/file"], {}, ["/nonexistent/file"]),
    ("deploy/local", [], [], {"GRANARY_SERVICES": "{folder}"}, ["{folder}", "GRANARY_SERVICES"]),
    ("deploy/quickstart", [], ["{folder}/data"], {"GRANARY_PROGRAM": "/nonexistent/granary"}, ["/nonexistent/granary", "GRANARY_PROGRAM"]),
    ("deploy/quickstart", [], ["{folder}/data"], {"GRANARY_PROGRAM": "{built}/services/standalone/granary"}, ["python3", "deploy/install-packages"]),
    ("tests/tidy/clang_tidy", ["run-clang-tidy"], ["{folder}"], {}, ["build tree", "cmake --preset"]),
]
# What is asked wrongly.
USAGE = [("deploy/install-packages", []), ("deploy/install-packages", ["/nonexistent"]), ("deploy/local", ["--data", ""]), ("deploy/local", ["--port", "99999"]),
         ("deploy/local", ["--port"]), ("deploy/local", ["--colour"]), ("deploy/quickstart", [""]), ("deploy/quickstart", ["--colour"]),
         ("deploy/quickstart", ["a", "b"]), ("deploy/kafka/free_ports.py", ["x"]), ("tests/run", ["fast"]), ("tests/nightly", ["no-such-target"]),
         ("tests/probes", []), ("tests/coverage", ["no-such-room"]),
         ("tests/support/promtool", []), ("tests/tidy/openapi_lint.sh", []), ("tests/tidy/schemas_lint.sh", [])]


def scripts():
    """All that somebody can start."""
    for top in ("deploy", "tests", ".ci"):
        for path in sorted(pathlib.Path(SOURCE, top).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.read_bytes()[:2] == b"#!":
                yield str(path.relative_to(SOURCE))


def tests():
    for folder in ("e2e", "kafka", "bench"):
        for path in sorted(pathlib.Path(SOURCE, "tests", folder).glob("*_test.py")):
            yield str(path.relative_to(SOURCE))


class Scripts(unittest.TestCase):
    def setUp(self):
        # A checkout without a build, as others have it.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.source = os.path.join(self.folder, "source")
        os.mkdir(self.source)
        for name in ("deploy", "tests", ".ci", "docs", "schemas", "README.md"):
            path = os.path.join(SOURCE, name)
            if os.path.isdir(path):
                shutil.copytree(path, os.path.join(self.source, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, self.source)
        built, jars = os.path.join(self.folder, "built"), os.path.join(self.folder, "jars")
        for program in ("services/standalone/granary", "tests/support/granary-stepped", "tests/torture/granary-outward-check",
                        *(f"services/{name}/granary-{name}" for name in ("intake", "metering", "allocation", "billing"))):
            path = pathlib.Path(built, program)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
            path.chmod(0o755)
        os.mkdir(jars)
        pathlib.Path(jars, "kafka_2.13.jar").touch()
        self.names = {"folder": self.folder, "built": built, "jars": jars}

    def run_it(self, script, there, arguments, environment=None):
        path = tempfile.mkdtemp(dir=self.folder)
        for name in [*SHELL, *there]:
            if name == "python3":
                os.symlink(sys.executable, os.path.join(path, name))
            elif found := shutil.which(name):
                os.symlink(found, os.path.join(path, name))
            else:  # not on this machine: something of that name
                pathlib.Path(path, name).write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
                os.chmod(os.path.join(path, name), 0o755)
        environment = {name: value.format(**self.names) for name, value in (environment or {}).items()}
        before = time.monotonic()
        done = subprocess.run([os.path.join(self.source, script), *(argument.format(**self.names) for argument in arguments)], cwd=self.source,
                              capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
                              env={"PATH": path, "HOME": self.folder, "TMPDIR": self.folder, **environment})
        self.assertLess(time.monotonic() - before, AT_ONCE_S, "at once")
        return done

    def check(self, done, codes, words):
        self.assertIn(done.returncode, codes, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("hint: ", done.stderr)
        for word in words:
            self.assertIn(word.format(**self.names), done.stderr)

    def test_every_script_says_what_it_misses(self):
        self.assertEqual(sorted(scripts()), sorted(name for name in ROWS), "a script without a row, or a row without a script")
        for script, (there, arguments, words) in ROWS.items():
            with self.subTest(script):
                self.check(self.run_it(script, there, arguments), (1, 2, 3), words)
        for script, there, arguments, environment, words in LATER:
            with self.subTest(script, arguments=arguments, environment=environment):
                self.check(self.run_it(script, there, arguments, environment), (3,), words)

    def test_what_is_asked_wrongly_is_named(self):
        for script, arguments in USAGE:
            with self.subTest(script, arguments=arguments):
                self.check(self.run_it(script, ["python3"], arguments), (2,), [])

    def test_every_test_that_is_started_by_hand_says_what_it_misses(self):
        count = 0
        for script in tests():
            count += 1
            with self.subTest(script):
                if script == "tests/e2e/scripts_test.py":
                    continue  # this one needs nothing
                done = subprocess.run([sys.executable, "-I", os.path.join(self.source, script)], cwd=self.source, capture_output=True, text=True, timeout=120,
                                      check=False, env={"PATH": "/nonexistent", "HOME": self.folder})
                self.check(done, (3,), [])
        self.assertGreater(count, 20)


if __name__ == "__main__":
    unittest.main()
