"""Whatever a person can give wrongly on a command line ends in one line on standard error and an exit code: 2 (usage) or 3 (cannot run).

The commands and their options come from the programs' own --help, so that a new option without a row in ROWS fails here. Rights are tried
as another user than root (uid 65534 where the test runs as root)."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command_lines import commands  # noqa: E402
from granary_server import server  # noqa: E402
from needs import PROGRAM, SERVICES  # noqa: E402

NOBODY = 65534
TIMEOUT_S = 30
WRONG, CANNOT = (2,), (2, 3)

NUMBERS = ["", "x", "-1", "1.5", "0x10", "010", "99999999999999999999"]
READ = ["", "none", "folder", "loop", "long", "long_name", "file/below", "pipe", "secret", "locked/file"]
FOLDER = ["", "long", "long_name", "loop", "file", "file/below", "pipe", "locked/new", "not_ours/new"]
WRITTEN = ["", "folder", "folder/", "long", "loop", "none/file", "file/below", "pipe", "/dev/full", "secret", "not_ours/new", "locked/new"]

# What an option takes, and what is wrong for it: (values, exit codes). Names of paths are those of Paths.
KINDS = {
    "read": ([("path", name) for name in READ], CANNOT),
    "folder": ([("path", name) for name in FOLDER], CANNOT),
    "journal": ([("path", name) for name in [*FOLDER, "none", "folder"]], CANNOT),
    "written": ([("path", name) for name in WRITTEN], CANNOT),
    "listen": (["", "nowhere", ":0", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:0x",
                "localhost:0", "999.0.0.1:0", "[::1:0"], CANNOT),
    "listen_here": (["nowhere", "127.0.0.1:99999", "192.0.2.1:0", ("taken", "")], CANNOT),  # what only the system can know
    "url": (["", "nonsense", "http://", "http://:80", "https://127.0.0.1:1", "http://127.0.0.1:99999", "http://127.0.0.1:x",
             "http://127.0.0.1:1", "http://127.0.0.1:1 x", "http://127.0.0.1:1/?a=b", "http://" + "a" * 5000, "http://a\nb"], CANNOT),
    "token": (["", "x", "====", "A" * 10_000, "a\nb"], (1, 2)),  # the server judges it
    "partitions": ([*NUMBERS, "0", "257"], WRONG),
    "count": ([*NUMBERS, "0"], WRONG),
    "number": (NUMBERS, WRONG),
    "partition": ([*NUMBERS, "65536", "65535"], WRONG),
    "choice": (["", "other", "JSON\n"], WRONG),
    "brokers": (["", "127.0.0.1:99999", "127.0.0.1:x", "127.0.0.1:", ",", ":9092", "a b", "a:1,,b:1", "[::1"], WRONG),
    "setting": (["", "novalue", "=x", "no.such.setting=1", "acks=0", "socket.timeout.ms=never"], CANNOT),
    "shards": (["", "x", "3-1", "0-", "-1", "99999", "0,,1", "1 2"], WRONG),
    "place": (["", "MIDDLE", "-1", "1.5", "99999999999999999999"], WRONG),
    "until": (["", "x", "granary.usage.v1", "granary.usage.v1/0", "granary.usage.v1/0/x", "granary.usage.v1/99999/1", "granary.none.v1/0/1",
               "granary.billing.v1/0/1", "granary.usage.v1/0/99999999999999999999"], WRONG),
    "digest": (["", "x", "0" * 63, "0" * 65, "G" * 64], WRONG),
    "time": (["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "1" * 5000], WRONG),
    "zone": (["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "Z" * 5000], WRONG),
    "hours": (["", "x", "-1", "0", "1e3", "1.2345", "9" * 60], WRONG),
    "name": ([""], WRONG),
    "delimiter": (["", "||", "\\n", "a", "é"], CANNOT),
    "columns": (["", ",", "JobID,,End", "JobID,JobID", "Nothing", "x" * 5000], CANNOT),
}
# By command and option, or by option alone. In front of the value stands what the command needs beside it.
ROWS = {
    "--url": "url", "--after": "token", "--brokers": "brokers", "--kafka": "setting", "--kafka-file": "read", "--peers": "read", "--listen": "listen",
    "--partitions": "partitions", "--checkpoint-records": "count", "--log": "choice", "--replication": "count", "--shards": "shards",
    "--lag-seconds-max": "number", "VERSION": "count", "--source": "name", "--id": "name", "--cluster": "name", "--project-prefix": "name", "PROJECT": "name",
    "--project-from": "choice", "--shift-end-to": "time", "--epoch": "time", "--complete-through": "time", "--time-zone": "zone",
    "--delimiter": "delimiter", "--columns": "columns", "--award-all": "hours", "--retry-for": "number", "--format": "choice", "WHAT": "choice", "--out": "written", "STREAM": "choice",
    "--from": "place", "--partition": "partition", "--until": "until", "--expect": "digest", "FILE": "read",
    "serve --data": "folder", "serve --listen": "listen_here", "replay --data": "journal", "--data": "folder",
}
POSITIONALS = {"PROJECT": "p", "VERSION": "2", "WHAT": "usage", "STREAM": "billing", "FILE": "{jobs}"}
FORMATS = {"--epoch": "openb", "--time-zone": "sacct", "--delimiter": "sacct", "--columns": "sacct"}
KAFKA = ["--brokers", "127.0.0.1:1"]
JOBS = "; UnixStartTime: 0\n" + "1 0 0 60 1 -1 -1 1 60 -1 1 1 1 1 1 1 -1 -1\n"


class Paths:
    """Paths of each kind, in a folder that everybody may enter."""
    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.top.chmod(0o755)
        for name in ("folder", "not_ours", "locked"):
            (self.top / name).mkdir()
        (self.top / "loop").symlink_to("loop")
        os.mkfifo(self.top / "pipe")
        for name in ("file", "secret", "locked/file"):
            (self.top / name).write_text("kept\n", encoding="utf-8")
        (self.top / "secret").chmod(0o600 if os.geteuid() == 0 else 0)
        (self.top / "not_ours").chmod(0o755 if os.geteuid() == 0 else 0o555)
        (self.top / "locked").chmod(0o700 if os.geteuid() == 0 else 0)
        (self.top / "folder").chmod(0o777)

    def __call__(self, name):
        if name == "" or name.startswith("/"):
            return name
        if name == "long":
            return str(self.top) + "/a" * 3000
        return str(self.top / ("a" * 300)) if name == "long_name" else str(self.top) + "/" + name

    def close(self):
        (self.top / "locked").chmod(0o700)


def as_nobody():
    """Rights hold for nobody; root has them all."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


class Arguments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.paths = Paths(cls.folder)
        cls.addClassCleanup(cls.paths.close)
        # A copy that nobody may run, whatever the rights of the folder in which it was built.
        cls.programs = {}
        for program in [PROGRAM, *(os.path.join(SERVICES, name, f"granary-{name}") for name in ("intake", "metering", "allocation", "billing"))]:
            copy = shutil.copy(program, cls.folder)
            os.chmod(copy, 0o755)
            cls.programs[os.path.basename(program)] = copy
        cls.commands = [command for program in cls.programs.values() for command in commands(program)]
        cls.jobs = os.path.join(cls.folder, "jobs.swf")
        pathlib.Path(cls.jobs).write_text(JOBS, encoding="ascii")
        cls.granary = cls.enterClassContext(server(PROGRAM, "--partitions", "1"))
        cls.taken = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(cls.taken.close)

    def row(self, command, option):
        return ROWS.get(f"{command.name} {option}", ROWS.get(option))

    def test_every_option_has_a_row_and_every_row_an_option(self):
        options = {(command, option) for command in self.commands for option in [*command.values, *command.positionals]}
        self.assertGreater(len(options), 60)
        self.assertEqual([f"{command.name} {option}" for command, option in options if self.row(command, option) is None], [],
                         "an option without a row in ROWS: say what is wrong for it")
        names = {name for command, option in options for name in (option, f"{command.name} {option}")}
        self.assertEqual([row for row in ROWS if row not in names], [], "a row of no option")
        self.assertEqual([kind for kind in KINDS if kind not in ROWS.values()], [])

    def base(self, command, option):
        """The rest of a command line that would be right but for `option`."""
        words = [word.replace("{jobs}", self.jobs) for name, word in POSITIONALS.items() if name in command.positionals and name != option]
        wanted = {"--url": self.granary.url, "--listen": "127.0.0.1:0"}
        if command.name in ("serve", "") or command.name == "replay":
            wanted["--data"] = os.path.join(self.folder, "folder", "data")
        if option in ("--kafka", "--kafka-file") or command.name in ("", "topics"):
            wanted["--brokers"] = KAFKA[1]
        if command.name == "import":
            wanted["--format"] = FORMATS.get(option, "swf")
            if wanted["--format"] != "swf":
                wanted["--shift-end-to"] = "2026-11-01T00:00:00Z"
            if wanted["--format"] == "sacct":
                wanted["--time-zone"] = "UTC"
            if option != "--retry-for":
                wanted["--retry-for"] = "0"
        for name, value in wanted.items():
            if name in command.values and name != option:
                words += [name, value]
        return words

    def value(self, value):
        if not isinstance(value, tuple):
            return value
        kind, name = value
        return self.paths(name) if kind == "path" else f"127.0.0.1:{self.taken.getsockname()[1]}"

    def run_it(self, *words, **more):
        return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, check=False,
                              cwd=self.paths.top / "folder", **{**as_nobody(), **more})

    def check(self, done, codes):
        self.assertIn(done.returncode, codes, done.stderr[-2000:])
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr[-2000:])
        self.assertEqual(done.stdout, "")
        self.assertNotIn("this is a bug", done.stderr)

    def test_each_wrong_value_ends_in_one_line_and_a_code(self):
        for command in self.commands:
            for option in [*command.values, *command.positionals]:
                values, codes = KINDS[self.row(command, option)]
                for value in values:
                    if command.name == "replay" and value == ("path", "folder") and option != "--data":
                        continue
                    said = self.value(value)
                    given = [said] if option in command.positionals else [option, said]
                    with self.subTest(program=os.path.basename(command.program), command=command.name, option=option, value=value[:60]):
                        done = self.run_it(command.program, *command.words, *self.base(command, option), *given)
                        self.check(done, codes)
                        self.assertNotIn("stop the other process", done.stderr)
        self.assertEqual((self.paths.top / "file").read_text(encoding="utf-8"), "kept\n")
        self.assertEqual((self.paths.top / "secret").read_text(encoding="utf-8"), "kept\n")

    def test_what_is_missing_or_too_much_ends_so_too(self):
        for command in self.commands:
            for words in (["--no-such-option"], ["one", "more", "word"], *([option] for option in command.values)):
                with self.subTest(command=command.name, words=words):
                    self.check(self.run_it(command.program, *command.words, *self.base(command, ""), *words), WRONG)
            needed = [name for name in command.positionals] + [name for name, rest in command.values.items() if "REQUIRED" in rest]
            if needed:
                with self.subTest(command=command.name):
                    self.check(self.run_it(command.program, *command.words), WRONG)
        for words in ([], ["no-such-command"], ["clock"], ["clock", "stop"], [""]):
            with self.subTest(words=words):
                self.check(self.run_it(self.programs["granary"], *words), WRONG)

    def test_names_that_are_strange_are_answered(self):
        """Legal or not is the server's to say; no line of it breaks."""
        strange = ["a" * 100_000, "a\nb", "a\x1b[31mb", os.fsdecode(b"\xff\xfe"), "../..", "%2e%2e", "?after=x", "-"]
        for command in self.commands:
            for option in [*command.values, *command.positionals]:
                if self.row(command, option) != "name":
                    continue
                for value in strange:
                    given = [value] if option in command.positionals else [option, value]
                    more = ["--format", "sacct-json"] if option == "--cluster" else []
                    with self.subTest(command=command.name, option=option, value=value[:20]):
                        done = self.run_it(command.program, *command.words, *self.base(command, option), *more, *given)
                        self.assertIn(done.returncode, (0, 1, 2, 3))
                        self.assertLessEqual(len(done.stderr.splitlines()), 1, done.stderr[-2000:])
                        self.assertNotIn("\x1b", done.stderr)
                        self.assertNotIn("this is a bug", done.stderr)

    def test_a_name_with_a_line_end_makes_no_second_line(self):
        for words in (["post", "no\nsuch"], ["replay", "--data", "no\nsuch"], ["export", "usage", "--out", "no\nsuch/file"],
                      ["balance", "no\nsuch", "--url", self.granary.url]):
            with self.subTest(words=words):
                self.check(self.run_it(self.programs["granary"], *words), (1, 3))

    def test_state_that_may_not_be_opened_says_whose_rights(self):
        """Not that another process has it open; the one that has is named as such."""
        program = self.programs["granary"]
        with tempfile.TemporaryDirectory() as top:
            os.chmod(top, 0o755)
            data = os.path.join(top, "No such file, block")  # words of a path decide nothing
            with server(PROGRAM, "--partitions", "1") as granary:
                # Its own data, in use.
                done = self.run_it(program, "replay", "--data", granary.data, user=os.geteuid(), group=os.getegid())
                self.check(done, (3,))
                self.assertIn("stop the other process", done.stderr)
                self.assertEqual(granary.stop(), 0)
                shutil.copytree(granary.data, data)
            for folder, folders, files in os.walk(data):
                os.chmod(folder, 0o777)
                for name in files:
                    os.chmod(os.path.join(folder, name), 0o666)
            state = pathlib.Path(data, "state", "metering-0")
            log = pathlib.Path(data, "journal", "log")
            for path in (state / "LOCK", state / "CURRENT", state, log / "CURRENT", log, pathlib.Path(data, "journal", "LOCK"),
                         pathlib.Path(data, "journal", "HEAD")):
                mode = path.stat().st_mode
                if os.geteuid() == 0:
                    os.chown(path, 0, 0)  # a start before may have made it anew
                path.chmod(0o700 if path.is_dir() else 0o600)
                if os.geteuid() != 0:
                    path.chmod(0)
                for command in (["replay", "--data", data], ["serve", "--data", data, "--listen", "127.0.0.1:0"]):
                    with self.subTest(path=str(path.relative_to(data)), command=command[0]):
                        done = self.run_it(program, *command)
                        self.check(done, (3,))
                        self.assertIn("ermission denied", done.stderr)
                        for word in ("other process", "restore", "delete", "check the disk, then"):
                            self.assertNotIn(word, done.stderr)
                path.chmod(mode)
            self.assertEqual(self.run_it(program, "replay", "--data", data).returncode, 0, "nothing was changed by it")


if __name__ == "__main__":
    unittest.main()
