"""What Prometheus scrapes of a real server: promtool finds nothing wrong with it, and the figures are those of what was posted."""
import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE, TOOLS  # noqa: E402
from granary_server import server  # noqa: E402

LINE = re.compile(r"^([a-z_:0-9]+)(?:\{(.*)\})? (\S+)$")


def examples():
    return sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))


def usage(**changes):
    event = json.loads(pathlib.Path(next(f for f in examples() if "usage.reported" in f)).read_text(encoding="utf-8"))
    event["data"].update(changes.pop("data", {}))
    event.update(changes)
    return event


def scrape(granary):
    with urllib.request.urlopen(granary.url + "/metrics", timeout=30) as answer:
        return answer.read().decode()


def total(text, name, **labels):
    """The sum over the series that have these labels; None where there is no series."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match and match.group(1) == name:
            has = dict(re.findall(r'(\w+)="([^"]*)"', match.group(2) or ""))
            if all(has.get(key) == value for key, value in labels.items()):
                found.append(float(match.group(3)))
    return sum(found) if found else None


class Metrics(unittest.TestCase):
    def test_promtool_is_content_and_the_figures_are_those_of_what_was_posted(self):
        promtool = subprocess.run([os.path.join(SOURCE, "tests", "support", "promtool"), TOOLS], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout.strip()
        with server(PROGRAM) as granary:
            for file in examples():
                code, out, err = granary.run("post", file)
                self.assertEqual(code, 0, f"{file}: {out}{err}")
            posts = len(examples())
            for event, judgement in [(usage(), "repeat"), (usage(), "repeat"), (usage(data={"end": "2026-11-01T00:45:00Z"}), "refused"),
                                     (usage(id="other", data={"resources": [{"class": "gpu:none", "quantity": "1"}]}), "refused")]:
                status, answer = granary.post([event])
                self.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, judgement), answer)
            self.assertEqual(granary.post([usage(data={"end": "2999-11-01T00:00:00Z"})])[0], 422)
            self.assertEqual(granary.post({"specversion": "1.0"})[0], 400)
            after = granary.post([usage()])[1]["after"]
            granary.get(f"/v1/charges?after={after}")  # all of it has come through
            text = scrape(granary)
            shards = granary.get("/v1/status")["shards"]

        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        spoiled = text.replace("# HELP granary_ready", "# HELP granary_other")
        self.assertNotEqual(subprocess.run([promtool, "check", "metrics"], input=spoiled, capture_output=True, text=True).returncode, 0)

        for name, labels, expected in [
                ("granary_ready", {}, 1),
                ("granary_clock_needs_confirmation", {}, 0),
                ("granary_clock_failed_ticks_total", {}, 0),
                ("granary_shard_parked", {}, 0),
                ("granary_shard_lag_records", {}, 0),
                ("granary_shard_lag_seconds", {}, 0),
                ("granary_shard_lane_alarms_total", {}, 0),
                ("granary_shard_repeats_dropped_total", {}, 0),
                ("granary_shard_repeats_total", {"machine": "metering"}, 3),
                ("granary_shard_refusals_total", {"machine": "metering"}, 2),
                ("granary_refusals_total", {"machine": "metering", "reason": "conflicting_duplicate"}, 1),
                ("granary_refusals_total", {"machine": "metering", "reason": "unknown_resource_class"}, 1),
                ("granary_identity_conflicts_total", {"machine": "metering"}, 1),
                ("granary_identity_conflicts_total", {"machine": "intake"}, 0),
                ("granary_door_events_accepted_total", {}, posts + 5),
                ("granary_door_events_refused_total", {"reason": "usage_in_future"}, 1),
                ("granary_door_requests_refused_total", {"type": "malformed"}, 1),
                ("granary_door_requests_total", {}, posts + 7),
                ("granary_door_appends_in_flight", {}, 0),
                ("granary_door_append_seconds_count", {}, posts + 5),
                ("granary_door_append_seconds_bucket", {"le": "+Inf"}, posts + 5)]:
            self.assertEqual(total(text, name, **labels), expected, (name, labels))
        self.assertEqual(total(text, "granary_door_request_seconds_count"), posts + 7)
        for name in ["granary_shard_apply_seconds_total", "granary_shard_commit_seconds_total", "granary_door_append_seconds_sum",
                     "granary_door_request_seconds_sum", "granary_clock_last_tick_seconds"]:
            self.assertGreater(total(text, name), 0, name)
        for machine in ["intake", "metering", "allocation", "billing"]:
            commits = total(text, "granary_shard_commits_total", machine=machine)
            self.assertEqual(total(text, "granary_commit_seconds_count", machine=machine), commits)
            self.assertEqual(total(text, "granary_commit_events_count", machine=machine), commits)
            self.assertEqual(total(text, "granary_commit_events_sum", machine=machine),
                             total(text, "granary_shard_events_total", machine=machine))
            self.assertGreater(total(text, "granary_shard_events_total", machine=machine), 0)
        for name in ["granary_shard_outbox_bytes", "granary_shard_outbox_packets"]:
            self.assertIsNotNone(total(text, name), name)
        self.assertEqual(len(re.findall(r"^granary_shard_parked\{", text, re.MULTILINE)), len(shards))

    def test_what_waits_is_told_of_each_shard(self):
        def post(granary, event):
            status, answer = granary.post([event])
            self.assertEqual((status, answer["refused"]), (202, 0), answer)
            return answer["after"]

        def until(granary, name, metric, machine, expected):
            """As of each shard's last commit: it gets there, or the test's time runs out."""
            while total(scrape(granary), metric) != expected:
                pass
            told = [shard.get(name) for shard in granary.get("/v1/status")["shards"] if shard["machine"] == machine]
            self.assertEqual((sum(told), len(told)), (expected, 4))
            self.assertFalse([shard for shard in granary.get("/v1/status")["shards"] if name in shard and shard["machine"] != machine])

        base = json.loads(pathlib.Path(SOURCE, "tests", "data", "cases", "base.json").read_text(encoding="utf-8"))
        with server(PROGRAM, "--partitions", "4") as granary:
            after = ""
            for event in base:
                status, answer = granary.post([event], "/v1/events" + (f"?after={after}" if after else ""))
                self.assertEqual(status, 202, answer)
                after = answer["after"]
            granary.get("/v1/sources?after=" + after)
            waits = [("unrated", "granary_unrated_charges", "billing"), ("unassigned", "granary_unassigned_usage", "allocation"),
                     ("unbound", "granary_unbound_usage", "metering"), ("unmeasured", "granary_unmeasured_usage", "metering")]
            for name, metric, machine in waits:
                until(granary, name, metric, machine, 0)
            of_lab = {"project": "lab", "resources": [{"class": "gpu:h100", "quantity": "1"}]}  # nobody has priced gpu:h100
            for number in range(3):
                post(granary, usage(id=f"unrated-{number}", data=of_lab))  # each lies in two months: two parts
            until(granary, *waits[0], 6)
            for number in range(2):
                post(granary, usage(id=f"unassigned-{number}", data={**of_lab, "project": f"nobody-{number}"}))
            until(granary, *waits[1], 2)
            unbound = usage(id="unbound", data={**of_lab, "cluster": "c1", "account": "nobody"})
            del unbound["data"]["project"]
            post(granary, unbound)
            until(granary, *waits[2], 1)
            self.assertEqual(granary.stop(), 0)
            granary.start()
            for name, metric, machine, count in [(*waits[0], 6), (*waits[1], 2), (*waits[2], 1), (*waits[3], 0)]:
                until(granary, name, metric, machine, count)
            book = next(event for event in base if event["type"] == "granary.price_book.published.v1")
            prices = [*book["data"]["prices"], {**book["data"]["prices"][0], "class": "gpu:h100"}]
            post(granary, {**book, "id": "with-h100", "data": {**book["data"], "version": "with-h100", "prices": prices}})
            until(granary, *waits[0], 0)


if __name__ == "__main__":
    unittest.main()
