"""The four services over a real broker, each a process of its own on a free loopback port, stopped by their ids."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import kafka_broker
from granary_server import Server
from needs import PROGRAM, SERVICES

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy", "kafka"))
from free_ports import free_ports  # noqa: E402

MACHINES = ("intake", "metering", "allocation", "billing")
ONE_EACH = tuple((machine, machine, "all") for machine in MACHINES)


def examples():
    """The events of schemas/examples, in order."""
    folder = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "examples"
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def send_examples(test, four):
    """Each at another process than the one before, after what came before it is folded where it goes; the last one's token."""
    services = list(four)
    after = ""
    for number, event in enumerate(examples()):
        status, answer = services[number % len(services)].post([event], "/v1/events" + (f"?after={after}" if after else ""))
        test.assertEqual((status, answer["refused"]), (202, 0), answer)
        test.assertEqual(answer["results"][0]["outcome"]["judgement"], "new", event)
        after = answer["after"]
    return after


def topics(broker, *arguments):
    """`granary topics`: (exit code, standard output, standard error)."""
    done = subprocess.run([PROGRAM, "topics", "--brokers", broker.bootstrap, *arguments], capture_output=True, text=True, timeout=120,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Service(Server):
    """One of them; start() and stop() may be repeated, always where it listened first."""

    def __init__(self, four, name, machine, shards, port):
        program = four.program or os.path.join(SERVICES, machine, "granary-" + machine)
        super().__init__(program, os.path.join(four.data, name), command=("--machine", machine) if four.program else (), tool=PROGRAM)
        self.four = four
        self.machine = machine
        self.shards = shards
        self.url = f"http://127.0.0.1:{port}"

    def begin(self, *arguments, environment=None, listen=None):
        super().begin("--brokers", self.four.broker.bootstrap, "--shards", self.shards, "--peers", self.four.peers, *self.four.arguments,
                      *arguments, environment=environment, listen=self.url.removeprefix("http://"))


class FourServices:
    """What a test asks of a Server it asks of one of these by name: four["billing"].get(...)."""

    def __init__(self, broker, data, processes=ONE_EACH, arguments=(), program=None):
        """`processes`: (name, machine, shards) of each; `program`: one for all, which is told its machine."""
        self.program = program
        self.broker = broker
        self.data = data
        self.arguments = arguments
        self.peers = os.path.join(data, "peers")
        self.services = {name: Service(self, name, machine, shards, port)
                         for (name, machine, shards), port in zip(processes, free_ports(len(processes)))}
        with open(self.peers, "w", encoding="utf-8") as peers:
            peers.writelines(f"{one.url} {one.machine} {one.shards}\n" for one in self)

    def __getitem__(self, name):
        return self.services[name]

    def __iter__(self):
        return iter(self.services.values())

    def start(self):
        for one in self:
            one.begin()
        for one in self:
            one.started()
        return self

    def stop(self):
        """The exit codes by name."""
        return {name: one.stop() for name, one in self.services.items()}

    def tell(self):
        """What each said last and how it ended, for whoever looks into a failure."""
        for name, one in self.services.items():
            said = "".join(getattr(one, "lines", [])[-5:])
            print(f"{name} (exit code {one.process and one.process.poll()}): {said}", file=sys.stderr)

    def kill(self):
        for one in self:
            if one.process is not None and one.process.poll() is None:
                one.process.kill()
                one.process.wait()


@contextlib.contextmanager
def four_services(broker, partitions=4, processes=ONE_EACH, arguments=(), topics_arguments=(), program=None):
    """Makes the ledger in the broker and starts everything."""
    with tempfile.TemporaryDirectory() as data:
        code, _, said = topics(broker, "--create", "--partitions", str(partitions), *topics_arguments)
        if code != 0:
            raise RuntimeError(said)
        four = FourServices(broker, data, processes, arguments, program)
        try:
            yield four.start()
        except BaseException:
            four.tell()
            raise
        finally:
            four.kill()
