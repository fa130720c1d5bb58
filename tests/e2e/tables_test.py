"""Tables for people: money with the decimals of its currency, what can be used now, charges that wait for a price."""
import glob
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from fake_server import FakeServer  # noqa: E402
from granary_server import server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402

EXAMPLES = [json.loads(pathlib.Path(file).read_text(encoding="utf-8")) for file in sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))]


def in_currency(currency):
    """The examples, sold in another currency."""
    return json.loads(json.dumps(EXAMPLES).replace('"EUR"', f'"{currency}"'))


class Money(unittest.TestCase):
    SHOWN = {"EUR": ("2.40", "1.80", "0.60"), "JPY": ("2", "2", "1"), "BHD": ("2.400", "1.800", "0.600")}
    EXACT = ("2.400000000", "1.800000000", "0.600000000")

    def test_charges_and_tail_show_the_decimals_of_the_currency(self):
        for currency, shown in self.SHOWN.items():
            with self.subTest(currency), server(PROGRAM, "--partitions", "1") as granary:
                code, out, err = granary.run("post", "-", "--json", stdin=json.dumps(in_currency(currency)))
                self.assertEqual(code, 0, err)
                after = json.loads(out.splitlines()[-1])["after"]
                for flags, wanted in (((), shown), (("--exact",), self.EXACT)):
                    code, out, err = granary.run("charges", "--after", after, *flags)
                    self.assertEqual((code, err), (0, ""))
                    self.assertEqual(tuple(out.splitlines()[2].split()[-4:]), (currency, *wanted), out)
                last = ("billed_amount", shown[2])
                while granary.run("tail", "billing")[1].count("\n") < 4:  # published after it is folded
                    pass
                out = granary.run("tail", "billing")[1].splitlines()
                self.assertEqual((out[0].split()[-1], out[3].split()[-1]), last)
                self.assertEqual(granary.run("tail", "billing", "--exact")[1].splitlines()[3].split()[-1], self.EXACT[2])
                for command in (("charges", "--json"), ("export", "charges"), ("export", "charges", "--format", "json"), ("tail", "billing", "--json")):
                    self.assertIn(self.EXACT[2], granary.run(*command)[1], "what machines read is exact")


class Answers(unittest.TestCase):
    """Of a server that says what is put into `told`."""
    def setUp(self):
        self.told = {}
        self.url = self.enterContext(FakeServer(lambda path: (200, json.dumps(self.told[path.split("?")[0]]).encode()))).url

    def run_it(self, *words):
        done = subprocess.run([PROGRAM, *words, "--url", self.url], capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_usable_stands_beside_available(self):
        row = {"organisation": "o", "project": "p", "resource": "gpu", "unit": "resource-us", "as_of": "2026-11-27T00:00:00Z",
               **dict.fromkeys(("granted", "used", "reserved", "running", "expired", "withdrawn", "available", "uncovered"), "3600000000")}
        columns = ["available", "usable", "uncovered"]
        for usable, shown in (("0", "0.00"), ("1800000000", "0.50")):
            self.told["/v1/projects"] = {"rows": [{**row, "usable": usable}]}
            self.told["/v1/projects/p/balance"] = [{**row, "usable": usable, "lots": []}]
            for words in (["projects"], ["balance", "p"]):
                code, out, err = self.run_it(*words)
                self.assertEqual((code, err), (0, ""))
                lines = out.splitlines()
                self.assertEqual(lines[0].split()[-len(columns):], columns)
                self.assertEqual(lines[1].split()[-len(columns):], ["1.00", shown, "1.00"])

    def test_status_tells_of_charges_that_wait_for_a_price(self):
        shard = {"machine": "billing", "shard": 0, "owner": "here", "position": 5, "end": 5, "lag_records": 0, "lag_seconds": 0, "now": "", "complete": "",
                 "outbox_packets": 0}
        for more, code, word in (({}, 0, ""), ({"unrated": 0}, 0, ""), ({"unrated": 3, "unrated_since": "2026-11-20T00:00:00Z"}, 1, "3 charges that wait for a price"),
                                 ({"unrated": 1}, 1, "billing shard 0")):
            self.told["/v1/status"] = {"clock": {"state": "running"}, "shards": [{**shard, **more}]}
            self.assertEqual(self.run_it("status")[0], 0)
            self.assertEqual("unrated" in self.run_it("status")[1].splitlines()[0], bool(more))
            got, _, err = self.run_it("status", "--check")
            self.assertEqual(got, code, err)
            self.assertIn(word, err)
            self.assertEqual(err.count("\n"), code)
            self.assertEqual("since 2026-11-20" in err, "unrated_since" in more)


if __name__ == "__main__":
    unittest.main()
