"""`granary import` of real workload files: totals of what was posted against an independent sum over the file, with and without
awards, and the same when repeated. The files stand where GRANARY_TRACES says; without it these tests are skipped."""
import csv
import glob
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TRACES = os.environ.get("GRANARY_TRACES", "")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402

END = "2026-11-01T00:00:00Z"
CLASSES = ["cpu", "gpu", "node"]


def event(kind, name, data):
    return {"specversion": "1.0", "type": f"granary.{kind}.v1", "source": "test", "id": name, "time": END, "data": data}


def configuration(typed):
    classes = [{"class": name, "unit": "resource-us", "charging": "lots"} for name in CLASSES + typed]
    classes.append({"class": "memory", "unit": "byte-ms", "charging": "metered_only"})
    return [event("policy.published", "classes", {"kind": "resource_classes", "version": "1", "effective": "1970-01-01T00:00:00Z",
                                                  "content": {"classes": classes}}),
            event("policy.published", "window", {"kind": "acceptance_window", "version": "1", "effective": "1970-01-01T00:00:00Z",
                                                 "content": {"window_days": 36500}})]


def independent_sum(file, flags):
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "support", "sum_workload.py"), file, *flags],
                          capture_output=True, text=True, check=True)
    return {(r["project"], r["resource"]): (int(r["records"]), int(r["quantity"])) for r in csv.DictReader(io.StringIO(done.stdout))}


def rows_of(granary, path):
    """All rows of a list, page by page."""
    rows, cursor = [], ""
    while True:
        page = granary.get(path + (("&" if "?" in path else "?") + "cursor=" + cursor if cursor else ""))
        rows += page["rows"]
        cursor = page.get("next", "")
        if not cursor:
            return rows


def posted(granary, after):
    return {(row["project"], row["resource"]): (row["records"], int(row["quantity"])) for row in rows_of(granary, f"/v1/usage?after={after}")}


class Workload(unittest.TestCase):
    maxDiff = None

    def check(self, file, *flags, names=()):
        for award in (False, True):
            with self.subTest(file, award=award):
                self.check_totals(file, *flags, award=award, names=names)

    def check_totals(self, file, *flags, award, names):
        path = os.path.join(TRACES, file)
        flags = [*flags, "--shift-end-to", END]
        expected = independent_sum(path, flags)
        flags += names  # they name the source or let it in, and do not change what was used
        self.assertTrue(expected)
        typed = sorted({resource for _, resource in expected} - set(CLASSES) - {"memory"})
        with server(PROGRAM) as granary:
            status, answer = granary.post(configuration(typed))
            self.assertEqual(status, 202, answer)
            awards = ["--award-all", "1000"] if award else []
            for attempt in range(2):
                code, out, err = granary.run("import", path, *flags, *awards, "--json")
                self.assertEqual(code, 0, f"{file}: {out} {err}")
                counts = json.loads(out)
                fresh = counts["accepted"] if attempt == 0 else counts["repeats"]
                self.assertEqual(counts["refused"], [])
                self.assertEqual(counts["rows"], fresh + len(counts["skipped"]) + counts["steps"])
                self.assertEqual(posted(granary, counts["after"]), expected, file)
            for source in rows_of(granary, "/v1/sources"):
                self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])
            rows = rows_of(granary, "/v1/projects")
            self.assertEqual(bool(award), bool(rows))
            for row in rows:
                self.assertEqual(int(row["granted"]), sum(int(row[n]) for n in ("used", "reserved", "expired", "withdrawn", "available")))


class RecordedSlurm(Workload):
    """What tests/data/slurm/record wrote down, which stands in the tree."""

    def file(self, name):
        return os.path.join(SOURCE, "tests", "data", "slurm", name)

    def test_json(self):
        self.check(self.file("jobs.json"), "--format", "sacct-json", "--project-prefix", "hpc")

    def test_text(self):
        self.check(self.file("jobs.psv"), "--format", "sacct", "--project-prefix", "hpc", "--time-zone", "UTC", names=("--trust-text",))


@unittest.skipUnless(TRACES, "GRANARY_TRACES names no folder with workload files")
class RealFiles(Workload):
    def test_nasa(self):
        self.check("NASA.swf.zip", "--format", "swf", "--project-prefix", "nasa")

    def test_wagap_by_user(self):
        self.check("wagap-2013.swf", "--format", "swf", "--project-prefix", "wagap", "--project-from", "user")

    def test_openb_pods(self):
        self.check("openb_pod_list_default.csv", "--format", "openb", "--project-prefix", "pai")

    def test_sacct_json(self):
        for path in sorted(glob.glob(os.path.join(TRACES, "sacct_json", "*.json"))):
            name = os.path.relpath(path, TRACES)
            if independent_sum(path, ["--format", "sacct-json", "--shift-end-to", END]):
                with self.subTest(name):
                    self.check(name, "--format", "sacct-json", "--project-prefix", "hpc")

    def test_sacct_text(self):
        self.check("sacct_parsable2_sample.csv", "--format", "sacct", "--time-zone", "America/New_York", "--project-prefix", "cs", names=("--cluster", "pe2", "--trust-text"))


class BadInput(unittest.TestCase):
    ROW = "{0} 0 0 100 4 -1 -1 4 -1 -1 1 7 3 -1 1 1 -1 -1\n"

    def run_import(self, granary, text, *flags):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "jobs.swf")
            pathlib.Path(path).write_text(text, encoding="utf-8")
            return granary.run("import", path, "--format", "swf", "--project-prefix", "p", *flags)

    def test_nothing_is_posted_where_the_file_or_the_ledger_does_not_fit(self):
        with server(PROGRAM) as granary:
            code, _, err = self.run_import(granary, self.ROW.format(1))
            self.assertEqual(code, 3)
            self.assertIn("no resource class is in force", err)
            self.assertIn("1970-01-01T00:01:40Z", err)
            self.assertEqual(granary.post(configuration([]))[0], 202)
            for text in ["1 2 3\n" + self.ROW.format(2), "<html></html>\n" * 3]:
                code, _, err = self.run_import(granary, text)
                self.assertEqual(code, 3, err)
                self.assertIn("line 1", err)
            self.assertEqual(granary.get("/v1/sources")["rows"], [])
            code, out, err = self.run_import(granary, self.ROW.format(1))
            self.assertEqual(code, 0, err)
            code, _, err = self.run_import(granary, self.ROW.format(1), "--project-from", "user")
            self.assertEqual(code, 3)
            self.assertIn("--again", err)
            self.assertEqual(self.run_import(granary, self.ROW.format(1), "--shift-end-to", "yesterday")[0], 2)

    def test_without_a_server_the_command_says_so(self):
        with server(PROGRAM) as granary:
            granary.stop()
            code, _, err = self.run_import(granary, self.ROW.format(1))
            self.assertEqual(code, 3)
            self.assertIn("hint", err)


if __name__ == "__main__":
    unittest.main()
