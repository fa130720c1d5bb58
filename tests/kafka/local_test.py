"""deploy/local over programs that are built already: the tables, a second run on the same data, Ctrl-C, and what it refuses."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402

LOCAL = os.path.join(SOURCE, "deploy", "local")
FLAGS = ["--format", "openb", "--shift-end-to", "2026-11-01T00:00:00Z"]


class Local(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.data = os.path.join(self.folder, "data")
        self.file = os.path.join(self.folder, "jobs.csv")
        subprocess.run([sys.executable, os.path.join(SOURCE, "deploy", "example", "generate_workload.py"), "--jobs", "300", "--out", self.file],
                       check=True)

    def run_once(self, *arguments):
        done = subprocess.run([LOCAL, "--data", self.data, "--once", *arguments], capture_output=True, text=True, timeout=200, check=False)
        return done.returncode, done.stdout, done.stderr

    def processes(self, out):
        ids = [int(number) for number in re.findall(r"process (\d+)$", out, re.MULTILINE)]
        self.assertEqual(len(ids), 5, out)
        return ids

    def logs(self):
        """The last lines of everything that runs, for whoever looks into a failure."""
        text = ""
        for folder in (self.data, os.path.join(self.data, "broker")):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".log"):
                    with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as log:
                        text += f"\n{name}:\n" + "".join(log.readlines()[-15:])
        return text

    def check_ended(self, ids):
        self.assertEqual([one for one in ids if os.path.exists(f"/proc/{one}")], [])

    def test_a_second_run_goes_on_and_ctrl_c_stops_all_of_it(self):
        code, out, err = self.run_once(self.file, "--", *FLAGS)
        self.assertEqual(code, 0, err)
        (accepted,) = re.findall(r"300 rows: (\d+) accepted, 0 repeats, \d+ skipped, 0 refused", err)
        self.assertRegex(out, r"aurora-llm +gpu ")
        self.assertIn("Charges by month", out)
        self.check_ended(self.processes(out))

        running = subprocess.Popen([LOCAL, "--data", self.data, self.file, "--", *FLAGS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True)
        self.addCleanup(lambda: running.poll() is None and os.killpg(running.pid, signal.SIGKILL))
        said = ""
        while "Ctrl-C stops all of it." not in said:
            line = running.stdout.readline()
            self.assertTrue(line, said + self.logs())
            said += line
        self.assertIn("A ledger stands in", said)
        self.assertIn(f"300 rows: 0 accepted, {accepted} repeats", said)
        for url in re.findall(r"http://127\.0\.0\.1:\d+(?=  process)", said):
            done = subprocess.run([PROGRAM, "balance", "aurora-llm", "--url", url], capture_output=True, text=True, timeout=60,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        code, _, refused = self.run_once()
        self.assertEqual(code, 3)
        self.assertIn("another deploy/local runs on " + self.data, refused)
        os.killpg(running.pid, signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
        self.assertEqual((running.returncode, rest), (130, ""))
        self.check_ended(self.processes(said))

    def test_what_ends_by_itself_is_told_and_ends_the_rest(self):
        running = subprocess.Popen([LOCAL, "--data", self.data, self.file, "--", *FLAGS], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True)
        self.addCleanup(lambda: running.poll() is None and os.killpg(running.pid, signal.SIGKILL))
        said = ""
        while "Ctrl-C stops all of it." not in said:
            line = running.stdout.readline()
            self.assertTrue(line, said)
            said += line
        ids = self.processes(said)
        os.kill(ids[2], signal.SIGKILL)
        rest, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 1)
        self.assertIn("metering has ended by itself", rest)
        self.check_ended(ids)

    def test_usage(self):
        for arguments in (["--nothing"], ["a", "b"], ["--", "--format", "swf"]):
            self.assertEqual(self.run_once(*arguments)[0], 2, arguments)
        done = subprocess.run([LOCAL, "--help"], capture_output=True, text=True, check=True)
        self.assertIn("deploy/local [--data DIR]", done.stdout)


if __name__ == "__main__":
    unittest.main()
