"""Two builds over one ledger in Kafka: processes of the older one park, by name, the partition in which an event stands that only the newer
one knows, whether a door appended it or a machine sent it; the rest serves; the newer build goes on from there, and nothing is lost."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import SOURCE  # noqa: E402
import kafka_broker  # noqa: E402
from four_services import PROGRAM, four_services  # noqa: E402
from two_builds import (INTERIM, NUMBER, OLDER, PARKED, PARTITIONS, REPORT, check_everything, check_parked, decisions, jobs,  # noqa: E402
                        quantities, send, send_to_parked, stuck, until, used)


class TwoBuilds(unittest.TestCase):
    maxDiff = None

    def older(self, four, machine):
        """The same process, of the older build, on the same data; what gives the newer one back."""
        service = four[machine]
        self.assertEqual(service.stop(), 0)
        newer = service.program, service.command
        service.program, service.command = OLDER, ["--machine", machine]
        service.start()

        def newer_again():
            self.assertEqual(service.stop(), 0, "in order, parked as it is")
            service.program, service.command = newer
            service.start()
        return newer_again

    def check(self, machine, plant):
        """`plant` appends what the older build's `machine` cannot read."""
        broker = self.enterContext(kafka_broker.Broker())
        with four_services(broker, partitions=PARTITIONS) as four:
            after = send(self, four["billing"], decisions())["after"]
            first = jobs("first")
            send(self, four["billing"], first, f"/v1/events?after={after}")
            newer_again = self.older(four, machine)
            self.assertIn("0.0.1-older", "".join(four[machine].lines))
            second = jobs("second")
            after = send(self, four["billing"], second)["after"]
            self.assertEqual(used(four["intake"], after), quantities(first + second), "both builds work together while both know all events")
            _, refused = four[machine].post([INTERIM])
            self.assertEqual(refused["results"][0]["problem"]["type"], "urn:granary:problem:unknown_type")

            where = plant(four)
            position = check_parked(self, four[machine], machine, f"number {NUMBER[machine]}" if machine == "metering" else "of a lane",
                                    asked=four["billing"])
            if where is not None:
                self.assertEqual(position, where)

            third = jobs("third")
            if machine == "metering":
                send_to_parked(self, four["billing"], third, PARKED[machine])
            else:
                send(self, four["billing"], third)
            gone_on = quantities(first + second + [one for one in third if not stuck(one, machine)])
            until(lambda: used(four["intake"]) == gone_on)
            for row in four["intake"].rows("/v1/sources"):
                self.assertEqual(row["received"], row["metered"] + row["repeated"] + row["rejected"] + row["pending"])
                self.assertEqual(row["received"], len(first + second) + sum(machine != "metering" or not stuck(one, machine) for one in third))
            self.assertEqual(check_parked(self, four[machine], machine, "that this build"), position, "it stands where it stood")

            newer_again()
            fourth = [REPORT, *jobs("fourth")]
            after = send(self, four["billing"], fourth)["after"]
            events = first + second + third + fourth
            check_everything(self, list(four), after, events)
            _, answer = four["billing"].post([INTERIM, *events])
            self.assertEqual({one["outcome"]["judgement"] for one in answer["results"]}, {"repeat"}, "each is there")
            code, _, err = four["billing"].run("status", "--check", "--lag-seconds-max", "1000000")
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(set(four.stop().values()), {0})
            replayed = subprocess.run([PROGRAM, "replay", "--brokers", broker.bootstrap, *sum((["--data", one.data] for one in four), [])],
                                      capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(replayed.returncode, 0, replayed.stderr)

    def test_an_event_of_the_newer_builds_door(self):
        def plant(four):
            status, answer = four["billing"].post([INTERIM], wait=1)
            self.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, "unknown"), answer)
            receipt = answer["results"][0]["receipt"]
            self.assertEqual(receipt["partition"], PARKED["metering"])
            return int(receipt["offset"])
        self.check("metering", plant)

    def test_an_event_of_the_newer_builds_machine(self):
        def plant(four):
            send(self, four["billing"], [INTERIM])
        self.check("allocation", plant)


if __name__ == "__main__":
    unittest.main()
