"""Clients that post the same usages again and again from several threads, whatever happens to the servers: what was not answered is sent
again with the same ids, and what was answered is sent again too."""
import http.client
import json
import random
import subprocess
import threading
import urllib.error
import urllib.request

from books import extra_organisation, minutes, usage

BATCH = 25
TIMEOUT_S = 5
AWAY = (OSError, urllib.error.URLError, http.client.HTTPException, ValueError)


class Clients:
    def __init__(self, seed, threads, urls, program, swf, swf_flags):
        self.urls = urls  # a function: where to post now
        self.changed = threading.Condition()
        self.budget = 0        # jobs that may still be handed out
        self.handed_out = 0
        self.unanswered = 0    # handed out and not acknowledged
        self.acknowledged = []
        self.organisations = set()  # that every batch tells of
        self.batches = self.repeats = self.failures = self.imports = 0
        self.cut_imports = []  # exit code and why
        self.error = None
        self.ending = False
        self.import_command = [program, "import", swf, *swf_flags, "--json", "--retry-for", "600"]
        self.threads = [threading.Thread(target=self.guard, args=(self.client, random.Random(f"{seed}/{n}"))) for n in range(threads)]
        self.threads.append(threading.Thread(target=self.guard, args=(self.importer, random.Random(f"{seed}/import"))))

    def start(self):
        for thread in self.threads:
            thread.start()

    def close(self):
        with self.changed:
            self.ending = True
            self.changed.notify_all()
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()

    def let(self, jobs):
        with self.changed:
            self.budget = max(self.budget, jobs)
            self.changed.notify_all()

    def hold(self):
        """No more jobs; those that are handed out are still posted until they are acknowledged."""
        with self.changed:
            self.budget = 0

    def guard(self, what, rng):
        try:
            what(rng)
        except BaseException as error:  # noqa: BLE001
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def client(self, rng):
        own = []
        while True:
            with self.changed:
                self.changed.wait_for(lambda: own or self.budget > 0 or self.ending)
                if self.ending:
                    return
                fresh = range(self.handed_out, self.handed_out + min(self.budget, BATCH - len(own)))
                self.handed_out += len(fresh)
                self.unanswered += len(fresh)
                self.budget -= len(fresh)
                own += fresh
                again = rng.choices(self.acknowledged, k=3) if self.acknowledged else []
                again += [rng.randrange(self.handed_out)]  # others', perhaps at the same time
            if rng.random() < 0.05 and self.acknowledged:
                self.conflict(rng.choice(self.acknowledged), rng)
            if self.post(own + again, rng):
                with self.changed:
                    self.organisations.add((own + again)[0])
                    self.acknowledged += own
                    self.unanswered -= len(own)
                    self.batches += 1
                    self.repeats += len(again)
                    self.changed.notify_all()
                own = []
            else:
                with self.changed:
                    self.failures += 1
                    self.changed.wait_for(lambda: self.ending, timeout=rng.uniform(0.02, 0.2))

    def send(self, events, rng):
        """(status, answer), or None: nobody answered."""
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        if rng.random() < 0.5:
            headers["Prefer"] = "wait=2"
        url = rng.choice(self.urls()) + "/v1/events"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(events).encode(), method="POST", headers=headers),
                                        timeout=TIMEOUT_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (503, 507, 408):
                    return None
                raise AssertionError(f"{url} answered {error.code}: {error.read()[:2000]}") from None
        except AWAY:
            return None

    def post(self, jobs, rng):
        # Every batch tells intake something too: an organisation of its own, which comes again as the batch does.
        answer = self.send([*(usage(n) for n in jobs), extra_organisation(jobs[0])], rng)
        if answer is None:
            return False
        status, body = answer
        judgements = {result.get("outcome", {}).get("judgement") for result in body["results"]}
        assert status == 202 and body["refused"] == 0 and body["accepted"] == len(jobs) + 1, body
        assert judgements <= {None, "new", "repeat", "waiting", "unknown"}, body
        return True

    def conflict(self, job, rng):
        """The same id with another run time: refused by name, and it changes nothing."""
        answer = self.send([usage(job, runs=minutes(job) % 59 + 1)], rng)
        if answer is None:
            return
        outcome = answer[1]["results"][0].get("outcome", {"judgement": "unknown"})
        assert outcome["judgement"] in ("unknown", "refused"), answer
        assert outcome["judgement"] == "unknown" or outcome["reason"] == "conflicting_duplicate", answer

    def importer(self, rng):
        """The same small file again and again."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.budget > 0 or self.ending)
                if self.ending:
                    return
            self.import_once(rng.choice(self.urls()))

    def import_once(self, url):
        importing = subprocess.Popen([*self.import_command, "--url", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while True:
            try:
                out, err = importing.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if self.ending:
                    importing.kill()
        if importing.returncode == 0:
            assert json.loads(out)["refused"] == [], out
            self.imports += 1
        elif not self.ending:
            # Nothing was posted: who was to say which classes are published was away.
            assert importing.returncode == 3, f"granary import ended with {importing.returncode}: {err}"
            with self.changed:
                self.cut_imports.append(f"{importing.returncode}: {err.strip()[-300:]}")
                self.changed.wait_for(lambda: self.ending, timeout=0.2)
        return importing.returncode, err
