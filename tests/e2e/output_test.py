"""Who cannot write all of its output says so and ends with 3: every command, to a full disk and to a closed standard output; and
`granary export --out FILE` has its file whole or not at all."""
import glob
import json
import os
import pathlib
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command_lines import commands  # noqa: E402
from fake_server import FakeServer  # noqa: E402
from granary_server import Server, server  # noqa: E402
from needs import PROGRAM, SERVICES, SOURCE  # noqa: E402

EXAMPLES = [json.loads(pathlib.Path(file).read_text(encoding="utf-8")) for file in sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))]
JOBS = "; UnixStartTime: 0\n" + "1 0 0 60 1 -1 -1 1 60 -1 1 1 1 1 1 1 -1 -1\n"
# Each command with what makes it print; None: it prints nothing on standard output, or not without a broker.
PRINTS = {
    "serve": None, "topics": None, "projects": [], "charges": [], "balance": ["aurora-llm"], "sources": [], "rejected": [], "status": [],
    "post": ["{event}"], "export": ["charges"], "import": ["{jobs}", "--format", "swf", "--shift-end-to", "2026-11-20T00:00:00Z", "--dry-run"],
    "tail": ["billing"], "replay": ["--data", "{data}"], "clock confirm": [], "rules": [], "rules activate": None,
}


def closed():
    os.close(1)


class Output(unittest.TestCase):
    def run_to(self, stdout, *words, **more):
        return subprocess.run([PROGRAM, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False, **more)

    def check(self, done):
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("expected to write all of the output", done.stderr)

    def test_every_command_says_that_its_output_is_cut(self):
        with tempfile.TemporaryDirectory() as folder, open("/dev/full", "w", encoding="ascii") as full:
            jobs, event = os.path.join(folder, "jobs.swf"), os.path.join(folder, "event.json")
            pathlib.Path(jobs).write_text(JOBS, encoding="ascii")
            pathlib.Path(event).write_text(json.dumps(EXAMPLES[0]), encoding="utf-8")
            granary = Server(PROGRAM, os.path.join(folder, "data"))
            granary.start("--partitions", "1")
            try:
                granary.tool = PROGRAM
                pathlib.Path(folder, "all.json").write_text(json.dumps(EXAMPLES), encoding="utf-8")
                self.assertEqual(granary.run("post", os.path.join(folder, "all.json"))[0], 0)
                tried = 0
                for command in commands(PROGRAM):
                    self.assertIn(command.name, PRINTS, "a command without a row in PRINTS")
                    if PRINTS[command.name] is None:
                        continue
                    words = [*command.words, *(word.format(jobs=jobs, event=event, data=granary.data) for word in PRINTS[command.name])]
                    if "--url" in command.values:
                        words += ["--url", granary.url]
                    elif granary.process.poll() is None:
                        self.assertEqual(granary.stop(), 0)  # replay: after the server has stopped
                    forms = [words, [*words, "--json"]] if "--json" in command.flags else [words]
                    for form in forms:
                        with self.subTest(command=command.name, form=form[-1]):
                            right = self.run_to(subprocess.PIPE, *form)
                            self.assertEqual((right.returncode, right.stderr), (0, ""))
                            self.assertNotEqual(right.stdout, "")
                            self.check(self.run_to(full, *form))
                            self.check(self.run_to(None, *form, preexec_fn=closed))
                            tried += 1
                    if command.name == "replay":
                        granary.start()
                self.assertGreater(tried, 20)
            finally:
                if granary.process.poll() is None:
                    granary.kill()

    def test_help_and_version_say_so_too(self):
        services = [os.path.join(SERVICES, name, f"granary-{name}") for name in ("intake", "metering", "allocation", "billing")]
        lines = [[*command.words, "--help"] for command in commands(PROGRAM)] + [["--help"], ["--version"], ["clock", "--help"]]
        with open("/dev/full", "w", encoding="ascii") as full:
            for program, words in [(PROGRAM, line) for line in lines] + [(service, [word]) for service in services for word in ("--help", "--version")]:
                with self.subTest(program=os.path.basename(program), words=words):
                    for more in ({"stdout": full}, {"preexec_fn": closed}):
                        self.check(subprocess.run([program, *words], stderr=subprocess.PIPE, text=True, timeout=60, check=False, **more))

    def test_a_reader_that_goes_away_is_told_or_ends_it_by_signal(self):
        for restored in (True, False):  # SIGPIPE as a shell has it, and ignored
            ours, theirs = os.pipe()
            os.close(ours)
            done = self.run_to(theirs, "--help", restore_signals=restored)
            os.close(theirs)
            if restored:
                self.assertEqual(done.returncode, -signal.SIGPIPE)
            else:
                self.check(done)

    def test_standard_output_that_is_closed_does_not_become_a_file_of_the_ledger(self):
        with tempfile.TemporaryDirectory() as data:
            process = subprocess.Popen([PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True, preexec_fn=closed)
            self.assertIn("listening on", process.stderr.readline())
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/1"), "/dev/null")
            process.terminate()
            self.assertEqual(process.wait(timeout=20), 0)
            process.stderr.close()


class Endless(FakeServer):
    """Lists that have another page for ever."""
    def __init__(self):
        super().__init__(self.page)
        self.pages = 0

    def page(self, _):
        self.pages += 1
        rows = [{"project": f"p{n}", "organisation": "o" * 100} for n in range(500)]
        return 200, json.dumps({"partitions": 1, "rows": rows, "next": str(self.pages)}).encode()


class Long(unittest.TestCase):
    def test_a_long_output_ends_when_it_cannot_be_written(self):
        with Endless() as endless, open("/dev/full", "w", encoding="ascii") as full:
            for words in (["projects", "--json"], ["charges", "--json"], ["sources", "--json"], ["rejected", "--json"], ["export", "usage"],
                          ["export", "charges", "--format", "json"], ["tail", "billing"], ["tail", "billing", "--json", "--follow"]):
                if words[0] == "sources":  # asks another list first
                    continue
                with self.subTest(words=words):
                    done = subprocess.run([PROGRAM, *words, "--url", endless.url], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                    self.assertEqual(done.returncode, 3, done.stderr)
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_an_export_that_is_stopped_leaves_nothing(self):
        with Endless() as endless, tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "out.csv")
            for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                pathlib.Path(out).write_text("before", encoding="ascii")
                process = subprocess.Popen([PROGRAM, "export", "usage", "--out", out, "--url", endless.url])
                deadline = time.monotonic() + 60
                while len(os.listdir(folder)) < 2:
                    self.assertLess(time.monotonic(), deadline)
                process.send_signal(ending)
                self.assertEqual(process.wait(timeout=60), -ending)
                self.assertEqual(os.listdir(folder), ["out.csv"])
                self.assertEqual(pathlib.Path(out).read_text(encoding="ascii"), "before")


class ExportToAFile(unittest.TestCase):
    def test_it_is_what_standard_output_is_and_takes_the_place_of_the_old(self):
        with server(PROGRAM, "--partitions", "1") as granary, tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "all.json"), "w", encoding="utf-8") as file:
                json.dump(EXAMPLES, file)
            self.assertEqual(granary.run("post", file.name)[0], 0)
            os.remove(file.name)
            out = pathlib.Path(folder, "out")
            for words in (["charges"], ["usage"], ["charges", "--format", "json"], ["usage", "--json"]):
                code, text, err = granary.run("export", *words)
                self.assertEqual((code, err), (0, ""))
                for _ in range(2):  # anew, and over what is there
                    self.assertEqual(granary.run("export", *words, "--out", str(out)), (0, "", ""))
                    self.assertEqual(out.read_text(encoding="utf-8"), text)
            out.chmod(0o640)
            link = pathlib.Path(folder, "link")
            link.symlink_to("out")
            self.assertEqual(granary.run("export", "charges", "--out", str(link))[0], 0)
            self.assertTrue(link.is_symlink())
            self.assertEqual(stat.S_IMODE(out.stat().st_mode), 0o640)
            self.assertTrue(out.read_text(encoding="utf-8").startswith("organisation,"))
            relative = subprocess.run([PROGRAM, "export", "charges", "--out", "here", "--url", granary.url], cwd=folder, timeout=60, check=False)
            self.assertEqual(relative.returncode, 0)
            self.assertEqual(sorted(os.listdir(folder)), ["here", "link", "out"])

    def test_without_room_the_old_one_stays(self):
        def small_files():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        with Endless() as endless, tempfile.TemporaryDirectory() as folder:
            for before in (None, "before"):
                out = pathlib.Path(folder, "out")
                if before:
                    out.write_text(before, encoding="ascii")
                done = subprocess.run([PROGRAM, "export", "usage", "--out", str(out), "--url", endless.url], capture_output=True, text=True,
                                      preexec_fn=small_files, timeout=60, check=False)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("File too large", done.stderr)
                self.assertEqual(os.listdir(folder), ["out"] if before else [])
                self.assertEqual(before and out.read_text(encoding="ascii"), before)

    def test_a_server_that_is_away_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder, "out")
            out.write_text("before", encoding="ascii")
            done = subprocess.run([PROGRAM, "export", "usage", "--out", str(out), "--url", "http://127.0.0.1:1"], capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertEqual((os.listdir(folder), out.read_text(encoding="ascii")), (["out"], "before"))


if __name__ == "__main__":
    unittest.main()
