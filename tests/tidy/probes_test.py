"""Probes: each is one literal in one place; a run collects what it reaches; tests/probes tells what no run reached."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PLANTED_PROBE, SOURCE  # noqa: E402

SCRIPT = os.path.join(SOURCE, "tests", "probes")
OFTEN, ONCE = "a planted branch is taken often", "a planted branch is taken once"


class Collecting(unittest.TestCase):
    """What programs write."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "reached")

    def start(self, *arguments, collects=True):
        environment = {name: value for name, value in os.environ.items() if name != "GRANARY_PROBES"}
        return subprocess.Popen([PLANTED_PROBE, *arguments], env={**environment, **({"GRANARY_PROBES": str(self.file)} if collects else {})})

    def test_nothing_is_written_where_no_file_is_named(self):
        self.assertEqual(self.start("once", collects=False).wait(), 0)
        self.assertFalse(self.file.exists())

    def test_each_process_appends_each_name_once(self):
        running = [self.start(*(["once"] if number == 0 else [])) for number in range(8)]
        self.assertEqual([one.wait() for one in running], [0] * 8)
        self.assertEqual(sorted(self.file.read_text(encoding="utf-8").splitlines()), sorted([OFTEN] * 8 + [ONCE]))

    def test_a_killed_process_has_written_what_it_reached(self):
        self.assertEqual(self.start("killed").wait(), -signal.SIGKILL)
        self.assertEqual(self.file.read_text(encoding="utf-8").splitlines(), [OFTEN, ONCE])


class Telling(unittest.TestCase):
    """What the script makes of it, over planted sources."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.reached = self.root / "reached"
        self.source('// GRANARY_PROBE("not one, a remark");\n#define GRANARY_PROBE(name) x\nGRANARY_PROBE(\n    "first branch");\nif (x) GRANARY_PROBE("second branch");\n')
        self.known("")
        self.run_reached("first branch")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def source(self, text, name="shared/room/a.cc"):
        self.write(name, text)

    def known(self, text):
        self.write("tests/probes-unreached.txt", "# a remark\n\n" + text)

    def run_reached(self, *names):
        self.reached.write_text("".join(name + "\n" for name in names), encoding="utf-8")

    def tell(self, *arguments):
        arguments = arguments or [str(self.reached)]
        done = subprocess.run([sys.executable, SCRIPT, "--root", str(self.root), *arguments], capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_what_is_unreached_and_not_known_is_shown_with_its_place(self):
        code, out, _ = self.tell()
        self.assertEqual(code, 1)
        self.assertIn("never reached, and nobody says why:\n  second branch  shared/room/a.cc:5\n", out)
        self.assertIn("2 probes, 1 reached, 1 not, 1 otherwise than known", out)

    def test_what_is_known_to_be_unreached_is_no_failure(self):
        self.known("second branch: needs two of something\n")
        code, out, _ = self.tell()
        self.assertEqual(code, 0, out)
        self.assertIn("needs two of something", out)

    def test_a_known_one_that_was_reached_is_a_failure(self):
        self.known("first branch: nobody gets there\nsecond branch: needs two of something\n")
        code, out, _ = self.tell()
        self.assertEqual(code, 1)
        self.assertIn("reached, though probes-unreached.txt says that it is not:\n  first branch", out)

    def test_what_only_some_runs_reach_may_be_either(self):
        self.known("? first branch: by chance\n? second branch: by chance\n")
        self.assertEqual(self.tell()[0], 0)

    def test_several_files_are_taken_together(self):
        self.write("more", "second branch\nsecond branch\n")
        self.assertEqual(self.tell(str(self.reached), str(self.root / "more"))[0], 0)

    def test_machines_read_json(self):
        code, out, _ = self.tell("--json", str(self.reached))
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out), [
            {"name": "first branch", "file": "shared/room/a.cc", "line": 3, "reached": True, "known": None, "seldom": False, "surprises": False},
            {"name": "second branch", "file": "shared/room/a.cc", "line": 5, "reached": False, "known": None, "seldom": False, "surprises": True}])

    def test_names_are_literals_each_in_one_place(self):
        for more, says in (('GRANARY_PROBE("first branch");', "stands at shared/room/a.cc:3 already"), ("GRANARY_PROBE(kName);", "as one literal"),
                           ('GRANARY_PROBE("two " "parts");', "as one literal"), ('GRANARY_PROBE("colon: no");', "plain words"), ('GRANARY_PROBE("Word");', "plain words")):
            with self.subTest(more):
                self.source(more, "shared/zone/core/b.h")
                code, out, _ = self.tell("--check")
                self.assertEqual(code, 1)
                self.assertIn("shared/zone/core/b.h:1: ", out)
                self.assertIn(says, out)

    def test_the_list_names_probes_that_are_there_once_with_a_reason(self):
        for line in ("third branch: it is gone\n", "second branch\n", "second branch: a\nsecond branch: b\n"):
            with self.subTest(line):
                self.known(line)
                self.assertEqual(self.tell()[0], 1)

    def test_a_file_of_another_build_is_no_answer(self):
        self.run_reached("first branch", "a branch that is gone")
        code, _, err = self.tell()
        self.assertEqual(code, 2)
        self.assertIn("another build", err)

    def test_a_file_that_is_not_there_is_no_answer(self):
        self.assertEqual(self.tell("/nonexistent/file")[0], 2)


class Product(unittest.TestCase):
    def test_each_probe_is_one_literal_in_one_place(self):
        done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(int(done.stdout.split()[0]), 60)


if __name__ == "__main__":
    unittest.main()
