"""README, "Over Kafka": its commands are run as they stand, but for where things lie and listen, and what it shows is what comes out."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE  # noqa: E402
import kafka_broker  # noqa: E402
from four_services import MACHINES, PROGRAM, SERVICES, examples, free_ports  # noqa: E402
from granary_server import Server  # noqa: E402


class OverKafka(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        section = pathlib.Path(SOURCE, "README.md").read_text(encoding="utf-8").split("\n## Over Kafka\n")[1].split("\n## ")[0]
        self.local, self.commands, self.peers, self.shown = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
        self.tail = re.search(r"`granary (tail [^`]*)`", section).group(1)

    def test_its_commands(self):
        broker = self.enterContext(kafka_broker.Broker())
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ports = dict(zip(("8081", "8082", "8083", "8084"), free_ports(4)))

        def here(text):
            text = text.replace("localhost:9092", broker.bootstrap).replace("data/", folder + "/").replace("--peers peers", f"--peers {folder}/peers")
            return re.sub(r"808[1-4]", lambda port: str(ports[port.group()]), text)

        pathlib.Path(folder, "peers").write_text(here(self.peers), encoding="ascii")
        create, *starts = here(self.commands).strip().splitlines()
        subprocess.run([PROGRAM, *create.split()[1:]], check=True, capture_output=True, timeout=60)
        servers = []
        for machine, line in zip(MACHINES, starts):
            program, *arguments = line.removesuffix(" &").split()
            self.assertEqual(program, "granary-" + machine)
            values = dict(zip(arguments[::2], arguments[1::2]))
            server = Server(os.path.join(SERVICES, machine, program), values.pop("--data"), command=(), tool=PROGRAM)
            server.begin(*(word for pair in values.items() if pair[0] != "--listen" for word in pair), listen=values["--listen"])
            self.addCleanup(lambda one=server: one.process.poll() is None and (one.process.kill(), one.process.wait()))
            servers.append(server)
        for server in servers:
            server.started()
        after = ""
        for event in examples():
            status, answer = servers[3].post([event], "/v1/events" + (f"?after={after}" if after else ""))
            self.assertEqual((status, answer["refused"]), (202, 0), answer)
            after = answer["after"]
        servers[0].rows("/v1/charges?after=" + after)
        while True:  # published a moment after it is folded
            told = subprocess.run([PROGRAM, *here(self.tail).split()], capture_output=True, text=True, check=True, timeout=60).stdout
            if told.count("\n") >= self.shown.count("\n"):
                break
        self.assertEqual(told, self.shown)
        self.assertEqual([server.stop() for server in servers], [0, 0, 0, 0])

    def test_the_one_command_is_there(self):
        self.assertTrue(os.access(os.path.join(SOURCE, self.local.strip()), os.X_OK))


if __name__ == "__main__":
    unittest.main()
