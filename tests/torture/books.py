"""What the torture posts, and what has to come of it: computed here from what was handed out, asked of the ledger over HTTP."""
import csv
import decimal
import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROJECTS = 12  # the last of them is not registered: its usage waits; every third of the others has no grant
HOUR = 3_600_000_000
GRANTED_MINUTES = 300
# Of one resource-hour: so that each minute is exact, wherever a job is split between a lot and none.
PRICE = decimal.Decimal("2.4")
SWF_ROWS = 300
SWF_END = "2026-11-01T00:00:00Z"


class Failure(Exception):
    """What must not happen has."""


def event(kind, name, data, source="torture"):
    return {"specversion": "1.0", "type": f"granary.{kind}.v1", "source": source, "id": name, "time": "2026-11-01T00:00:00Z", "data": data}


def policy(name, kind, content):
    return event("policy.published", name, {"kind": kind, "version": "1", "effective": "1970-01-01T00:00:00Z", "content": content})


def configuration():
    """Classes, prices, and a start-up with a project for each number but the last."""
    classes = [{"class": "gpu", "unit": "resource-us", "charging": "lots"}]
    classes += [{"class": name, "unit": "resource-us", "charging": "lots"} for name in ("cpu", "node")]
    classes.append({"class": "memory", "unit": "byte-ms", "charging": "metered_only"})
    events = [policy("classes", "resource_classes", {"classes": classes}), policy("window", "acceptance_window", {"window_days": 36500}),
              policy("overdraft", "overdraft", {"mode": "bill", "seller": "aif"}),
              event("price_book.published", "prices", {"seller": "aif", "version": "1", "effective": "1970-01-01T00:00:00Z", "currency": "EUR",
                                                       "prices": [{"class": "gpu", "price": str(PRICE), "per": "resource-hour"}]})]
    period = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    for n in range(PROJECTS - 1):
        events.append(event("organisation.registered", f"o{n}", {"organisation": f"o{n}", "name": f"O {n}", "kind": "startup", "country": "FI"}))
        events.append(event("project.registered", f"p{n}", {"project": f"p{n}", "organisation": f"o{n}"}))
        if not granted(n):
            continue
        hours = str(GRANTED_MINUTES // 60)
        events.append(event("application.submitted", f"a{n}", {
            "application": f"a{n}", "project": f"p{n}", "access_mode": "trial", "period_from": period["from"], "period_to": period["to"],
            "resources": [{"class": "gpu", "quantity": hours, "unit": "resource-hour"}]}))
        events.append(event("screening.decided", f"s{n}", {"application": f"a{n}", "basis": "trial", "outcome": "cleared"}))
        events.append(event("application.decided", f"d{n}", {"application": f"a{n}", "project": f"p{n}", "outcome": "awarded", "grant": {
            "machine": "m", "seller": "aif", "legal_basis": "trial", "member_state": "FI", "funding": {"kind": "covered"},
            "lots": [{"class": "gpu", "quantity": hours, "unit": "resource-hour", **period}]}}))
    return events


def granted(project):
    return project % 3 != 2


def minutes(number):
    return number % 59 + 1


def usage(number, runs=None):
    """A job; with another run time it is the same job with another substance, which has to be refused."""
    return event("usage.reported", f"job-{number}", {
        "project": f"p{number % PROJECTS}", "resources": [{"class": "gpu", "quantity": "1"}],
        "start": "2026-10-05T00:00:00Z", "end": f"2026-10-05T00:{runs or minutes(number):02}:00Z"}, source=f"slurm://c{number % 5}")


def extra_organisation(number):
    return event("organisation.registered", f"x{number}", {"organisation": f"x{number}", "name": f"X {number}", "kind": "startup",
                                                           "country": "FI"})


def write_swf(path):
    with open(path, "w", encoding="ascii") as file:
        for n in range(1, SWF_ROWS + 1):
            file.write(f"{n} {n * 60} 0 {1 + n % 3600} {1 + n % 64} -1 -1 {1 + n % 64} -1 -1 1 {n % 40} {n % 7} 1 1 -1 -1 -1\n")
    return ["--format", "swf", "--project-prefix", "swf", "--shift-end-to", SWF_END]


def swf_sum(path, flags):
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "support", "sum_workload.py"), path, *flags],
                          capture_output=True, text=True, check=True)
    return {(r["project"], r["resource"]): (int(r["records"]), int(r["quantity"])) for r in csv.DictReader(io.StringIO(done.stdout))}


class Expected:
    """Of the jobs that were handed out, all of them acknowledged."""
    def __init__(self, jobs, swf):
        self.usage, self.charges = dict(swf), {}
        totals = {}
        for number in range(jobs):
            records, quantity = totals.get(number % PROJECTS, (0, 0))
            totals[number % PROJECTS] = (records + 1, quantity + minutes(number))
        for project, (records, total) in totals.items():
            self.usage[f"p{project}", "gpu"] = (records, total * HOUR // 60)
            if project == PROJECTS - 1:
                continue
            covered = min(total, GRANTED_MINUTES) if granted(project) else 0
            self.charges[f"p{project}"] = {
                "used": total * HOUR // 60, "covered": covered * HOUR // 60, "billed": (total - covered) * HOUR // 60,
                "list_amount": total * PRICE / 60, "covered_amount": covered * PRICE / 60, "billed_amount": (total - covered) * PRICE / 60}


def get(url, path, timeout=30):
    with urllib.request.urlopen(url + path, timeout=timeout) as answer:
        return json.load(answer)


def rows_of(url, path):
    rows, cursor = [], ""
    while True:
        page = get(url, path + (f"?cursor={cursor}" if cursor else ""))
        rows += page["rows"]
        cursor = page.get("next", "")
        if not cursor:
            return rows


def number(text):
    return decimal.Decimal(text) if "." in str(text) else int(text)


def found(url):
    usage_rows = {(row["project"], row["resource"]): (row["records"], int(row["quantity"])) for row in rows_of(url, "/v1/usage")}
    charges = {row["project"]: {name: number(row[name]) for name in ("used", "covered", "billed", "list_amount", "covered_amount",
                                                                       "billed_amount")} for row in rows_of(url, "/v1/charges")}
    return usage_rows, charges


def settle(url, expected, patience_s=120):
    """Waits until everything is posted and charged, exactly; a bounded number of questions, each of which takes its time."""
    deadline = time.monotonic() + patience_s
    got = None
    while time.monotonic() < deadline:
        try:
            got = found(url)
        except (OSError, urllib.error.URLError, ValueError) as error:
            got = error
            continue
        if got == (expected.usage, expected.charges):
            return
        if isinstance(got, tuple):
            for key, (records, quantity) in got[0].items():
                wanted = expected.usage.get(key, (0, 0))
                if records > wanted[0] or quantity > wanted[1]:
                    raise Failure(f"{key} has {records} records, {quantity}: more than the {wanted} that were handed out: counted twice")
    if isinstance(got, tuple):
        got = {"usage": difference(got[0], expected.usage), "charges": difference(got[1], expected.charges)}
    raise Failure(f"not settled within {patience_s} s: found and wanted differ in {got}")


def difference(got, wanted):
    return {key: (got.get(key), wanted.get(key)) for key in got.keys() | wanted.keys() if got.get(key) != wanted.get(key)}


def check_balances(url):
    """Of every account of every source: nothing is lost from sight, nothing stands on one side only."""
    rows = rows_of(url, "/v1/projects")
    if not rows:
        raise Failure("no project has a balance")
    for row in rows:
        if int(row["granted"]) != sum(int(row[n]) for n in ("used", "reserved", "expired", "withdrawn", "available")):
            raise Failure(f"granted is not used + reserved + expired + withdrawn + available: {row}")


def check_organisations(url, extra):
    standing = [row["organisation"] for row in rows_of(url, "/v1/organisations")]
    wanted = {f"x{n}" for n in extra} | {f"o{n}" for n in range(PROJECTS - 1)}
    # Of a batch that nobody acknowledged more may stand; it is sent again with other repeats, in another order.
    if len(standing) != len(set(standing)) or not wanted <= set(standing):
        raise Failure(f"organisations are lost or twice: {sorted(wanted - set(standing))[:5]}, {len(standing)}")


def check_sources(program, url, jobs):
    done = subprocess.run([program, "sources", "--json", "--url", url], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise Failure(f"granary sources: exit code {done.returncode}: {done.stderr}")
    rows = json.loads(done.stdout)
    rows = rows["rows"] if isinstance(rows, dict) else rows
    for row in rows:
        if row["received"] != row["metered"] + row["repeated"] + row["rejected"] + row["pending"]:
            raise Failure(f"received is not metered + repeated + rejected + pending: {row}")
    # The last project is known to nobody: its jobs are pending.
    metered, pending = (sum(row[name] for row in rows if row["source"].startswith("slurm://")) for name in ("metered", "pending"))
    if metered + pending != jobs or not 0 <= pending <= jobs:
        raise Failure(f"{metered} jobs metered, {pending} pending, {jobs} were handed out")
    return {name: sum(row[name] for row in rows) for name in ("received", "metered", "repeated", "rejected", "pending")}


def books(url):
    """Everything that anybody can ask, without the times of asking."""
    drop = ("as_of", "complete_through")
    return {path: sorted(sorted((k, v) for k, v in row.items() if k not in drop) for row in rows_of(url, path))
            for path in ("/v1/projects", "/v1/usage", "/v1/charges", "/v1/sources", "/v1/accounts")}


def check_lines(lines, jobs):
    """The charge lines of the stream, each number once: each job of a registered project is charged whole, once."""
    charged = {}
    for line in lines:
        charged[line["root"]["id"]] = charged.get(line["root"]["id"], 0) + int(line["amount"])
    wanted = {f"job-{n}": minutes(n) * HOUR // 60 for n in range(jobs) if n % PROJECTS != PROJECTS - 1}
    if charged != wanted:
        raise Failure(f"charge lines and jobs differ in {list(difference(charged, wanted).items())[:5]}")
