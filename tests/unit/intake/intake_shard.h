// Intake's one shard for tests: a machine over a memory store that outlives it, fed with events as the runtime feeds
// it, and the events of the worked example. One thread.
#pragma once

#include <gtest/gtest.h>

#include "services/intake/core/machine.h"
#include "shared/proof/hash.h"
#include "shared/store/memory_store.h"
#include "tests/support/recording_out.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

inline units::Instant at(const char* text) {
  const auto parsed = units::parse_time(text);
  GRANARY_CHECK(parsed.trouble == units::TimeTrouble::none, "a test names no time");
  return parsed.at;
}

class IntakeShard {
 public:
  static constexpr std::uint16_t kPartitions = 4;

  IntakeShard() { reopen(); }

  // Folds the event under an id of its own, or under `id`.
  Outcome send(const events::Event& event, const std::string& id = "") {
    events::Raw raw;
    raw.source = "urn:test";
    raw.id = id.empty() ? "event-" + std::to_string(++sent_) : id;
    raw.root = {raw.source, raw.id};
    raw.recorded_at = recorded_at;
    events::encode_event(event, raw.substance);
    const machine::RawInput input{raw, event, identity(raw.id)};
    return machine_->apply_raw(input, context(), out);
  }
  static Id16 identity(const std::string& id) { return id_of(proof::sha256_of_parts({"urn:test", id})); }

  void tick(units::Instant now) {
    const units::Instant before = std::exchange(now_, now);
    machine_->apply_tick(before, context(), out);
  }
  void flush() {
    store::WriteSet rows;
    machine_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
    machine_->committed();
  }
  // The process ends and starts again; what was not flushed is gone.
  void reopen() {
    machine_ = std::make_unique<IntakeMachine>();
    machine_->open(store_);
  }
  std::map<Bytes, Bytes> rows() const {
    std::map<Bytes, Bytes> all;
    store_.scan({}, {}, [&](BytesView key, BytesView value) { return all.emplace(key, value), true; });
    return all;
  }
  std::uint16_t shard_of(const std::string& key) { return router_.shard_of(key); }
  IntakeMachine* operator->() { return machine_.get(); }

  units::Instant recorded_at = at("2026-09-01T12:00:00Z");
  test::RecordingOut out;

 private:
  machine::Context context() {
    machine::Context context;
    context.machine = machine::MachineKind::intake;
    context.partitions = kPartitions;
    context.now = now_;
    context.router = &router_;
    return context;
  }

  store::MemoryStore store_;
  machine::Router router_{kPartitions};
  std::unique_ptr<IntakeMachine> machine_;
  units::Instant now_ = at("2026-09-01T12:00:00Z");
  int sent_ = 0;
};

// The worked example, up to the award.
namespace example {

inline events::OrganisationRegistered organisation() {
  return {"aurora", "Aurora Oy", events::CustomerKind::sme, "FI", "", std::nullopt};
}
inline events::ProjectRegistered project() {
  return {"aurora-llm", "aurora", "language models", std::nullopt};
}
inline events::PolicyPublished classes() {
  events::PolicyPublished policy{events::PolicyKind::resource_classes, "1", at("2026-01-01T00:00:00Z"), {}};
  policy.content.classes = {{"gpu:h200", units::UnitKind::resource_us, events::Charging::lots},
                            {"cpu", units::UnitKind::resource_us, events::Charging::metered_only},
                            {"licence", units::UnitKind::item, events::Charging::lots}};
  return policy;
}
inline events::PolicyPublished overdraft() {
  events::PolicyPublished policy{events::PolicyKind::overdraft, "1", at("2026-01-01T00:00:00Z"), {}};
  policy.content.mode = events::OverdraftMode::bill;
  policy.content.seller = "aif";
  return policy;
}
inline events::PolicyPublished window(std::uint64_t days) {
  events::PolicyPublished policy{events::PolicyKind::acceptance_window, "1", at("2026-01-01T00:00:00Z"), {}};
  policy.content.window_days = days;
  return policy;
}
inline events::PriceBookPublished price_book() {
  return {"aif",
          "3",
          at("2026-01-01T00:00:00Z"),
          "EUR",
          {{"gpu:h200", units::Price(2'500'000'000), "resource-hour", {}, {}}},
          {}};
}
inline events::ApplicationSubmitted application() {
  return {"app-1",
          "aurora-llm",
          "fast_lane",
          "",
          {{"gpu:h200", units::Quantity(10'750), "resource-hour"}},
          at("2026-10-01T00:00:00Z"),
          at("2026-12-01T00:00:00Z"),
          {"no_prohibited_practice"}};
}
inline events::ScreeningDecided screening() {
  return {"app-1", "aia-2026-1", "", "", events::ScreeningOutcome::cleared, ""};
}
inline events::ApplicationDecided decision() {
  events::GrantAwarded grant;
  grant.machine = "aif1";
  grant.seller = "aif";
  grant.legal_basis = "eurohpc-access";
  grant.member_state = "FI";
  grant.funding.kind = events::FundingKind::covered;
  grant.lots = {
      {"gpu:h200", units::Quantity(10'000), "resource-hour", at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"), 0},
      {"gpu:h200", units::Quantity(750), "resource-hour", at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"), 0}};
  return {"app-1", "aurora-llm", events::DecisionOutcome::awarded, "", grant};
}
inline events::AccountBound bound() {
  return {"aif1", "aurora", "aurora-llm", std::nullopt, std::nullopt};
}
inline events::SourceStated stated() {
  return {"slurm://aif1", at("2026-11-01T00:00:00Z"), 7};
}

// All of them, in an order that is accepted.
inline std::vector<events::Event> all() {
  return {classes(),     overdraft(), window(400), price_book(), organisation(), project(),
          application(), screening(), decision(),  bound(),      stated()};
}

}  // namespace example
}  // namespace granary::intake
