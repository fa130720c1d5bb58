"""An older build on the data directory of a newer one: it parks, by name, where an event stands that it does not know or that it breaks a
law over, serves the rest, and the newer build goes on; nothing is lost."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE  # noqa: E402
from four_services import PROGRAM  # noqa: E402
from granary_server import Server  # noqa: E402
from two_builds import (INTERIM, NUMBER, OLDER, PARKED, PARTITIONS, REPORT, check_everything, check_parked, decisions, jobs,  # noqa: E402
                        send, send_to_parked, stuck, until, used, quantities)


class TwoBuilds(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        """The newer build has folded all of it; the older one starts as after a loss of state, with what the log says."""
        self.data = self.enterContext(tempfile.TemporaryDirectory())
        self.newer, self.older = Server(PROGRAM, self.data), Server(OLDER, self.data, command=(), tool=PROGRAM)
        self.addCleanup(lambda: [one.kill() for one in (self.newer, self.older) if one.process and one.process.poll() is None])
        self.newer.start("--partitions", str(PARTITIONS))
        after = send(self, self.newer, decisions())["after"]
        self.first = jobs("first")
        send(self, self.newer, [*self.first, INTERIM], f"/v1/events?after={after}")
        self.assertEqual(self.newer.stop(), 0)
        shutil.rmtree(os.path.join(self.data, "state"))

    def check(self, because):
        """The older build runs, parked where metering and allocation read of the running job."""
        places = {machine: check_parked(self, self.older, machine, said) for machine, said in because.items()}
        second = jobs("second")
        send_to_parked(self, self.older, second, PARKED["metering"])
        # What came before the event, and of the rest what goes by neither of the two partitions.
        gone_on = quantities([one for one in self.first + second if not stuck(one, "allocation") and one["id"] in self.metered(second)])
        until(lambda: {project: row for project, row in used(self.older).items() if project in gone_on} == gone_on)
        self.assertEqual({machine: check_parked(self, self.older, machine, said) for machine, said in because.items()}, places)
        self.assertEqual(self.older.stop(), 0, "in order, parked as it is")

        self.newer.start()
        third = [REPORT, *jobs("third")]
        answer = send(self, self.newer, third)
        events = self.first + second + third
        check_everything(self, [self.newer], answer["after"], events)
        _, answer = self.newer.post([INTERIM, *events])
        self.assertEqual({one["outcome"]["judgement"] for one in answer["results"]}, {"repeat"}, "each is there")
        code, _, err = self.newer.run("status", "--check")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.newer.stop(), 0)
        replayed = subprocess.run([PROGRAM, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(replayed.returncode, 0, replayed.stderr)

    def metered(self, second):
        return {one["id"] for one in [*self.first, *(one for one in second if not stuck(one, "metering"))]}

    def test_an_event_that_the_older_build_does_not_know(self):
        self.older.start()
        self.check({"metering": f"number {NUMBER['metering']}", "allocation": "an event of a lane that this build cannot read"})

    def test_an_event_over_which_the_older_build_breaks_a_law(self):
        deaths = 0
        while True:  # one death, or two, leave both partitions' markers
            self.older.begin("--breaks-a-law")
            try:
                self.older.started()
                break
            except (RuntimeError, OSError):
                self.assertEqual(self.older.process.wait(timeout=60), -signal.SIGABRT, self.older.lines)
                self.older.ended()
                deaths += 1
        self.assertIn(deaths, (1, 2))
        self.check(dict.fromkeys(("metering", "allocation"), "broke a law of the fold"))


if __name__ == "__main__":
    unittest.main()
