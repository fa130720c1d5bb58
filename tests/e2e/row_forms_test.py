"""States whose rows have another form, as after an upgrade, or that no process can open: folded again from the log, told, and right."""
import glob
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
from needs import PROGRAM, STAMP  # noqa: E402
from granary_server import Server  # noqa: E402
from two_builds import decisions, jobs, send, until, used  # noqa: E402

SHARDS = [("intake", 0), *((machine, shard) for machine in ("metering", "allocation", "billing") for shard in range(2))]
HELD = ("allocation", 0)
# Format and revision of this build's rows, by whose they are; and a format that no build has yet.
ROWS = pathlib.Path(__file__).resolve().parents[1] / "golden" / "rows.txt"
OWN = {owner: f"{form}.{revision}" for owner, form, revision
       in re.findall(r"^(\w+): format (\d+), revision (\d+)", ROWS.read_text(encoding="utf-8"), re.MULTILINE)}
OTHER_FORMAT = 99


def own_rows(machine):
    return f"{OWN[machine]}/{OWN['runtime']}"


class RowForms(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.data = self.enterContext(tempfile.TemporaryDirectory())
        self.server = Server(PROGRAM, self.data)
        self.addCleanup(lambda: self.server.process.poll() is None and self.server.kill())
        self.server.start("--partitions", "2")
        after = send(self, self.server, decisions())["after"]
        self.after = send(self, self.server, jobs("job"), f"/v1/events?after={after}")["after"]
        self.before = self.all_figures(f"?after={self.after}")
        self.assertEqual(self.server.stop(), 0)
        self.version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def all_figures(self, query=""):
        """What the ledger says of money and balances, without its time."""
        without_time = [{name: value for name, value in row.items() if name not in ("as_of", "complete_through", "usable")}
                        for row in self.server.rows("/v1/projects" + query)]
        return without_time, self.server.rows("/v1/charges" + query), used(self.server), self.server.rows("/v1/accounts")

    def stamp(self, form, revision, shards=None):
        for machine, shard in shards or SHARDS:
            done = subprocess.run([STAMP, self.data, f"{machine}-{shard}", str(form), str(revision)], capture_output=True, text=True, check=True)
            self.assertEqual(done.stdout, f"{own_rows(machine)} (build {self.version})\n")

    def said(self, event):
        return [json.loads(line) for line in self.server.lines if f'"event":"{event}"' in line]

    def state(self, name):
        return pathlib.Path(self.data, "state", name)

    def hold(self, position):
        """The next start folds that shard no further; nothing then depends on how fast it folds."""
        marker = self.state(f"parked-{HELD[0]}-{HELD[1]}")
        if position is None:
            marker.unlink()
        else:
            marker.write_text(f"{self.version} {position} held by the test\n", encoding="utf-8")

    def held(self):
        return next(s for s in self.server.get("/v1/status")["shards"] if (s["machine"], s["shard"]) == HELD)

    def check_all_is_as_before(self):
        until(lambda: not any("folding_again" in shard for shard in self.server.get("/v1/status")["shards"]))
        self.assertEqual(self.all_figures(f"?after={self.after}"), self.before)
        _, answer = self.server.post(jobs("job"))
        self.assertEqual({one["outcome"]["judgement"] for one in answer["results"]}, {"repeat"})
        until(lambda: not glob.glob(os.path.join(self.data, "state", "*.*")))
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(glob.glob(os.path.join(self.data, "state", "opening-*")), [])
        done = subprocess.run([PROGRAM, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_states_of_other_forms_are_folded_again(self):
        for form, revision in ((OTHER_FORMAT, 1), (1, 99), (0, 0)):
            with self.subTest(form=form, revision=revision):
                self.stamp(form, revision)
                self.server.start()
                told = self.said("state_set_aside")
                self.assertEqual([(line["machine"], line["shard"], line["level"]) for line in told],
                                 [(machine, shard, "warn") for machine, shard in SHARDS])
                for line in told:
                    had = f"{form}.{revision}/{OWN['runtime']} (build another)" if form else "none"
                    self.assertIn(f"rows {had}, expected {own_rows(line['machine'])}", line["cause"])
                self.check_all_is_as_before()

    def test_questions_wait_until_the_new_state_has_come_as_far(self):
        self.stamp(OTHER_FORMAT, 1)
        self.hold(2)
        self.server.start()  # ready, as what is parked never comes
        shard = until(lambda: (s := self.held()).get("parked") and s)
        self.assertEqual(shard["position"], 2)
        self.assertFalse(shard["folding_again"]["old_state_answers"])
        self.assertGreater(shard["folding_again"]["until"], 2)
        status, headers, answer = self.server.ask("/v1/projects")
        self.assertEqual((status, answer["type"]), (503, "urn:granary:problem:folding_again"))
        self.assertIn("Retry-After", headers)
        self.assertEqual(self.server.get("/readyz")["folding_again"][0]["shard"], HELD[1])
        code, out, err = self.server.run("status", "--check")
        self.assertEqual(code, 1)
        self.assertIn(f"{HELD[0]} shard {HELD[1]} is folded again after an upgrade, as far as record {shard['folding_again']['until']}; "
                      "meanwhile nothing answers for it\n", err)
        self.assertIn("folds again to", out)
        # Nothing else waits: the other shards have come as far.
        until(lambda: self.server.ask("/v1/charges")[0] == 200)
        self.assertEqual(self.server.stop(), 0)
        done = subprocess.run([PROGRAM, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"note: {HELD[0]}-{HELD[1]} is being folded again after an upgrade: its state stands at 2;", done.stderr)

        self.hold(None)
        self.server.start()
        self.assertEqual([(line["machine"], line["position"]) for line in self.said("state_folds_on")], [(HELD[0], 2)])
        self.check_all_is_as_before()

    def test_a_build_that_comes_back_has_its_state_at_once(self):
        """As the newer build left it in the middle: its own state, and the older one's beside it."""
        self.stamp(OTHER_FORMAT, 1, [HELD])
        self.hold(2)
        self.server.start()
        until(lambda: self.held().get("parked"))
        self.assertEqual(self.server.stop(), 0)
        name = f"{HELD[0]}-{HELD[1]}"
        os.rename(self.state(name), self.state("newer"))
        os.rename(self.state(name + ".old"), self.state(name))
        subprocess.run([STAMP, self.data, name, *OWN[HELD[0]].split(".")], capture_output=True, check=True)
        os.rename(self.state(name), self.state(name + ".old"))
        os.rename(self.state("newer"), self.state(name))
        subprocess.run([STAMP, self.data, name, str(OTHER_FORMAT), "1"], capture_output=True, check=True)
        self.hold(None)
        self.server.start()
        self.assertEqual([line["machine"] for line in self.said("state_taken_back")], [HELD[0]])
        self.assertEqual(self.said("state_set_aside"), [])
        self.check_all_is_as_before()

    def test_replay_names_a_state_of_another_form(self):
        self.stamp(OTHER_FORMAT, 3, [HELD])
        done = subprocess.run([PROGRAM, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"expected rows {own_rows(HELD[0])} (build {self.version}) in the state of {HELD[0]}-{HELD[1]}, got {OTHER_FORMAT}.3/{OWN['runtime']} (build another); hint: ",
                      done.stderr)

    def test_a_kill_while_states_are_opened_costs_nothing(self):
        for visit in (1, 3, 3, 3, len(SHARDS)):
            self.server.begin(environment={"GRANARY_CRASH_AT": f"runtime.opening:{visit}"})
            self.assertEqual(self.server.process.wait(timeout=60), -signal.SIGKILL)
            self.server.ended()
            self.assertEqual(len(glob.glob(os.path.join(self.data, "state", "opening-*"))), 1)
        self.server.start()
        for event in ("state_not_opened", "state_set_aside", "state_damaged"):
            self.assertEqual(self.said(event), [])
        self.check_all_is_as_before()

    def test_a_kill_in_the_middle_goes_on_or_begins_again(self):
        for point in ("states.before_set_aside:2", "states.after_set_aside:2", "states.before_delete:2", "states.before_delete:7"):
            with self.subTest(point):
                self.stamp(OTHER_FORMAT, 1)
                self.server.begin(environment={"GRANARY_CRASH_AT": point})
                self.assertEqual(self.server.process.wait(timeout=60), -signal.SIGKILL)
                self.server.ended()
                self.server.start()
                self.check_all_is_as_before()

    def test_what_a_start_died_of_folds_again_once_and_then_cannot_start(self):
        marker = self.state("opening-metering-1")
        marker.write_text(f"{self.version} state\na law of the rows\n", encoding="utf-8")
        self.server.start()
        self.assertEqual([(line["machine"], line["shard"], line["level"], line["cause"]) for line in self.said("state_not_opened")],
                         [("metering", 1, "error", "a law of the rows")])
        self.check_all_is_as_before()

        marker.write_text(f"{self.version} anew\na law of the log\n", encoding="utf-8")
        for _ in range(2):
            self.server.begin()
            self.assertEqual(self.server.process.wait(timeout=60), 3)
            lines = self.server.process.stderr.read().splitlines()
            self.server.ended()
            self.assertEqual(json.loads(lines[-1])["event"], "cannot_start")
            for words in ("metering-1", "a law of the log", str(marker)):
                self.assertIn(words, json.loads(lines[-1])["cause"])
        marker.unlink()
        self.server.start()
        self.check_all_is_as_before()


if __name__ == "__main__":
    unittest.main()
