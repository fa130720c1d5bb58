"""The outward streams as Server-Sent Events from a real server: each event once, over cuts, kills and stops, in the order of its partition."""
import json
import os
import pathlib
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from event_source import EventSource  # noqa: E402
from granary_server import Server, server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402

EXAMPLES = sorted(pathlib.Path(SOURCE, "schemas", "examples").glob("*.json"))
STREAM = "/v1/streams/rejected"


def load(file):
    return json.loads(file.read_text(encoding="utf-8"))


def identities(events):
    return [(event["source"], event["id"]) for event in events]


class Follow(unittest.TestCase):
    def refuse(self, granary, numbers):
        """Posts usages that metering refuses, each of which becomes an event of the stream."""
        usage = load(next(file for file in EXAMPLES if "usage.reported" in file.name))
        usage["data"]["resources"] = [{"class": "gpu:none", "quantity": "1"}]
        status, answer = granary.post([{**usage, "id": f"refused-{number}"} for number in numbers])
        self.assertEqual(status, 202, answer)

    def read(self, granary, path, count):
        source = EventSource(granary, path).connect()
        events = source.events(count)
        source.close()
        return events

    def check_order(self, granary, events):
        """What came is what the pages have, each once, in the order of its partition."""
        rows = granary.rows(STREAM)
        self.assertEqual(sorted(identities(events)), sorted(identities(rows)))
        partitions = granary.get(STREAM + "?limit=1")["partitions"]
        self.assertGreater(partitions, 1)
        for partition in range(partitions):
            page = identities(granary.get(f"{STREAM}?partition={partition}")["rows"])
            self.assertEqual([one for one in identities(events) if one in page], page)

    def test_each_event_comes_once_over_cuts_and_a_kill(self):
        with tempfile.TemporaryDirectory() as data:
            granary = Server(PROGRAM, data).start()
            try:
                for file in EXAMPLES:
                    granary.run("post", str(file))
                source = EventSource(granary, STREAM).connect()
                self.assertEqual(source.response.status, 200)
                self.assertEqual(source.response.headers["Content-Type"], "text/event-stream")
                events = []
                self.refuse(granary, range(20))
                events += source.events(7)
                source.close()
                self.refuse(granary, range(20, 30))
                source.connect()
                events += source.events(15)
                granary.kill()
                source.close()
                granary.start(again=True)
                self.refuse(granary, range(30, 35))
                source.connect()
                events += source.events(35 - len(events))
                self.check_order(granary, events)
                source.close()
            finally:
                granary.kill()

    def test_one_that_begins_at_the_end_misses_nothing_once_it_has_begun(self):
        with server(PROGRAM) as granary:
            for file in EXAMPLES:
                granary.run("post", str(file))
            self.refuse(granary, range(5))
            self.read(granary, STREAM, 5)
            source = EventSource(granary, STREAM + "?from=END").connect()
            self.assertIsNone(source.block())
            self.assertNotEqual(source.last_id, "")  # the first thing that it says is where it began
            source.close()
            self.refuse(granary, range(5, 9))
            source.connect()
            self.assertEqual(sorted(event["data"]["id"] for event in source.events(4)), [f"refused-{number}" for number in range(5, 9)])
            source.close()

    def test_one_partition_and_the_billing_stream(self):
        with server(PROGRAM) as granary:
            for file in EXAMPLES:
                granary.run("post", str(file))
            lines = self.read(granary, "/v1/streams/billing", 3)
            self.assertEqual(identities(lines), identities(granary.rows("/v1/streams/billing")))
            self.refuse(granary, range(20))
            self.read(granary, STREAM, 20)
            for partition in range(granary.get(STREAM + "?limit=1")["partitions"]):
                page = granary.get(f"{STREAM}?partition={partition}")["rows"]
                self.assertEqual(identities(self.read(granary, f"{STREAM}?partition={partition}", len(page))), identities(page))

    def test_a_server_that_stops_ends_it_whole(self):
        with server(PROGRAM) as granary:
            self.refuse(granary, range(3))
            source = EventSource(granary, STREAM).connect()
            source.events(3)
            self.assertEqual(granary.stop(), 0)
            with self.assertRaises(EOFError):
                source.block()
            source.close()

    def test_what_is_no_place_is_refused_by_name(self):
        with server(PROGRAM) as granary:
            self.refuse(granary, range(1))
            source = EventSource(granary, STREAM).connect()
            source.events(1)
            source.close()
            accept = {"Accept": "text/event-stream"}
            place = urllib.parse.quote(source.last_id)
            for path, headers, problem, named in (
                    (STREAM, {"Last-Event-ID": "7"}, "bad_header", "`Last-Event-ID`: expected BEGINNING, END or the id of an event"),
                    (STREAM + "?from=7", {}, "bad_parameter", "`from`: expected BEGINNING, END or the id of an event"),
                    ("/v1/streams/billing?from=" + place, {}, "bad_parameter", "`from`: expected BEGINNING, END or the id of an event"),
                    (STREAM + "?partition=0&from=" + place, {}, "bad_parameter", "`from`: expected BEGINNING, END or the id of an event"),
                    (STREAM + "?partition=99", {}, "bad_parameter", "`partition`: expected a number below")):
                status, _, answer = granary.ask(path, headers={**accept, **headers})
                self.assertEqual((status, answer["type"]), (400, "urn:granary:problem:" + problem), answer)
                self.assertIn(named, answer["detail"])
            self.assertEqual(granary.ask("/v1/streams/none", headers=accept)[0], 404)


if __name__ == "__main__":
    sys.exit(unittest.main())
