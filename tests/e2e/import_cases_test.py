"""Exports that real systems wrote (tests/data/cases), through the program and a real ledger: what counts, what is told, and what nobody may
count twice. How each row is read is in tests/unit/import/cases_test.cc."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from granary_server import server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402
from import_test import configuration, event, posted  # noqa: E402

CASES = os.path.join(SOURCE, "tests", "data", "cases")
HOUR = 3600 * 1000 * 1000  # resource-us of one for an hour


class Cases(unittest.TestCase):
    maxDiff = None

    def ledger(self):
        running = server(PROGRAM)
        self.addCleanup(running.__exit__, None, None, None)
        granary = running.__enter__()
        self.assertEqual(granary.post(configuration(["gpu:a100"]))[1]["refused"], 0)
        return granary

    def run_import(self, granary, name, *flags):
        form = "sacct-json" if name.endswith(".json") else "sacct"
        path = name if os.path.isabs(name) else os.path.join(CASES, name)
        return granary.run("import", path, "--format", form, *flags)

    def imported(self, granary, name, *flags):
        code, out, err = self.run_import(granary, name, "--json", *flags)
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def used(self, granary, counts):
        return {resource: amount for (_, resource), (_, amount) in posted(granary, counts["after"]).items()}

    def refused(self, granary, name, *flags):
        """Before anything was posted, in one line."""
        before = granary.get("/v1/sources")["rows"]
        code, out, err = self.run_import(granary, name, *flags)
        self.assertEqual((code, out, err.count("\n")), (3, "", 1), err)
        self.assertIn("hint: ", err)
        self.assertEqual(granary.get("/v1/sources")["rows"], before)
        return err

    def test_a_cluster_whose_local_times_are_read_in_another_zone_is_refused_before_anything_counts_twice(self):
        granary = self.ledger()
        self.imported(granary, "sacct_T_whole.psv", "--time-zone", "UTC")
        err = self.refused(granary, "sacct_T_whole.psv", "--time-zone", "Europe/Helsinki")
        for words in ("cluster aif1", "zone UTC before", "Europe/Helsinki", "count twice", "--time-zone UTC", "--again"):
            self.assertIn(words, err)
        # Another file of that cluster too; a zone of another name that reads the file alike is the same; so are times that say their zone.
        self.refused(granary, "sacct_suspended.psv", "--time-zone", "Asia/Tokyo")
        counts = self.imported(granary, "sacct_T_whole.psv", "--time-zone", "Etc/UTC")
        self.assertEqual((counts["accepted"], counts["repeats"]), (0, 1))
        self.imported(granary, "sacct_epoch_times.psv")
        self.imported(granary, "sacct_times_with_offset.psv", "--time-zone", "Europe/Helsinki")
        self.assertEqual(self.used(granary, counts)["gpu:a100"], (5 + 1) * HOUR)  # of T_whole and epoch_times
        counts = self.imported(granary, "sacct_T_whole.psv", "--time-zone", "Europe/Helsinki", "--again")
        self.assertEqual(counts["accepted"], 1)
        # Who said so once is not asked again.
        self.assertEqual(self.imported(granary, "sacct_T_whole.psv", "--time-zone", "Europe/Helsinki")["repeats"], 1)

    def test_a_cluster_whose_jobs_are_taken_under_another_name_is_refused_before_anything_counts_twice(self):
        granary = self.ledger()
        counts = self.imported(granary, "sacct_epoch_times.psv")
        err = self.refused(granary, "sacct_epoch_times.psv", "--cluster", "aif2")
        for words in ("cluster aif1", "as those of aif2 they would count twice", "leave --cluster out", "--again"):
            self.assertIn(words, err)
        self.assertEqual(self.imported(granary, "sacct_epoch_times.psv", "--cluster", "aif1")["repeats"], 1)
        self.assertEqual(self.used(granary, counts)["gpu:a100"], HOUR)
        granary = self.ledger()
        self.imported(granary, "json_2108.json", "--cluster", "my-cluster")
        self.assertIn("say --cluster my-cluster", self.refused(granary, "json_2108.json"))
        self.assertEqual(self.imported(granary, "json_2108.json", "--cluster", "my-cluster")["repeats"], 1)

    def test_a_job_that_is_told_with_more_columns_or_by_json_is_the_same_job(self):
        granary = self.ledger()
        self.assertEqual(self.imported(granary, "sacct_columns_few.psv", "--time-zone", "UTC")["accepted"], 1)
        more = self.imported(granary, "sacct_columns_more.psv", "--time-zone", "UTC")
        self.assertEqual((more["accepted"], more["repeats"], more["refused"]), (0, 1, []))

    def test_all_runs_of_a_job_are_charged_under_its_id(self):
        granary = self.ledger()
        facts = [event("organisation.registered", "o", {"organisation": "o", "name": "O", "kind": "research", "country": "FI"}),
                 event("project.registered", "p", {"project": "hpc-lab", "organisation": "o"}),
                 event("price_book.published", "b", {"seller": "aif", "version": "1", "effective": "1970-01-01T00:00:00Z", "currency": "EUR",
                                                     "prices": [{"class": "cpu", "price": "0.01", "per": "resource-hour"}]})]
        self.assertEqual(granary.post(facts)[1]["refused"], 0)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "runs.psv")
        row = "70_7|aif1|lab|maintenance|{}|2026-11-02T08:00:00|2026-11-02T{}:00|2026-11-02T{}:00|cpu=4\n"
        pathlib.Path(path).write_text("JobID|Cluster|Account|Reservation|State|Submit|Start|End|AllocTRES\n" +
                                      row.format("NODE_FAIL", "09:01", "09:31") + row.format("COMPLETED", "10:01", "11:01"), encoding="utf-8")
        counts = self.imported(granary, path, "--time-zone", "UTC", "--project-prefix", "hpc")
        self.assertEqual(counts["accepted"], 2)
        granary.get(f"/v1/charges?after={counts['after']}")
        while len(rows := granary.get("/v1/streams/billing")["rows"]) < 2:  # published after it is folded
            pass
        self.assertEqual(sorted(line["data"]["root"]["id"] for line in rows), ["70_7/2026-11-02T09:01:00Z", "70_7/2026-11-02T10:01:00Z"])
        for line in rows:
            self.assertEqual(line["data"]["job"], {"source": "slurm://aif1", "id": "70_7"})
            self.assertNotIn("reservation", line["data"])  # a block of nodes is none

    def test_an_export_that_sacct_truncated_is_refused_by_row_and_names_the_way_out(self):
        granary = self.ledger()
        counts = self.imported(granary, "sacct_T_whole.psv", "--time-zone", "UTC")
        for name, words in {"sacct_T_november.psv": "line 2, job 3001, field Start", "sacct_T_october.psv": "line 2, job 3001, field End"}.items():
            err = self.refused(granary, name, "--time-zone", "UTC")
            for word in (words, "sacct --truncate (-T)", "export without --truncate", "--whole-jobs"):
                self.assertIn(word, err)
        self.assertEqual(self.used(granary, counts)["gpu:a100"], 5 * HOUR)
        self.refused(granary, "sacct_T_november.psv", "--time-zone", "UTC", "--again")
        self.assertEqual(self.imported(granary, "sacct_T_november.psv", "--time-zone", "UTC", "--whole-jobs")["accepted"], 1)
        # That sets no other rule aside.
        self.assertIn("--again", self.refused(granary, "sacct_T_november.psv", "--time-zone", "Asia/Tokyo", "--whole-jobs"))

    def test_two_clusters_of_one_file_are_not_taken_under_one_name(self):
        granary = self.ledger()
        row = "1|{}|lab|COMPLETED|2026-11-02T09:59:00|2026-11-02T10:00:00|2026-11-02T11:00:00|3600|cpu=4\n"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "two.psv")
        pathlib.Path(path).write_text("JobID|Cluster|Account|State|Submit|Start|End|ElapsedRaw|AllocTRES\n" + row.format("aif1") + row.format("aif2"),
                                      encoding="utf-8")
        for flags in ([], ["--again"]):
            err = self.refused(granary, path, "--time-zone", "UTC", "--cluster", "x", *flags)
            for words in ("--cluster x", "aif1, aif2", "would count once", "leave --cluster out"):
                self.assertIn(words, err)
        self.assertEqual(self.imported(granary, path, "--time-zone", "UTC")["accepted"], 2)

    def test_local_times_of_today_read_in_the_wrong_zone_are_told_by_the_zone_first(self):
        granary = self.ledger()
        ended = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 9 * 3600 - 600))  # in Tokyo, ten minutes ago
        began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 9 * 3600 - 4200))
        text = pathlib.Path(CASES, "sacct_tokyo_local_times.psv").read_text(encoding="utf-8")
        text = text.replace("2026-11-28T03:53:24", began).replace("2026-11-28T04:53:24", ended)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "tokyo.psv")
        pathlib.Path(path).write_text(text, encoding="utf-8")
        err = self.refused(granary, path, "--time-zone", "UTC")
        self.assertIn("hint: the file's local times were read in UTC: name the zone", err)
        self.assertLess(err.index("--time-zone"), err.index("--shift-end-to"))
        self.assertEqual(self.imported(granary, path, "--time-zone", "Asia/Tokyo")["accepted"], 1)

    def test_what_was_suspended_or_has_two_records_counts_for_what_it_ran(self):
        for name, flags, used in (("sacct_suspended.psv", ["--time-zone", "UTC"], {"cpu": HOUR, "gpu:a100": 4 * HOUR}),
                                  ("json_suspended.json", [], {"cpu": 4 * HOUR, "gpu:a100": 2 * HOUR, "memory": 16 * 2**30 * 3600 * 1000}),
                                  ("sacct_resized_without_submit.psv", ["--time-zone", "UTC"],
                                   {"cpu": 42 * HOUR // 3600, "gpu:a100": 42 * HOUR // 3600, "node": 42 * HOUR // 3600}),
                                  ("sacct_requeued_same_second.psv", ["--time-zone", "UTC"], {"cpu": HOUR, "gpu:a100": HOUR}),
                                  ("sacct_gpu_typed_less_than_total.psv", ["--time-zone", "UTC"],
                                   {"cpu": 4 * HOUR, "gpu": HOUR, "gpu:a100": HOUR, "node": 2 * HOUR})):
            with self.subTest(name):
                granary = self.ledger()
                counts = self.imported(granary, name, *flags)
                self.assertEqual(counts["refused"], [])
                self.assertEqual(self.used(granary, counts), used)
                again = self.imported(granary, name, *flags)
                self.assertEqual((again["accepted"], again["repeats"]), (0, counts["accepted"]))

    def test_the_summary_names_every_reason_and_resource_and_json_every_row(self):
        granary = self.ledger()
        code, out, err = self.run_import(granary, "sacct_gpu_shards_and_mig.psv", "--time-zone", "UTC")
        self.assertEqual(code, 0, err)
        for line in ("5 rows: 3 accepted, 0 repeats, 0 waiting, 1 refused (unknown_resource_class 1), 1 skipped (no_resources 1)",
                     "  refused, unknown_resource_class: 1 row: line 4 job 1203 /data/resources/1/class: `gpu:a100_1g.5gb` is not among the classes",
                     "  skipped, no_resources: 1 row: line 6 job 1205 AllocTRES: no CPUs, GPUs, memory or nodes are allocated",
                     "  noted, unmapped gres/shard: 2 rows: line 2 job 1201: no resource class counts it; also line 6 job 1205",
                     "  noted, unmapped gres/mps: 1 row: line 5 job 1204: no resource class counts it"):
            self.assertIn(line, out)
        counts = self.imported(granary, "sacct_gpu_shards_and_mig.psv", "--time-zone", "UTC")
        self.assertEqual([(row["line"], row["job"], row["field"], row["reason"]) for row in counts["refused"] + counts["skipped"] + counts["noted"]],
                         [(4, "1203", "/data/resources/1/class", "unknown_resource_class"), (6, "1205", "AllocTRES", "no_resources"),
                          (2, "1201", "gres/shard", "unmapped"), (3, "1202", "gres/shard:a100", "unmapped"), (5, "1204", "gres/mps", "unmapped"),
                          (6, "1205", "gres/shard", "unmapped")])
        version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        rejected = granary.get("/v1/rejected?after=" + counts["after"])["rows"]
        self.assertEqual({row["collector"] for row in rejected}, {"granary-import/" + version}, "a site sees which program sent it")
        code, out, err = self.run_import(granary, "sacct_latin1_two_accounts.psv", "--time-zone", "UTC", "--strict")
        self.assertEqual(code, 4, err)
        self.assertIn("2 refused (not_utf8 2)", out)
        self.assertIn("line 2 job 4301 Account: 'caf?' is not UTF-8; also line 3 job 4302", out)
        code, out, _ = self.run_import(granary, "sacct_units_G_decimals.psv", "--time-zone", "UTC")
        self.assertIn("  noted, rounded: 1 row: line 3 job 1002 AllocTRES: 'mem=7.81G' is a rounded number: sacct --noconvert writes exact ones", out)

    def test_it_judges_by_the_policies_in_force_and_not_by_those_of_next_year(self):
        classes, window = configuration(["gpu:a100"])

        def later(policy, content):
            return event("policy.published", "next " + policy["id"], {"kind": policy["data"]["kind"], "version": "2",
                                                                      "effective": "2999-01-01T00:00:00Z", "content": content})
        with server(PROGRAM) as granary:
            next_classes = [{"class": "quantum", "unit": "item", "charging": "lots"}]
            status, answer = granary.post([classes, window, later(classes, {"classes": next_classes}), later(window, {"window_days": 1})])
            self.assertEqual((status, answer["refused"]), (202, 0), answer)
            counts = self.imported(granary, "sacct_T_whole.psv", "--time-zone", "UTC", "--award-all", "10", "--project-prefix", "p")
            self.assertEqual(counts["accepted"], 1)
            (gpus,) = [row for row in granary.rows("/v1/projects?after=" + counts["after"]) if row["resource"] == "gpu:a100"]
            self.assertEqual(gpus["used"], str(5 * HOUR))
        # And a usage that starts before its class is in force is told of before it is posted.
        with server(PROGRAM) as granary:
            classes["data"]["effective"] = "2026-11-02T00:00:00Z"
            granary.post([classes, window])
            self.assertIn("no resource class is in force at the start", self.refused(granary, "sacct_T_whole.psv", "--time-zone", "UTC"))
            self.assertEqual(self.imported(granary, "sacct_suspended.psv", "--time-zone", "UTC")["accepted"], 1)

    def test_the_server_says_what_is_in_force_at_an_instant(self):
        classes, window = configuration([])
        classes["data"]["effective"] = "2026-11-02T00:00:00Z"
        with server(PROGRAM) as granary:
            granary.post([classes, window])
            self.assertNotIn("in_force", granary.get("/v1/policies"))
            for at, kinds in (("2026-11-01T23:59:59.999Z", ["acceptance_window"]), ("2026-11-02T00:00:00Z", ["resource_classes", "acceptance_window"])):
                self.assertEqual([policy["kind"] for policy in granary.get("/v1/policies?at=" + at)["in_force"]], kinds)
            status, _, problem = granary.ask("/v1/policies?at=yesterday")
            self.assertEqual((status, problem["type"].rsplit(":", 1)[1]), (400, "bad_parameter"), problem)


if __name__ == "__main__":
    unittest.main()
