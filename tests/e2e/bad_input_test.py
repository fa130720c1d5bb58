"""Bad input over a real server, byte for byte: each is refused with what, where and what to do; nothing of it is half done, and what
stood stands."""
import datetime
import glob
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE, TICK  # noqa: E402
from granary_server import Server, server  # noqa: E402

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def example(name):
    (file,) = glob.glob(os.path.join(SOURCE, "schemas", "examples", f"*-{name}.json"))
    return json.loads(pathlib.Path(file).read_text(encoding="utf-8"))


def usage(**changes):
    event = example("usage.reported")
    event["data"].update(changes.pop("data", {}))
    event.update(changes)
    return event


def post(granary, body, content_type):
    """(status, answer); None where the server ended the connection."""
    request = urllib.request.Request(granary.url + "/v1/events", body, method="POST", headers={"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class Door(unittest.TestCase):
    def test_each_is_refused_by_name_and_nothing_of_it_stands(self):
        text = json.dumps(usage())
        quantity = '"quantity": "2"'
        self.assertIn(quantity, text)
        cases = {
            "a key twice": (text.replace(quantity, quantity + ', "quantity": "3"'), STRUCTURED, 422, "malformed", "quantity"),
            "a key twice outside": (text.replace('"specversion"', '"id": "another", "specversion"', 1), STRUCTURED, 422, "malformed", "id"),
            "NaN": (text.replace(quantity, '"quantity": NaN'), STRUCTURED, 422, "malformed", ""),
            "infinity": (text.replace(quantity, '"quantity": 1e400'), STRUCTURED, 422, "malformed", ""),
            "NaN as text": (text.replace(quantity, '"quantity": "NaN"'), STRUCTURED, 422, "malformed", "quantity"),
            "an exponent": (text.replace(quantity, '"quantity": "2e3"'), STRUCTURED, 422, "malformed", "quantity"),
            "deep nesting": ("[" * 20_000 + "]" * 20_000, BATCH, 422, "malformed", "deep"),
            "deep nesting within": (text.replace(quantity, '"quantity": ' + "[" * 5000 + "]" * 5000), STRUCTURED, 422, "malformed", "deep"),
            "half a document": (text[:len(text) // 2], STRUCTURED, 422, "malformed", ""),
            "no JSON": ("quantity=2", STRUCTURED, 422, "malformed", ""),
            "no UTF-8": (text.encode().replace(b"aurora", b"aur\xffra"), STRUCTURED, 422, "malformed", ""),
            "nothing": ("", STRUCTURED, 422, "malformed", ""),
            "1,001 events": ("[" + ",".join([text] * 1001) + "]", BATCH, 413, "", "1000"),
            "10 MiB": ("[" + text + " " * (10 << 20) + "]", BATCH, 413, "", ""),
            "another content type": (text, "text/plain", 415, "", "cloudevents"),
            "a form": (text, "application/x-www-form-urlencoded", 415, "", "cloudevents"),
        }
        with server(PROGRAM) as granary:
            for name, (body, content_type, status, reason, word) in cases.items():
                with self.subTest(name):
                    got, answer = post(granary, body if isinstance(body, bytes) else body.encode(), content_type)
                    problem = answer["results"][0]["problem"] if "results" in answer else answer
                    said = json.dumps(answer)
                    self.assertIn(got, (status, 400) if status == 422 else (status,), said[:500])
                    self.assertIn(reason, problem["type"], said[:500])
                    self.assertIn(word, said)
                    self.assertTrue(problem.get("hint"), said[:500])
            self.assertEqual(granary.get("/v1/sources")["rows"], [])
            self.assertEqual(granary.get("/v1/rejected")["rows"], [])

    def test_half_a_request_reaches_nobody(self):
        body = json.dumps(usage()).encode()
        with server(PROGRAM) as granary:
            where = urllib.parse.urlsplit(granary.url)
            head = (f"POST /v1/events HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: {STRUCTURED}\r\nContent-Length: {len(body)}\r\n\r\n").encode()
            for half in (head[:40], head, head + body[:100], head + body[:-1]):
                with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
                    connection.sendall(half)
                    connection.shutdown(socket.SHUT_WR)
                    self.assertNotIn(b" 202 ", connection.makefile("rb").read())
            self.assertEqual(granary.get("/v1/sources")["rows"], [])
            self.assertEqual(post(granary, body, STRUCTURED)[0], 202)


class Fold(unittest.TestCase):
    def test_what_only_the_ledger_can_know_is_refused_and_can_be_read_later(self):
        far = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z"}
        bare = {key: value for key, value in example("application.decided").items() if key != "data"}
        with server(PROGRAM) as granary:
            names = ("policy.published-resource_classes", "policy.published-acceptance_window", "organisation.registered", "project.registered",
                     "application.submitted")
            status, answer = granary.post([example(name) for name in names])
            status, answer = granary.post([usage()], "/v1/events?after=" + answer["after"])
            self.assertEqual(answer["results"][0]["outcome"]["judgement"], "new", answer)
            cases = [
                (usage(id="other", data={"resources": [{"class": "gpu:none", "quantity": "1"}]}), "unknown_resource_class"),
                (usage(id="old", data=far), "usage_too_old"),
                (usage(data={"end": "2026-11-01T00:45:00Z"}), "conflicting_duplicate"),
                ({**bare, "data": example("application.decided")["data"]}, "screening_not_cleared"),
            ]
            for event, reason in cases:
                status, answer = granary.post([event])
                self.assertEqual((status, answer["results"][0]["outcome"].get("reason")), (202, reason), answer)
                self.assertTrue(answer["results"][0]["outcome"]["hint"])
                query = urllib.parse.urlencode({"source": event["source"], "id": event["id"], "after": answer["after"]})
                told = [row["reason"] for row in granary.get("/v1/rejected?" + query)["rows"]]
                self.assertEqual(told, [reason])
            self.assertEqual({row["granted"] for row in granary.get("/v1/projects?after=" + answer["after"])["rows"]}, {"0"}, "no award")
            for source in granary.get("/v1/sources")["rows"]:
                self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])


class Start(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.granary = Server(PROGRAM, os.path.join(folder.name, "data"))
        self.addCleanup(lambda: self.granary.process and self.granary.process.poll() is None and self.granary.kill())

    def refused(self, *words):
        done = subprocess.run([PROGRAM, "serve", "--data", self.granary.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
        for word in (*words, "hint"):
            self.assertIn(word, done.stderr)

    def tick(self, **from_now):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**from_now)
        subprocess.run([TICK, self.granary.data, at.strftime("%Y-%m-%dT%H:%M:%SZ")], check=True, timeout=60)

    def test_a_log_that_is_shorter_than_its_head_is_not_served(self):
        log = os.path.join(self.granary.data, "journal", "log")
        self.granary.start("--partitions", "1")
        self.assertEqual(self.granary.stop(), 0)
        shutil.copytree(log, log + ".early")
        self.granary.start()
        self.assertEqual(self.granary.post([example("policy.published-resource_classes")])[0], 202)
        self.assertEqual(self.granary.stop(), 0)
        os.rename(log, log + ".whole")
        os.rename(log + ".early", log)
        for _ in range(2):
            self.refused("HEAD", self.granary.data)
        shutil.rmtree(log)
        self.refused("HEAD")
        shutil.rmtree(log, ignore_errors=True)
        os.rename(log + ".whole", log)
        self.granary.start()
        self.assertEqual(len(self.granary.get("/v1/policies")["policies"]), 1, "nothing was changed by the refusals")

    def test_a_door_behind_the_log_does_not_start(self):
        self.granary.start("--partitions", "1")
        self.assertEqual(self.granary.stop(), 0)
        self.tick(hours=2)
        self.refused("behind", "clock")

    def test_a_month_later_it_waits_for_a_person_and_reads_go_on(self):
        self.tick(days=-31)
        self.granary.start(until_ready=False)
        self.assertFalse(self.granary.ready())
        event = example("policy.published-resource_classes")
        status, answer = self.granary.post([event])
        self.assertEqual(status, 503, answer)
        self.assertIn("granary clock confirm", json.dumps(answer))
        self.assertEqual(self.granary.get("/v1/projects")["rows"], [])
        code, out, err = self.granary.run("clock", "confirm", "--json")
        self.assertEqual(code, 0, err)
        self.assertIn("stepped", json.loads(out))
        self.assertEqual(self.granary.post([event])[0], 202)
        code, out, err = self.granary.run("clock", "confirm", "--json")
        self.assertEqual(code, 0, err)
        self.assertNotIn("stepped", json.loads(out))

    def test_addresses_and_flags_are_told(self):
        for flags, word in ((["--listen", "nowhere"], "ADDRESS:PORT"), (["--listen", "127.0.0.1:0x"], "ADDRESS:PORT"), (["--partitions", "0"], "1"),
                            (["--colour"], "colour")):
            done = subprocess.run([PROGRAM, "serve", "--data", self.granary.data, *flags], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)
        self.assertFalse(os.path.exists(self.granary.data))


if __name__ == "__main__":
    unittest.main()
