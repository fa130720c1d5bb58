"""`granary tail`: what the outward streams tell, out of Kafka and through any of the processes, the same."""
import json
import os
import select
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE  # noqa: E402
import kafka_broker  # noqa: E402
from event_source import EventSource  # noqa: E402
from four_services import PROGRAM, examples, four_services, send_examples  # noqa: E402


class Tail(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(kafka_broker.Broker())
        cls.four = cls.enterClassContext(four_services(cls.broker))

    def tail(self, stream, *arguments):
        done = subprocess.run([PROGRAM, "tail", stream, *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def ways(self):
        return [("--brokers", self.broker.bootstrap), *(("--url", one.url) for one in self.four)]

    def test_all_that_was_told(self):
        four = self.four
        after = send_examples(self, four)
        changed = {**next(event for event in examples() if event["type"] == "granary.usage.reported.v1")}
        changed["data"] = {**changed["data"], "end": "2026-11-01T00:45:00Z"}
        _, answer = four["intake"].post([changed])
        self.assertEqual(answer["results"][0]["outcome"]["reason"], "conflicting_duplicate")
        four["intake"].rows(f"/v1/charges?after={after}")
        self.assertEqual(len(four["billing"].rows(f"/v1/rejected?after={answer['after']}")), 1)
        while len(self.tail("billing", "--json", *self.ways()[0])) < 3:  # published after it is folded
            pass
        for way in self.ways():
            with self.subTest(way):
                self.check(way)

        for one in four:  # as Server-Sent Events, from each of the processes
            source = EventSource(one, "/v1/streams/billing").connect()
            self.assertEqual(source.events(3), [json.loads(line) for line in self.tail("billing", "--json", *self.ways()[0])])
            source.close()

    def check(self, way):
        events = [json.loads(line) for line in self.tail("billing", "--json", *way)]
        self.assertEqual([(e["specversion"], e["type"], e["datacontenttype"], e["partitionkey"]) for e in events],
                         [("1.0", "granary.charge.rated.v1", "application/json", "aurora")] * 3)
        partition = int(events[0]["id"].split("-")[0])
        self.assertEqual([e["id"] for e in events], [f"{partition}-{number}" for number in (1, 2, 3)])
        for number, event in enumerate(events, 1):
            with open(os.path.join(SOURCE, "schemas", "examples", "derived", f"charge.rated-{number}.json"), encoding="utf-8") as file:
                self.assertEqual({**event["data"], "grant": "", "lot": ""}, {**json.load(file), "line": event["id"], "grant": "", "lot": ""})
        one = ["--partition", str(partition), "--json", *way]
        self.assertEqual([json.loads(line) for line in self.tail("billing", *one)], events)
        self.assertEqual([json.loads(line) for line in self.tail("billing", "--from", "2", *one)], events[2:])
        self.assertEqual(self.tail("billing", "--from", "END", *one), [])
        self.assertEqual(self.tail("billing", *one[:1], str((partition + 1) % 4), *one[2:]), [])
        lines = [line.split() for line in self.tail("billing", *way)]
        self.assertEqual(lines[0], ["id", "type", "organisation", "project", "resource", "period", "amount", "currency", "list_amount",
                                    "covered_amount", "billed_amount"])
        self.assertEqual(lines[3], [f"{partition}-3", "charge.rated", "aurora", "aurora-llm", "gpu:h200", "2026-11", "0.25", "EUR",
                                    "0.60", "0.00", "0.60"])
        exact = [line.split() for line in self.tail("billing", "--exact", *way)]
        self.assertEqual(exact[3][-3:], ["0.600000000", "0.000000000", "0.600000000"])
        with open("/dev/full", "w", encoding="ascii") as full:
            for command in (["tail", "billing", *way], ["tail", "billing", "--json", *way], *([["topics", *way]] if way[0] == "--brokers" else [])):
                done = subprocess.run([PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), (command, done.stderr))
        (refusal,) = [json.loads(line) for line in self.tail("rejected", "--json", *way)]
        self.assertEqual((refusal["type"], refusal["data"]["reason"]), ("granary.record.refused.v1", "conflicting_duplicate"))
        self.assertIn("metering", self.tail("rejected", *way)[1])
        self.assertIn("granary.grant.awarded.v1", [json.loads(line)["type"] for line in self.tail("notices", "--json", *way)])

    def test_follow_goes_on(self):
        for way in self.ways()[:2]:
            with self.subTest(way):
                following = subprocess.Popen([PROGRAM, "tail", "rejected", "--from", "END", "--follow", "--json", *way], stdout=subprocess.PIPE,
                                             text=True)
                try:
                    event = {**examples()[-2], "type": "granary.usage.reported.v1"}
                    event["data"] = {**event["data"], "resources": [{"class": "no-such-class", "quantity": "1"}]}
                    for attempt in range(300):  # what comes before it follows is not told
                        event["id"] = f"refused{way[0]}-{attempt}"
                        self.assertEqual(self.four["intake"].post([event])[1]["results"][0]["outcome"]["judgement"], "refused")
                        if select.select([following.stdout], [], [], 0.1)[0]:
                            break
                    else:
                        self.fail("nothing was told")
                    told = following.stdout.readline()
                    self.assertTrue(json.loads(told)["data"]["id"].startswith(f"refused{way[0]}-"), told)
                finally:
                    following.terminate()
                    following.wait()
                    following.stdout.close()

    def test_usage(self):
        for arguments, code in ((("nothing",), 2), (("billing", "--from", "yesterday"), 2), (("billing", "--partition", "4", *self.ways()[0]), 2),
                                (("billing", "--from", "1000", "--partition", "0", *self.ways()[0]), 2),
                                (("billing", "--url", "http://127.0.0.1:1"), 3), (("billing", "--brokers", "127.0.0.1:1"), 3)):
            done = subprocess.run([PROGRAM, "tail", *arguments], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (code, ""), (arguments, done.stderr))
        self.assertIn("BEGINNING, END", subprocess.run([PROGRAM, "tail", "--help"], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    unittest.main()
