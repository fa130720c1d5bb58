"""`granary post`: the forms in which people have CloudEvents in files, and the order in which they are taken."""
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from granary_server import server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402

CASES = os.path.join(SOURCE, "tests", "data", "cases")
EXAMPLES = [json.loads(pathlib.Path(file).read_text(encoding="utf-8")) for file in sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))]

USAGE = next(event for event in EXAMPLES if event["type"] == "granary.usage.reported.v1")


def case(name):
    return os.path.join(CASES, f"post_{name}.json")


class Forms(unittest.TestCase):
    def test_each_form_of_the_same_events_is_taken(self):
        for name in ("array", "bom", "ndjson", "ndjson_crlf", "pretty_concatenated", "rs_json_seq"):
            with self.subTest(name), server(PROGRAM, "--partitions", "1") as granary:
                code, out, err = granary.run("post", case(name))
                self.assertEqual((code, out, err), (0, "4 events: 4 new, 0 repeats, 0 waiting, 0 refused\n", ""))
                code, out, err = granary.run("post", "-", stdin=pathlib.Path(case(name)).read_bytes().decode("utf-8"))
                self.assertEqual((code, out), (0, "4 events: 0 new, 4 repeats, 0 waiting, 0 refused\n"), err)

    def test_what_holds_no_events_is_refused_by_name_and_nothing_is_sent(self):
        cases = {"empty": ("got nothing",), "nested_array": ("event 1", "array"), "truncated_nd": ("line 2", "cut short"),
                 "utf16": ("UTF-16", "iconv")}
        with server(PROGRAM, "--partitions", "1") as granary:
            for name, words in cases.items():
                with self.subTest(name):
                    code, out, err = granary.run("post", case(name))
                    self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
                    for word in (f"post_{name}.json", *words):
                        self.assertIn(word, err)
            for text, word in (("42", "number"), ('{"a": 1} 7', "event 2"), ('{"a": 1', "cut short"), ("{'a': 1}", "RFC 8259"), (" \n\t\r\n", "nothing"),
                               ('[{"a": 1}]\n\n[null]', "line 3"), ('{"a": 1}}', "line 1"), ('{"a": 1, "a": 2}', "each name once")):
                with self.subTest(text):
                    code, out, err = granary.run("post", "-", stdin=text)
                    self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
                    self.assertIn(word, err)
            self.assertEqual(granary.get("/v1/sources")["rows"], [])
            self.assertEqual(granary.run("post", case("empty_array"))[:2], (0, "0 events: 0 new, 0 repeats, 0 waiting, 0 refused\n"))

    def test_one_event_that_is_refused_is_named_and_the_others_are_taken(self):
        with server(PROGRAM, "--partitions", "1") as granary:
            self.assertEqual(granary.run("post", os.path.join(CASES, "base.json"))[0], 0)
            code, out, err = granary.run("post", case("half_bad"))
            self.assertEqual((code, out), (1, "3 events: 2 new, 0 repeats, 0 waiting, 1 refused\n"))
            self.assertIn("event 2 is refused: unsupported_version", err)

    def test_a_pipe_of_the_shell_is_a_file_too(self):
        with server(PROGRAM, "--partitions", "1") as granary:
            for source in (f"cat {case('array')}", f"{{ head -c 100 {case('array')}; cat /dev/null; tail -c +101 {case('array')}; }}"):
                done = subprocess.run(["bash", "-c", f'"$1" post <({source}) --url "$2"', "bash", PROGRAM, granary.url], capture_output=True, text=True,
                                      timeout=60, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("4 events", done.stdout)


class Order(unittest.TestCase):
    def test_decisions_and_the_usage_that_needs_them_are_taken_out_of_one_file(self):
        usages = [{**USAGE, "id": f"job-{n}"} for n in range(30)]
        later = {**next(e for e in EXAMPLES if e["type"] == "granary.project.registered.v1"), "id": "later"}
        later["data"] = {**later["data"], "project": "later"}
        later["data"].pop("refs", None)  # another thing's
        mixed = [*EXAMPLES, later, *usages, {**usages[0], "id": "of later", "data": {**usages[0]["data"], "project": "later"}}]
        for text in (json.dumps(mixed), "\n".join(map(json.dumps, mixed))):
            with server(PROGRAM) as granary, tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder, "events")
                file.write_text(text, encoding="utf-8")
                code, out, err = granary.run("post", str(file))
                self.assertEqual((code, out, err), (0, f"{len(mixed)} events: {len(mixed)} new, 0 repeats, 0 waiting, 0 refused\n", ""))
                self.assertEqual(granary.get("/v1/rejected")["rows"], [])

    def test_usage_before_its_decisions_keeps_that_order_too(self):
        usage = {**USAGE, "id": "early"}
        classes = [event for event in EXAMPLES if event["data"].get("kind") == "resource_classes"]
        with server(PROGRAM) as granary:
            code, out, err = granary.run("post", "-", stdin=json.dumps([usage, *classes, {**usage, "id": "late"}]))
            self.assertEqual((code, out), (1, f"{len(classes) + 2} events: {len(classes) + 1} new, 0 repeats, 0 waiting, 1 refused\n"), err)
            self.assertIn("event 1 is refused", err)


if __name__ == "__main__":
    unittest.main()
