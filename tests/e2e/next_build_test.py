"""This build and the one after it (tests/next_build) over one data directory: the next one brings rules version 2 into force, this one parks by
name where it does not know the way, serves the rest, and the next one goes on; nothing is lost and nothing is judged anew."""
import glob
import json
import os
import shutil
import sys
import subprocess
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import NEXT  # noqa: E402
from four_services import PROGRAM  # noqa: E402
from granary_server import Server  # noqa: E402
from two_builds import HOUR, REPORT, decisions, send, until, used  # noqa: E402

PARTITIONS = 3
MACHINES = ["intake"] + [machine for machine in ("metering", "allocation", "billing") for _ in range(PARTITIONS)]
PROJECT = REPORT["data"]["project"]


def jobs(name, count, weight=0):
    data = {**REPORT["data"], **({"weight": weight} if weight else {})}
    return [{**REPORT, "id": f"{name}-{n}", "data": data} for n in range(count)]


MARK = {**REPORT, "type": "granary.usage.marked.v1", "id": "mark", "data": {"root": {"source": REPORT["source"], "id": REPORT["id"]}, "project": PROJECT}}


def order(version):
    """A value of an enum that the next build brought, in an event that goes on in packets."""
    return {**decisions()[0], "type": "granary.policy.published.v1", "id": f"order/{version}", "data": {
        "kind": "burn_order", "version": version, "effective": "2030-01-01T00:00:00Z", "content": {"order": ["latest_expiry"]}}}


class NextBuild(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.data = self.enterContext(tempfile.TemporaryDirectory())
        self.next, self.this = Server(NEXT, self.data), Server(PROGRAM, self.data)
        self.addCleanup(lambda: [one.kill() for one in (self.next, self.this) if one.process and one.process.poll() is None])
        self.this.start("--partitions", str(PARTITIONS))
        after = send(self, self.this, decisions())["after"]
        send(self, self.this, [REPORT, *jobs("first", 5)], f"/v1/events?after={after}")
        self.assertEqual(self.this.stop(), 0)
        self.next.start()

    def in_force(self, server):
        return sorted((shard["machine"], shard["rules"]) for shard in json.loads(server.run("rules", "--json")[1])["shards"])

    def activate(self):
        code, out, err = self.next.run("rules", "activate", "2")
        self.assertEqual((code, out, err), (0, "1 events: 1 new, 0 repeats, 0 waiting, 0 refused\n", ""))
        until(lambda: self.in_force(self.next) == sorted((machine, 2) for machine in MACHINES))

    def charged(self, server):
        """Of the project: what was reported, and what was taken for it (2 GPUs, an hour each job, times its weight)."""
        (gpu,) = [row for row in server.rows("/v1/projects") if (row["project"], row["resource"]) == (PROJECT, "gpu:h200")]
        return (int(gpu["used"]) + int(gpu["uncovered"])) // (2 * HOUR)

    def taken(self, server, events):
        status, answer = until(lambda: (got := server.post(events))[0] != 503 and got)
        self.assertEqual((status, {one["outcome"]["judgement"] for one in answer["results"]}), (202, {"new"}), answer)
        return answer["after"]

    def test_a_version_spreads_and_weighs_what_comes_after_it(self):
        self.assertEqual(self.in_force(self.next), sorted((machine, 1) for machine in MACHINES))
        self.assertIn("version 2: usage has a weight", self.next.run("rules")[1])
        # A new field, a new type, a new value: not before the version is in force, and nothing of the request is appended.
        for early in (jobs("early", 1, weight=3), [MARK], [order("a")], [*jobs("with", 1), MARK]):
            status, headers, answer = self.next.ask("/v1/events", json.dumps(early).encode(), {"Content-Type": "application/cloudevents-batch+json"})
            self.assertEqual((status, answer["type"], headers["Retry-After"]), (503, "urn:granary:problem:rules_not_in_force", "5"), answer)
        self.assertEqual(self.next.get("/v1/sources")["rows"][0]["received"], 6)
        # The command of either build asks the server what it knows.
        self.next.tool = PROGRAM
        code, _, err = self.next.run("rules", "activate", "3")
        self.assertEqual(code, 1)
        self.assertIn(f"{self.next.url} knows the rules versions up to 2, not 3: its partitions would be parked\n", err)
        code, _, err = self.next.run("rules", "activate", "3", "--force")
        self.assertEqual(code, 1)
        self.assertIn("rules_version_unknown", err)
        self.activate()
        self.assertIn("1 repeats", self.next.run("rules", "activate", "2")[1])
        after = self.taken(self.next, [*jobs("weighted", 4, weight=3), MARK])
        self.taken(self.next, [order("a")])
        self.assertEqual(used(self.next, after)[PROJECT][0], 10)
        self.assertEqual(self.charged(self.next), 6 + 4 * 3)
        self.assertEqual(self.next.stop(), 0)
        self.replayed()

    def test_this_build_parks_by_name_and_the_next_one_goes_on(self):
        self.activate()
        after = self.taken(self.next, jobs("weighted", 4, weight=2))
        self.assertEqual(used(self.next, after)[PROJECT][0], 10)
        self.assertEqual(self.next.stop(), 0)
        for lost in (False, True):  # over the state of the next build, and from nothing
            with self.subTest(lost=lost):
                if lost:
                    shutil.rmtree(os.path.join(self.data, "state"))
                self.this.start(until_ready=False)
                because = "rules version 2, of which this build knows nothing; it knows up to 1"
                parked = until(lambda: (all_ := [s for s in self.this.get("/v1/status")["shards"] if s.get("parked")]) and len(all_) == len(MACHINES) and all_)
                for shard in parked:
                    self.assertIn(because, shard["parked"])
                aside = {json.loads(line)["machine"] for line in self.this.lines if '"state_set_aside"' in line}
                self.assertEqual(aside, set() if lost else {"intake", "metering", "allocation"}, "the machines whose rows have grown")
                self.assertEqual(self.this.run("status", "--check")[0], 1)
                self.assertEqual(self.this.get("/livez"), {"live": True})
                code, _, err = self.this.run("rules", "activate", "2")
                self.assertEqual(code, 1)
                self.assertIn("knows the rules versions up to 1, not 2", err)
                # What it takes stands in the log, and waits for a build that knows the way.
                status, answer = self.this.post(jobs(f"waits-{lost}", 2), wait=1)
                self.assertEqual((status, {one["outcome"]["judgement"] for one in answer["results"]}), (202, {"unknown"}), answer)
                self.assertEqual(self.this.stop(), 0)
        self.next.start()
        self.assertEqual(used(self.next, answer["after"])[PROJECT][0], 14)
        self.assertEqual(self.charged(self.next), 6 + 4 * 2 + 4)
        code, _, err = self.next.run("status", "--check")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(self.next.stop(), 0)
        self.replayed()

    def replayed(self):
        """The next build folds all of it again to the same; this one says that it does not know those rows, and of others where it cannot go
        on."""
        done = subprocess.run([NEXT, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for because in ("in the state of intake-0, got 1.2/", "rules version 2"):
            done = subprocess.run([PROGRAM, "replay", "--data", self.data], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(because, done.stderr)
            for state in glob.glob(os.path.join(self.data, "state", "[!b]*-[0-9]")):  # without those that have grown; billing's rows are known
                shutil.rmtree(state)


if __name__ == "__main__":
    unittest.main()
