"""A rolling upgrade over Kafka: the processes of this build are replaced by those of the next one (tests/next_build), one after the other; its
rules version comes into force once all know it, and if it is forced before, the process of this build parks by name and its successor goes on."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import NEXT, NEXT_SERVICES  # noqa: E402
import kafka_broker  # noqa: E402
from four_services import four_services  # noqa: E402
from two_builds import HOUR, REPORT, decisions, send, until, used  # noqa: E402

PARTITIONS = 3
MACHINES = ("intake", "metering", "allocation", "billing")
PROJECT = REPORT["data"]["project"]


def jobs(name, count, weight=0):
    data = {**REPORT["data"], **({"weight": weight} if weight else {})}
    return [{**REPORT, "id": f"{name}-{n}", "data": data} for n in range(count)]


class RollingUpgrade(unittest.TestCase):
    maxDiff = None

    def upgrade(self, four, machine):
        service = four[machine]
        self.assertEqual(service.stop(), 0, "in order, parked or not")
        service.program = os.path.join(NEXT_SERVICES, machine, f"granary-{machine}")
        service.start()

    def in_force(self, four):
        code, out, err = four["billing"].run("rules", "--json")
        self.assertEqual((code, err), (0, ""))
        return {(shard["machine"], shard["shard"]): shard["rules"] for shard in json.loads(out)["shards"]}

    def charged(self, four):
        (gpu,) = [row for row in four["allocation"].rows("/v1/projects") if (row["project"], row["resource"]) == (PROJECT, "gpu:h200")]
        return (int(gpu["used"]) + int(gpu["uncovered"])) // (2 * HOUR)

    def check(self, last):
        """`last` is still of this build when version 2 is forced."""
        broker = self.enterContext(kafka_broker.Broker())
        with four_services(broker, partitions=PARTITIONS) as four:
            after = send(self, four["billing"], decisions())["after"]
            send(self, four["billing"], jobs("first", 6), f"/v1/events?after={after}")
            for machine in MACHINES:
                if machine != last:
                    self.upgrade(four, machine)
            after = send(self, four["billing"], jobs("both", 6))["after"]
            self.assertEqual(used(four["intake"], after)[PROJECT][0], 12, "both builds work together under version 1")
            self.assertEqual(set(self.in_force(four).values()), {1})
            door = four["intake" if last != "intake" else "metering"]
            status, answer = door.post(jobs("early", 1, weight=3))
            self.assertEqual((status, answer["type"]), (503, "urn:granary:problem:rules_not_in_force"), answer)

            code, _, err = door.run("rules", "activate", "2")
            self.assertEqual(code, 1)
            self.assertIn(f"{four[last].url} knows the rules versions up to 1, not 2: its partitions would be parked\n", err)
            self.assertEqual(set(self.in_force(four).values()), {1}, "nothing was sent")
            code, out, _ = door.run("rules", "activate", "2", "--force")
            self.assertEqual(code, 0, out)
            parked = until(lambda: [s for s in four[last].get("/v1/status")["shards"] if s.get("parked")])
            self.assertEqual({shard["machine"] for shard in parked}, {last})
            for shard in parked:
                self.assertIn("rules version 2, of which this build knows nothing; it knows up to 1", shard["parked"])
            self.assertEqual(door.get("/livez"), {"live": True}, "the rest serves")

            self.upgrade(four, last)
            until(lambda: set(self.in_force(four).values()) == {2})
            # A door learns of an owner elsewhere when it asks for the first time.
            status, answer = until(lambda: (got := door.post(jobs("weighted", 4, weight=3)))[0] != 503 and got)
            self.assertEqual((status, {one["outcome"]["judgement"] for one in answer["results"]}), (202, {"new"}), answer)
            self.assertEqual(used(four["intake"], answer["after"])[PROJECT][0], 16)
            self.assertEqual(self.charged(four), 12 + 4 * 3)
            code, _, err = door.run("status", "--check", "--lag-seconds-max", "1000000")
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(set(four.stop().values()), {0})
            replayed = subprocess.run([NEXT, "replay", "--brokers", broker.bootstrap, *sum((["--data", one.data] for one in four), [])],
                                      capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(replayed.returncode, 0, replayed.stderr)

    def test_intake_last(self):
        self.check("intake")

    def test_metering_last(self):
        self.check("metering")

    def test_allocation_last(self):
        self.check("allocation")

    def test_billing_last(self):
        self.check("billing")


if __name__ == "__main__":
    unittest.main()
