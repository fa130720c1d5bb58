"""deploy/quickstart: run, stopped by Ctrl-C in the middle and run again, run a month later; and what it says where packages are missing
that the user may not install."""
import datetime
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE, TICK  # noqa: E402

QUICKSTART = os.path.join(SOURCE, "deploy", "quickstart")
NOBODY = 65534


def used(out):
    """Hours used by project and month, and granted by project. (Which of two jobs took the last hour of a lot is a matter of their order in
    the log, so what was covered may differ between two ledgers.)"""
    balances, charges = (part.strip().split("\n")[2:] for part in out[out.index("\nBalances"):out.index("\nThe server stops")].split("\n\n"))
    return [row.split()[1:4] for row in balances], [row.split()[1:5] for row in charges]


class Quickstart(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = os.path.join(folder.name, "data")

    def run_whole(self, data=None):
        done = subprocess.run([QUICKSTART, data or self.data], capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def stop_at(self, line):
        """Ctrl-C, that is SIGINT to all of the group, once it has said `line`."""
        running = subprocess.Popen([QUICKSTART, self.data], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            for said in running.stdout:
                if line in said:
                    break
            else:
                self.fail(f"it never said {line}")
            os.killpg(running.pid, signal.SIGINT)
            running.stdout.read()  # its end is the end of all that it started
            self.assertNotEqual(running.wait(timeout=60), 0)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
            running.stdout.close()
        self.assertEqual([name for name in os.listdir(self.data) if name.startswith("says")], [])

    def test_stopped_in_the_middle_and_run_again_it_says_the_same(self):
        whole = self.run_whole(os.path.join(self.folder, "whole"))
        for line in ("listening on", "== deploy/example/2", "== a generated year", "Balances"):
            self.stop_at(line)
        again = self.run_whole()
        self.assertIn("A ledger stands in", again)
        self.assertEqual(used(again), used(whole))
        self.assertEqual([len(rows) for rows in used(whole)], [6, 72])
        self.assertIn("19230 repeats", self.run_whole(), "another run finds all of it")

    def test_a_month_later_it_confirms_the_clock_by_itself_and_says_so(self):
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=31)
        subprocess.run([TICK, self.data, then.strftime("%Y-%m-%dT%H:%M:%SZ")], check=True, timeout=60)
        said = self.run_whole()
        self.assertIn("A ledger stands in", said)
        self.assertIn("quickstart says by itself that the clock is right", said)
        self.assertNotIn("says by itself", self.run_whole())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become nobody")
    def test_packages_that_it_may_not_install_are_one_line_to_run(self):
        tools = os.path.join(self.folder, "bin")
        os.mkdir(tools)
        for name in ("bash", "cat", "dpkg-query", "grep", "apt-cache", "id", "tr"):  # and no sudo
            os.symlink(shutil.which(name), os.path.join(tools, name))
        wanted = os.path.join(self.folder, "packages")
        pathlib.Path(wanted).write_text("# a comment\nbash\ngranary-no-such-package granary-nor-this\n@cat coreutils\n", encoding="utf-8")
        script = os.path.join(self.folder, "install-packages")
        shutil.copy(os.path.join(SOURCE, "deploy", "install-packages"), script)
        os.chmod(self.folder, 0o755)
        done = subprocess.run([os.path.join(tools, "bash"), script, wanted], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": tools}, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr.strip(), r"run: sudo apt-get install -y --no-install-recommends granary-nor-this$")
        pathlib.Path(wanted).write_text("bash\n", encoding="utf-8")
        done = subprocess.run([os.path.join(tools, "bash"), script, wanted], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": tools}, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""), "nothing is missing: nothing to say")

    def test_help_says_what_it_does(self):
        done = subprocess.run([QUICKSTART, "--help"], capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("Exit codes: 0 done", done.stdout)


if __name__ == "__main__":
    unittest.main()
