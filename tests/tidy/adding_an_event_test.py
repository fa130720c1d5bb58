"""docs/adding-an-event.md says in how many files an event is named outside the machines that fold it, and it is so for each event."""
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "adding-an-event.md").read_text(encoding="utf-8")
# Folded by the runtime itself, or made by it.
OF_THE_RUNTIME = {"LaneCompleted", "RulesActivated", "RecordRefused"}
# Where every event is treated alike. shared/machine knows usage by what a charge depends on.
ALIKE = ("shared/codec", "shared/entry", "shared/events", "shared/fold", "shared/runtime", "schemas/granary", "schemas/http")


def rows():
    """Of the catalogue: struct, name, whether a door takes it."""
    text = (TOP / "shared/events/catalogue.h").read_text(encoding="utf-8")
    table = text[text.index("kCatalogue = std::tuple{"):text.index("};", text.index("kCatalogue = std::tuple{"))]
    for row in re.split(r"\bRow<", table)[1:]:
        struct, name = re.match(r'(\w+)>\(\d+, "granary\.([\w.]+)\.v1"\)', row).groups()
        yield struct, name, ".entering(" in row


def files_that_name(struct, name):
    word = re.compile(rf"\b({struct}|granary\.{re.escape(name)}\.v1|{name.replace('.', '_')})\b")
    return sorted(str(file.relative_to(TOP)) for folder in ALIKE for file in (TOP / folder).rglob("*")
                  if file.suffix in (".h", ".cc", ".proto", ".yaml") and word.search(file.read_text(encoding="utf-8")))


class AddingAnEvent(unittest.TestCase):
    def test_the_page_tells_the_count(self):
        taken, derived = (int(number) for number in re.search(r"at most (\d+) files if a door takes it, and in (\d+) if a machine makes it", PAGE).groups())
        counts = {"taken": [], "derived": []}
        for struct, name, enters in rows():
            if struct in OF_THE_RUNTIME:
                continue
            files = files_that_name(struct, name)
            counts["taken" if enters else "derived"].append(len(files))
            self.assertLessEqual(len(files), taken if enters else derived, f"{name}: {files}")
        self.assertEqual((max(counts["taken"]), max(counts["derived"])), (taken, derived), "the page says more than there are")
        self.assertGreater(len(counts["taken"]) + len(counts["derived"]), 20)


if __name__ == "__main__":
    sys.exit(unittest.main())
