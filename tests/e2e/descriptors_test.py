"""A real server with few file descriptors: stores go first, connections get what is left, and nothing stops it."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from granary_server import Server  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402

EXAMPLES = sorted(pathlib.Path(SOURCE, "schemas", "examples").glob("*.json"))


def limited(data, soft, hard):
    return Server("prlimit", data, command=(f"--nofile={soft}:{hard}", PROGRAM, "serve"), tool=PROGRAM)


class Descriptors(unittest.TestCase):
    def test_idle_connections_do_not_take_files_from_the_stores(self):
        with tempfile.TemporaryDirectory() as data:
            granary = limited(data, 256, 1100).start()
            with open(f"/proc/{granary.process.pid}/limits", encoding="ascii") as limits:
                self.assertRegex(limits.read(), r"Max open files +1100 +1100 ")
            told = json.loads(granary.lines[-1])
            self.assertEqual(told["open_files_max"], 1100)
            self.assertLess(told["connections_max"], 200)
            kept = http.client.HTTPConnection(granary.url.split("//")[1], timeout=60)
            kept.request("GET", "/livez")
            self.assertEqual(kept.getresponse().read(), b'{"live":true}')
            address = (kept.host, kept.port)
            with contextlib.ExitStack() as idle:
                for _ in range(told["connections_max"] + 300):
                    with contextlib.suppress(OSError):
                        idle.enter_context(socket.create_connection(address, timeout=10))
                for file in EXAMPLES:
                    event = json.loads(file.read_text(encoding="utf-8"))
                    kept.request("POST", "/v1/events", json.dumps(event), {"Content-Type": "application/cloudevents+json", "Prefer": "wait=20"})
                    response = kept.getresponse()
                    answer = json.loads(response.read())
                    self.assertEqual((response.status, answer["accepted"]), (202, 1), answer)
            kept.close()
            after = answer["after"]
            self.assertEqual(len(granary.get(f"/v1/charges?after={after}")["rows"]), 2)
            self.assertEqual(granary.stop(), 0)

    def test_too_few_are_told_at_the_start(self):
        with tempfile.TemporaryDirectory() as data:
            started = subprocess.run(["prlimit", "--nofile=512:512", PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0"],
                                     capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(started.returncode, 3, started.stderr)
            told = json.loads(started.stderr.splitlines()[-1])
            self.assertEqual(told["event"], "cannot_start")
            self.assertIn("expected at least 960 open files", told["cause"])
            self.assertIn("ulimit -n 960", told["cause"])


if __name__ == "__main__":
    signal.alarm(300)
    sys.exit(unittest.main())
