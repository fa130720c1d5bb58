"""What the benchmarks compute does not change: with the speed, the journal, a second run, or a fold from nothing.

  result_test.py PROGRAM         over the embedded journal
  result_test.py PROGRAM kafka   over the broker in GRANARY_TEST_BROKERS"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import needs  # noqa: E402

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else needs.BENCH
needs.command_or_path(PROGRAM)
if "kafka" in sys.argv[2:] and "GRANARY_TEST_BROKERS" not in os.environ:
    needs.cannot_run("a broker in GRANARY_TEST_BROKERS, found none", f"tests/support/with_kafka.py -- python3 {sys.argv[0]} {PROGRAM} kafka")
SIZE = ["--events", "20000", "--projects", "100"]

# Of SIZE and seed 7. It covers the machines' rows, so a change of the workload (tests/bench/workload.cc), of the rules, or of the form in which rows
# stand changes it. Where that was meant, this prints the new one: granary-bench pipeline --events 20000 --projects 100 --seed 7
EXPECTED = "bc6d398c5189bb8c90487cae09c8817dec5d50e4949d35de3cce2b37da2d903a"


def run(command, *arguments, seed=7):
    out = subprocess.run([PROGRAM, command, *SIZE, "--seed", str(seed), *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout
    result = json.loads(out.splitlines()[-1])
    for member in ("events", "events_per_s", "cpu_s_per_million", "rss_peak_mib", "result_hash"):
        assert member in result, f"{command}: no {member} in {result}"
    return result


class Embedded(unittest.TestCase):
    def test_pipeline_gives_the_committed_result_and_gives_it_again(self):
        first, second = run("pipeline"), run("pipeline")
        self.assertEqual(first["result_hash"], second["result_hash"])
        self.assertEqual(first["result_hash"], EXPECTED)
        self.assertEqual(first["events"], 20000)
        self.assertGreater(first["billing_records"], 19000)

    def test_another_seed_is_another_result(self):
        self.assertNotEqual(run("pipeline", seed=8)["result_hash"], EXPECTED)

    def test_a_fold_from_nothing_gives_it_too(self):
        self.assertEqual(run("replay")["result_hash"], EXPECTED)

    def test_questions_meanwhile_change_nothing(self):
        self.assertEqual(run("read")["result_hash"], EXPECTED)

    def test_a_folder_that_holds_something_is_refused_and_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "theirs"), "w", encoding="ascii"):
                pass
            done = subprocess.run([PROGRAM, "pipeline", *SIZE, "--data", folder], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"--data: expected an empty or absent directory, got {folder}", done.stderr)
            self.assertEqual(os.listdir(folder), ["theirs"])

    def test_intake_gives_one_result_over_one_connection_and_over_many(self):
        self.assertEqual(run("intake", "--connections", "1")["result_hash"], run("intake", "--connections", "8")["result_hash"])


class Kafka(unittest.TestCase):
    def test_pipeline_over_a_broker_gives_the_same_result(self):
        result = run("pipeline", "--brokers", os.environ["GRANARY_TEST_BROKERS"], "--at-rate", "1")
        self.assertEqual(result["result_hash"], EXPECTED)
        self.assertGreater(result["ms_p99_at_a_half"], 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "Kafka" if sys.argv[2:] == ["kafka"] else "Embedded"])
