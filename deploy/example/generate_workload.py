#!/usr/bin/env python3
"""Writes a generated year of GPU jobs, for `granary import --format openb`.

Nothing in it was recorded: sizes and durations are drawn from the tables below, which were read by hand off the
published GPU trace cluster-trace-gpu-v2023 (Alibaba; Weng et al., "Beware of Fragmentation", USENIX ATC 2023). Of its
columns only those are filled in that the import reads, and the file says in its first lines that it is generated. The
same seed gives the same bytes with every Python 3, since the random numbers are made here and only integers are used.

    generate_workload.py --out year.csv
    granary import year.csv --format openb --project-prefix demo --shift-end-to TIME
"""
import argparse
import os
import sys

DAY_S = 86_400

# Seconds from scheduled to deleted, by class of service, at 0, 1, 5, 10, 20, ... 90, 95, 99 and 100 per cent.
PER_MILLE = (0, 10, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 990, 1000)
LATENCY_SENSITIVE = (13, 35, 54, 75, 221, 447, 660, 989, 1448, 2190, 3685, 6815, 13705, 446750, 12537496)
BEST_EFFORT = (4, 13, 33, 57, 116, 159, 203, 249, 397, 930, 1607, 7337, 17013, 59003, 521659)
BURSTABLE = (12, 12, 29, 48, 115, 276, 3413, 3660, 4140, 22446, 58300, 116945, 236343, 1332357, 1690843)

# (GPUs, thousandths of each, how often in the trace).
SIZES = (
    (1, 1000, 3556), (1, 810, 1017), (1, 470, 455), (1, 320, 288), (1, 650, 218), (1, 460, 128), (1, 230, 94),
    (1, 550, 71), (1, 160, 70), (1, 590, 62), (1, 220, 60), (1, 370, 46), (8, 1000, 44), (1, 480, 19), (1, 110, 18),
    (2, 1000, 15), (4, 1000, 15), (1, 50, 7), (1, 330, 7), (1, 350, 5),
)

# (project, durations, share of the jobs in per mille). The names stand in the column qos, which names projects.
PROJECTS = (
    ("aurora-llm", LATENCY_SENSITIVE, 300),
    ("borea-vision", BEST_EFFORT, 240),
    ("corvus-bio", LATENCY_SENSITIVE, 180),
    ("delta-robotics", BEST_EFFORT, 140),
    ("ember-foundry", BURSTABLE, 100),
    ("fjord-climate", BURSTABLE, 40),
)

# Of a thousand pods in the trace: never scheduled, and without a GPU. They are what an import has to skip.
NEVER_SCHEDULED_PER_MILLE = 20
NO_GPU_PER_MILLE = 20


class Random:
    """SplitMix64, as published by Sebastiano Vigna in the public domain; integers only."""

    def __init__(self, seed):
        self.state = seed & (2**64 - 1)

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        return z ^ (z >> 31)

    def below(self, bound):
        return (self.next() * bound) >> 64

    def pick(self, weighted):
        """An entry of a table whose entries end with their weight."""
        rest = self.below(sum(entry[-1] for entry in weighted))
        for entry in weighted:
            if rest < entry[-1]:
                return entry
            rest -= entry[-1]
        raise AssertionError("weights do not add up")


def duration_s(random, quantiles, longest_s):
    """Between the two quantiles around a drawn share, evenly."""
    share = random.below(1_000_000)
    for at in range(1, len(PER_MILLE)):
        low, high = PER_MILLE[at - 1] * 1000, PER_MILLE[at] * 1000
        if share < high:
            step = (quantiles[at] - quantiles[at - 1]) * (share - low) // (high - low)
            return max(1, min(longest_s, quantiles[at - 1] + step))
    raise AssertionError("a share above one")


def created_s(random, days):
    """Mostly in working hours and on working days, more towards the year's end: one in four draws is kept as it falls."""
    day = random.below(days)
    if random.below(4) != 0:
        day = max(day, random.below(days))
        if day % 7 >= 5 and day >= 2:
            day -= 2
        return day * DAY_S + 7 * 3600 + random.below(12 * 3600)
    return day * DAY_S + random.below(DAY_S)


def write(out, seed, jobs, days):
    random = Random(seed)
    out.write(f"# GENERATED, not recorded: seed {seed}, {jobs} jobs over {days} days (generate_workload.py).\n")
    out.write("# Sizes and durations follow quantiles of cluster-trace-gpu-v2023 (Alibaba; Weng et al., USENIX ATC 2023).\n")
    out.write(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    )
    created = sorted(created_s(random, days) for _ in range(jobs))
    for number, creation in enumerate(created):
        project, quantiles, _ = random.pick(PROJECTS)
        gpus, milli, _ = random.pick(SIZES)
        waits = random.below(4) == 0
        scheduled = min(creation + (random.below(1800) if waits else random.below(10)), days * DAY_S - 1)
        # At most 30 days, and within the year.
        deletion = scheduled + duration_s(random, quantiles, min(30 * DAY_S, days * DAY_S - scheduled))
        fate = random.below(1000)
        phase = "Failed" if random.below(10) < 2 else "Succeeded"
        shown_start = str(scheduled)
        if fate < NEVER_SCHEDULED_PER_MILLE:
            phase, shown_start = "Pending", ""
        elif fate < NEVER_SCHEDULED_PER_MILLE + NO_GPU_PER_MILLE:
            gpus, milli = 0, 0
        cpus = 8000 * max(1, gpus)
        memory = 32768 * max(1, gpus)
        out.write(
            f"gen-{number:06d},{cpus},{memory},{gpus},{milli},,{project},{phase},{creation},{deletion},{shown_start}\n"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="FILE", help="default: standard output")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    if options.jobs < 1 or options.days < 1:
        parser.error("--jobs and --days must be at least 1")
    try:
        if options.out is not None:
            with open(options.out, "w", encoding="ascii", newline="\n") as out:
                write(out, options.seed, options.jobs, options.days)
        else:
            write(sys.stdout, options.seed, options.jobs, options.days)
            sys.stdout.flush()
    except OSError as error:
        print(f"generate_workload.py: expected to write {options.out or 'standard output'}, got: {error.strerror}; hint: what was written is cut",
              file=sys.stderr)
        os._exit(3)  # without another try to write what is left


if __name__ == "__main__":
    main()
