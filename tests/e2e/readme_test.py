"""The README's commands are run as they stand, and what it shows is what comes out. Only where the server listens and where the program
lies is put in."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402

README = pathlib.Path(SOURCE, "README.md").read_text(encoding="utf-8")
BUILT = "build/release/services/standalone/granary"


def blocks(heading):
    """The code blocks under a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Readme(unittest.TestCase):
    maxDiff = None

    def test_by_hand(self):
        commands, *shown = blocks("By hand")
        serve, *lines = commands.strip().split("\n")
        self.assertRegex(serve, rf"^{BUILT} serve --data \S+ &$")
        with server(PROGRAM) as granary:
            outputs = []
            for line in lines:
                self.assertIn(BUILT, line)
                script = re.sub(rf'{BUILT} (\w+)((?: [\w"$-]+)*)', rf"{shlex.quote(PROGRAM)} \1\2 --url {granary.url}", line)
                done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, cwd=SOURCE, timeout=120, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""), line)
                outputs.append(done.stdout)
                if " post " in line:  # a person is slower than the way from usage to charge
                    after = granary.post([json.loads(self.last_usage())])[1]["after"]
                    granary.get("/v1/charges?after=" + after)
                    granary.get("/v1/projects?after=" + after)
            self.assertEqual(len(shown), 3, "a block for each of balance, projects, charges")
            for block in shown:
                self.assertTrue(any(output.startswith(block) for output in outputs), f"{block}\nis not among\n{''.join(outputs)}")

    def last_usage(self):
        (file,) = pathlib.Path(SOURCE, "schemas", "examples").glob("*usage.reported.json")
        return file.read_text(encoding="utf-8")

    def test_every_command_that_it_names_is_one(self):
        for name in set(re.findall(r"`granary (\w+)", README)):
            done = subprocess.run([PROGRAM, name, "--help"], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, name)

    def test_every_file_and_route_that_it_names_is_there(self):
        for target in re.findall(r"\]\(([^)#:]+)\)", README):
            self.assertTrue(pathlib.Path(SOURCE, target).exists(), target)
        with server(PROGRAM) as granary:
            for route in re.findall(r"`(/v1/[a-z]+)`", README):
                granary.get(route)


if __name__ == "__main__":
    unittest.main()
