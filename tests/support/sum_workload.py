#!/usr/bin/env python3
"""Sums a workload file on its own: what `granary import` should come to.

Prints CSV `project,resource,records,quantity`; quantity in base units: thousandths of the resource times milliseconds,
for memory bytes times milliseconds. Written from the description of the formats, not from the importer, so that an error
has to be made twice to go unseen. Python 3.9 or later, standard library only. What was skipped goes to standard error.
"""
import argparse
import csv
import datetime
import gzip
import io
import json
import re
import sys
import zipfile
import zoneinfo
from collections import Counter, defaultdict


def open_text(path):
    with open(path, "rb") as file:
        content = file.read()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            content = archive.read(name)
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def swf_jobs(text, options, skipped):
    epoch = 0
    dash = options.project_prefix + "-" if options.project_prefix else ""
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith(";"):
            found = re.match(r";\s*UnixStartTime:\s*(-?\d+)", line)
            if found:
                epoch = max(0, int(found.group(1)))
            continue
        if not line:
            continue
        field = [None] + line.split()
        run = int(field[4])
        processors = int(field[5])
        if processors <= 0:
            processors = int(field[8])
        if run <= 0:
            skipped["no_run_time"] += 1
            continue
        if processors <= 0:
            skipped["no_processors"] += 1
            continue
        start = epoch + int(field[2]) + max(0, int(field[3]))
        by_user = options.project_from == "user"
        if int(field[12 if by_user else 13]) < 0:
            skipped["no_user" if by_user else "no_group"] += 1
            continue
        project = f"u{field[12]}" if by_user else f"g{field[13]}"
        yield dash + project, [("cpu", processors * 1000)], start * 1000, (start + run) * 1000, run * 1000


def openb_jobs(text, options, skipped):
    epoch = parse_instant(options.epoch) if options.epoch else 0
    dash = options.project_prefix + "-" if options.project_prefix else ""
    lines = text.split("\n")
    while lines and lines[0].startswith("#"):
        del lines[0]
    for pod in csv.DictReader(lines):
        if not pod["scheduled_time"]:
            skipped["never_scheduled"] += 1
            continue
        thousandths = int(pod["num_gpu"]) * int(pod["gpu_milli"])
        if thousandths == 0:
            skipped["no_quantity"] += 1
            continue
        start = epoch + int(pod["scheduled_time"]) * 1000
        end = epoch + int(pod["deletion_time"]) * 1000
        yield dash + pod["qos"], [("gpu", thousandths)], start, end, end - start


def number(value):
    """A number of sacct --json: plain, or {set, infinite, number}."""
    if isinstance(value, dict):
        return value["number"] if value["set"] else 0
    return value or 0


def classes_of(tres):
    """Pairs of (class, base quantity) of a dictionary from TRES name to count (memory: bytes)."""
    typed = sum(count for name, count in tres.items() if name.startswith("gres/gpu:"))
    for name, count in tres.items():
        if not count:
            continue
        if name in ("cpu", "node"):
            yield name, count * 1000
        elif name == "mem":
            yield "memory", count
        elif name.startswith("gres/gpu:"):
            yield name[len("gres/"):], count * 1000
        elif name == "gres/gpu" and count > typed:  # the total; what no type explains
            yield "gpu", (count - typed) * 1000


ACTIVE = {"PENDING", "RUNNING", "SUSPENDED", "CONFIGURING", "COMPLETING"}


MAY_NOT_HAVE_BEGUN = {"PENDING", "CANCELLED", "DEADLINE", "REVOKED", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"}


def slurm_job(account, submit, start, end, states, tres, options, skipped, elapsed, suspended):
    """`elapsed` and `suspended`: seconds, or None. Elapsed time is without suspended time."""
    ended = not ACTIVE & set(states)
    if start <= 0 and end > 0 and ended and elapsed:
        start = end - elapsed - (suspended or 0)
    if start <= 0:
        begun = ended and states[0] not in MAY_NOT_HAVE_BEGUN and elapsed != 0
        running = not ended and states[0] != "PENDING"
        skipped["still_running" if running else "start_unknown" if begun else "never_started"] += 1
        return
    if not ended:
        skipped["still_running"] += 1
        return
    if end <= 0:
        skipped["end_unknown"] += 1
        return
    if end < start:
        skipped["end_before_start"] += 1
        return
    resources = list(classes_of(tres))
    if not resources:
        skipped["no_resources"] += 1
        return
    paused = suspended or 0
    if elapsed and elapsed <= end - start:
        paused = end - start - elapsed
    if start < submit <= end:  # the record of a resized job's later size, which was "submitted" at the change
        start = submit
    if end - start - paused <= 0:
        skipped["no_run_time"] += 1
        return
    if not account:
        skipped["no_account"] += 1
        return
    dash = options.project_prefix + "-" if options.project_prefix else ""
    yield dash + account, resources, start * 1000, end * 1000, (end - start - paused) * 1000


def sacct_json_jobs(text, options, skipped):
    for job in json.loads(text)["jobs"]:
        states = job["state"]["current"]
        states = [states] if isinstance(states, str) else states
        tres = {}
        for entry in (job.get("tres") or {}).get("allocated") or []:
            name = entry["type"] + ("/" + entry["name"] if entry.get("name") else "")
            tres[name] = number(entry["count"]) * (1024 * 1024 if name == "mem" else 1)
        times = job["time"]
        start, end = number(times["start"]), number(times["end"])
        submit = number(times.get("submission"))
        elapsed, suspended = number(times.get("elapsed")), number(times.get("suspended"))
        yield from slurm_job(job["account"], submit, start, end, states, tres, options, skipped, elapsed, suspended)


UNITS = {"": 2**20, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}


def tres_of(text):
    tres = {}
    for part in filter(None, text.split(",")):
        name, count = part.split("=")
        if name == "mem":
            digits, unit = re.fullmatch(r"([\d.]+)([KMGTP]?)", count).groups()
            whole, _, decimals = digits.partition(".")
            tres[name] = int(whole + decimals) * UNITS[unit] // 10 ** len(decimals)
        elif name in ("cpu", "node") or name.startswith("gres/gpu"):
            tres[name] = int(count)
    return tres


def local_seconds(text, zone, not_before=None):
    if not re.match(r"\d{4}-", text):
        return 0
    local = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
    seconds = int(local.timestamp())
    if not_before is not None and seconds < not_before:
        seconds = int(local.replace(fold=1).timestamp())
    return seconds


def seconds_of(text):
    """Of [days-]hours:minutes:seconds; None where there are none."""
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", text)
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


FREE_TEXT = {"JobName", "SubmitLine", "Comment", "AdminComment", "SystemComment", "WorkDir", "Constraints"}
FORMS = {
    "JobID": r"\d+\S*",
    "State": r"[A-Z_]+( by \d+)?",
    "Start": r"\d{4}-\d\d-\d\dT[\d:]{8}|Unknown|None|",
    "End": r"\d{4}-\d\d-\d\dT[\d:]{8}|Unknown|None|",
    "AllocTRES": r"|\w+.*=.*",
    "User": r"\S*",
    "Account": r"\S*",
}


def sacct_row(names, values, at):
    """The fields by name; a '|' too many belongs to that column of free text with which the others look right."""
    more = len(values) - len(names)
    rows = []
    for i in [i for i, name in enumerate(names) if name in FREE_TEXT] if more else [0]:
        joined = values[:i] + ["|".join(values[i : i + more + 1])] + values[i + more + 1 :]
        row = dict(zip(names, joined))
        if all(re.fullmatch(form, row.get(name, "")) or name not in names for name, form in FORMS.items()):
            rows.append(row)
    used = [{name: row.get(name) for name in FORMS} for row in rows]
    if more < 0 or not rows or any(other != used[0] for other in used):
        sys.exit(f"line {at}: {len(values)} fields that cannot be told apart, header has {len(names)}")
    return rows[0]


def sacct_jobs(text, options, skipped):
    zone = zoneinfo.ZoneInfo(options.time_zone)
    lines = text.split("\n")  # not splitlines(): a job's name may hold other separators
    names = lines[0].split("|")
    for at, line in enumerate(lines[1:], 2):
        values = line.split("|")
        if not line:
            continue
        row = sacct_row(names, values, at)
        if "." in row["JobID"]:
            continue
        start = local_seconds(row["Start"], zone)
        end = local_seconds(row["End"], zone, start)
        tres = tres_of(row.get("AllocTRES", ""))
        if not row.get("AllocTRES") and row["Start"] != row["End"]:
            tres = {"cpu": int(row.get("AllocCPUS") or 0)}
        submit = local_seconds(row.get("Submit", ""), zone)
        elapsed = int(row["ElapsedRaw"]) if row.get("ElapsedRaw") else seconds_of(row.get("Elapsed", ""))
        state = row["State"].split(" ")[0]
        yield from slurm_job(row["Account"], submit, start, end, [state], tres, options, skipped, elapsed,
                             seconds_of(row.get("Suspended", "")))


def parse_instant(text):
    instant = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if instant.tzinfo is None:
        sys.exit(f"{text}: a time with a zone is needed")
    since = instant - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(milliseconds=1)


READERS = {"swf": swf_jobs, "openb": openb_jobs, "sacct-json": sacct_json_jobs, "sacct": sacct_jobs}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--format", required=True, choices=sorted(READERS))
    parser.add_argument("--project-from", choices=["group", "user", "account"])
    parser.add_argument("--project-prefix", default="")
    parser.add_argument("--shift-end-to", metavar="TIME", help="moves the jobs; a sum of durations does not change")
    parser.add_argument("--epoch", metavar="TIME")
    parser.add_argument("--time-zone", default="UTC")
    parser.add_argument("--period", action="store_true", help="print also a last line '# START_MS END_MS'")
    options = parser.parse_args()

    skipped = Counter()
    sums = defaultdict(lambda: [0, 0])
    starts, ends = [], []
    for project, resources, start, end, ran in READERS[options.format](open_text(options.file), options, skipped):
        starts.append(start)
        ends.append(end)
        for resource, quantity in resources:
            entry = sums[project, resource]
            entry[0] += 1
            entry[1] += quantity * ran
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["project", "resource", "records", "quantity"])
    for (project, resource), (records, quantity) in sorted(sums.items()):
        out.writerow([project, resource, records, quantity])
    if options.period and ends:
        shift = parse_instant(options.shift_end_to) - max(ends) if options.shift_end_to else 0
        print(f"# {min(starts) + shift} {max(ends) + shift}")
    for reason, count in sorted(skipped.items()):
        print(f"skipped {reason}: {count}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (OSError, zoneinfo.ZoneInfoNotFoundError) as what:  # no such file, or no data of time zones
        print(f"sum_workload.py: expected to read the file, in a time zone that is known, got: {what}; hint: check the name; for zones "
              "deploy/install-packages deploy/packages (tzdata)", file=sys.stderr)
        sys.exit(3)
