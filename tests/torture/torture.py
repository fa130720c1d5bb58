#!/usr/bin/env python3
"""Tortures a running Granary: real processes over the embedded journal or over Kafka with a real broker, killed at random moments and at
named points, paused, doubled, robbed of their state, out of disk, without their broker, while clients post the same usages from several
threads and a small file is imported again and again. Along the way and at the end nothing that was acknowledged is lost, nothing counts
twice, the books balance, and a fold of the same log from nothing says the same.

The schedule comes from the seed; when each step falls is the machine's."""
import argparse
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import books  # noqa: E402
import needs  # noqa: E402
from books import SOURCE, Failure  # noqa: E402
from clients import Clients  # noqa: E402
from processes import World  # noqa: E402
from steps import Steps  # noqa: E402

OUTWARD = ["granary.billing.v1", "granary.notices.v1", "granary.rejected.v1"]


class Torture(Steps):
    def __init__(self, arguments, folder):
        super().__init__(arguments, random.Random(arguments.seed), World(arguments, folder))
        swf = os.path.join(folder, "jobs.swf")
        flags = books.write_swf(swf)
        self.swf = books.swf_sum(swf, flags)
        self.clients = Clients(arguments.seed, arguments.clients, self.urls, self.world.granary, swf, flags)
        self.digests = {}

    def run(self):
        for process in self.world.processes:
            process.start()
        self.until(self.world.all_ready, 60, "every process is ready")
        rng = random.Random(0)
        status, answer = self.clients.send(books.configuration(), rng) or (0, "no answer")
        if status != 202 or answer["refused"] > 0:
            raise Failure(f"the configuration was not taken: {status} {answer}")
        for path in ("sources", "projects", "charges"):  # it is folded by every machine
            books.get(self.world.processes[0].url, f"/v1/{path}?after={answer['after']}")
        self.clients.start()
        self.follow_schedule()
        self.end()

    def calm(self):
        """Everything runs, everything that was handed out is acknowledged and folded; the clients wait."""
        self.clients.hold()
        self.until(self.world.all_ready, 90, "every process is ready")
        self.until(lambda: self.clients.unanswered == 0, 90, "everything that was handed out is acknowledged")
        url = self.world.processes[-1].url
        if self.clients.imports == 0:
            self.import_all(url)
        expected = books.Expected(self.clients.handed_out, self.swf)
        books.settle(url, expected)
        books.check_balances(url)
        books.check_organisations(url, self.clients.organisations)
        self.sources = books.check_sources(self.world.granary, url, self.clients.handed_out)
        self.check_status()

    def import_all(self, url):
        code, err = self.clients.import_once(url)
        if code != 0:
            raise Failure(f"granary import: exit code {code}: {err}")

    def check_status(self):
        for process in self.world.processes:
            for shard in books.get(process.url, "/v1/status")["shards"]:
                if shard["lane_alarms"] or shard.get("parked"):
                    raise Failure(f"{process.name}: {shard}{process.tail()}")

    def stop_all(self):
        for process in self.world.processes:
            process.stop()

    def replay(self, *more):
        done = subprocess.run(self.world.replay("--json", *more), capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            raise Failure(f"granary replay {' '.join(more)}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def outward(self):
        """Every stream whole; the charge lines of every job, once."""
        where = ["--brokers", self.world.broker.bootstrap] if self.world.broker else [self.world.processes[0].data]
        checking = [os.path.join(self.arguments.build, "tests", "torture", "granary-outward-check"), *where]
        lines = self.world.command([*checking, "--lines", OUTWARD[0]]).splitlines()
        books.check_lines([json.loads(line) for line in lines], self.clients.handed_out)
        streams = {}
        for line in self.world.command(checking).splitlines():
            name, numbers, records = line.split()
            streams[name] = (int(numbers), int(records))
        refused = self.sources["rejected"]  # a short run may have none
        if any(streams[name][0] == 0 for name in OUTWARD[:2]) or (streams[OUTWARD[2]][0] == 0 and refused > 0):
            raise Failure(f"a stream is empty: {streams}, {refused} usages refused")
        return streams

    def finance(self):
        """What finance's own consumer makes of its stream, into a database that stays from one time to the next."""
        if not self.world.broker:
            return
        python = os.path.join(SOURCE, "build", "tools", "venv-kafka", "bin", "python")
        consume = os.path.join(SOURCE, "docs", "finance-consumer", "consume.py")
        expected = books.Expected(self.clients.handed_out, self.swf).charges
        for database in ("finance.sqlite", f"finance-{len(os.listdir(self.world.folder))}.sqlite"):
            lines = json.loads(self.world.command([python, consume, "--brokers", self.world.broker.bootstrap, "--until-end", "--json",
                                                   "--database", os.path.join(self.world.folder, database)]))
            got = {line["project"]: {name: books.number(line[name]) for name in ("list_amount", "covered_amount", "billed_amount")}
                   for line in lines}
            wanted = {project: {name: row[name] for name in got.get(project, row)} for project, row in expected.items()}
            if got != wanted or len(lines) != len(wanted):
                raise Failure(f"finance's consumer says otherwise: {books.difference(got, wanted)}")

    def checkpoint(self):
        self.calm()
        self.finance()
        self.counts["checkpoints"] += 1
        self.say(self.step, f"{self.clients.handed_out} jobs, each once; {self.sources}")

    def end(self):
        self.step = "the end"
        self.calm()
        self.clients.close()
        if self.clients.error:
            raise self.clients.error
        url = self.world.processes[0].url
        self.import_all(url)  # all of it is there: each row is a repeat
        self.calm()
        live = books.books(url)
        self.finance()
        exported = self.world.command([self.world.granary, "export", "charges", "--url", url])
        self.stop_all()
        streams = self.outward()
        before = self.replay()
        self.delete_states([state for process in self.world.processes for state in process.states()])
        for process in self.world.processes:
            process.start()
        self.calm()
        if books.books(url) != live or self.world.command([self.world.granary, "export", "charges", "--url", url]) != exported:
            raise Failure("a fold of the same log from nothing says something else")
        self.finance()
        self.stop_all()
        self.replay()
        for shard in before["shards"]:
            topic = {"intake": "applications", "metering": "usage", "allocation": "allocations", "billing": "ledger"}[shard["machine"]]
            self.replay("--until", f"granary.{topic}.v1/{shard['shard']}/{shard['position']}", "--expect", shard["digest"])
        after = self.outward()
        if {name: numbers for name, (numbers, _) in after.items()} != {name: numbers for name, (numbers, _) in streams.items()}:
            raise Failure(f"a fold of the same log from nothing has sent something else: {streams}, then {after}")
        self.streams, self.digest = after, before["digest"]

    def summary(self):
        repeated = sum(records - numbers for numbers, records in self.streams.values())
        figures = {"journal": self.arguments.journal, "processes": self.arguments.processes, "seed": self.arguments.seed,
                   **self.counts, "explained_ends": len(self.world.explained), "acknowledged": self.clients.handed_out,
                   "posted_again": self.clients.repeats, "unanswered_posts": self.clients.failures, "imports": self.clients.imports,
                   **{name: self.sources[name] for name in ("received", "metered", "repeated", "rejected", "pending")},
                   "outward_numbers": sum(numbers for numbers, _ in self.streams.values()), "outward_repeats": repeated,
                   "lost": 0, "twice": 0, "gaps": 0, "digest": self.digest, "seconds": round(time.monotonic() - self.began)}
        if self.arguments.figures:
            with open(self.arguments.figures, "w", encoding="utf-8") as file:
                json.dump(figures, file, indent=1)
        for text in sorted(set(self.world.explained)):
            print(f"{self.world.explained.count(text)} times {text}")
        for text in sorted(set(self.clients.cut_imports)):
            print(f"{self.clients.cut_imports.count(text)} imports ended with {text}")
        print(f"{figures['kills']} kills ({figures['at_points']} at named points), {figures['broker_kills']} of the broker, "
              f"{figures['pauses']} pauses, {figures['deleted']} state directories deleted, {figures['double_owners']} double owners, "
              f"{figures['full_disks']} full disks, {figures['clock_steps']} clocks set ({figures['clock_refusals']} refused); {figures['acknowledged']} events acknowledged, {figures['repeated']} repeats, "
              f"{repeated} of {figures['outward_numbers']} outward again; {figures['imports']} imports; {figures['seconds']} s: "
              "0 lost, 0 twice, 0 gaps, the same from nothing")


def check_needs(build, journals):
    """At once, not when the last step comes to it."""
    programs = [os.path.join("services", "standalone", "granary"), os.path.join("tests", "support", "granary-stepped"),
                os.path.join("tests", "torture", "granary-outward-check")]
    if "kafka" in journals:
        programs += [os.path.join("services", machine, f"granary-{machine}") for machine in ("intake", "metering", "allocation", "billing")]
    for program in programs:
        if not os.path.exists(os.path.join(build, program)):
            needs.cannot_run(f"{os.path.join(build, program)}, found none", f"tests/run, or: cmake --preset release && cmake --build --preset release --target "
                             f"{' '.join(os.path.basename(one) for one in programs)}; or --build names where they are")
    if "kafka" in journals:
        needs.kafka_broker()
        needs.kafka_client_venv()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journal", choices=["embedded", "kafka"], required=True)
    parser.add_argument("--processes", choices=["one", "four"], help="over Kafka: the four services (default), or all in one")
    parser.add_argument("--build", default=os.path.join(SOURCE, "build", "release"), help="where the programs were built")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--kills", type=int, default=40, help="of Granary's processes, at least")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--partitions", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=200, help="that the clients may post between two steps")
    parser.add_argument("--disk-mb", type=int, default=600, help="of a tmpfs for state and journal; 0: none, and no full disk")
    parser.add_argument("--only", help="of the steps only these, NAME,NAME: to find out what it takes")
    parser.add_argument("--steps", type=int, help="at most so many steps")
    parser.add_argument("--figures", help="a file for the figures, as JSON")
    parser.add_argument("--keep", action="store_true", help="leave logs, journal and state where they are")
    arguments = parser.parse_args()
    arguments.processes = "one" if arguments.journal == "embedded" else arguments.processes or "four"
    check_needs(arguments.build, [arguments.journal])
    inside_a_namespace_where_needed(arguments)
    again = shlex.join([sys.argv[0], "--journal", arguments.journal, "--processes", arguments.processes, "--seed", str(arguments.seed),
                        "--kills", str(arguments.kills), "--build", arguments.build])
    print(f"seed {arguments.seed}; again: {again}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started and mounted goes too
    torture = Torture(arguments, tempfile.mkdtemp(prefix="granary-torture-"))
    try:
        torture.run()
    except BaseException:
        print(f"failed at step {torture.step} of seed {arguments.seed}; again: {again}", flush=True)
        torture.dump()
        raise
    finally:
        torture.clients.close()
        torture.world.close()
    torture.summary()


def inside_a_namespace_where_needed(arguments):
    """A tmpfs is mounted as root, else in a user namespace of its own, else no disk is full; it says which."""
    if arguments.disk_mb == 0 or os.geteuid() == 0:
        return
    if subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False).returncode == 0:
        os.execvp("unshare", ["unshare", "-Urm", "--", sys.executable, *sys.argv, "--seed", str(arguments.seed)])
    print("no tmpfs can be mounted here, also not in a user namespace: no disk will be full", flush=True)


if __name__ == "__main__":
    main()
