"""Dependencies point one way, a core is pure, a service never includes a service, each third-party library has its doors."""
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)

# A room and the rooms that it may include, beside itself.
ROOMS = {"base": [], "json": ["base"], "units": ["base"], "proof": ["base"], "rocks": ["base"], "store": ["base", "rocks"], "telemetry": ["base", "json", "units"],
         "journal": ["base", "proof", "rocks", "telemetry"],
         "codec": ["base", "units", "json"], "events": ["base", "units", "json", "codec"],
         "machine": ["base", "units", "codec", "events", "store", "proof"],
         "ledger": ["base", "units", "codec", "events", "journal", "machine"],
         "fold": ["base", "units", "codec", "events", "store", "proof", "journal", "machine", "ledger"],
         "shard": ["base", "units", "codec", "events", "store", "proof", "journal", "machine", "telemetry", "ledger", "fold"],
         "runtime": ["base", "units", "codec", "events", "store", "proof", "journal", "machine", "ledger", "fold", "shard"],
         "http": ["base", "json"],
         "clock": ["base", "units", "events", "journal", "machine", "runtime", "http", "telemetry"],
         "routes": ["base", "json", "http", "machine"],
         "peers": ["base", "codec", "events", "machine", "runtime", "http", "routes"],
         "ask": ["base", "units", "codec", "events", "proof", "journal", "machine", "fold", "runtime", "http", "json", "peers"],
         "entry": ["base", "units", "codec", "events", "proof", "journal", "machine", "ledger", "runtime", "http", "json", "telemetry", "clock", "ask"],
         "operate": ["base", "units", "codec", "events", "journal", "machine", "runtime", "http", "json", "telemetry", "clock", "routes", "peers", "ask", "entry"],
         "service": ["base", "store", "journal", "machine", "ledger", "runtime", "http", "clock", "routes", "peers", "ask", "entry", "operate", "json", "telemetry"]}
CORE = ["shared/base/", "shared/units/", "shared/codec/", "shared/events/", "shared/store/store.h", "shared/machine/"]
# Beside the services, which never include each other: the readers of files, the commands, and the program.
BESIDE = {"import": [], "cli": ["import", "standalone"], "standalone": ["intake", "metering", "allocation", "billing", "cli"]}
# What the readers of files may include of shared: they know no server.
OFFLINE = ["shared/base/", "shared/json/", "shared/units/", "shared/http/uri.h"]
# A library's header and the files that may include it.
DOORS = {"rocksdb/": r"shared/(rocks/|journal/embedded_|store/rocks_)", "librdkafka": r"shared/journal/kafka_", "google/protobuf": r"^$",
         "boost/beast": r"shared/http/", "boost/asio": r"shared/http/", "boost/url": r"shared/http/", "boost/json": r"shared/(json|http)/",
         "openssl/": r"shared/(proof|ledger/ledger)|services/import/", "CLI/": r"services/cli/|shared/service/(service_main|command_line)",
         "prometheus/": r"shared/operate/metrics", "spdlog/": r"shared/telemetry/log", "archive": r"services/import/", "utf8": r"shared/json/utf8", "date/": r"services/import/"}
IMPURE = re.compile(r"\b(std::chrono::(system|steady)_clock|std::thread|std::mutex|std::random_device|rand\(|fopen|getenv|float|double)\b")


def sources():
    for folder in ("shared", "services"):
        for file in sorted((TOP / folder).rglob("*")):
            if file.suffix in (".h", ".cc"):
                text = file.read_text(encoding="utf-8")
                yield str(file.relative_to(TOP)), text, INCLUDE.findall(text)


class Includes(unittest.TestCase):
    def test_every_file_keeps_the_rules(self):
        broken = []
        count = 0
        for name, text, includes in sources():
            count += 1
            parts = name.split("/")
            for include in includes:
                if parts[0] == "shared" and include.startswith("shared/"):
                    room = include.split("/")[1]
                    if room != parts[1] and room not in ROOMS[parts[1]]:
                        broken.append(f"{name} includes {include}: {parts[1]} may not see {room}")
                if parts[0] == "shared" and include.startswith("services/"):
                    broken.append(f"{name} includes {include}: what is shared knows no service")
                if parts[0] == "services" and include.startswith("services/"):
                    room = include.split("/")[1]
                    if room != parts[1] and room not in BESIDE.get(parts[1], []):
                        broken.append(f"{name} includes {include}: a service never includes a service; {parts[1]} may not see {room}")
                if name.startswith("services/import/") and include.startswith("shared/") and not any(include.startswith(may) for may in OFFLINE):
                    broken.append(f"{name} includes {include}: a reader of files knows no server")
                if parts[2:3] == ["core"] and include.startswith("shared/") and not any(include.startswith(may) for may in CORE):
                    broken.append(f"{name} includes {include}: a core is pure")
                for library, may in DOORS.items():
                    if include.startswith(library) and not re.search(may, name):
                        broken.append(f"{name} includes {include}: only {may} may")
            if parts[2:3] == ["core"] and (found := IMPURE.search(re.sub(r"//.*", "", text))):
                broken.append(f"{name} says {found.group()}: a core is pure")
        self.assertGreater(count, 100)
        self.assertEqual(broken, [])

    def test_a_file_of_more_than_400_lines_says_why(self):
        self.assertEqual([name for name, text, _ in sources() if text.count("\n") > 400 and "above 400 lines" not in text.split("\n", 1)[0]], [])

    def test_a_services_routes_are_named_in_its_folder_alone(self):
        routes = {path: name for name, text, _ in sources() if name.startswith("services/") for path in re.findall(r'"GET",\s*"(/v1/[^"]+)"', text)}
        self.assertGreater(len(routes), 10)
        elsewhere = [f"{name} names {path}" for name, text, _ in sources() for path, home in routes.items()
                     if f'"{path}"' in re.sub(r"//.*", "", text) and name != home and not name.startswith(("services/standalone", "services/cli"))]
        self.assertEqual(elsewhere, [])


if __name__ == "__main__":
    sys.exit(unittest.main())
