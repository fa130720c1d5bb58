"""docs/finance-consumer: the sums of hand-made charge lines, exactly, whatever comes twice, whenever the consumer stops."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import needs  # noqa: E402

needs.kafka_client()
import kafka_broker  # noqa: E402
from confluent_kafka import Producer  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
CONSUME = os.path.join(ROOT, "docs", "finance-consumer", "consume.py")
TOPIC = "granary.billing.v1"
CHARGE = "granary.charge.rated.v1"


def example(number):
    with open(os.path.join(ROOT, "schemas", "examples", "derived", f"charge.rated-{number}.json"), encoding="utf-8") as file:
        return json.load(file)


def line(billed, covered="0.000000000", list_amount=None, **fields):
    return {**example(3), "list_amount": list_amount or billed, "covered_amount": covered, "billed_amount": billed, **fields}


def total(organisation, project, resource, period, currency, list_amount, covered_amount, billed_amount):
    return dict(organisation=organisation, project=project, resource=resource, period=period, currency=currency,
                list_amount=list_amount, covered_amount=covered_amount, billed_amount=billed_amount)


AURORA = [total("aurora", "aurora-llm", "gpu:h200", "2026-10", "EUR", "2.500000000", "2.500000000", "0.000000000"),
          total("aurora", "aurora-llm", "gpu:h200", "2026-11", "EUR", "2.400000000", "1.800000000", "0.600000000")]


class FinanceConsumerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = kafka_broker.Broker().__enter__()
        cls.addClassCleanup(cls.broker.close)
        cls.admin = AdminClient({"bootstrap.servers": cls.broker.bootstrap, "log_level": 2})
        cls.producer = Producer({"bootstrap.servers": cls.broker.bootstrap, "log_level": 2, "acks": "all", "enable.idempotence": True})
        cls.topics = 0

    def setUp(self):
        FinanceConsumerTest.topics += 1
        self.topic = f"{TOPIC}-{self.topics}"
        self.admin.create_topics([NewTopic(self.topic, 3, 1)])[self.topic].result(30)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.database = os.path.join(folder.name, "charges.sqlite")

    def produce(self, partition, number, data, ce_type=CHARGE, ledger="0ed1"):
        """As shared/fold/outward.cc writes it."""
        data, errors = {**data, "line": f"{partition}-{number}"}, []
        self.producer.produce(self.topic, json.dumps(data).encode(), key=data.get("organisation", ""), partition=partition,
                              headers={"ce_specversion": "1.0", "ce_id": f"{partition}-{number}",
                                       "ce_source": f"urn:granary:{ledger}:billing", "ce_type": ce_type,
                                       "content-type": "application/json"},
                              on_delivery=lambda error, _: error and errors.append(error))
        self.assertEqual(self.producer.flush(30), 0)
        self.assertEqual(errors, [])

    def command(self, *arguments):
        return [sys.executable, CONSUME, "--brokers", self.broker.bootstrap, "--topic", self.topic, "--database", self.database, *arguments]

    def consume(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def sums(self):
        return json.loads(self.consume("--until-end", "--json"))

    def test_sums_of_lines_that_come_again(self):
        for number in (1, 2, 1, 2, 3, 3):
            self.produce(1, number, example(number))
        self.assertEqual(self.sums(), AURORA)
        self.produce(1, 2, example(2))
        self.produce(1, 3, example(3))
        self.assertEqual(self.sums(), AURORA)
        os.remove(self.database)
        self.assertEqual(self.sums(), AURORA)
        rows = [line.split("\t") for line in self.consume("--until-end").splitlines()]
        self.assertEqual(rows, [list(AURORA[0]), *(list(line.values()) for line in AURORA)])

    def test_one_number_of_two_partitions_or_two_ledgers_is_two_lines(self):
        self.produce(0, 1, line("0.100000000"))
        self.produce(1, 1, line("0.200000000"))
        self.produce(1, 1, line("0.400000000"), ledger="77aa")
        self.assertEqual(self.sums(), [total("aurora", "aurora-llm", "gpu:h200", "2026-11", "EUR", "0.700000000", "0.000000000",
                                             "0.700000000")])

    def test_a_reversal_takes_its_line_back(self):
        for number in (1, 2, 3):
            self.produce(1, number, example(number))
        taken = {**example(3), "amount": "-900000000", "list_amount": "-0.600000000", "billed_amount": "-0.600000000", "revision": 1,
                 "booked": "2026-12", "corrects": "1-3"}
        self.produce(1, 4, taken)
        self.assertEqual(self.sums()[1], {**AURORA[1], "list_amount": "1.800000000", "billed_amount": "0.000000000"})
        self.produce(1, 5, line("0.240000000", amount="360000000", revision=1, booked="2026-12"))
        self.assertEqual(self.sums()[1], {**AURORA[1], "list_amount": "2.040000000", "billed_amount": "0.240000000"})

    def test_exact_where_floating_point_and_64_bits_are_not(self):
        for number in range(1, 11):
            self.produce(0, number, line("0.100000000"))
        self.produce(0, 11, line("79228162514264337593.543950336"))  # 2^96 of 10^-9
        self.produce(0, 12, line("-0.000000001"))
        self.assertEqual([line["billed_amount"] for line in self.sums()], ["79228162514264337594.543950335"])

    def test_groups(self):
        self.produce(0, 1, line("1.000000000", organisation="b"))
        self.produce(0, 2, line("2.000000000", project="b"))
        self.produce(0, 3, line("3.000000000", resource="b"))
        self.produce(0, 4, line("4.000000000", period="2026-12"))
        self.produce(0, 5, line("5.000000000", currency="CHF"))
        self.produce(0, 6, line("0.000000000", list_amount="6.000000000", funding="uncovered_record"))
        self.produce(0, 7, line("1.000000000", "2.000000000", "3.000000000", funding="share"))
        self.produce(0, 8, {"text": "of a type that came later"}, ce_type="granary.statement.issued.v1")
        none = "0.000000000"
        self.assertEqual(self.sums(), [
            total("aurora", "aurora-llm", "b", "2026-11", "EUR", "3.000000000", none, "3.000000000"),
            total("aurora", "aurora-llm", "gpu:h200", "2026-11", "CHF", "5.000000000", none, "5.000000000"),
            total("aurora", "aurora-llm", "gpu:h200", "2026-11", "EUR", "9.000000000", "2.000000000", "1.000000000"),
            total("aurora", "aurora-llm", "gpu:h200", "2026-12", "EUR", "4.000000000", none, "4.000000000"),
            total("aurora", "b", "gpu:h200", "2026-11", "EUR", "2.000000000", none, "2.000000000"),
            total("b", "aurora-llm", "gpu:h200", "2026-11", "EUR", "1.000000000", none, "1.000000000"),
        ])

    def test_goes_on_after_kill(self):
        self.produce(2, 1, example(1))
        running = subprocess.Popen(self.command())
        try:
            while self.stored() < 1:
                self.assertIsNone(running.poll())
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()
        self.produce(2, 2, example(2))
        self.produce(2, 3, example(3))
        self.assertEqual(json.loads(self.consume("--until-idle", "0.5", "--json")), AURORA)
        with sqlite3.connect(self.database) as database:
            self.assertEqual(database.execute("SELECT partition, next FROM positions").fetchall(), [(2, 3)])
            database.execute("DELETE FROM charges")
        self.assertEqual(self.sums(), [])  # nothing is read a second time

    def stored(self):
        """Lines in the database, by a look from outside."""
        try:
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
                return database.execute("SELECT count(*) FROM charges").fetchone()[0]
        except sqlite3.OperationalError:  # not made yet, or being written
            return 0

    def test_a_topic_that_is_not_there_is_an_error(self):
        done = subprocess.run([*self.command("--until-end"), "--topic", "unknown"], capture_output=True, text=True, timeout=120, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("consume: Broker: Unknown topic or partition", done.stderr)


if __name__ == "__main__":
    unittest.main()
