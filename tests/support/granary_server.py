"""A real `granary serve` for a test: on a free loopback port, in a folder of its own, stopped by its id."""
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request


class Server:
    def __init__(self, program, data, command=("serve",), tool=None):
        """`command`: what follows the program's name (none for a service); `tool`: the `granary` that asks it (default: the program)."""
        self.program = program
        self.data = data
        self.command = list(command)
        self.tool = tool or program
        self.process = None

    def start(self, *arguments, environment=None, again=False, until_ready=True, listen="127.0.0.1:0"):
        """Starts it and waits until it is ready; `again`: where it listened before, so that its clients find it."""
        self.begin(*arguments, environment=environment, listen=self.url.removeprefix("http://") if again else listen)
        return self.started(until_ready)

    def begin(self, *arguments, environment=None, listen="127.0.0.1:0"):
        os.makedirs(self.data, exist_ok=True)
        self.reader = None
        self.process = subprocess.Popen([self.program, *self.command, "--data", self.data, "--listen", listen, *arguments],
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})

    def started(self, until_ready=True):
        """Waits for one that was begun."""
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r'listening on (http://[^\s"]+)', line):  # in lines of JSON and of text alike
                self.url = found.group(1)
                break
        else:
            raise RuntimeError(f"the server did not start: {self.lines}")
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.reader.start()
        deadline = time.monotonic() + 60
        while until_ready and not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not become ready: {self.lines}")
        return self

    def ready(self):
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=10) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def stop(self):
        """Asks to stop; returns the exit code. More than ten seconds are a failure."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        self.ended()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.ended()

    def ended(self):
        if self.reader is not None:
            self.reader.join()
        self.process.stderr.close()

    def run(self, *arguments, stdin=None):
        """A command against this server: (exit code, standard output, standard error)."""
        done = subprocess.run([self.tool, *arguments, "--url", self.url], input=stdin, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def ask(self, path, body=None, headers=None, timeout=60):
        """(status, headers, answer), whatever the status."""
        request = urllib.request.Request(self.url + path, body, headers=headers or {}, method="GET" if body is None else "POST")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, json.load(error)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def rows(self, path):
        """Of a list, page by page."""
        rows, cursor = [], ""
        while True:
            page = self.get(path + (("&" if "?" in path else "?") + "cursor=" + cursor if cursor else ""))
            rows += page["rows"]
            cursor = page.get("next", "")
            if not cursor:
                return rows

    def post(self, events, path="/v1/events", wait=20):
        """A batch, waiting so many seconds for its outcomes; (status, answer)."""
        status, _, answer = self.ask(path, json.dumps(events).encode(),
                                     {"Content-Type": "application/cloudevents-batch+json", "Prefer": f"wait={wait}"})
        return status, answer


@contextlib.contextmanager
def server(program, *arguments):
    with tempfile.TemporaryDirectory() as data:
        running = Server(program, data)
        try:
            yield running.start(*arguments)
        finally:
            if running.process.poll() is None:
                running.kill()
