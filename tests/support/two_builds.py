"""What tests of two builds over one ledger share: events, of which the older build (granary-older) does not know one, and how a parked
partition has to look from outside."""
import hashlib
import json
import os
import struct
import urllib.request

from four_services import examples
from needs import OLDER

PARTITIONS = 4
HOUR = 3_600_000_000
NUMBER = {"metering": 61, "allocation": 121}  # of what the older build does not know: usage.interim, and usage.held made of it
PROJECTS = [f"p{n}" for n in range(8)]


def shard_of(*parts):
    """As docs/formats.md has it."""
    whole = b"".join(struct.pack(">I", len(part)) + part for part in (part.encode() for part in parts))
    return int.from_bytes(hashlib.sha256(whole).digest()[:8], "big") % PARTITIONS


def example(kind):
    return next(event for event in examples() if event["type"] == f"granary.{kind}.v1")


INTERIM = example("usage.interim")
ROOT = INTERIM["data"]["root"]
REPORT = example("usage.reported")  # the same job's
PARKED = {"metering": shard_of(ROOT["source"], ROOT["id"]), "allocation": shard_of(INTERIM["data"]["project"])}


def decisions():
    """All that stands before usage, and some projects more."""
    more = example("project.registered")
    more["data"].pop("refs", None)  # another thing's
    return [event for event in examples() if not event["type"].startswith(("granary.usage.", "granary.source."))] + [
        {**more, "id": f"project/{name}", "data": {**more["data"], "project": name}} for name in PROJECTS]


def jobs(name, count=40):
    """Of all projects and all shards."""
    projects = [*PROJECTS, REPORT["data"]["project"]]
    return [{**REPORT, "id": f"{name}-{n}", "data": {**REPORT["data"], "project": projects[n % len(projects)]}} for n in range(count)]


def send(test, server, events, path="/v1/events"):
    """All of them new; the answer."""
    status, answer = server.post(events, path)
    test.assertEqual((status, answer["refused"]), (202, 0), answer)
    test.assertEqual({one["outcome"]["judgement"] for one in answer["results"]}, {"new"})
    return answer


def send_to_parked(test, server, events, shard):
    """None is lost, and of those in that shard nobody can say more yet; the others are taken as ever."""
    status, answer = server.post(events, wait=2)
    test.assertEqual((status, answer["refused"], answer["accepted"]), (202, 0, len(events)), answer)
    told = {(one["receipt"]["partition"] == shard, one["outcome"]["judgement"]) for one in answer["results"]}
    test.assertEqual(told, {(True, "unknown"), (False, "new")})
    return answer


def stuck(one, machine):
    """Whether this job waits in the parked partition."""
    key = (one["source"], one["id"]) if machine == "metering" else (one["data"]["project"],)
    return shard_of(*key) == PARKED[machine]


def quantities(events):
    """Of each project: records and resource-us of one class of the example's (2 GPUs, an hour)."""
    sums = {}
    for one in events:
        records, quantity = sums.get(one["data"]["project"], (0, 0))
        sums[one["data"]["project"]] = (records + 1, quantity + 2 * HOUR)
    return sums


def used(server, after=""):
    return {row["project"]: (row["records"], int(row["quantity"]))
            for row in server.rows("/v1/usage" + (f"?after={after}" if after else "")) if row["resource"] == "gpu:h200"}


def until(met):
    """Of something that has to come: the test's time limit ends it."""
    while not (found := met()):
        pass
    return found


def shard_status(server, machine):
    return next(s for s in server.get("/v1/status")["shards"] if (s["machine"], s["shard"]) == (machine, PARKED[machine]))


def check_parked(test, server, machine, because, asked=None):
    """By name, everywhere where somebody may look: the position."""
    shard = until(lambda: (s := shard_status(server, machine)).get("parked") and s)
    test.assertIn(because, shard["parked"])
    test.assertEqual([s["shard"] for s in server.get("/v1/status")["shards"] if s.get("parked") and s["machine"] == machine], [shard["shard"]])
    ready, _, answer = server.ask("/readyz")
    test.assertEqual((ready, answer["ready"]), (200, True), "the rest serves")
    test.assertIn((machine, PARKED[machine]), [(s["machine"], s["shard"]) for s in answer["parked"]])
    with urllib.request.urlopen(server.url + "/metrics", timeout=30) as page:
        lines = page.read().decode().splitlines()
    gauges = {line for line in lines if line.startswith(f'granary_shard_parked{{machine="{machine}"')}
    test.assertIn(f'granary_shard_parked{{machine="{machine}",shard="{PARKED[machine]}"}} 1', gauges)
    test.assertEqual(sum(line.endswith(" 1") for line in gauges), 1, gauges)
    # Whichever process is asked: `granary status` asks the others.
    code, _, err = (asked or server).run("status", "--check", "--lag-seconds-max", "1000000")
    test.assertEqual(code, 1)
    test.assertIn(f"{machine} shard {PARKED[machine]} is parked at record {shard['position']}: {shard['parked']}\n", err)
    said = [json.loads(line) for line in server.lines if '"partition_parked"' in line and f'"{machine}"' in line]
    test.assertEqual([(line["level"], line["position"], line["partition"]) for line in said],
                     [("error", shard["position"], PARKED[machine])], server.lines)
    test.assertIn(because, said[0]["cause"])
    return shard["position"]


def check_everything(test, servers, after, events):
    """Each job once, wherever it is asked; the running job, which only the newer build knows, is settled by its report."""
    for server in servers:
        test.assertEqual(used(server, after), quantities(events))
    for row in servers[0].rows(f"/v1/sources?after={after}"):
        test.assertEqual(row["received"], row["metered"] + row["repeated"] + row["rejected"] + row["pending"])
        test.assertEqual((row["received"], row["metered"], row["interim"]), (len(events), len(events), 1))
    for row in servers[0].rows("/v1/projects"):
        test.assertEqual(int(row["granted"]), sum(int(row[name]) for name in ("used", "reserved", "expired", "withdrawn", "available")))
