"""A server that is no Granary, or another version: whatever it answers, a command ends with a line and a code."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command_lines import commands  # noqa: E402
from fake_server import FakeServer  # noqa: E402
from needs import PROGRAM  # noqa: E402

TIMEOUT_S = 30
JOBS = "; UnixStartTime: 0\n" + "1 0 0 60 1 -1 -1 1 60 -1 1 1 1 1 1 1 -1 -1\n"
POSITIONALS = {"PROJECT": "p", "VERSION": "2", "WHAT": "usage", "STREAM": "billing"}


class Strangers(unittest.TestCase):
    ANSWERS = [b"", b"{}", b"[]", b"null", b"1", b'"x"', b"[1]", b"[{}]", b'[{"lots": 1}]', b'{"rows": 1}', b'{"rows": [1, null]}', b'{"rows": [{}]}',
               b'{"rows": [], "next": 1}', b'{"rows": [{}], "next": "again"}', b'{"rows": [], "next": "again"}', b'{"results": 1}', b'{"results": []}',
               b'{"results": [1]}', b'{"results": [{}]}', b'{"results": [{"outcome": 1}]}', b'{"results": [{"outcome": {"judgement": "refused"}}]}',
               b'{"results": [{"index": "x", "problem": []}]}', b'{"after": "x", "results": [{"outcome": {"judgement": "new"}}]}',
               b'{"clock": 1, "shards": 1}', b'{"clock": {}, "shards": [1, {}]}', b'{"clock": {}, "shards": [], "peers": [1, {}]}',
               b'{"partitions": 0}', b'{"partitions": 65537}', b'{"partitions": "x"}', b'{"partitions": 2, "rows": []}',
               b'{"partitions": 1, "rows": [1], "next": "0"}', b'{"partitions": 1, "rows": [{"data": 1}], "next": "0"}',
               b'{"policies": 1}', b'{"policies": [1, {}]}', b'{"peers": [1, {}, {"owner": 1, "error": 2}]}', b"<html></html>", b"{" * 100_000]

    # Of these what a command may take for an answer of Granary's, by its name.
    RIGHT = {
        "balance": [b"[]", b"[{}]"],
        "tail": [b'{"partitions": 1, "rows": [{"data": 1}], "next": "0"}'],
        "projects charges rejected export": [b'{"rows": [{}]}', b'{"partitions": 2, "rows": []}'],
        "sources": [b'{"partitions": 2, "rows": []}'],
    }

    def setUp(self):
        self.answer = (200, b"")
        self.url = self.enterContext(FakeServer(lambda path: self.answer if isinstance(self.answer, tuple) else self.answer(path))).url
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.jobs, self.event = os.path.join(self.folder, "jobs.swf"), os.path.join(self.folder, "event.json")
        pathlib.Path(self.jobs).write_text(JOBS, encoding="ascii")
        pathlib.Path(self.event).write_text("{}", encoding="ascii")

    def words_of(self, command):
        words = [*command.words, *({"FILE": self.event if command.name == "post" else self.jobs}.get(name, POSITIONALS.get(name)) for name in command.positionals)]
        return words + (["--format", "swf", "--retry-for", "0"] if command.name == "import" else [])

    def run_it(self, *words):
        return subprocess.run([PROGRAM, *words, "--url", self.url], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)

    def test_what_no_granary_answers_ends_in_one_line_and_code_3(self):
        asked = 0
        for command in commands(PROGRAM):
            if "--url" not in command.values:
                continue
            right = [answer for names, answers in self.RIGHT.items() if command.name in names.split() for answer in answers]
            for more in ([], ["--json"]):
                for answer in (answer for answer in self.ANSWERS if answer not in right):
                    asked += 1
                    self.answer = (200, answer)
                    if command.name == "post":
                        self.answer = (202, answer)
                    with self.subTest(command=command.name, more=more, answer=answer[:80]):
                        done = self.run_it(*self.words_of(command), *more)
                        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (3, 1), done.stdout[-500:] + done.stderr[-1000:])
                        self.assertNotIn("this is a bug", done.stderr)
        self.assertGreater(asked, 500)

    def test_an_import_that_is_judged_and_then_answered_nonsense_stops_in_one_line(self):
        """1: stopped in the middle, as something may have been taken; 3 if nothing was posted yet."""
        classes = {"kind": "resource_classes", "content": {"classes": [{"class": "cpu", "unit": "resource-us", "charging": "lots"}]}}
        right = {"/v1/clock": {"now": "2026-11-01T00:00:00Z"}, "/v1/policies": {"policies": [], "in_force": [classes]}, "/v1/sources": {"rows": []}}

        def answering(path, wrong_path, wrong):
            at = path.split("?")[0]
            return (202 if at == "/v1/events" else 200, wrong if at == wrong_path else json.dumps(right.get(at, {})).encode())

        window = {"policies": [], "in_force": [{"kind": "acceptance_window", "content": {"window_days": 1 << 62}}]}
        cases = [("/v1/events", answer, 1) for answer in self.ANSWERS]
        cases += [("/v1/policies", json.dumps(answer).encode(), 3) for answer in (
            window, {"policies": [], "in_force": [1]}, {"policies": [1], "in_force": []}, {"policies": [{"effective": "x"}], "in_force": []},
            {"policies": [], "in_force": [{"kind": "resource_classes", "content": {"classes": [1]}}]})]
        cases += [("/v1/sources", b'{"rows": [1]}', 3), ("/v1/clock", b'{"now": "x"}', 3)]
        for path, wrong, code in cases:
            self.answer = lambda asked, path=path, wrong=wrong: answering(asked, path, wrong)
            with self.subTest(path=path, answer=wrong[:80]):
                done = self.run_it("import", self.jobs, "--format", "swf", "--retry-for", "0")
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (code, 1), done.stdout + done.stderr)

    def test_whatever_it_answers_no_command_breaks(self):
        out = os.path.join(self.folder, "out")
        for command in commands(PROGRAM):
            if "--url" not in command.values:
                continue
            for more in ([], *([["--out", out]] if "--out" in command.values else []), *([["--check"]] if "--check" in command.flags else [])):
                for status in (200, 202, 404, 500):
                    for answer in self.ANSWERS if status < 300 else self.ANSWERS[:4]:
                        self.answer = (status, answer)
                        with self.subTest(command=command.name, more=more, status=status, answer=answer[:80]):
                            done = self.run_it(*self.words_of(command), *more)
                            self.assertIn(done.returncode, (0, 1, 2, 3), done.stderr)
                            self.assertNotIn("this is a bug", done.stderr)
                            if done.returncode != 0:
                                self.assertGreaterEqual(len(done.stderr.splitlines()), 1)
                            self.assertEqual(os.path.exists(out), "--out" in more and done.returncode == 0)
                            pathlib.Path(out).unlink(missing_ok=True)


if __name__ == "__main__":
    unittest.main()
