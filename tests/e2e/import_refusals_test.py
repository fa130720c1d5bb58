"""What `granary import` makes of bad files, bad moments and bad options: its exit code, its one line, and what stands afterwards."""
import base64
import gzip
import io
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402
from import_test import configuration, event  # noqa: E402

END = "2026-11-01T00:00:00Z"
RECORDED = os.path.join(SOURCE, "tests", "data", "slurm", "jobs.psv")


def rows(count):
    return "".join(f"{n} {n * 60} 0 {60 * n} 2 -1 -1 2 -1 -1 1 3 4 1 1 -1 -1 -1\n" for n in range(1, count + 1)).encode()


def zipped(*members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


class Refusals(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def swf(self, granary, content, *flags, name="jobs.swf"):
        path = os.path.join(self.folder.name, name)
        pathlib.Path(path).write_bytes(content)
        return granary.run("import", path, "--format", "swf", "--project-prefix", "p", "--shift-end-to", END, *flags)

    def sources(self, granary):
        return {row["source"]: row for row in granary.get("/v1/sources")["rows"]}

    def test_a_file_that_is_cut_short_posts_its_whole_rows_and_is_not_complete(self):
        whole = rows(5000)
        cut = {"plain.swf": whole[:-20], "gzip.swf.gz": gzip.compress(whole)[:-600], "zip.swf.zip": zipped(("a.swf", whole))[:-9000]}
        for name, content in cut.items():
            with self.subTest(name), server(PROGRAM) as granary:
                self.assertEqual(granary.post(configuration([]))[1]["refused"], 0)
                code, out, err = self.swf(granary, content, "--json", name=name)
                self.assertEqual(code, 5, out + err)
                self.assertIn("cut short", err)
                counts = json.loads(out)
                self.assertTrue(counts["truncated"])
                self.assertTrue(0 < counts["accepted"] < 5000, counts)
                (source,) = granary.get("/v1/sources?after=" + counts["after"])["rows"]
                self.assertEqual(source["metered"], counts["accepted"])
                self.assertFalse(source.get("complete_through"))

    def test_a_file_that_is_something_else_posts_nothing(self):
        with server(PROGRAM) as granary:
            granary.post(configuration([]))
            for name, content in {"two.zip": zipped(("a", rows(1)), ("b", rows(1))), "page.swf": b"<html>\n</html>\n", "empty.zip": zipped(),
                                  "short.swf": rows(2) + b"3 180 0 60\n" + rows(1), "binary.swf": bytes(range(256)) * 8}.items():
                with self.subTest(name):
                    code, out, err = self.swf(granary, content, name=name)
                    self.assertEqual((code, out), (3, ""), err)
                    self.assertIn("hint", err)
                    self.assertEqual(err.count("\n"), 1, err)
            self.assertEqual(self.sources(granary), {})

    def test_rows_outside_the_acceptance_window_are_told_with_both_periods_and_a_way_on(self):
        with server(PROGRAM) as granary:
            window = event("policy.published", "window", {"kind": "acceptance_window", "version": "1", "effective": "1970-01-01T00:00:00Z",
                                                          "content": {"window_days": 30}})
            granary.post([configuration([])[0], window])
            for end, words in {"2001-01-01T00:00:00Z": ("2001-01-01T00:00:00Z", "acceptance window", "since 20", "--shift-end-to"),
                               "2999-01-01T00:00:00Z": ("2999-01-01T00:00:00Z", "future", "--shift-end-to")}.items():
                code, out, err = granary.run("import", self.write(rows(3)), "--format", "swf", "--shift-end-to", end)
                self.assertEqual((code, out), (3, ""), err)
                for word in words:
                    self.assertIn(word, err)
            self.assertEqual(self.sources(granary), {})

    def write(self, content):
        path = os.path.join(self.folder.name, "some.swf")
        pathlib.Path(path).write_bytes(content)
        return path

    def test_one_usage_outside_the_window_keeps_no_other_out(self):
        with server(PROGRAM) as granary:
            window = event("policy.published", "window", {"kind": "acceptance_window", "version": "1", "effective": "1970-01-01T00:00:00Z",
                                                          "content": {"window_days": 30}})
            granary.post([configuration([])[0], window])
            file = pathlib.Path(self.folder.name, "jobs.swf")
            now = int(time.time())
            file.write_text(f"; UnixStartTime: {now - 90 * 86400}\n1 0 0 60 2 -1 -1 2 -1 -1 1 3 4 1 1 -1 -1 -1\n"
                            f"2 {80 * 86400} 0 60 2 -1 -1 2 -1 -1 1 3 4 1 1 -1 -1 -1\n", encoding="ascii")
            for flags in (["--dry-run"], []):
                code, out, err = granary.run("import", str(file), "--format", "swf", "--project-prefix", "p", "--json", *flags)
                self.assertEqual(code, 0, err)
                self.assertEqual([(row["line"], row["job"], row["reason"]) for row in json.loads(out)["refused"]], [(2, "1", "usage_too_old")])
            self.assertEqual(json.loads(out)["accepted"] + json.loads(out)["waiting"], 1)

    def test_a_log_in_another_wrapping_is_the_same_log(self):
        content = rows(20)
        with server(PROGRAM) as granary:
            self.assertEqual(granary.post(configuration([]))[1]["refused"], 0)
            repeats = []
            for name, same in {"plain.swf": content, "packed.swf.gz": gzip.compress(content), "packed.swf.zip": zipped(("a.swf", content)),
                               "windows.swf": b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")}.items():
                code, out, err = self.swf(granary, same, "--json", name=name)
                self.assertEqual(code, 0, err)
                repeats.append(json.loads(out)["repeats"])
            self.assertEqual(repeats, [0, 20, 20, 20])

    def test_usage_of_the_command_is_refused_before_the_server_is_asked(self):
        path = self.write(rows(1))
        for flags in (["--format", "tar"], [], ["--format", "swf", "--award-all", "0"], ["--format", "swf", "--award-all", "1.2345"],
                      ["--format", "swf", "--award-all", "many"], ["--format", "swf", "--complete-through", "2026-11-01"],
                      ["--format", "swf", "--epoch", END], ["--format", "swf", "--project-from", "account"], ["--format", "openb"],
                      ["--format", "sacct", "--delimiter", ""], ["--format", "sacct", "--time-zone", "Europe/Atlantis"], ["--format", "swf", "--url", "ftp://x"]):
            done = subprocess.run([PROGRAM, "import", path, *flags], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (flags, done.stderr))
            self.assertTrue(done.stderr, flags)

    def test_a_dry_run_posts_nothing_and_counts(self):
        with server(PROGRAM) as granary:
            granary.post(configuration([]))
            code, out, err = self.swf(granary, rows(5) + rows(1).replace(b" 60 2 ", b" 0 2 "), "--dry-run", "--json")
            self.assertEqual(code, 0, err)
            self.assertEqual(json.loads(out), {"rows": 6, "usages": 5, "steps": 0, "projects": 1, "truncated": False, "refused": [], "noted": [], "skipped": [
                {"line": 6, "job": "1@6", "field": "4 run time", "reason": "no_run_time", "hint": "the job ran 0 s"}]})
            code, out, err = self.swf(granary, rows(5), "--dry-run", "--award-all", "10")
            self.assertEqual(code, 0, err)
            self.assertIn("nothing was posted", out)
            self.assertEqual(self.sources(granary), {})
            self.assertEqual(granary.get("/v1/projects")["rows"], [])

    def test_slurm_jobs_under_another_shift_conflict_and_strict_says_so(self):
        with server(PROGRAM) as granary:
            granary.post(configuration(["gpu:a100", "gpu:h100"]))
            flags = [RECORDED, "--format", "sacct", "--time-zone", "UTC", "--trust-text", "--project-prefix", "hpc", "--json"]
            code, out, err = granary.run("import", *flags, "--shift-end-to", END, "--complete-through", END)
            first = json.loads(out)
            self.assertEqual(code, 0, err)
            source, zone = granary.get("/v1/sources?after=" + first["after"])["rows"]
            self.assertEqual(source["complete_through"], END)
            self.assertEqual((zone["source"], zone["received"]), ("urn:granary:import:zone:quarry:UTC", 0))
            code, out, err = granary.run("import", *flags, "--shift-end-to", END, "--strict")
            self.assertEqual((code, json.loads(out)["repeats"]), (0, first["accepted"]), err)
            for strict, expected in (([], 0), (["--strict"], 4)):
                code, out, err = granary.run("import", *flags, "--shift-end-to", "2026-10-01T00:00:00Z", *strict)
                counts = json.loads(out)
                self.assertEqual((code, counts["accepted"]), (expected, 0), err)
                self.assertEqual({row["reason"] for row in counts["refused"]}, {"conflicting_duplicate"})
                self.assertTrue(all(row["line"] > 1 and row["job"] and row["hint"] for row in counts["refused"]))
            self.assertEqual(self.sources(granary)[source["source"]]["metered"], first["accepted"])

    def test_bug_the_token_of_an_import_stood_for_its_last_request_alone(self):
        with server(PROGRAM) as granary:
            granary.post(configuration([]))
            code, out, err = self.swf(granary, rows(501), "--json")  # the second request has one row
            self.assertEqual(code, 0, err)
            after = json.loads(out)["after"]
            places = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
            self.assertEqual(len(places), 4 + (8 + 1) * 11, "the ledger, a place in each partition, and that of the statement that the file is complete")
            code, out, err = granary.run("export", "usage", "--after", after)
            self.assertEqual(out.splitlines()[1:], [f"p-g4,cpu,resource-us,501,{sum(60 * n for n in range(1, 502)) * 2 * 10**6}"])
            for question in (["projects"], ["charges"], ["sources"], ["rejected"], ["export", "charges"]):
                self.assertEqual(granary.run(*question, "--after", after)[0], 0, question)
            code, _, err = granary.run("projects", "--after", "yesterday")
            self.assertEqual(code, 1)
            self.assertIn("token", err)

    def test_again_lets_a_file_in_under_other_options(self):
        with server(PROGRAM) as granary:
            granary.post(configuration([]))
            self.assertEqual(self.swf(granary, rows(4))[0], 0)
            code, _, err = self.swf(granary, rows(4), "--project-from", "user")
            self.assertEqual(code, 3)
            self.assertIn("--again", err)
            code, out, err = self.swf(granary, rows(4), "--project-from", "user", "--again", "--json")
            self.assertEqual((code, json.loads(out)["accepted"]), (0, 4), err)

    def test_the_bar_stands_on_a_terminal_and_nowhere_else(self):
        with server(PROGRAM) as granary:
            granary.post(configuration([]))
            self.assertEqual(self.swf(granary, rows(4))[2], "")
            ours, theirs = pty.openpty()
            done = subprocess.run([PROGRAM, "import", self.write(rows(4)), "--format", "swf", "--project-prefix", "q", "--shift-end-to", END,
                                   "--again", "--url", granary.url], stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
            os.close(theirs)
            shown = os.read(ours, 65536).decode()
            os.close(ours)
            self.assertIn("[" + "#" * 40 + "] 4 of 4", shown)
            self.assertIn(b"4 accepted", done.stdout)


if __name__ == "__main__":
    unittest.main()
