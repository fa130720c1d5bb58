// A runtime for tests of routes: no journal, no threads; a test says what ask() shows.
#pragma once

#include "shared/runtime/runtime.h"

namespace granary::test {

class FakeRuntime : public runtime::Runtime {
 public:
  FakeRuntime() = default;
  explicit FakeRuntime(std::uint16_t partitions, std::uint8_t mark = 7) : ledger_{{mark}, partitions, 1} {}
  [[nodiscard]] const runtime::Ledger& ledger() const override { return ledger_; }
  bool folds_by(const runtime::ShardName&, std::uint64_t rules) override { return rules <= 1; }
  [[nodiscard]] std::vector<runtime::ShardStatus> status() const override { return {}; }
  [[nodiscard]] bool caught_up() const override { return true; }
  [[nodiscard]] bool serves() const override { return true; }
  [[nodiscard]] std::optional<std::string> owner_of(const runtime::ShardName&) const override { return std::nullopt; }
  void ask_owner(machine::MachineKind, std::uint16_t,
                 std::function<void(machine::Machine&, const runtime::ShardStatus&)>) override {}
  void when_folded(const runtime::Token&, machine::MachineKind, std::uint16_t, std::weak_ptr<void>,
                   std::function<void(Folded)>) override {}
  void when_judged(machine::Topic, std::uint16_t, const std::vector<std::uint64_t>&, std::weak_ptr<void>,
                   std::function<void(std::vector<std::optional<machine::Outcome>>)>) override {}
  void when_met(const runtime::ShardName&, const runtime::Needs&, std::weak_ptr<void>, runtime::Met) override {}
  void stop() override {}

 protected:
  runtime::Ledger ledger_{{7}, 1, 1};
};

}  // namespace granary::test
