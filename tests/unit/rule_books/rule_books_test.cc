// The catalogue against the rule books of the four machines: an event that a door takes has a rule where it arrives.
#include <gtest/gtest.h>

#include "services/standalone/machines.h"
#include "shared/events/catalogue.h"
#include "shared/events/rules.h"

namespace granary {
namespace {

using machine::Way;

// A row whose version is forgotten would let a door take an event before its rule is in force: its partition would park
// for good, as the activation comes behind it in the log.
TEST(RuleBooks, EveryEventThatADoorTakesHasARuleFromItsVersionOnAndNotBefore) {
  int rows = 0;
  const auto look_at = [&rows]<class T>(const events::Row<T>& row) {
    if (!row.enters) return;
    ++rows;
    const auto machine = standalone::make_machine(machine::reader_of(row.enters->topic), 0);
    const events::Event event = T{};
    for (std::uint64_t version = 1; version <= events::kRulesNewest; ++version)
      EXPECT_EQ(machine->has_rule(Way::raw, event, version), version >= row.since)
          << row.name << " under rules version " << version;
  };
  std::apply([&](const auto&... row) { (look_at(row), ...); }, events::kCatalogue);
  EXPECT_GT(rows, 10);
}

TEST(RuleBooks, NoMachineHasARuleForARawEventThatEntersElsewhere) {
  const auto look_at = []<class T>(const events::Row<T>& row) {
    const events::Event event = T{};
    for (const machine::MachineKind kind : machine::kMachines) {
      if (row.enters && machine::reader_of(row.enters->topic) == kind) continue;
      const auto machine = standalone::make_machine(kind, 0);
      EXPECT_FALSE(machine->has_rule(Way::raw, event, events::kRulesNewest))
          << machine::machine_name(kind) << " and " << row.name;
    }
  };
  std::apply([&](const auto&... row) { (look_at(row), ...); }, events::kCatalogue);
}

}  // namespace
}  // namespace granary
