"""The broker that the other tests stand on: what it acknowledged is there after `kill -9`, on the same address; a pause loses nothing; it
stops in order; one that cannot start is an error that shows why."""
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import needs  # noqa: E402

needs.kafka_client()
import kafka_broker  # noqa: E402
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewTopic  # noqa: E402

WITH_KAFKA = os.path.join(os.path.dirname(kafka_broker.__file__), "with_kafka.py")


def client(bootstrap, **settings):
    return {"bootstrap.servers": bootstrap, "log_level": 2, **{name.replace("_", "."): value for name, value in settings.items()}}


def produce(producer, first, last):
    errors = []
    for number in range(first, last):
        producer.produce("numbers", str(number), partition=number % 2, on_delivery=lambda error, _: error and errors.append(error))
    assert producer.flush(30) == 0 and not errors, errors


def read(bootstrap, count):
    consumer = Consumer(client(bootstrap, group_id="test", enable_auto_commit=False, auto_offset_reset="error"))
    consumer.assign([TopicPartition("numbers", partition, 0) for partition in range(2)])
    try:
        messages = consumer.consume(count, timeout=30)
    finally:
        consumer.close()
    return sorted((message.partition(), message.offset(), message.value().decode()) for message in messages)


def expected(count):
    return sorted((number % 2, number // 2, str(number)) for number in range(count))


class BrokerTest(unittest.TestCase):
    def test_keeps_what_it_acknowledged(self):
        with kafka_broker.Broker() as broker:
            admin = AdminClient(client(broker.bootstrap))
            admin.create_topics([NewTopic("numbers", 2, 1)])["numbers"].result(30)
            producer = Producer(client(broker.bootstrap, acks="all", enable_idempotence=True))
            produce(producer, 0, 1000)
            bootstrap = broker.bootstrap
            broker.restart()
            self.assertEqual(broker.bootstrap, bootstrap)
            self.assertEqual(read(bootstrap, 1000), expected(1000))

            broker.pause()
            with self.assertRaises(KafkaException):
                AdminClient(client(bootstrap)).list_topics(timeout=0.5)
            broker.resume()
            produce(producer, 1000, 1010)
            broker.stop()
            self.assertEqual(broker.process.returncode, 128 + signal.SIGTERM)
            broker.start()
            self.assertEqual(read(bootstrap, 1010), expected(1010))

    def test_failure_shows_the_log(self):
        with self.assertRaisesRegex(RuntimeError, "group.initial.rebalance.delay.ms"):
            kafka_broker.Broker(settings={"group.initial.rebalance.delay.ms": "soon"}).__enter__()

    def test_with_kafka(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, WITH_KAFKA, "--", sys.executable, "-c", PROGRAM], check=False,
                                  env={**os.environ, "TMPDIR": folder})
            self.assertEqual(done.returncode, 7)
            self.assertEqual(os.listdir(folder), [])


# What a test that with_kafka.py runs can do to its broker: kill it, and start it again.
PROGRAM = """
import os, signal, subprocess, sys
from confluent_kafka.admin import AdminClient
def topics():
    return AdminClient({"bootstrap.servers": os.environ["GRANARY_TEST_BROKERS"], "log_level": 2}).list_topics(timeout=30)
topics()
os.kill(int(os.environ["GRANARY_TEST_BROKER_PID"]), signal.SIGKILL)
again = subprocess.Popen(os.environ["GRANARY_TEST_BROKER_COMMAND"], shell=True, stdout=subprocess.PIPE, text=True)
assert again.stdout.readline() == os.environ["GRANARY_TEST_BROKERS"] + "\\n"
topics()
again.terminate()
sys.exit(7 if again.wait() == 128 + signal.SIGTERM else 1)
"""


if __name__ == "__main__":
    unittest.main()
