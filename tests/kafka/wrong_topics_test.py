"""Topics that are not the ledger's any more: each start refuses them by name, with what mends it; a running service stops rather than
folding something else. And the settings of the client: what is reserved, what is secret, TLS."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import needs  # noqa: E402
from needs import SOURCE  # noqa: E402

needs.kafka_client()
import kafka_broker  # noqa: E402
from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType  # noqa: E402
from four_services import PROGRAM, SERVICES, examples, four_services, free_ports, send_examples, topics  # noqa: E402

INBOXES = {"granary.applications.v1": "intake", "granary.usage.v1": "metering", "granary.allocations.v1": "allocation", "granary.ledger.v1": "billing"}
KEEP = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false"}


class WithLedger(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.broker = self.enterContext(kafka_broker.Broker())
        self.four = self.enterContext(four_services(self.broker))
        self.admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, "log_level": 2})

    def fill(self):
        """Something in every inbox, folded and committed."""
        status, answer = self.four["intake"].post(examples())
        self.assertEqual((status, answer["refused"]), (202, 0), answer)
        self.four["intake"].rows("/v1/charges?after=" + answer["after"])

    def stop_all(self):
        self.assertEqual(set(self.four.stop().values()), {0})

    def refused(self, service):
        """What it says instead of starting."""
        one = self.four[service]
        one.begin()
        _, said = one.process.communicate(timeout=60)
        self.assertEqual(one.process.returncode, 3, said)
        return self.told(said.splitlines(), "cannot_start")

    def told(self, lines, event):
        """The cause that a line of this event names, at level error."""
        (line,) = [line for line in map(json.loads, lines) if line["event"] == event and line["level"] == "error"]
        return line["cause"]

    def starts(self):
        self.four.start()
        self.stop_all()

    def set_topic(self, topic, name, value):
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)])
        self.admin.incremental_alter_configs([resource])[resource].result(30)

    def delete(self, *names):
        for done in self.admin.delete_topics(list(names)).values():
            done.result(30)
        while set(names) & self.admin.list_topics(timeout=30).topics.keys():
            pass

    def make(self, topic, partitions):
        self.admin.create_topics([NewTopic(topic, partitions, 1, config=KEEP)])[topic].result(30)
        while topic not in self.admin.list_topics(timeout=30).topics:  # the broker hears of it from its controller
            pass

    def folder(self, topic, partition):
        return os.path.join(self.broker.data, "log", f"{topic}-{partition}")


class AtStart(WithLedger):
    def test_settings_that_lose_records(self):
        self.stop_all()
        for topic, name, wrong in (("granary.usage.v1", "retention.ms", "604800000"), ("granary.billing.v1", "retention.bytes", "1000000"),
                                   ("granary.ledger.v1", "cleanup.policy", "compact")):
            self.set_topic(topic, name, wrong)
            for service in ("intake", "billing"):
                said = self.refused(service)
                self.assertIn(f"expected topic {topic} with {name}={KEEP[name]}, got {wrong}", said)
            code, _, checked = topics(self.broker, "--check")
            self.assertEqual(code, 1)
            command = re.search(r"hint: kafka-configs\.sh --bootstrap-server (\S+) --alter --entity-type topics --entity-name (\S+) "
                                r"--add-config ([\w.]+)=(\S+)", said)
            self.assertIn(command.group(0), checked)
            self.assertEqual(command.group(1), self.broker.bootstrap)
            self.set_topic(*command.groups()[1:])  # what the command does
            self.assertEqual(topics(self.broker, "--check")[0], 0)
        self.starts()

    def test_a_topic_that_is_missing(self):
        self.stop_all()
        self.delete("granary.notices.v1")
        said = self.refused("metering")
        self.assertIn("expected topic granary.notices.v1", said)
        command = re.search(r"granary topics --create --brokers (\S+)$", said.strip())
        self.assertEqual(command.group(1), self.broker.bootstrap)
        self.assertEqual(topics(self.broker, "--create")[0], 0)
        self.starts()
        self.delete("granary.applications.v1")
        self.assertRegex(self.refused("billing"), r"expected a ledger at \S+, found none; hint: granary topics --create --brokers \S+")

    def test_another_number_of_partitions(self):
        self.stop_all()
        self.delete("granary.notices.v1")
        self.make("granary.notices.v1", 3)
        said = self.refused("allocation")
        self.assertIn("expected topic granary.notices.v1 with 4 partitions, got 3", said)
        self.assertIn("granary topics --check --brokers " + self.broker.bootstrap, said)
        code, _, said = topics(self.broker, "--check")
        self.assertEqual(code, 1)
        self.assertIn("granary.notices.v1: expected 4 partitions", said)
        code, _, said = topics(self.broker, "--create", "--partitions", "5")
        self.assertEqual(code, 3)
        self.assertIn("4 partitions, not 5", said)

    def test_another_ledgers_genesis(self):
        self.stop_all()
        consumer = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "test", "auto.offset.reset": "error"})
        consumer.assign([TopicPartition("granary.usage.v1", 2, 0)])
        genesis = consumer.poll(30).value()
        consumer.close()
        every = [name for name in self.admin.list_topics(timeout=30).topics if name.startswith("granary.")]
        self.delete(*every)
        for one in self.four:
            shutil.rmtree(one.data)
        self.assertEqual(topics(self.broker, "--create", "--partitions", "4")[0], 0)
        self.delete("granary.usage.v1")
        self.make("granary.usage.v1", 4)
        self.assertIn("granary.usage.v1/0 is empty, without the genesis record", self.refused("billing"))
        producer = Producer({"bootstrap.servers": self.broker.bootstrap})
        for partition in range(4):
            producer.produce("granary.usage.v1", genesis, partition=partition)
        self.assertEqual(producer.flush(30), 0)
        for service in self.four.services:
            self.assertRegex(self.refused(service), r"granary.usage.v1/0 belongs to ledger [0-9a-f]{32} of 4 partitions, this is ledger")
        code, _, said = topics(self.broker, "--check")
        self.assertEqual(code, 1)
        self.assertIn("granary.usage.v1/0 belongs to ledger", said)

    def test_a_topic_made_anew(self):
        self.fill()
        self.stop_all()
        self.delete("granary.ledger.v1")
        self.make("granary.ledger.v1", 4)
        for service in ("allocation", "billing"):
            self.assertIn("granary.ledger.v1/0 is empty, without the genesis record of its ledger", self.refused(service))
        self.assertEqual(topics(self.broker, "--create")[0], 0)  # as if the ledger were being made: the state knows better
        said = self.refused("billing")
        self.assertRegex(said, r"the journal is shorter than what was folded from it: granary.ledger.v1/\d ends at \d+, the state has folded \d+")
        self.assertIn("restore the journal", said)

    def test_records_that_were_deleted(self):
        self.fill()
        self.stop_all()
        where = TopicPartition("granary.applications.v1", 0, 5)
        self.admin.delete_records([where])[where].result(30)
        for service in self.four.services:
            self.assertIn("expected granary.applications.v1/0 to begin at record 0, but it begins at 5", self.refused(service))

    def test_a_log_that_lost_its_end(self):
        early = self.copies()
        self.fill()
        self.stop_all()
        self.broker.stop()
        self.put_back(early)
        self.broker.start()
        for topic, service in INBOXES.items():
            said = self.refused(service)
            self.assertRegex(said, rf"the journal is shorter than what was folded from it: {topic}/\d ends at \d+, the state has folded \d+")

    def copies(self):
        """Of the inboxes' files as they are on disk now, with no broker that writes them."""
        self.stop_all()
        self.broker.stop()
        kept = self.enterContext(tempfile.TemporaryDirectory())
        for topic in INBOXES:
            for partition in range(1 if topic == "granary.applications.v1" else 4):
                shutil.copytree(self.folder(topic, partition), os.path.join(kept, f"{topic}-{partition}"))
        self.broker.start()
        self.four.start()
        return kept

    def put_back(self, kept):
        for name in os.listdir(kept):
            shutil.rmtree(os.path.join(self.broker.data, "log", name))
            shutil.copytree(os.path.join(kept, name), os.path.join(self.broker.data, "log", name))


class WhileItRuns(AtStart):
    def ends(self, service):
        """What it says when it stops by itself."""
        one = self.four[service]
        self.assertEqual(one.process.wait(timeout=90), 1, one.lines)
        one.ended()
        return self.told(one.lines, "stopping")

    def test_a_topic_made_anew(self):
        self.fill()
        for topic, service in INBOXES.items():
            self.delete(topic)
            self.make(topic, 1 if service == "intake" else 4)
        for topic, service in INBOXES.items():
            said = self.ends(service)
            self.assertRegex(said, r"granary\.\w+\.v1")
            self.assertRegex(said, "the topic was cut or made anew|the topic is not there|holds less than was acknowledged")

    def test_a_log_that_lost_its_end(self):
        early = self.copies()
        self.fill()
        self.broker.stop()
        self.put_back(early)
        self.broker.start()
        for service in INBOXES.values():
            self.assertRegex(self.ends(service), r"granary\.\w+\.v1/\d.*(the topic was cut or made anew|holds less than was acknowledged)")

    # Settings, counts and missing topics are looked at by a start alone.
    test_settings_that_lose_records = test_a_topic_that_is_missing = test_another_number_of_partitions = None
    test_another_ledgers_genesis = test_records_that_were_deleted = None


class ClientSettings(unittest.TestCase):
    SECRET = "correct-horse-battery"

    def run_service(self, *arguments, brokers="127.0.0.1:1"):
        with tempfile.TemporaryDirectory() as data:
            done = subprocess.run([os.path.join(SERVICES, "metering", "granary-metering"), "--brokers", brokers, "--data", data,
                                   "--listen", "127.0.0.1:0", *arguments], capture_output=True, text=True, timeout=60, check=False)
        self.assertNotIn(self.SECRET, done.stdout + done.stderr)
        return done.returncode, done.stderr

    def test_what_the_log_depends_on_is_nobodys_to_set(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            for key, value in (("acks", "1"), ("enable.idempotence", "false"), ("group.id", "x"), ("message.timeout.ms", "1000"),
                               ("enable.gapless.guarantee", "false"), ("auto.offset.reset", "earliest"), ("check.crcs", "false")):
                file.seek(0)
                file.truncate()
                print(f"# a comment\n{key} = {value}", file=file, flush=True)
                for way in (("--kafka", f"{key}={value}"), ("--kafka-file", file.name)):
                    code, said = self.run_service(*way)
                    self.assertEqual(code, 3, said)
                    self.assertIn(f"`{key}`, which the log's guarantees depend on", said)

    def test_secrets_are_not_printed(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            print(f"security.protocol=sasl_ssl\nsasl.mechanism=PLAIN\nsasl.username=granary\nsasl.password={self.SECRET}", file=file, flush=True)
            self.assertEqual(self.run_service("--kafka-file", file.name, "--kafka", "ssl.ca.location=/nonexistent")[0], 3)
            print(f"no.such.setting={self.SECRET}", file=file, flush=True)
            code, said = self.run_service("--kafka-file", file.name)
            self.assertEqual(code, 3)
            self.assertIn("`no.such.setting`", said)
            print(self.SECRET, file=file, flush=True)
            code, said = self.run_service("--kafka-file", file.name)
            self.assertEqual(code, 3)
            self.assertIn("line 6: expected KEY=VALUE", said)
        for pair in (f"enable.ssl.certificate.verification={self.SECRET}", f"={self.SECRET}", self.SECRET):
            self.assertEqual(self.run_service("--kafka", pair)[0], 3)

    def test_tls(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        key, certificate, both = (os.path.join(folder, name) for name in ("key.pem", "certificate.pem", "both.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], capture_output=True, check=True)
        pathlib.Path(both).write_text(pathlib.Path(key).read_text() + pathlib.Path(certificate).read_text(), encoding="ascii")
        plain, secure, control = free_ports(3)
        broker = kafka_broker.Broker(settings={
            "listeners": f"BROKER://127.0.0.1:{plain},TLS://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{control}",
            "advertised.listeners": f"BROKER://127.0.0.1:{plain},TLS://127.0.0.1:{secure}",
            "listener.security.protocol.map": "BROKER:PLAINTEXT,TLS:SSL,CONTROLLER:PLAINTEXT",
            "controller.quorum.voters": f"1@127.0.0.1:{control}", "ssl.keystore.type": "PEM", "ssl.keystore.location": both})
        broker.port = plain
        self.enterContext(broker)
        broker.port = secure
        trusted = ["--kafka", "security.protocol=ssl", "--kafka", f"ssl.ca.location={certificate}"]
        code, _, said = topics(broker, "--create", "--partitions", "1", *trusted)
        self.assertEqual(code, 0, said)
        code, said = self.run_service("--kafka", "security.protocol=ssl", brokers=broker.bootstrap)
        self.assertEqual(code, 3, "a certificate that nobody trusts")
        with four_services(broker, partitions=1, arguments=trusted, topics_arguments=trusted) as four:
            after = send_examples(self, four)
            self.assertEqual(len(four["intake"].rows("/v1/charges?after=" + after)), 2)
        told = subprocess.run([PROGRAM, "tail", "billing", "--brokers", broker.bootstrap, "--json", *trusted], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((told.returncode, len(told.stdout.splitlines())), (0, 3), told.stderr)


if __name__ == "__main__":
    unittest.main()
