"""The worked example, a workload and finance's sums over four processes and a real broker that goes away."""
import base64
import csv
import io
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import needs  # noqa: E402
from needs import SOURCE, STEPPED  # noqa: E402

needs.kafka_client()
import kafka_broker  # noqa: E402
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException  # noqa: E402
from confluent_kafka.admin import AdminClient  # noqa: E402
from four_services import PROGRAM, examples, four_services, send_examples  # noqa: E402

HOUR = 3_600_000_000
CONSUME = os.path.join(SOURCE, "docs", "finance-consumer", "consume.py")
GROUP = "granary"


def usage(**changes):
    return {**next(event for event in examples() if event["type"] == "granary.usage.reported.v1"), **changes}


class WithBroker(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.broker = self.enterContext(kafka_broker.Broker())

    def send_examples(self, four):
        return send_examples(self, four)


class WorkedExample(WithBroker):
    def check(self, asked, after):
        """Each number of the example, asked of one process."""
        balance = asked.get(f"/v1/projects/aurora-llm/balance?after={after}")
        self.assertEqual({name: int(balance[0][name]) for name in ("granted", "used", "expired", "available", "uncovered", "reserved")},
                         {"granted": 10 * HOUR + 3 * HOUR // 4, "used": 7 * HOUR // 4, "expired": 9 * HOUR, "available": 0,
                          "uncovered": HOUR // 4, "reserved": 0})
        self.assertEqual([(r["period"], r["list_amount"], r["covered_amount"], r["billed_amount"])
                          for r in asked.get(f"/v1/charges?organisation=aurora&after={after}")["rows"]],
                         [("2026-10", "2.500000000", "2.500000000", "0.000000000"),
                          ("2026-11", "2.400000000", "1.800000000", "0.600000000")])
        self.assertEqual([(r["project"], r["resource"], r["records"], int(r["quantity"])) for r in asked.rows(f"/v1/usage?after={after}")],
                         [("aurora-llm", "cpu", 1, 32 * HOUR), ("aurora-llm", "gpu:h200", 1, 2 * HOUR)])
        (source,) = asked.get(f"/v1/sources?after={after}")["rows"]
        self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])

    def test_posted_at_any_process_and_read_at_any_process(self):
        with four_services(self.broker) as four:
            after = self.send_examples(four)
            for asked in four:
                self.check(asked, after)
            self.assertEqual(set(four.stop().values()), {0})
            replayed = subprocess.run([PROGRAM, "replay", "--brokers", self.broker.bootstrap, *sum((["--data", one.data] for one in four), [])],
                                      capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(replayed.returncode, 0, replayed.stderr)

    def test_an_owner_that_is_away_is_told_and_found_again(self):
        with four_services(self.broker) as four:
            after = self.send_examples(four)
            self.check(four["intake"], after)
            self.assertEqual(four["allocation"].stop(), 0)
            for path in ("/v1/projects", "/v1/projects/aurora-llm/balance", f"/v1/usage?after={after}"):
                status, headers, problem = four["intake"].ask(path)
                self.assertEqual((status, problem["type"]), (503, "urn:granary:problem:owner_unavailable"), path)
                self.assertGreater(int(headers["Retry-After"]), 0)
            # An event goes on being taken, and its outcome told: metering's shard is there. What is behind allocation waits.
            status, answer = four["billing"].post([usage(id="while-away")])
            self.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, "new"))
            self.assertEqual(four["metering"].ask("/v1/projects/aurora-llm")[0], 200, "intake's question")
            four["allocation"].start()
            rows = four["intake"].rows(f"/v1/usage?after={answer['after']}")
            self.assertEqual([int(row["quantity"]) for row in rows], [64 * HOUR, 4 * HOUR])

    def test_a_machine_over_two_processes(self):
        processes = [("intake", "intake", "all"), ("low", "metering", "0-1"), ("high", "metering", "2-3"),
                     ("allocation", "allocation", "all"), ("billing", "billing", "all")]
        with four_services(self.broker, processes=processes) as four:
            self.assertEqual([[s["shard"] for s in four[name].get("/v1/status")["shards"]] for name in ("low", "high")], [[0, 1], [2, 3]])
            after = self.send_examples(four)
            for asked in four:
                self.check(asked, after)
            events = [usage(id=f"job-{n}") for n in range(40)]
            status, answer = four["low"].post(events)
            self.assertEqual({one["outcome"]["judgement"] for one in answer["results"]}, {"new"})
            self.assertEqual({one["receipt"]["partition"] for one in answer["results"]}, {0, 1, 2, 3})
            for name in ("low", "high", "billing"):
                (source,) = four[name].get(f"/v1/sources?after={answer['after']}")["rows"]
                self.assertEqual(source["metered"], 41, name)
            # A record that the log does not hold: its owner asks the broker, and whoever was asked says so.
            ledger = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))[:4]
            beyond = base64.urlsafe_b64encode(ledger + struct.pack(">BHQ", 2, 3, 1_000_000)).decode().rstrip("=")
            for asked in four:
                for path in ("/v1/charges", "/v1/sources"):
                    status, _, problem = asked.ask(f"{path}?after={beyond}")
                    self.assertEqual((status, problem["type"]), (400, "urn:granary:problem:bad_parameter"), (path, problem))
                    self.assertIn("beyond the end of the log", problem["detail"])
            self.assertEqual(four["high"].stop(), 0)
            status, headers, _ = four["low"].ask("/v1/sources")
            self.assertEqual((status, bool(headers["Retry-After"])), (503, True), "no half of an answer")

    def test_a_deleted_consumer_group_changes_nothing(self):
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, "log_level": 2})
        with four_services(self.broker) as four:
            after = self.send_examples(four)
            self.check(four["intake"], after)
            self.assertEqual(set(four.stop().values()), {0})
            before = self.committed(admin)
            self.assertTrue(before, "offsets stand for lag tools once services have stopped")
            admin.delete_consumer_groups([GROUP])[GROUP].result(30)
            self.assertFalse(self.committed(admin))
            four.start()
            for asked in four:
                self.check(asked, after)
            status, answer = four["intake"].post([usage()])
            self.assertEqual(answer["results"][0]["outcome"]["judgement"], "repeat")
            self.assertEqual(set(four.stop().values()), {0})
            again = self.committed(admin)
            self.assertTrue(again.keys() & before.keys(), "of partitions in which something was folded again")
            self.assertFalse([where for where in again.keys() & before.keys() if again[where] < before[where]])

    def committed(self, admin):
        try:
            offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)])[GROUP].result(30)
        except KafkaException:
            return {}
        return {(one.topic, one.partition): one.offset for one in offsets.topic_partitions if one.offset >= 0}


class Clock(WithBroker):
    """Nine days on: each process waits for a person, who has to say it once."""

    def confirm(self, one):
        code, out, err = one.run("clock", "confirm", "--json")
        return code, json.loads(out), err

    def test_a_person_confirms_the_clock_of_all_at_one(self):
        with four_services(self.broker, program=STEPPED) as four:
            self.assertEqual(set(four.stop().values()), {0})
            file = os.path.join(four.data, "clock")
            pathlib.Path(file).write_text(str(9 * 24 * 3_600_000), encoding="ascii")
            for one in four:
                one.begin(environment={"GRANARY_CLOCK_OFFSET": file})
            for one in four:
                one.started(until_ready=False)
                while (state := one.get("/v1/clock")["state"]) == "comparing":
                    pass
                self.assertEqual(state, "needs_confirmation")
            four["billing"].kill()
            code, answer, err = self.confirm(four["intake"])
            self.assertEqual(code, 1, "one of them could not be asked")
            self.assertEqual(answer["clock"]["state"], "running")
            self.assertIn("stepped", answer)
            peers = {row["owner"]: row for row in answer["peers"]}
            self.assertEqual(set(peers), {four[name].url for name in ("metering", "allocation", "billing")})
            for name in ("metering", "allocation"):
                self.assertEqual(peers[four[name].url]["clock"]["state"], "running", name)
                self.assertEqual(four[name].get("/v1/clock")["state"], "running", name)
            self.assertIn("error", peers[four["billing"].url])
            self.assertIn(four["billing"].url, err)
            four["billing"].begin(environment={"GRANARY_CLOCK_OFFSET": file})
            four["billing"].started()
            code, answer, err = self.confirm(four["metering"])
            self.assertEqual((code, err), (0, ""))
            self.assertEqual([row["clock"]["state"] for row in answer["peers"]], ["running"] * 3)
            self.assertNotIn("stepped", answer)


class BrokerGoesAway(WithBroker):
    def test_a_post_is_answered_in_time_and_sent_again_counts_once(self):
        with four_services(self.broker) as four:
            self.send_examples(four)
            for metered, (away, back) in enumerate(((self.broker.kill, self.broker.start), (self.broker.pause, self.broker.resume)), 2):
                with self.subTest(away.__name__):
                    event = usage(id=f"job-{away.__name__}")
                    away()
                    began = time.monotonic()
                    status, headers, problem = four["billing"].ask("/v1/events", json.dumps([event]).encode(),
                                                                   {"Content-Type": "application/cloudevents-batch+json", "Prefer": "wait=20"})
                    took = time.monotonic() - began
                    self.assertEqual((status, problem["type"]), (503, "urn:granary:problem:append_failed"), problem)
                    self.assertGreater(int(headers["Retry-After"]), 0)
                    self.assertLess(took, 12)
                    # Reads of what is folded go on meanwhile, across processes.
                    self.assertEqual([row["project"] for row in four["intake"].rows("/v1/projects")], ["aurora-llm"])
                    back()
                    while (answered := four["billing"].post([event]))[0] == 503:
                        pass
                    status, answer = answered
                    self.assertEqual(status, 202, answer)
                    self.assertIn(answer["results"][0]["outcome"]["judgement"], ("new", "repeat"))
                    (source,) = four["metering"].get(f"/v1/sources?after={answer['after']}")["rows"]
                    self.assertEqual(source["metered"], metered, "the event, once")

    def test_a_process_stops_in_time_while_the_broker_is_dead(self):
        self.check_stop(self.broker.kill)

    def test_a_process_stops_in_time_while_the_broker_hangs(self):
        self.check_stop(self.broker.pause)

    def check_stop(self, away):
        """With events on their way, whose answer is owed, and clients that wait."""
        with four_services(self.broker) as four:
            after = self.send_examples(four)
            away()
            for one in four:
                self.post_in_vain(one, after)
            began = time.monotonic()
            for one in four:
                one.process.terminate()
            ends = {}
            for name, one in four.services.items():
                one.process.wait(timeout=60)
                ends[name] = time.monotonic() - began
                one.ended()
            self.assertLess(max(ends.values()), 10, ends)
            self.assertEqual({one.process.returncode for one in four}, {0}, [one.lines[-3:] for one in four])

    def post_in_vain(self, one, after):
        """Does not wait for the answer."""
        body = json.dumps([usage(id="in-vain")]).encode()
        sent = socket.create_connection(("127.0.0.1", int(one.url.rsplit(":", 1)[1])))
        self.addCleanup(sent.close)
        sent.sendall(f"POST /v1/events?after={after} HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents-batch+json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


class OneStops(WithBroker):
    """A rolling restart: one process is stopped alone while reads wait at it for what a peer that answers nothing has not folded."""

    def ask_in_vain(self, one, path):
        """Does not wait for the answer; the connection."""
        asked = socket.create_connection(("127.0.0.1", int(one.url.rsplit(":", 1)[1])), timeout=30)
        self.addCleanup(asked.close)
        asked.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return asked

    def in_flight(self, one):
        """Requests without an answer, the one that asks for this number among them."""
        with urllib.request.urlopen(one.url + "/metrics", timeout=30) as page:
            (line,) = [line for line in page.read().decode().splitlines() if line.startswith("granary_http_requests_in_flight ")]
        return int(float(line.split()[1]))

    def end_of(self, asked):
        """What the client gets in the end: the first bytes of an answer, or none if the connection is closed."""
        try:
            return asked.recv(9)
        except ConnectionResetError:
            return b""

    def check(self, name):
        with four_services(self.broker) as four:
            self.send_examples(four)
            four["allocation"].process.send_signal(signal.SIGSTOP)
            status, answer = four["metering"].post([usage(id="job-2")])
            self.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, "new"), answer)
            after = answer["after"]
            one = four[name]
            # Of the machine that does not answer, of one behind it, and a list that both have shards of.
            waiting = [self.ask_in_vain(one, f"{path}?after={after}") for path in ("/v1/projects/aurora-llm/balance", "/v1/charges", "/v1/usage")]
            while self.in_flight(one) <= len(waiting):
                pass
            self.assertEqual(one.stop(), 0, "in time, although what it asked for never comes")
            for asked in waiting:
                self.assertIn(self.end_of(asked), (b"", b"HTTP/1.1 "))
            self.assertEqual([line for line in one.lines if '"level":"error"' in line], [])
            one.start()
            four["allocation"].process.send_signal(signal.SIGCONT)
            for asked in four:
                self.assertEqual([int(row["quantity"]) for row in asked.rows(f"/v1/usage?after={after}")], [64 * HOUR, 4 * HOUR])
            status, answer = one.post([usage(id="job-2"), usage(id="job-3")])
            self.assertEqual([row["outcome"]["judgement"] for row in answer["results"]], ["repeat", "new"])
            self.assertEqual([row["records"] for row in four["billing"].rows(f"/v1/usage?after={answer['after']}")], [3, 3])
            self.assertEqual(set(four.stop().values()), {0})

    def test_intake_stops_while_reads_wait_for_allocation(self):
        self.check("intake")

    def test_billing_stops_while_reads_wait_for_allocation(self):
        self.check("billing")


class Workload(WithBroker):
    ROWS = 12000
    FLAGS = ("--format", "swf", "--project-prefix", "p", "--shift-end-to", "2026-11-01T00:00:00Z")

    def setUp(self):
        super().setUp()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.file = os.path.join(folder, "jobs.swf")
        self.database = os.path.join(folder, "charges.sqlite")
        rows = (f"{n} {n * 60} 0 {1 + n % 3600} {1 + n % 64} -1 -1 {1 + n % 64} -1 -1 1 {n % 40} {n % 7} 1 1 -1 -1 -1\n"
                for n in range(1, self.ROWS + 1))
        pathlib.Path(self.file).write_text("".join(rows), encoding="utf-8")
        done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "support", "sum_workload.py"), self.file, *self.FLAGS],
                              capture_output=True, text=True, check=True)
        self.expected = {(r["project"], r["resource"]): (int(r["records"]), int(r["quantity"]))
                         for r in csv.DictReader(io.StringIO(done.stdout))}

    def configure(self, four):
        def event(kind, name, data):
            return {"specversion": "1.0", "type": f"granary.{kind}.v1", "source": "test", "id": name, "time": "2026-11-01T00:00:00Z", "data": data}

        from_ever = {"version": "1", "effective": "1970-01-01T00:00:00Z"}
        status, answer = four["metering"].post([
            event("policy.published", "classes", {"kind": "resource_classes", **from_ever, "content": {
                "classes": [{"class": "cpu", "unit": "resource-us", "charging": "lots"}]}}),
            event("policy.published", "window", {"kind": "acceptance_window", **from_ever, "content": {"window_days": 36500}}),
            event("policy.published", "overdraft", {"kind": "overdraft", **from_ever, "content": {"mode": "bill", "seller": "aif1"}}),
            event("price_book.published", "prices", {"seller": "aif1", **from_ever, "currency": "EUR",
                                                     "prices": [{"class": "cpu", "price": "0.03", "per": "resource-hour"}]}),
            event("price_book.published", "prices-of-awards", {"seller": "trial", **from_ever, "currency": "EUR",
                                                               "prices": [{"class": "cpu", "price": "0.02", "per": "resource-hour"}]})])
        self.assertEqual((status, answer["refused"]), (202, 0), answer)

    def begin_import(self, four, at):
        # Awards make the projects' organisations, so that there is somebody to charge.
        importing = subprocess.Popen([PROGRAM, "import", self.file, *self.FLAGS, "--award-all", "1000", "--json", "--url", four[at].url],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: importing.poll() is None and importing.kill())
        return importing

    def check_totals(self, four, after):
        for name in ("intake", "billing"):
            used = {(r["project"], r["resource"]): (r["records"], int(r["quantity"])) for r in four[name].rows(f"/v1/usage?after={after}")}
            self.assertEqual(used, self.expected, name)
        for source in four["billing"].rows(f"/v1/sources?after={after}"):
            self.assertEqual(source["received"], source["metered"] + source["repeated"] + source["rejected"] + source["pending"])
            if ":swf" in source["source"] and not source["source"].endswith(":award"):
                self.assertEqual(source["metered"], self.ROWS)

    def finance(self):
        """What finance's consumer comes to, by its own words."""
        done = subprocess.run([sys.executable, CONSUME, "--brokers", self.broker.bootstrap, "--database", self.database, "--until-end", "--json"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return sorted(tuple(line.values()) for line in json.loads(done.stdout))

    def exported(self, four, after):
        code, out, err = four["metering"].run("export", "charges", "--after", after)
        self.assertEqual(code, 0, err)
        return sorted((r["organisation"], r["project"], r["resource"], r["period"], r["currency"], r["list_amount"], r["covered_amount"],
                       r["billed_amount"]) for r in csv.DictReader(io.StringIO(out)))

    def test_a_broker_killed_in_the_middle_of_an_import_costs_retries_and_nothing_else(self):
        with four_services(self.broker) as four:
            self.configure(four)
            importing = self.begin_import(four, "allocation")
            kills = 0
            while kills < 2 and importing.poll() is None:
                metered = sum(s["metered"] for s in four["metering"].get("/v1/sources")["rows"])
                if metered > kills * self.ROWS // 3 + 500:
                    self.broker.restart()
                    kills += 1
            out, err = importing.communicate(timeout=240)
            self.assertEqual((importing.returncode, kills), (0, 2), err)
            counts = json.loads(out)
            self.assertEqual((counts["rows"], counts["accepted"] + counts["repeats"]), (self.ROWS, self.ROWS), counts)
            self.check_totals(four, counts["after"])

            charges = self.exported(four, counts["after"])
            self.assertEqual(len(charges), 7, "of each project")
            self.assertEqual(self.finance(), charges)
            # The same file again, at another process: nothing changes anywhere.
            importing = self.begin_import(four, "intake")
            out, err = importing.communicate(timeout=240)
            self.assertEqual(importing.returncode, 0, err)
            counts = json.loads(out)
            self.assertEqual((counts["accepted"], counts["repeats"]), (0, self.ROWS))
            self.check_totals(four, counts["after"])
            self.assertEqual(self.exported(four, counts["after"]), charges)
            self.assertEqual(self.finance(), charges)
            os.remove(self.database)
            self.assertEqual(self.finance(), charges)
            self.assertEqual(set(four.stop().values()), {0})


if __name__ == "__main__":
    unittest.main()
