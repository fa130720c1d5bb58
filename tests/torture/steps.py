"""What befalls the processes, in an order that the seed draws."""
import json
import shutil
import time
import urllib.error
import urllib.request

import books
from books import Failure

POINTS = ["journal.before_write", "journal.after_write", "runtime.before_commit", "runtime.after_commit", "runtime.before_publish",
          "runtime.after_publish", "runtime.trim", "runtime.before_checkpoint", "runtime.after_checkpoint"]
EMBEDDED_POINTS = ["journal.after_head"]
# How often each step comes in a round of some 40 kills.
ROUND = {
    "one": {"kill_at_point": 12, "kill": 12, "kill_in_start": 4, "kill_all": 1, "pause": 2, "stop": 1, "full_disk": 1, "clock": 4, "checkpoint": 1},
    "four": {"kill_at_point": 12, "kill": 4, "kill_in_start": 2, "kill_some": 1, "kill_all": 1, "pause": 2, "stop": 1, "full_disk": 1,
             "clock": 5, "checkpoint": 1},
}
OVER_KAFKA = {"broker_kill": 3, "broker_stop": 1, "broker_pause": 1, "double_owner": 2, "zombie": 1}
CLOCK_STEPS_MIN = 4  # in a whole run, however short
COUNTED = ("kills", "at_points", "broker_kills", "broker_stops", "pauses", "deleted", "double_owners", "full_disks", "stops", "checkpoints",
           "clock_steps", "clock_refusals")


def clock_state(process):
    """Nothing while it does not answer."""
    try:
        return books.get(process.url, "/v1/clock")["state"]
    except OSError:
        return None


class Steps:
    def __init__(self, arguments, rng, world):
        self.arguments, self.rng, self.world = arguments, rng, world
        self.began = time.monotonic()
        self.step, self.counts = "the start", dict.fromkeys(COUNTED, 0)
        self.points, self.zombies, self.clock_kinds = [], [], []
        self.clock_s = 0.0  # what the ledger's time is ahead of the machine's

    def urls(self):
        """Where clients post now: also to who is paused, but not for as long as a zombie sleeps."""
        return [process.url for process in self.world.all() if process.up and process not in self.zombies] or [process.url for process in self.world.processes]

    def say(self, step, text):
        print(f"[{time.monotonic() - self.began:6.1f} s, {self.counts['kills']} kills] {step}: {text}", flush=True)

    def dump(self):
        for process in self.world.all():
            if process.process is not None:
                print(f"{process.name}: {'paused, ' if process.paused else ''}exit code {process.process.poll()}, pid "
                      f"{process.process.pid}{process.tail()}", flush=True)
        if self.world.broker:
            print(self.world.broker.log_tail(), flush=True)

    # Waiting: for what the clients heard, never for a time alone.

    def until(self, met, patience_s, what=None):
        """Waits, and keeps alive what has to be. False, or a failure where `what` is said, if it does not come."""
        deadline = time.monotonic() + patience_s
        while True:
            if self.clients.error:
                raise self.clients.error
            self.world.tend()
            if met():
                return True
            if time.monotonic() > deadline:
                if what:
                    raise Failure(f"not within {patience_s} s: {what}")
                return False
            with self.clients.changed:
                self.clients.changed.wait(0.02)

    def progress(self, batches, patience_s):
        """Waits until the clients have had so many more answers."""
        target = self.clients.batches + batches
        self.clients.let(self.arguments.jobs)
        return self.until(lambda: self.clients.batches >= target, patience_s)

    def follow_schedule(self):
        number, last = 0, self.arguments.steps or 1 << 30
        while self.counts["kills"] < self.arguments.kills and number < last:
            deck = {**ROUND[self.arguments.processes], **(OVER_KAFKA if self.world.broker else {})}
            if not self.world.mounted:
                del deck["full_disk"]
            steps = [name for name, count in deck.items() for _ in range(count)]
            if self.arguments.only:
                steps = [name for name in steps if name in self.arguments.only.split(",")]
            self.rng.shuffle(steps)
            for name in steps:
                if self.counts["kills"] >= self.arguments.kills or number >= last:
                    break
                number += 1
                self.step = f"{number} ({name})"
                getattr(self, name)()
                if self.rng.random() < 0.4:
                    self.until(self.world.all_ready, 90, f"every process is ready after step {self.step}")
                self.progress(self.rng.randint(1, 8), 1.0)
        while not self.arguments.only and not self.arguments.steps and self.counts["clock_steps"] < CLOCK_STEPS_MIN:
            number += 1
            self.step = f"{number} (clock)"
            self.clock()
        self.wake_zombies()

    # The steps.

    def pick(self):
        return self.rng.choice(self.world.processes)

    def kill_now(self, process):
        self.world.tend()  # it may have ended already, for a reason
        process.kill()
        self.counts["kills"] += 1

    def delete_states(self, states):
        for state in states:
            shutil.rmtree(state)
            self.counts["deleted"] += 1
        return len(states)

    def some_states(self, process):
        """Of a process that is down: none, one, several, all."""
        states = process.states()
        if not states or self.rng.random() < 0.6:
            return []
        return states if self.rng.random() < 0.3 else self.rng.sample(states, self.rng.randint(1, len(states)))

    def kill(self):
        process = self.pick()
        self.progress(self.rng.randint(1, 6), 3)
        self.kill_now(process)
        deleted = self.delete_states(self.some_states(process))
        self.say(self.step, f"{process.name}, {deleted} states deleted")
        process.start()

    def kill_some(self):
        some = self.rng.sample(self.world.processes, self.rng.randint(2, len(self.world.processes) - 1))
        self.progress(self.rng.randint(1, 6), 3)
        for process in some:
            self.kill_now(process)
        deleted = sum(self.delete_states(self.some_states(process)) for process in some)
        self.say(self.step, f"{', '.join(process.name for process in some)}, {deleted} states deleted")
        for process in some:
            process.start()

    def kill_all(self):
        """And all of all their state."""
        self.progress(self.rng.randint(1, 6), 3)
        for process in self.world.processes:
            self.kill_now(process)
        deleted = sum(self.delete_states(process.states()) for process in self.world.processes)
        self.say(self.step, f"{deleted} states deleted")
        for process in self.world.processes:
            process.start()
        self.until(self.world.all_ready, 90, "all is folded again from nothing")

    def kill_in_start(self):
        process = self.pick()
        self.kill_now(process)
        deleted = self.delete_states(self.some_states(process))
        process.start()
        self.progress(self.rng.randint(0, 2), self.rng.uniform(0.02, 0.6))
        self.kill_now(process)
        self.say(self.step, f"{process.name}, {deleted} states deleted")
        process.start()

    def kill_at_point(self):
        if not self.points:
            names = POINTS + ([] if self.world.broker else EMBEDDED_POINTS)
            self.points = [(process, name) for process in self.world.processes for name in names]
            self.rng.shuffle(self.points)
        process, point = self.points.pop()
        self.kill_now(process)
        deleted = self.delete_states(self.some_states(process))
        rare = process.name == "intake" or "checkpoint" in point
        visits = self.rng.choice([1, 2, 3] if rare else [1, 2, 3, self.rng.randint(4, 12), self.rng.randint(12, 60)])
        deaths = process.deaths
        process.start(f"{point}:{visits}")
        if self.until(lambda: process.deaths > deaths or self.more_jobs(), 8):
            self.counts["kills"] += 1
            self.counts["at_points"] += 1
            self.say(self.step, f"{process.name} at {point}:{visits}, {deleted} states deleted")
        else:
            process.crash_at = ""
            self.kill_now(process)
            self.say(self.step, f"{process.name} did not come to {point}:{visits}, killed there, {deleted} states deleted")
            process.start()

    def more_jobs(self):
        self.clients.let(self.arguments.jobs)
        return False

    def pause(self):
        """Past all that its clients wait for."""
        process = self.pick()
        process.pause()
        self.counts["pauses"] += 1
        self.until(lambda: self.more_jobs(), self.rng.uniform(1, 6))
        self.say(self.step, process.name)
        process.resume()

    def stop(self):
        process = self.pick()
        self.until(process.ready, 90, f"{process.name} is ready")
        process.stop()
        self.counts["stops"] += 1
        self.say(self.step, process.name)
        process.start()

    def full_disk(self):
        """Little enough for the embedded journal, or for the state too."""
        free = 100 if not self.world.broker and self.rng.random() < 0.5 else 30
        self.world.disk_trouble = float("inf")
        self.world.others_hold(free)
        failures = self.clients.failures
        self.until(lambda: self.clients.failures >= failures + 5 or self.more_jobs(), 3)
        self.say(self.step, f"{free} MB left")
        self.world.others_hold(None)
        self.world.disk_trouble = time.monotonic() + 1
        self.counts["full_disks"] += 1
        self.until(self.world.all_ready, 90, "every process is ready after there is room")

    def clock(self):
        """One process's clock, or everybody's, is wrong or set anew; a clock is read at a start."""
        kinds = ["near", "behind", "far", "step"]
        if len(self.world.processes) > 1:
            kinds.append("ahead")  # of the others
        if not self.clock_kinds:
            self.clock_kinds = kinds
            self.rng.shuffle(self.clock_kinds)
        kind = self.clock_kinds.pop()
        self.wake_zombies()
        self.until(self.world.all_ready, 90, "every process is ready")
        process = self.pick()
        by = {"near": self.rng.uniform(-20, 20), "behind": -self.rng.uniform(150, 900), "ahead": self.rng.uniform(150, 3 * 3600),
              "far": self.rng.uniform(8, 20) * 86400, "step": self.rng.uniform(5, 3 * 3600)}[kind]
        self.say(self.step, f"{process.name if kind != 'step' else 'everybody'} by {by:+.0f} s, {kind}")
        self.counts["clock_steps"] += 1
        if kind == "step":
            self.step_clocks(by)
            return
        self.kill_now(process)
        process.set_clock(self.clock_s + by)
        process.start()
        if kind == "near":
            return
        if kind == "behind":
            self.does_not_start(process)
        else:
            self.takes_nothing(process)
            self.kill_now(process)
        self.counts["clock_refusals"] += 1
        process.set_clock(self.clock_s)
        process.start()
        self.until(process.ready, 90, f"{process.name} is ready once its clock is right")

    def step_clocks(self, by):
        self.clock_s += by
        for process in self.world.processes:
            self.kill_now(process)
        for process in self.world.all():
            process.set_clock(self.clock_s)
        for process in self.world.processes:
            process.start()
        self.until(self.world.all_ready, 90, "every process is ready at the ledger's new time")

    def does_not_start(self, process):
        process.up = False
        self.until(lambda: process.process.poll() is not None, 60, f"{process.name}, whose clock is behind, ends")
        if process.process.returncode != 3 or not any("behind the log" in line for line in process.said()):
            raise Failure(f"{process.name}, whose clock is behind, ended with {process.process.returncode}{process.tail()}")

    def takes_nothing(self, process):
        self.until(lambda: clock_state(process) == "needs_confirmation", 60, f"{process.name}, whose clock is ahead, waits for a person")
        request = urllib.request.Request(process.url + "/v1/events", data=b"[]", headers={"Content-Type": "application/cloudevents-batch+json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                raise Failure(f"{process.name}, whose clock is ahead, answers {answer.status}{process.tail()}")
        except urllib.error.HTTPError as answer:
            problem = json.load(answer)
            if (answer.code, problem["type"]) != (503, "urn:granary:problem:clock_needs_confirmation"):
                raise Failure(f"{process.name}, whose clock is ahead, answers {answer.code} {problem}{process.tail()}") from None

    def broker_kill(self):
        self.progress(self.rng.randint(1, 6), 3)
        self.world.broker_trouble = float("inf")
        self.world.broker.kill()
        self.counts["broker_kills"] += 1
        also = self.pick() if self.rng.random() < 0.5 else None
        if also:
            self.kill_now(also)
            also.start()
        self.until(lambda: self.more_jobs(), self.rng.uniform(0, 2))
        self.say(self.step, f"and {also.name}" if also else "alone")
        self.world.broker.start()
        self.world.broker_trouble = time.monotonic() + 5

    def broker_stop(self):
        self.world.broker_trouble = float("inf")
        self.world.broker.stop()
        self.counts["broker_stops"] += 1
        self.say(self.step, "in order, and started again")
        self.world.broker.start()
        self.world.broker_trouble = time.monotonic() + 5

    def broker_pause(self):
        self.world.broker_trouble = float("inf")
        self.world.broker.pause()
        self.counts["pauses"] += 1
        self.until(lambda: self.more_jobs(), self.rng.uniform(1, 6))
        self.say(self.step, "resumed")
        self.world.broker.resume()
        self.world.broker_trouble = time.monotonic() + 5

    def second_owner(self):
        awake = [process for process in self.world.processes
                 if process.name != "intake" and self.world.seconds.get(process.name) not in self.zombies]
        if not awake:
            self.wake_zombies()
            awake = self.world.processes
        first = self.rng.choice(awake)
        second = self.world.second(first.name)
        if self.rng.random() < 0.4:
            shutil.rmtree(second.data, ignore_errors=True)
        second.set_clock(self.clock_s)
        second.start()
        self.counts["double_owners"] += 1
        return first, second

    def double_owner(self):
        first, second = self.second_owner()
        self.progress(self.rng.randint(5, 20), 5)
        self.until(second.ready, 30)
        also = self.rng.random() < 0.5
        if also:
            self.kill_now(first)
            first.start()
        self.progress(self.rng.randint(5, 20), 3)
        self.kill_now(second)
        self.say(self.step, f"of {first.name}{', which is killed too' if also else ''}")

    def zombie(self):
        """A second owner that is stopped in the middle of its work, and wakes some steps later."""
        self.wake_zombies()
        _, second = self.second_owner()
        self.until(second.ready, 30)
        self.progress(self.rng.randint(5, 20), 5)
        second.pause()
        self.counts["pauses"] += 1
        self.zombies.append(second)
        self.say(self.step, f"{second.name} sleeps")

    def wake_zombies(self):
        for second in self.zombies:
            second.resume()
            self.progress(self.rng.randint(5, 20), 5)
            self.kill_now(second)
            self.say(self.step, f"{second.name} was woken")
        self.zombies = []
