"""`granary import` while its server dies and comes back: what was not answered is sent again with the same ids, the totals are those of
the file, and no row counts twice."""
import contextlib
import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import Server  # noqa: E402
from import_test import configuration, posted  # noqa: E402

ROWS = 12000  # 24 requests
END = "2026-11-01T00:00:00Z"


def jobs(folder):
    path = os.path.join(folder, "jobs.swf")
    rows = (f"{n} {n * 60} 0 {1 + n % 3600} {1 + n % 64} -1 -1 {1 + n % 64} -1 -1 1 {n % 40} {n % 7} 1 1 -1 -1 -1\n" for n in range(1, ROWS + 1))
    pathlib.Path(path).write_text("".join(rows), encoding="utf-8")
    return path


def independent_sum(path):
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "support", "sum_workload.py"), path, "--format", "swf",
                           "--project-prefix", "p", "--shift-end-to", END], capture_output=True, text=True, check=True)
    return {(r["project"], r["resource"]): (int(r["records"]), int(r["quantity"])) for r in csv.DictReader(io.StringIO(done.stdout))}


class ServerGoesAway(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = jobs(folder.name)
        self.granary = Server(PROGRAM, os.path.join(folder.name, "data"))
        self.addCleanup(lambda: self.granary.process.poll() is None and self.granary.kill())

    def begin(self, *flags):
        importing = subprocess.Popen([PROGRAM, "import", self.file, "--format", "swf", "--project-prefix", "p", "--shift-end-to", END,
                                      "--json", "--url", self.granary.url, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: importing.poll() is None and importing.kill())
        return importing

    def died(self):
        """Waits until the server has killed itself at its named point."""
        self.assertEqual(self.granary.process.wait(timeout=60), -signal.SIGKILL)
        self.granary.ended()

    def configure(self, crash_at):
        self.granary.start()
        status, answer = self.granary.post(configuration([]))
        self.assertEqual((status, answer["refused"]), (202, 0), answer)
        self.assertEqual(self.granary.stop(), 0)
        self.granary.start(environment={"GRANARY_CRASH_AT": crash_at})

    def test_killed_again_and_again_in_the_middle_nothing_is_lost_or_counted_twice(self):
        # Each group commit of the log is a chance to die: not yet written, written and not answered, answered and not folded.
        self.configure("journal.before_write:9")
        importing = self.begin()
        for crash_at in ("journal.after_write:5", "runtime.before_commit:12", "journal.after_head:5", ""):
            self.died()
            self.assertIsNone(importing.poll(), "the import must outlive its server")
            # It may die before it has told that it is ready: the import asks again and again.
            with contextlib.suppress(*(OSError, RuntimeError) if crash_at else ()):
                self.granary.start(environment={"GRANARY_CRASH_AT": crash_at} if crash_at else {}, again=True)
        out, err = importing.communicate(timeout=120)
        self.assertEqual(importing.returncode, 0, err)
        self.assertIn("trying again with the same ids", err)
        counts = json.loads(out)
        self.assertEqual((counts["rows"], counts["accepted"] + counts["repeats"]), (ROWS, ROWS), counts)
        expected = independent_sum(self.file)
        self.assertEqual(posted(self.granary, counts["after"]), expected)
        source = self.granary.get("/v1/sources?after=" + counts["after"])["rows"][0]
        self.assertEqual(source["metered"], ROWS)
        self.assertEqual(source["complete_through"], END)
        self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])

    def test_a_server_that_stays_away_is_told_with_what_stands_and_the_next_run_ends_it(self):
        self.configure("journal.before_write:24")
        importing = self.begin("--retry-for", "0")
        self.died()
        out, err = importing.communicate(timeout=120)
        self.assertEqual((importing.returncode, out), (1, ""), err)
        stopped = re.search(r"stopped after (\d+) of 12000 usages", err)
        self.assertTrue(stopped, err)
        self.assertLess(0, int(stopped.group(1)))
        self.assertIn("run the same command again", err)
        self.granary.start(again=True)
        importing = self.begin()
        out, err = importing.communicate(timeout=120)
        self.assertEqual(importing.returncode, 0, err)
        counts = json.loads(out)
        self.assertGreaterEqual(counts["repeats"], int(stopped.group(1)))
        self.assertEqual(posted(self.granary, counts["after"]), independent_sum(self.file))


if __name__ == "__main__":
    unittest.main()
