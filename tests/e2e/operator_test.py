"""What an operator sees of a real server: its log lines, `granary status`, and both with a partition that is parked."""
import glob
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402

USAGE = glob.glob(os.path.join(SOURCE, "schemas", "examples", "*usage.reported*.json"))[0]


def usage(**changes):
    return {**json.loads(pathlib.Path(USAGE).read_text(encoding="utf-8")), **changes}


def on_a_terminal(*command):
    """What a command writes where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that nobody has the terminal open any more
            part = b""
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(timeout=60), written.decode()


class Operator(unittest.TestCase):
    def of(self, granary, event):
        return [line for line in map(json.loads, granary.lines) if line["event"] == event]

    def test_every_line_is_json_and_says_where(self):
        with server(PROGRAM, "--log", "json") as granary:
            granary.post([usage(time="no \"time\"\n"), usage(id="unknown \"class\"", data={
                **usage()["data"], "resources": [{"class": "gpu:none", "quantity": "1"}]})])
            granary.post({"not": "events"})
            self.assertEqual(granary.stop(), 0)
        for line in granary.lines:
            parsed = json.loads(line)
            self.assertRegex(parsed["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
            self.assertIn(parsed["level"], ["info", "warn", "error"])
            self.assertTrue(parsed["event"] and parsed["message"], line)
        self.assertEqual(json.loads(granary.lines[0])["url"], granary.url)
        self.assertEqual([line["event"] for line in map(json.loads, granary.lines)][-2:], ["stopping", "stopped"])
        self.assertEqual(len(self.of(granary, "event_refused")), 1)
        self.assertEqual([line["cause"] for line in self.of(granary, "request_refused")], ["malformed"])
        refused = self.of(granary, "record_refused")
        self.assertEqual([(line["level"], line["machine"], line["cause"], line["id"], line["topic"]) for line in refused],
                         [("info", "metering", "unknown_resource_class", "unknown \"class\"", "granary.usage.v1")])
        self.assertEqual(refused[0]["partition"], refused[0]["shard"])
        self.assertGreater(refused[0]["position"], 0)

    def test_text_has_one_line_an_event_and_a_pipe_gets_json(self):
        with server(PROGRAM, "--log", "text") as granary:
            self.assertEqual(granary.stop(), 0)
            for line in granary.lines:
                self.assertRegex(line, r"^\d{4}-\S+Z (info|warn|error) [a-z_]+: \S")
            granary.start()
            self.assertEqual(granary.stop(), 0)
            self.assertTrue(all(json.loads(line) for line in granary.lines))
            again = subprocess.run([PROGRAM, "serve", "--data", granary.data, "--listen", "nonsense"], capture_output=True, text=True)
            self.assertEqual(again.returncode, 2)
            self.assertEqual(json.loads(again.stderr)["event"], "cannot_start")

    def test_status_shows_every_shard_and_check_is_content(self):
        with server(PROGRAM, "--partitions", "2") as granary:
            code, out, err = granary.run("status")
            self.assertEqual((code, err), (0, ""))
            rows = [line.split() for line in out.splitlines()[1:8]]
            self.assertEqual([row[:3] for row in rows], [[machine, str(shard), granary.url] for machine, shards in
                                                         [("intake", 1), ("metering", 2), ("allocation", 2), ("billing", 2)]
                                                         for shard in range(shards)])
            self.assertIn("clock running", out)
            self.assertEqual(granary.run("status", "--check")[0], 0)
            code, out, err = granary.run("status", "--json")
            self.assertEqual(code, 0)
            for shard in json.loads(out)["shards"]:
                self.assertEqual((shard["owner"], shard["lag_records"], shard["lag_seconds"], shard["outbox_packets"]),
                                 (granary.url, 0, 0, 0))
            self.assertNotIn("\033[31m", on_a_terminal(PROGRAM, "status", "--url", granary.url)[1])
            self.assertEqual(granary.stop(), 0)
            code, out, err = granary.run("status")
            self.assertEqual((code, out), (3, ""))
            self.assertEqual(err.count("\n"), 1)

    def test_a_parked_partition_is_seen_everywhere(self):
        with server(PROGRAM, "--partitions", "2") as granary:
            # A little ahead of where it stands: a tick may come until it stops.
            position = 5 + next(s["position"] for s in granary.get("/v1/status")["shards"] if (s["machine"], s["shard"]) == ("metering", 1))
            self.assertEqual(granary.stop(), 0)
            version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout.strip()
            # As a fold leaves it that broke a law there.
            marker = pathlib.Path(granary.data, "state", "parked-metering-1")
            marker.write_text(f"{version} {position} a law\n", encoding="utf-8")
            granary.start()
            granary.post([usage(id=f"job-{n}") for n in range(40)], wait=0)  # half of them come to that shard
            shard, deadline = {}, time.monotonic() + 60
            while not shard.get("parked") and time.monotonic() < deadline:
                shard = next(s for s in granary.get("/v1/status")["shards"] if (s["machine"], s["shard"]) == ("metering", 1))
            self.assertIn("parked", shard)
            self.assertEqual(shard["position"], position)
            self.assertGreater(shard["lag_records"], 0)
            code, out, _ = granary.run("status")
            self.assertEqual(code, 0)
            self.assertIn("broke a law", next(line for line in out.splitlines() if line.startswith("metering") and line.split()[1] == "1"))
            self.assertNotIn("\033", out)
            code, out, err = granary.run("status", "--check")
            self.assertEqual(code, 1)
            self.assertRegex(err, rf"^granary: metering shard 1 is parked at record {position}: .*\n$")
            code, out = on_a_terminal(PROGRAM, "status", "--url", granary.url)
            self.assertEqual(code, 0)
            self.assertEqual(len(re.findall("\033\\[31mmetering", out)), 1)
            self.assertEqual(granary.stop(), 0)
            parked = self.of(granary, "partition_parked")
            self.assertEqual([(line["level"], line["topic"], line["partition"], line["position"]) for line in parked],
                             [("error", "granary.usage.v1", 1, position)])


if __name__ == "__main__":
    unittest.main()
