"""The kill test over the four machines: a real server is killed again and again, at random moments and at named points, its state is
deleted now and then, and clients repeat what was not answered. At the end nothing that was acknowledged is lost, nothing counts twice,
and a fold of the same log from nothing says the same.

    GRANARY_SEED=7 GRANARY_KILLS=200 GRANARY_PROGRAM=... GRANARY_OUTWARD_CHECK=... GRANARY_SOURCE_DIR=... tests/crash/kill_test.py
"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error

SOURCE = os.environ["GRANARY_SOURCE_DIR"]
PROGRAM = os.environ["GRANARY_PROGRAM"]
OUTWARD_CHECK = os.environ["GRANARY_OUTWARD_CHECK"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "support"))
from granary_server import Server  # noqa: E402

KILLS = int(os.environ.get("GRANARY_KILLS", "48"))
SEED = int(os.environ.get("GRANARY_SEED", str(random.SystemRandom().randrange(1 << 32))))
POINTS = ["journal.before_write", "journal.after_write", "journal.after_head", "runtime.before_commit", "runtime.after_commit",
          "runtime.before_publish", "runtime.after_publish", "runtime.trim"]
PROJECTS = 12
BATCH = 25
HOUR = 3_600_000_000


def event(kind, name, data, source="kill"):
    return {"specversion": "1.0", "type": f"granary.{kind}.v1", "source": source, "id": name, "time": "2026-11-01T00:00:00Z", "data": data}


def configuration():
    """Classes, prices, and a start-up with a project for each number; every third of them has no grant, the last is not registered."""
    events = [
        event("policy.published", "classes", {"kind": "resource_classes", "version": "1", "effective": "1970-01-01T00:00:00Z", "content": {
            "classes": [{"class": "gpu", "unit": "resource-us", "charging": "lots"}]}}),
        event("policy.published", "overdraft", {"kind": "overdraft", "version": "1", "effective": "1970-01-01T00:00:00Z",
                                                "content": {"mode": "bill", "seller": "aif"}}),
        event("price_book.published", "prices", {"seller": "aif", "version": "1", "effective": "1970-01-01T00:00:00Z", "currency": "EUR",
                                                 "prices": [{"class": "gpu", "price": "2.5", "per": "resource-hour"}]})]
    period = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    for n in range(PROJECTS - 1):
        events.append(event("organisation.registered", f"o{n}", {"organisation": f"o{n}", "name": f"O {n}", "kind": "startup", "country": "FI"}))
        events.append(event("project.registered", f"p{n}", {"project": f"p{n}", "organisation": f"o{n}"}))
        if n % 3 == 2:
            continue
        events.append(event("application.submitted", f"a{n}", {
            "application": f"a{n}", "project": f"p{n}", "access_mode": "trial", "period_from": period["from"], "period_to": period["to"],
            "resources": [{"class": "gpu", "quantity": "5", "unit": "resource-hour"}]}))
        events.append(event("screening.decided", f"s{n}", {"application": f"a{n}", "basis": "trial", "outcome": "cleared"}))
        events.append(event("application.decided", f"d{n}", {"application": f"a{n}", "project": f"p{n}", "outcome": "awarded", "grant": {
            "machine": "m", "seller": "aif", "legal_basis": "trial", "member_state": "FI", "funding": {"kind": "covered"},
            "lots": [{"class": "gpu", "quantity": "5", "unit": "resource-hour", **period}]}}))
    return events


def usage(number):
    return event("usage.reported", f"job-{number}", {
        "project": f"p{number % PROJECTS}", "resources": [{"class": "gpu", "quantity": "1"}],
        "start": "2026-10-05T00:00:00Z", "end": f"2026-10-05T00:{number % 59 + 1:02}:00Z"}, source=f"slurm://c{number % 5}")


def minutes(number):
    return number % 59 + 1


def rows_of(granary, path):
    rows, cursor = [], ""
    while True:
        page = granary.get(path + (f"?cursor={cursor}" if cursor else ""))
        rows += page["rows"]
        cursor = page.get("next", "")
        if not cursor:
            return rows


def books(granary):
    """Everything that anybody can ask, without the times of asking."""
    drop = ("as_of", "complete_through")
    return {path: sorted(sorted((k, v) for k, v in row.items() if k not in drop) for row in rows_of(granary, path))
            for path in ("/v1/projects", "/v1/usage", "/v1/charges", "/v1/sources", "/v1/accounts")}


def settle(granary, jobs):
    """Waits until all jobs are posted and charged; a bounded number of questions, each of which takes its time."""
    wanted = {}
    for number in jobs:
        records, quantity = wanted.get(f"p{number % PROJECTS}", (0, 0))
        wanted[f"p{number % PROJECTS}"] = (records + 1, quantity + minutes(number) * HOUR // 60)
    charged = sum(quantity for project, (_, quantity) in wanted.items() if project != f"p{PROJECTS - 1}")
    deadline = time.monotonic() + 60
    while True:
        got = {row["project"]: (row["records"], int(row["quantity"])) for row in rows_of(granary, "/v1/usage")}
        billed = sum(int(row["used"]) for row in rows_of(granary, "/v1/charges"))
        if got == wanted and billed == charged:
            return
        assert time.monotonic() < deadline, f"posted {got}, billed {billed}; wanted {wanted}, {charged}"


def replay(data, *arguments):
    """The live state against a fold of the same inboxes; the digest over all."""
    done = subprocess.run([PROGRAM, "replay", "--data", data, "--json", *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    digest = json.loads(done.stdout)["digest"]
    other = subprocess.run([PROGRAM, "replay", "--data", data, "--expect", "0" * 64], capture_output=True, text=True, timeout=300)
    assert other.returncode == 1 and digest in other.stderr, other
    return digest


def outward(data):
    """How many records each outward stream holds; each partition must have every number once and in order."""
    done = subprocess.run([OUTWARD_CHECK, data], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def main():
    print(f"seed {SEED}, {KILLS} kills; again: GRANARY_SEED={SEED} GRANARY_KILLS={KILLS} {sys.argv[0]}", flush=True)
    rng = random.Random(SEED)
    acknowledged, pending, next_job, kills, deleted, at_points = set(), [], 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as data:
        granary = Server(PROGRAM, data).start("--partitions", "3")
        status, answer = granary.post(configuration())
        assert status == 202 and answer["refused"] == 0, answer
        assert all(r["outcome"]["judgement"] == "new" for r in answer["results"]), answer
        granary.kill()
        while kills < KILLS:
            environment = {}
            if kills % 2 == 0:
                environment["GRANARY_CRASH_AT"] = f"{POINTS[kills // 2 % len(POINTS)]}:{rng.randint(40, 120)}"
                at_points += 1
            batches = rng.randint(1, 12)
            try:
                granary.start(environment=environment)
                while batches > 0 or environment:
                    batches -= 1
                    again = rng.sample(sorted(acknowledged), min(3, len(acknowledged)))
                    jobs = pending[:BATCH]
                    fresh = list(range(next_job, next_job + BATCH - len(jobs)))
                    next_job += len(fresh)
                    pending += fresh
                    jobs += fresh
                    status, answer = granary.post([usage(n) for n in jobs + again])
                    assert status == 202, answer
                    assert answer["refused"] == 0, answer
                    acknowledged.update(jobs)
                    pending = [n for n in pending if n not in acknowledged]
            except (OSError, urllib.error.URLError, RuntimeError, ValueError):
                pass  # it is dead in the middle of something: what was not answered is sent again
            granary.kill()
            kills += 1
            if rng.random() < 0.3:
                shards = sorted(glob.glob(os.path.join(data, "state", "*-*")))
                for shard in shards if rng.random() < 0.3 else rng.sample(shards, rng.randint(1, 3)):
                    shutil.rmtree(shard)
                    deleted += 1
        granary.start()
        for at in range(0, len(pending), BATCH):
            status, answer = granary.post([usage(n) for n in pending[at:at + BATCH]])
            assert status == 202 and answer["refused"] == 0, answer
        settle(granary, acknowledged | set(pending))
        status = granary.get("/v1/status")["shards"]
        assert not any(shard["lane_alarms"] or shard.get("parked") for shard in status), status
        for row in rows_of(granary, "/v1/projects"):
            assert int(row["granted"]) == sum(int(row[n]) for n in ("used", "reserved", "expired", "withdrawn", "available")), row
        live = books(granary)
        assert granary.stop() == 0
        streams = outward(data)
        assert int(streams["granary.billing.v1"]) > 0 and int(streams["granary.notices.v1"]) > 0, streams
        digest = replay(data)
        shutil.rmtree(os.path.join(data, "state"))
        granary.start()
        settle(granary, acknowledged | set(pending))
        assert books(granary) == live, "a fold of the same log from nothing says something else"
        assert granary.stop() == 0
        replay(data)
        assert outward(data) == streams, "a fold of the same log from nothing sent something again"
    print(f"digest {digest}")
    print(f"{kills} kills ({at_points} at named points), {deleted} state directories deleted, {len(acknowledged)} events acknowledged: "
          "0 lost, 0 twice, the same from nothing")


if __name__ == "__main__":
    main()
