"""The worked example over a real server: each of its numbers, before and after a `kill -9`, and with all state deleted."""
import csv
import glob
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402

HOUR = 3_600_000_000


def examples():
    return sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))


def usage(**changes):
    event = json.loads(pathlib.Path(next(f for f in examples() if "usage.reported" in f)).read_text(encoding="utf-8"))
    event["data"].update(changes.pop("data", {}))
    event.update(changes)
    return event


class WorkedExample(unittest.TestCase):
    maxDiff = None

    def send_examples(self, granary):
        for file in examples():
            code, out, err = granary.run("post", file)
            self.assertEqual(code, 0, f"{file}: {out}{err}")

    def settled(self, granary, status_of="allocation"):
        """What the last usage came to, along the lanes."""
        status, answer = granary.post([usage()])
        self.assertEqual(status, 202, answer)
        return answer["after"]

    def check(self, granary):
        after = self.settled(granary)
        balance = granary.get(f"/v1/projects/aurora-llm/balance?after={after}")
        self.assertEqual(len(balance), 1)
        self.assertEqual({name: int(balance[0][name]) for name in ("granted", "used", "expired", "available", "uncovered", "reserved")},
                         {"granted": 10 * HOUR + 3 * HOUR // 4, "used": 7 * HOUR // 4, "expired": 9 * HOUR, "available": 0,
                          "uncovered": HOUR // 4, "reserved": 0})
        charges = granary.get(f"/v1/charges?organisation=aurora&after={after}")["rows"]
        self.assertEqual([(r["period"], r["list_amount"], r["covered_amount"], r["billed_amount"]) for r in charges],
                         [("2026-10", "2.500000000", "2.500000000", "0.000000000"),
                          ("2026-11", "2.400000000", "1.800000000", "0.600000000")])
        code, out, err = granary.run("export", "usage")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(list(csv.reader(io.StringIO(out)))[1:],
                         [["aurora-llm", "cpu", "resource-us", "1", "115200000000"],
                          ["aurora-llm", "gpu:h200", "resource-us", "1", "7200000000"]])
        while len(lines := granary.get("/v1/streams/billing")["rows"]) < 3:  # published after it is folded
            pass
        self.assertEqual([line["data"]["line"] for line in lines], [line["id"] for line in lines])
        self.assertEqual([(line["data"]["period"], line["data"]["booked"], line["data"]["revision"], line["data"]["root"], line["data"]["job"])
                          for line in lines],
                         [(month, month, 0, {"source": "slurm://aif1", "id": "81234/2026-10-31T23:30:00Z"},
                           {"source": "slurm://aif1", "id": "81234"}) for month in ("2026-10", "2026-11", "2026-11")])
        for path, ref, name, value in (("organisations", "federation:org-4711", "organisation", "aurora"),
                                       ("projects", "eurohpc:EHPC-2026-0117", "project", "aurora-llm"),
                                       ("applications", "federation:application-90317", "application", "2026-0117"),
                                       ("applications", "federation:grant-5512", "application", "2026-0117")):
            rows = granary.get(f"/v1/{path}?ref={ref}&after={after}")["rows"]
            self.assertEqual([row[name] for row in rows], [value], ref)
            self.assertEqual(granary.get(f"/v1/{path}?ref={ref}x&after={after}")["rows"], [])
        for source in granary.get(f"/v1/sources?after={after}")["rows"]:
            self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])

    def test_each_number_stands_also_after_a_kill_and_without_state(self):
        with server(PROGRAM) as granary:
            self.send_examples(granary)
            self.check(granary)
            granary.kill()
            granary.start()
            self.check(granary)
            self.assertEqual(granary.stop(), 0)
            shutil.rmtree(os.path.join(granary.data, "state"))
            granary.start()
            self.check(granary)
            self.assertTrue(all(s["lane_alarms"] == 0 and not s.get("parked") for s in granary.get("/v1/status")["shards"]))

    def test_the_door_refuses_what_the_event_alone_shows(self):
        cases = [
            ({"data": {"resources": [{"class": "gpu:h200", "quantity": "0"}]}}, "quantity_not_positive"),
            ({"data": {"resources": [{"class": "gpu:h200", "quantity": "-1"}]}}, "quantity_not_positive"),
            ({"data": {"resources": [{"class": "gpu:h200", "quantity": "1.0001"}]}}, "quantity_too_precise"),
            ({"data": {"resources": [{"class": "gpu:h200", "quantity": "79228162514264337593543950337"}]}}, "quantity_overflow"),
            ({"data": {"resources": [{"class": "gpu:h200", "quantity": 2}]}}, "malformed"),
            ({"data": {"end": "2026-10-31T23:00:00Z"}}, "end_before_start"),
            ({"data": {"end": "2026-11-01T00:30:00"}}, "time_without_zone"),
            ({"data": {"end": "2999-11-01T00:30:00Z"}}, "usage_in_future"),
            ({"data": {"colour": "red"}}, "unknown_field"),
            ({"type": "granary.usage.invented.v1"}, "unknown_type"),
            ({"type": "granary.usage.voided.v1"}, "unknown_type"),
            ({"specversion": "0.3"}, "unsupported_version"),
            ({"id": ""}, "malformed"),
        ]
        with server(PROGRAM) as granary:
            for changes, reason in cases:
                status, answer = granary.post([usage(**changes)])
                self.assertEqual(status, 422, (changes, answer))
                problem = answer["results"][0]["problem"]
                self.assertEqual(problem["type"], "urn:granary:problem:" + reason, changes)
                self.assertTrue(problem["hint"], changes)
            self.assertEqual(granary.get("/v1/sources")["rows"], [])

    def test_the_fold_refuses_what_needs_state_and_says_so(self):
        with server(PROGRAM) as granary:
            self.send_examples(granary)
            cases = [
                (usage(data={"end": "2026-11-01T00:45:00Z"}), "conflicting_duplicate"),
                (usage(id="other", data={"resources": [{"class": "gpu:none", "quantity": "1"}]}), "unknown_resource_class"),
            ]
            for event, reason in cases:
                status, answer = granary.post([event])
                self.assertEqual(status, 202, answer)
                self.assertEqual(answer["results"][0]["outcome"]["reason"], reason)
            self.check(granary)

    def test_a_second_server_and_another_partition_count_are_refused_at_start(self):
        with server(PROGRAM) as granary:
            second = subprocess.run([PROGRAM, "serve", "--data", granary.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True)
            self.assertEqual(second.returncode, 3, second.stderr)
            self.assertIn(granary.data, second.stderr)
            self.assertEqual(granary.stop(), 0)
            other = subprocess.run([PROGRAM, "serve", "--data", granary.data, "--listen", "127.0.0.1:0", "--partitions", "3"],
                                   capture_output=True, text=True)
            self.assertEqual(other.returncode, 3)
            self.assertIn("8 partitions, not 3", other.stderr)


if __name__ == "__main__":
    unittest.main()
