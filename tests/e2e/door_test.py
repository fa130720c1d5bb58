"""What a real server takes at its doors and what it refuses at once: encodings, legal extensions, leap seconds; who brought an event; cursors
and tokens of another list or ledger; pages of lists."""
import json
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from granary_server import server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402

CASES = pathlib.Path(SOURCE, "tests", "data", "cases")
EXAMPLES = sorted(pathlib.Path(SOURCE, "schemas", "examples").glob("*.json"))
STRUCTURED, BATCH, BINARY = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
# Of each list the filters that its rows are chosen by.
PAGED = {"/v1/organisations": [], "/v1/applications": [], "/v1/projects": [], "/v1/usage": [], "/v1/accounts": [],
         "/v1/charges": ["organisation=aurora", "period=2026-10"], "/v1/rejected": ["machine=metering", "source=x", "id=x"],
         "/v1/streams/billing": [], "/v1/streams/notices": [], "/v1/streams/rejected": []}
WHOLE = ["/v1/sources", "/v1/unbound", "/v1/unassigned"]
TAKE_TOKENS = [path for path in PAGED if "streams" not in path] + WHOLE + ["/v1/policies", "/v1/projects/aurora-llm", "/v1/projects/aurora-llm/balance"]


def load(file):
    return json.loads(file.read_text(encoding="utf-8"))


def send_in_order(test, granary, events):
    """Each once what stands before it is folded; the last one's answer."""
    answer = {}
    for event in events:
        status, answer = granary.post([event], "/v1/events" + (f"?after={answer['after']}" if answer else ""))
        test.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, "new"), (event["id"], answer))
    return answer


def usage(**changes):
    event = load(next(file for file in EXAMPLES if "usage.reported" in file.name))
    event["data"].update(changes.pop("data", {}))
    event.update(changes)
    return event


def fill(test, granary):
    """The worked example, more of each thing, and what the machines refuse; a token for all of it."""
    send_in_order(test, granary, [load(file) for file in EXAMPLES])
    more = []
    for kind in ("organisation.registered", "project.registered", "application.submitted"):
        event = load(next(file for file in EXAMPLES if kind in file.name))
        for others in ("legal_ids", "refs"):  # two of them may not have the same
            event["data"].pop(others, None)
        for n in range(5):
            name = kind.split(".", maxsplit=1)[0]
            more.append({**event, "id": f"{name}-{n}", "data": {**event["data"], name: f"more-{n}"}})
    more += [usage(id=f"of-nobody-{n}", data={"project": f"nobody-{n}"}) for n in range(5)]
    more += [usage(id=f"refused-{n}", data={"resources": [{"class": "gpu:none", "quantity": "1"}]}) for n in range(5)]
    status, answer = granary.post(more)
    test.assertEqual(status, 202)
    granary.get("/v1/charges?after=" + answer["after"])
    granary.get("/v1/rejected?after=" + answer["after"])
    return answer["after"]


class Encodings(unittest.TestCase):
    def test_a_byte_order_mark_is_skipped_and_another_encoding_is_named(self):
        with server(PROGRAM) as granary:
            bom = (CASES / "post_bom.json").read_bytes()
            events = json.loads(bom.decode("utf-8-sig"))
            status, _, answer = granary.ask("/v1/events", bom, {"Content-Type": BATCH})
            self.assertEqual((status, answer["accepted"], answer["refused"]), (202, len(events), 0), answer)
            mark = b"\xef\xbb\xbf"
            for number, event in enumerate(events):
                status, _, answer = granary.ask("/v1/events", mark + json.dumps(event).encode(), {"Content-Type": STRUCTURED})
                self.assertEqual(status, 202, answer)
                headers = {"ce-" + name: value for name, value in event.items() if name != "data"}
                status, _, answer = granary.ask("/v1/events", mark + json.dumps(event["data"]).encode(), {"Content-Type": BINARY, **headers})
                self.assertEqual(status, 202, (number, answer))
            status, _, answer = granary.ask("/v1/events", (CASES / "post_utf16.json").read_bytes(), {"Content-Type": BATCH})
            self.assertEqual((status, answer["type"]), (400, "urn:granary:problem:malformed"))
            self.assertIn("UTF-16", answer["detail"])
            self.assertIn("iconv", answer["hint"])
            for kind in (STRUCTURED, BATCH, BINARY):
                status, _, answer = granary.ask("/v1/events", b"{}", {"Content-Type": kind + "; charset=UTF-16"})
                self.assertEqual(status, 415)
                self.assertIn("charset utf-8, got utf-16", answer["detail"])

    def test_a_leap_second_and_a_foreign_extension_are_taken(self):
        with server(PROGRAM) as granary:
            send_in_order(self, granary, load(CASES / "base.json") + load(CASES / "events" / "extension_knativearrivaltime.json"))
            for event in load(CASES / "events" / "leap_second_in_time.json"):
                status, answer = granary.post([event])
                self.assertEqual((status, answer["accepted"]), (202, 1), answer)


class WhoBroughtIt(unittest.TestCase):
    def refused(self, granary, event, reason, field, word):
        """In each of the three modes; nothing of it is kept."""
        headers = {"ce-" + name: value for name, value in event.items() if name not in ("data", "datacontenttype")}
        for body, kind, more in ((event, STRUCTURED, {}), ([event], BATCH, {}), (event["data"], BINARY, headers)):
            status, _, answer = granary.ask("/v1/events", json.dumps(body).encode(), {"Content-Type": kind, **more})
            self.assertEqual((status, answer["accepted"]), (422, 0), (kind, answer))
            problem = answer["results"][0]["problem"]
            self.assertEqual((problem["type"], problem["field"]), ("urn:granary:problem:" + reason, field), kind)
            self.assertIn(word, problem["hint"], kind)

    def test_no_client_says_who_called_and_no_address_of_a_person_gets_in(self):
        with server(PROGRAM, "--partitions", "1") as granary:
            self.refused(granary, usage(caller="token"), "unknown_field", "/caller", "the door itself writes who called")
            self.refused(granary, usage(data={"caller": "token"}), "unknown_field", "/data/caller", "leave it out")
            self.refused(granary, usage(actor="ada@aurora.example"), "personal_data", "/actor", "opaque id")
            self.refused(granary, usage(data={"member": "ada@aurora.example"}), "personal_data", "/data/member", "opaque id")
            self.refused(granary, usage(collector="x" * 65), "malformed", "/collector", "slurm-agent/0.4.1")
            self.assertEqual(granary.get("/v1/sources")["rows"], [])

    def test_a_refusal_names_the_collector_that_sent_it_and_neither_caller_nor_actor(self):
        with server(PROGRAM, "--partitions", "1") as granary:
            send_in_order(self, granary, [load(file) for file in EXAMPLES])
            _, answer = granary.post([usage(collector="slurm-agent/0.4.1", actor="agent-7"),
                                      usage(collector="slurm-agent/0.4.1", actor="agent-7", data={"end": "2026-11-01T00:45:00Z"}),
                                      usage(collector=None, actor="agent-7", data={"end": "2026-11-01T00:46:00Z"})])
            self.assertEqual([result["outcome"]["judgement"] for result in answer["results"]], ["repeat", "refused", "refused"])
            rows = granary.get("/v1/rejected?after=" + answer["after"])["rows"]
            self.assertEqual([row.get("collector") for row in rows], ["slurm-agent/0.4.1", None])
            for row in rows:
                self.assertFalse({"actor", "caller"} & row.keys(), row)
                self.assertNotIn("agent-7", json.dumps(row))


class Lists(unittest.TestCase):
    maxDiff = None

    def refused(self, granary, path, word):
        """At once, by name."""
        begun = time.monotonic()
        status, _, answer = granary.ask(path)
        self.assertLess(time.monotonic() - begun, 5, path)
        self.assertEqual((status, answer.get("type")), (400, "urn:granary:problem:bad_parameter"), (path, answer))
        self.assertIn(word, answer["detail"], path)

    def test_a_cursor_is_of_its_list_and_a_token_of_its_ledger(self):
        with server(PROGRAM) as granary, server(PROGRAM) as other:
            token = fill(self, granary)
            fill(self, other)
            cursors = {path: granary.get(path + "?limit=1").get("next") for path in PAGED}
            self.assertNotIn(None, cursors.values(), "too few rows for two pages")
            for path, cursor in cursors.items():
                self.assertEqual(granary.ask(f"{path}?cursor={cursor}")[0], 200, path)
                self.refused(other, f"{path}?cursor={cursor}", "of another ledger")
                for elsewhere in PAGED:
                    if elsewhere != path:
                        self.refused(granary, f"{elsewhere}?cursor={cursor}", "of another list")
                for whole in WHOLE:
                    self.refused(granary, f"{whole}?cursor={cursor}", "this list is one page")
                for chosen in PAGED[path]:
                    self.refused(granary, f"{path}?{chosen}&cursor={cursor}", "with other filters")
            self.refused(granary, f"/v1/streams/billing?partition=0&cursor={cursors['/v1/streams/billing']}", "beside `partition`")
            for path in TAKE_TOKENS:
                self.assertEqual(granary.ask(f"{path}?after={token}")[0], 200, path)
                self.refused(other, f"{path}?after={token}", "of another")
            status, answer = other.post([usage(id="late")], "/v1/events?after=" + token)
            self.assertEqual((status, answer["type"]), (400, "urn:granary:problem:bad_parameter"), answer)
            self.assertEqual(other.ask("/v1/rejected?id=late")[2], {"rows": []})

    def test_no_page_is_empty_and_goes_on(self):
        with server(PROGRAM, "--partitions", "16") as granary:
            fill(self, granary)
            for path in PAGED:
                for limit in ("1", "3", "1000"):
                    rows, page = [], granary.get(f"{path}?limit={limit}")
                    while "next" in page:
                        self.assertTrue(page["rows"], (path, limit))
                        rows += page["rows"]
                        page = granary.get(f"{path}?limit={limit}&cursor={page['next']}")
                    rows += page["rows"]
                    self.assertEqual(len({json.dumps(row) for row in rows}), len(rows), f"{path} shows a row twice")
                    if limit == "1":
                        all_rows = rows
                    self.assertEqual(rows, all_rows, (path, limit))
            self.assertEqual(granary.get("/v1/charges?organisation=nobody"), {"rows": []})
            self.assertEqual(granary.get("/v1/charges?period=1999-01"), {"rows": []})


if __name__ == "__main__":
    unittest.main()
