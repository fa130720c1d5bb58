"""Makes the sources of the build after this one: a copy of this checkout with a rules version 2, as a developer would add it. Tests run both
builds over one ledger. What version 2 brings is made up:

- usage.reported and usage.metered have a `weight`, and a usage of weight 3 is charged three times what it held;
- the burn order has a rule `latest_expiry`;
- there is an event usage.marked, which metering passes on to allocation as usage.mark_metered.

Rows of intake, metering and allocation grow with these, so their revision is one higher (docs/adr/0008); billing's stay as they are.

    make_tree.py SOURCE TARGET     copies what changed and applies the edits below; an edit whose place is not found ends it."""
import pathlib
import sys

# What is copied: file or folder here, and where it goes.
COPIED = {"CMakeLists.txt": "CMakeLists.txt", "cmake": "cmake", "shared": "shared", "services": "services",
          "tests/next_build/tests.cmake": "tests/CMakeLists.txt", "tests/next_build/evolution_test.cc": "tests/next_build/evolution_test.cc"}

# File, the text before which (or in whose place, with `instead`) something stands, what stands there.
BEFORE, INSTEAD = "before", "instead"
EDITS = (
    ("shared/events/rules.cc", BEFORE, "});\n\n}  // namespace", '    {2, "usage has a weight; for tests of two builds"},\n'),
    ("shared/events/usage.h", "member of UsageReported", "", "  std::uint64_t weight = 0;\n"),
    ("shared/events/usage.h", "after UsageReported", "", '    visit(30, "weight", s.weight, codec::since_rules(2));\n'),
    ("shared/events/usage.h", "after UsageMetered", "", '    visit(30, "weight", s.weight, codec::since_rules(2));\n'),
    ("shared/events/usage.h", "member of UsageMetered", "", "  std::uint64_t weight = 0;\n"),
    ("shared/events/usage.h", BEFORE, "// What the event alone shows to be wrong", """// A mark on a usage, and the same as metering passes it on.
struct UsageMarked {
  Root root;
  std::string project;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "root", s.root, kRequired);
    visit(2, "project", s.project, kRequired);
  }
};
struct UsageMarkMetered {
  std::string project;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kRequired);
  }
};

"""),
    ("shared/events/policy.h", INSTEAD, "{ priority = 1, earliest_expiry, earliest_award }",
     "{ priority = 1, earliest_expiry, earliest_award, latest_expiry }"),
    ("shared/events/policy.h", INSTEAD,
     'GRANARY_ENUM_NAMES(granary::events::BurnRule, "priority", "earliest_expiry", "earliest_award");\n',
     """template <>
struct granary::codec::EnumNames<granary::events::BurnRule> {
  static constexpr auto kNames =
      std::to_array<std::string_view>({"priority", "earliest_expiry", "earliest_award", "latest_expiry"});
  static constexpr auto kSince = std::to_array<std::uint16_t>({1, 1, 1, 2});
};
"""),
    ("shared/events/catalogue.h", BEFORE, "    // what machines tell each other\n",
     """    Row<UsageMarked>(65, "granary.usage.marked.v1")
        .entering({.topic = Topic::usage, .root = &UsageMarked::root})
        .since_rules(2),
    Row<UsageMarkMetered>(125, "granary.usage.mark_metered.v1").since_rules(2),
"""),
    # Rows that hold usage or a policy have grown: this build goes on from rows of the build before, that one folds these again.
    ("services/intake/core/rows.h", INSTEAD, ".revision = 1", ".revision = 2"),
    ("services/metering/core/rows.h", INSTEAD, ".revision = 1", ".revision = 2"),
    ("services/allocation/core/rows.h", INSTEAD, ".revision = 1", ".revision = 2"),
    ("services/metering/core/machine.h", BEFORE, "  // Of a report, but for the counting.\n",
     """  Outcome take_mark(const events::UsageMarked& marked, const machine::RawInput& input, const machine::Context& context,
                    machine::Out& out) {
    const Hash32 substance = machine::substance_hash(input.raw);
    if (ids_.find(input.identity)) return {machine::Judgement::repeat};
    ids_.add(input.identity, substance, units::day_number(std::max(context.now, input.raw.recorded_at)), 0, 0);
    out.emit(machine::Topic::allocations, context.router->shard_of(marked.project),
             events::UsageMarkMetered{marked.project});
    return {};
  }

"""),
    ("services/metering/core/machine.cc", INSTEAD,
     "                                  .raw<events::UsageInterim, &MeteringMachine::take_interim>()\n",
     """                                  .raw<events::UsageInterim, &MeteringMachine::take_interim>()
                                  .raw<events::UsageMarked, &MeteringMachine::take_mark>(2)
"""),
    ("services/metering/core/rules_usage.cc", INSTEAD, "  metered_.start = usage.start;\n",
     "  metered_.start = usage.start;\n  metered_.weight = context.rules >= 2 ? usage.weight : 0;\n"),
    ("services/allocation/core/machine.h", INSTEAD, "  // The rules, one for each event.\n",
     """  // The rules, one for each event.
  void take_weighted_usage(const events::UsageMetered& usage, const Input& input, const Context& context, Out& out) {
    events::UsageMetered weighted = usage;
    for (events::MeteredAmount& amount : weighted.amounts)
      amount.charged = Amount(amount.charged.value() * static_cast<units::Int128>(usage.weight == 0 ? 1 : usage.weight));
    take_usage(weighted, input, context, out);
  }
  void take_mark(const events::UsageMarkMetered&, const Input&, const Context&, Out&) {}
"""),
    ("services/allocation/core/machine.cc", INSTEAD,
     "                                  .lane<events::UsageMetered, &AllocationMachine::take_usage>()\n",
     """                                  .lane<events::UsageMetered, &AllocationMachine::take_usage>()
                                  .lane<events::UsageMetered, &AllocationMachine::take_weighted_usage>(2)
                                  .lane<events::UsageMarkMetered, &AllocationMachine::take_mark>(2)
"""),
    ("services/allocation/core/charging.cc", INSTEAD, "    case BurnRule::earliest_award:\n",
     "    case BurnRule::latest_expiry:\n      return b.to <=> a.to;\n    case BurnRule::earliest_award:\n"),
)


def fail(text):
    sys.exit(f"make_tree.py: {text}")


def struct_of(text, name):
    """Where a struct's first `template` and the end of its fields stand."""
    start = text.index(f"struct {name} {{")
    members_end = text.index("  template <class Self", start)
    fields_end = text.index("  }\n};\n", start)
    return members_end, fields_end


def edited(file, text):
    for name, how, place, what in EDITS:
        if name != file:
            continue
        if how.startswith("after "):
            at = struct_of(text, how.removeprefix("after "))[1]
            text = text[:at] + what + text[at:]
        elif how.startswith("member of "):
            at = struct_of(text, how.removeprefix("member of "))[0]
            text = text[:at] + what + text[at:]
        elif text.count(place) != 1:
            fail(f"{file}: expected once, found {text.count(place)} times: {place!r}; hint: let the edit follow what the file says now")
        else:
            text = text.replace(place, what + place if how == BEFORE else what)
    return text


def main():
    source, target = (pathlib.Path(argument) for argument in sys.argv[1:])
    kept = set()
    for top, goes_to in COPIED.items():
        path = source / top
        for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
            content = edited(str(file.relative_to(source)), file.read_text(encoding="utf-8"))
            to = target / goes_to / file.relative_to(path)
            kept.add(to)
            if not to.exists() or to.read_text(encoding="utf-8") != content:  # what did not change is not built again
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_text(content, encoding="utf-8")
    for file in target.rglob("*"):
        if file.is_file() and file not in kept:
            file.unlink()
    for name in {edit[0] for edit in EDITS}:
        if target / name not in kept:
            fail(f"{name} is not there")


if __name__ == "__main__":
    main()
