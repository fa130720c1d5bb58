"""Hints are true. What the program and its runbooks tell people to do is looked up in the program itself: event types at its door, commands
and options in its --help, files in this checkout, routes and topics in their descriptions."""
import glob
import json
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from command_lines import commands  # noqa: E402
from granary_server import server  # noqa: E402
from needs import PROGRAM, SERVICES, SOURCE  # noqa: E402

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TOKEN = re.compile(COMMENT.pattern + r'|R"(\w*)\((?P<raw>.*?)\)\1"|"(?P<text>(?:[^"\\\n]|\\.)*)"|\'(?:[^\'\\\n]|\\.)+\'', re.DOTALL)
TYPE = re.compile(r"\bgranary\.[a-z_]+\.[a-z_]+\.v\d+\b")
TOPIC = re.compile(r"\bgranary\.[a-z]+\.v\d+\b")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
PATH = re.compile(r"(?<![\w/])(?:deploy|docs|tests|schemas)/[\w./-]*\w")
ROUTE = re.compile(r"\b(?:GET|POST) (/[a-z0-9/{}_-]*)")
# "granary WORD", but not "a granary of" in a sentence: a command stands in a code span, after a colon, or before an option.
COMMAND = re.compile(r"(?:^|[`:(;]\s*|\bsay |\brun |\bwith )granary ((?:[a-z]+ ?)+)|\bgranary ([a-z]+) --")
# Other people's programs, which hints name too, with options of theirs (their manuals).
FOREIGN = {
    "sacct": "--allusers --allocations --clusters --delimiter --duplicates --endtime --format --json --local --noconvert --noheader --parsable "
             "--parsable2 --starttime --state --truncate --units",
    "kafka-configs.sh": "--bootstrap-server --alter --entity-type --entity-name --add-config",
    "deploy/local": "--data --port --once",
}


def literals(text):
    """The string literals of C++ source; those that stand side by side are one."""
    found, end = [], None
    for token in TOKEN.finditer(text):
        if token.group("raw") is None and token.group("text") is None:
            continue
        said = token.group("raw") if token.group("raw") is not None else re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), token.group("text"))
        if end is not None and not COMMENT.sub("", text[end:token.start()]).strip():
            found[-1] += said
        else:
            found.append(said)
        end = token.end()
    return found


class Truth:
    """What this build has."""
    def __init__(self, granary):
        self.granary = granary
        of_services = [os.path.join(SERVICES, name, f"granary-{name}") for name in ("intake", "metering", "allocation", "billing")]
        self.options = {command.name: {*command.values, *command.flags} for command in commands(PROGRAM)}
        self.all_options = set().union(*self.options.values(), *({*one.values, *one.flags} for path in of_services for one in commands(path)), {"--version"})
        self.words = {name.split()[0] for name in self.options}
        description = pathlib.Path(SOURCE, "schemas", "http", "openapi.yaml").read_text(encoding="utf-8")
        self.routes = [re.compile(re.sub(r"\{\w+\}", "[^/]+", route) + "$") for route in re.findall(r"^  (/\S*):", description, re.MULTILINE)]
        self.topics = set(TOPIC.findall(pathlib.Path(SOURCE, "schemas", "topics.yaml").read_text(encoding="utf-8")))
        self.types = {}

    def takes(self, name):
        """Whether the door takes events of that type."""
        if name not in self.types:
            event = {"specversion": "1.0", "type": name, "source": "hints", "id": "1", "data": {}}
            (result,) = self.granary.post([event])[1]["results"]
            self.types[name] = not result["problem"]["type"].endswith(":unknown_type")
        return self.types[name]

    def commands_of(self, text):
        """(command, the text behind it, as far as it is still about it)"""
        for found in COMMAND.finditer(text):
            words = (found.group(1) or found.group(2)).split()
            name = " ".join(words[:2]) if " ".join(words[:2]) in self.options else words[0]
            yield name, re.split(r"[`;]|,? or |\n", text[found.end():])[0]

    def wrong_in(self, text, context=""):
        """What is false in a text for people; `context` may name other programs whose options stand in it."""
        wrong = [f"no door takes {name}" for name in TYPE.findall(text) if not self.takes(name)]
        wrong += [f"there is no topic {name}" for name in TOPIC.findall(text) if name not in self.topics]
        wrong += [f"there is no file {path}" for path in PATH.findall(text) if not glob.glob(os.path.join(SOURCE, path) + "*")]
        wrong += [f"there is no route {path}" for path in ROUTE.findall(text) if not any(route.match(path) for route in self.routes)]
        for name, rest in self.commands_of(text):
            if name not in self.words and name not in self.options:
                wrong.append(f"there is no command granary {name}")
            elif name in self.options:
                wrong += [f"granary {name} has no {option}" for option in OPTION.findall(rest) if option not in self.options[name]]
        known = self.all_options.union(*(options.split() for tool, options in FOREIGN.items() if tool in text + context))
        wrong += [f"there is no option {option}" for option in OPTION.findall(text) if option not in known]
        return wrong


def sources():
    for folder in ("services", "shared"):
        for file in sorted(pathlib.Path(SOURCE, folder).rglob("*")):
            if file.suffix in (".h", ".cc"):
                yield str(file.relative_to(SOURCE)), file.read_text(encoding="utf-8")


class Hints(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.truth = Truth(cls.enterClassContext(server(PROGRAM, "--partitions", "1")))

    def test_what_the_program_says_is_so(self):
        wrong, looked_at, hints = [], 0, 0
        for name, text in sources():
            for said in literals(text):
                if " " not in said:
                    continue  # a name, not words for people
                looked_at += 1
                hints += "hint: " in said
                wrong += [f"{name}: {what}: {said!r}" for what in self.truth.wrong_in(said, text)]
        self.assertGreater(looked_at, 1000)
        self.assertGreater(hints, 100)
        self.assertEqual(wrong, [])

    def test_what_the_documents_tell_people_to_type_is_so(self):
        wrong = []
        for file in [pathlib.Path(SOURCE, "README.md"), *sorted(pathlib.Path(SOURCE, "docs").rglob("*.md"))]:
            if "adr" in file.parts:
                continue  # what was decided then
            text = file.read_text(encoding="utf-8")
            spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
            lines = [line for block in re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
            for said in spans + lines:
                said = said.replace("build/release/services/standalone/granary", "granary")
                if re.match(r"(granary )", said):
                    wrong += [f"{file.relative_to(SOURCE)}: {what}: {said!r}" for what in self.truth.wrong_in(said)]
        self.assertEqual(wrong, [])

    def test_the_runbooks_name_only_what_the_door_takes(self):
        for file in sorted(pathlib.Path(SOURCE, "docs", "runbooks").glob("*.md")):
            for name in TYPE.findall(file.read_text(encoding="utf-8")):
                self.assertTrue(self.truth.takes(name), f"{file.name}: {name}")

    def test_no_hint_says_to_do_what_a_runbook_says_not_to(self):
        said = [one for _, text in sources() for one in literals(text)]
        rows = 0
        for file in sorted(pathlib.Path(SOURCE, "docs", "runbooks").glob("*.md")):
            for row in re.findall(r"^\| (.+?) \| .+? \| (.*?do not .+?) \|$", file.read_text(encoding="utf-8"), re.MULTILINE):
                rows += 1
                messages = [text for text in said if row[0] in text]
                self.assertTrue(messages, f"{file.name}: no message says «{row[0]}»")
                (forbidden,) = re.findall(r"do not ([a-z ]+)", row[1])
                whole = "\n".join(text for _, text in sources() if row[0] in text)
                statement = whole[whole.index(row[0]):].split(";\n")[0]
                self.assertIn("do not " + forbidden, statement, f"{file.name}: {row}")
        self.assertGreater(rows, 0)

    def test_a_false_hint_is_found(self):
        for planted in ("send a change as granary.usage.corrected.v1", "wait for granary.lot.expired.v1", "read granary.secrets.v1",
                        "post deploy/example/9-none.json", "hint: granary repair --data DIR", "`granary exports charges`", "hint: say --force-it",
                        "hint: granary export charges --exact", "look at GET /v1/health", "run granary clock confirm --force",
                        "hint: sacct --no-such-option"):
            self.assertNotEqual(self.truth.wrong_in(planted), [], planted)
        for true in ("publish it by granary.policy.published.v1", "hint: granary clock confirm --url ", "see granary.usage.v1/0/1200",
                     "hint: kafka-configs.sh --bootstrap-server ", "look at GET /v1/clock", "hint: granary topics --check"):
            self.assertEqual(self.truth.wrong_in(true), [], true)
        self.assertEqual(literals('f("a" /* x */, "b" // "c"\n "d" "e\\n", \'"\', R"(raw " x)")'), ["a", "bde\n", 'raw " x'])


if __name__ == "__main__":
    unittest.main()
