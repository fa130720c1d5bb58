"""The description of the doors (schemas/http) and a running server say the same: what tests send is what it shows, every
answer has the status, content type and members that it names, and what schemathesis makes up finds no other."""
import glob
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import needs  # noqa: E402

needs.python_package("jsonschema_rs", "tests/support/venv python3 build/tools/schemathesis schemathesis==4.32.5, then run this by "
                     "build/tools/schemathesis/bin/python")
import jsonschema_rs  # noqa: E402
import yaml  # noqa: E402
from needs import PROGRAM, SOURCE  # noqa: E402
from granary_server import server  # noqa: E402

HTTP = pathlib.Path(SOURCE, "schemas", "http")
EXAMPLES = sorted(glob.glob(os.path.join(SOURCE, "schemas", "examples", "*.json")))
STRUCTURED, BATCH, BINARY = "application/cloudevents+json", "application/cloudevents-batch+json", "application/json"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
# TRACE is left out: 501, which is a server error by number alone, is what a server owes to a method that it does not know.
CONFIG = f"""hooks = "{SOURCE}/tests/e2e/openapi_hooks.py"
[phases.coverage]
unexpected-methods = ["PUT", "PATCH", "DELETE", "OPTIONS"]
"""


def resolved(node, file, files):
    """The description with each reference put in place. Answers are closed: an undocumented member is a failure here,
    while a reader of the description may ignore it."""
    if isinstance(node, list):
        return [resolved(item, file, files) for item in node]
    if not isinstance(node, dict):
        return node
    out = {name: resolved(value, file, files) for name, value in node.items() if name != "$ref"}
    if "$ref" in node:
        name, pointer = node["$ref"].split("#")
        name = name or file
        if name not in files:
            files[name] = yaml.safe_load((HTTP / name).read_text(encoding="utf-8"))
        target = files[name]
        for part in pointer.split("/")[1:]:
            target = target[part.replace("~1", "/").replace("~0", "~")]
        out = {**resolved(target, name, files), **out}
    if out.get("type") == "object" and "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def description():
    files = {"openapi.yaml": yaml.safe_load((HTTP / "openapi.yaml").read_text(encoding="utf-8"))}
    return resolved(files["openapi.yaml"], "openapi.yaml", files)


def load(file):
    return json.loads(pathlib.Path(file).read_text(encoding="utf-8"))


def usage(**changes):
    event = load(next(file for file in EXAMPLES if "usage.reported" in file))
    event["data"].update(changes.pop("data", {}))
    event.update(changes)
    return event


class OpenApi(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.api = description()

    def answer(self, granary, method, target, body=None, headers=None):
        """Sends, and holds the answer against the description: (status, body)."""
        path = urllib.parse.urlsplit(target).path
        template = next(t for t in self.api["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", t), path))
        responses = self.api["paths"][template][method.lower()]["responses"]
        connection = http.client.HTTPConnection(granary.url.split("//")[1], timeout=60)
        connection.request(method, target, body if body is None or isinstance(body, bytes) else json.dumps(body).encode(),
                           headers or {})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        said = f"{method} {target}: {response.status} {text[:500]}"
        self.assertIn(str(response.status), responses, said)
        content = responses[str(response.status)]["content"]
        kind = response.headers["Content-Type"].split(";")[0]
        self.assertIn(kind, content, said)
        if kind == "text/plain":
            return response.status, text.decode()
        value = json.loads(text)
        errors = [str(error) for error in jsonschema_rs.validator_for(content[kind]["schema"]).iter_errors(value)]
        self.assertEqual(errors, [], said)
        return response.status, value

    def post(self, granary, body, kind=STRUCTURED, target="/v1/events", **headers):
        return self.answer(granary, "POST", target, body, {"Content-Type": kind, "Prefer": "wait=20", **headers})

    def fill(self, granary):
        """The worked example, and one of each thing that can become of an event."""
        for file in EXAMPLES:
            status, answer = self.post(granary, load(file))
            self.assertEqual((status, answer["results"][0]["outcome"]["judgement"]), (202, "new"), file)
        others = [(usage(data={"end": "2026-11-01T00:45:00Z"}), "refused"), (usage(), "repeat"),
                  (usage(id="of-nobody", data={"project": "nobody"}), "new")]
        unbound = usage(id="unbound", data={"cluster": "aif1", "account": "nobody"})
        del unbound["data"]["project"]
        others.append((unbound, "waiting"))
        status, answer = self.post(granary, [event for event, _ in others], BATCH)
        self.assertEqual([result["outcome"]["judgement"] for result in answer["results"]], [said for _, said in others])
        return answer["after"]

    def test_paths_are_those_of_the_server(self):
        with server(PROGRAM) as granary:
            routes = self.answer(granary, "GET", "/v1/routes")[1]["routes"]
            served = {(route["method"], route["path"]) for route in routes if route["roles"] != ["process"]}
            self.assertEqual(served, {(method.upper(), path) for path, methods in self.api["paths"].items() for method in methods})
            self.assertEqual(granary.stop(), 0)

    def test_examples_are_those_that_tests_send(self):
        content = self.api["paths"]["/v1/events"]["post"]["requestBody"]["content"]
        shown = sorted(os.path.normpath(HTTP / example["externalValue"]) for example in content[STRUCTURED]["examples"].values())
        self.assertEqual(shown, EXAMPLES)
        events = [load(file) for file in EXAMPLES]
        jsonschema_rs.validator_for(content[BATCH]["schema"]).validate(events)
        for event in events:
            jsonschema_rs.validator_for(content[STRUCTURED]["schema"]).validate(event)
            jsonschema_rs.validator_for(content[BINARY]["schema"]).validate(event["data"])

    def test_answers_are_as_described(self):
        with server(PROGRAM) as granary:
            after = self.fill(granary)
            for path, methods in self.api["paths"].items():
                if "get" not in methods or "{" in path:
                    continue
                rows = []
                next_page = path + "?after=" + after
                while True:
                    status, answer = self.answer(granary, "GET", next_page)
                    self.assertEqual(status, 200)
                    rows += answer.get("rows", [None]) if isinstance(answer, dict) else [None]
                    if not isinstance(answer, dict) or "next" not in answer:
                        break
                    next_page = path + "?cursor=" + answer["next"]
                self.assertTrue(rows, f"{path} shows nothing: its rows are not tested")
            self.assertEqual(self.answer(granary, "GET", "/v1/projects/aurora-llm")[0], 200)
            self.assertTrue(self.answer(granary, "GET", "/v1/projects/aurora-llm/balance")[1][0]["lots"])
            self.assertEqual(self.answer(granary, "GET", "/v1/projects/nobody")[0], 404)
            self.assertEqual(self.answer(granary, "GET", "/v1/projects/nobody/balance")[0], 404)
            self.assertEqual(self.answer(granary, "GET", "/v1/charges?period=2026-13")[0], 400)
            self.assertEqual(self.answer(granary, "GET", "/v1/usage?limit=1001")[0], 400)
            self.assertEqual(self.answer(granary, "GET", "/v1/usage?after=" + "x" * 5000)[0], 414)
            self.assertEqual(self.answer(granary, "GET", "/v1/usage", headers={"Filler": "x" * 9000})[0], 431)
            self.assertEqual(self.answer(granary, "POST", "/v1/clock/confirm", b"")[0], 200)

            event = usage()
            attributes = {"ce-" + name: value for name, value in event.items() if name not in ("data", "datacontenttype")}
            status, answer = self.post(granary, event["data"], BINARY, **attributes)
            self.assertEqual((status, answer["results"][0]["outcome"]), (202, {"judgement": "repeat"}))
            self.assertEqual(self.post(granary, [], BATCH)[1], {"accepted": 0, "refused": 0, "results": []})
            self.assertEqual(self.post(granary, [usage(), usage(specversion="0.3")], BATCH)[0], 202)
            self.assertEqual(self.post(granary, usage(colour="red", temperature=300, bright=True, shade=None))[0], 202)
            self.assertEqual(self.post(granary, usage(Colour="red"))[0], 422)
            said = usage(collector="granary-import/0.1.0", data={"end": "2026-11-01T00:46:00Z"})
            token = self.post(granary, said)[1]["after"]
            rows = self.answer(granary, "GET", "/v1/rejected?after=" + token)[1]["rows"]
            self.assertEqual({row.get("collector") for row in rows}, {"slurm-agent/0.4.1", "granary-import/0.1.0"})
            taken = jsonschema_rs.validator_for(self.api["paths"]["/v1/events"]["post"]["requestBody"]["content"][STRUCTURED]["schema"])
            for wrong in ({"caller": "token"}, {"actor": "a@b"}, {"collector": "x" * 65}, {"data": {"member": "a@b"}}):
                self.assertFalse(taken.is_valid(usage(**wrong)), wrong)
                self.assertEqual(self.post(granary, usage(**wrong))[0], 422, wrong)
            self.assertEqual(self.post(granary, b"{")[0], 400)
            self.assertEqual(self.post(granary, usage(), "text/plain")[0], 415)
            self.assertEqual(self.post(granary, [usage()] * 1001, BATCH)[0], 413)
            self.assertEqual(self.post(granary, b" " * (1 << 20 | 1))[0], 413)
            self.assertEqual(self.post(granary, usage(), target="/v1/events?after=" + after)[0], 202)
            self.assertEqual(granary.stop(), 0)

    def test_an_undocumented_member_would_be_seen(self):
        schema = self.api["paths"]["/livez"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        self.assertTrue(jsonschema_rs.validator_for(schema).is_valid({"live": True}))
        self.assertFalse(jsonschema_rs.validator_for(schema).is_valid({"live": True, "colour": "red"}))

    def test_nothing_made_up_finds_another_answer(self):
        with server(PROGRAM) as granary, tempfile.TemporaryDirectory() as folder:
            self.fill(granary)
            for example in self.api["paths"]["/v1/events"]["post"]["requestBody"]["content"][STRUCTURED]["examples"].values():
                if "externalValue" in example:
                    example["value"] = load(HTTP / example.pop("externalValue"))
            pathlib.Path(folder, "openapi.json").write_text(json.dumps(self.api), encoding="utf-8")
            pathlib.Path(folder, "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
            seed = ["--seed", os.environ["GRANARY_SEED"]] if "GRANARY_SEED" in os.environ else []
            done = subprocess.run([os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", "openapi.json", "--url", granary.url,
                                   "--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "40", "--no-shrink",
                                   "--warnings", "off", "--no-color", *seed], cwd=folder, capture_output=True, text=True, timeout=240)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr + "\nto repeat: GRANARY_SEED=<the seed above> and the test")
            print("\n".join(line.strip() for line in done.stdout.splitlines() if "generated" in line or "Seed" in line))
            # What was made up went through every machine too.
            status = granary.get("/v1/status")
            self.assertEqual([shard for shard in status["shards"] if shard.get("parked") or shard["lane_alarms"]], [])
            accepted = re.search(r"^granary_door_events_accepted_total (\d+)", self.answer(granary, "GET", "/metrics")[1], re.MULTILINE)
            self.assertGreater(int(accepted[1]), len(EXAMPLES) + 4 + 20, "hardly anything made up got through the door")
            print("events accepted:", accepted[1])
            self.assertEqual(granary.stop(), 0)


if __name__ == "__main__":
    unittest.main()
