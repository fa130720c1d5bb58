// One allocation shard over a store in memory: sends it what intake and metering would, keeps what it emits. One
// thread.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "services/allocation/core/machine.h"
#include "shared/store/memory_store.h"
#include "tests/support/recording_out.h"

namespace granary::allocation::test {

using events::Event;
using events::UsageMetered;
using machine::MachineKind;
using machine::Topic;

inline constexpr units::Int128 kHour = 3'600'000'000;  // of one resource, in resource-us

inline Instant at(std::string_view text) {
  const units::ParsedTime parsed = units::parse_time(text);
  GRANARY_CHECK(parsed.trouble == units::TimeTrouble::none, "a test names no time");
  return parsed.at;
}
inline Amount hours(std::int64_t count) {
  return Amount(count * kHour);
}
inline Id16 grant_id(std::uint8_t number) {
  Id16 id{};
  id.back() = number;
  return id;
}

inline events::LotOpened lot(std::uint64_t ordinal, Amount amount, std::string_view from, std::string_view to,
                             std::uint64_t priority = 0, std::string class_name = "gpu") {
  return {ordinal, std::move(class_name), UnitKind::resource_us, amount, at(from), at(to), priority};
}
inline events::GrantOpened grant(std::uint8_t number, std::vector<events::LotOpened> lots,
                                 std::string_view awarded = "2026-01-01T00:00:00Z", std::string project = "p") {
  events::GrantOpened opened;
  opened.grant = grant_id(number);
  opened.project = std::move(project);
  opened.seller = "aif";
  opened.purpose = "research";
  opened.funding.kind = events::FundingKind::covered;
  opened.awarded_at = at(awarded);
  opened.lots = std::move(lots);
  return opened;
}
inline UsageMetered usage(std::string id, std::string_view start, std::string_view end, Amount charged,
                          std::string project = "p") {
  UsageMetered metered;
  metered.source = "slurm://c";
  metered.id = std::move(id);
  metered.project = std::move(project);
  metered.start = at(start);
  metered.end = at(end);
  metered.amounts = {{"gpu", UnitKind::resource_us, charged, charged}};
  metered.classes_version = "1";
  metered.recorded_at = metered.end;
  return metered;
}
inline events::UsageHeld interim(std::string id, std::string_view measured_at, Amount charged,
                                 std::string project = "p") {
  events::UsageHeld held;
  held.source = "slurm://c";
  held.id = std::move(id);
  held.project = std::move(project);
  held.start = at("2026-01-10T00:00:00Z");
  held.measured_at = at(measured_at);
  held.amounts = {{"gpu", UnitKind::resource_us, charged, charged}};
  held.classes_version = "1";
  return held;
}
inline events::PolicyPublished overdraft(std::string_view effective, events::OverdraftMode mode, std::string seller,
                                         std::string project = "") {
  events::PolicyPublished policy;
  policy.kind = events::PolicyKind::overdraft;
  policy.version = "1";
  policy.effective = at(effective);
  policy.content.mode = mode;
  policy.content.seller = std::move(seller);
  policy.content.project = std::move(project);
  return policy;
}
inline events::PolicyPublished burn_order(std::string_view effective, std::vector<events::BurnRule> order) {
  events::PolicyPublished policy;
  policy.kind = events::PolicyKind::burn_order;
  policy.version = "1";
  policy.effective = at(effective);
  policy.content.order = std::move(order);
  return policy;
}

class World {
 public:
  static constexpr std::uint16_t kPartitions = 4;

  explicit World(std::size_t rows_max = AllocationMachine::kRowsMax) : rows_max_(rows_max) { reopen(); }

  // A new machine over what the last flush left in the store.
  void reopen() {
    machine_ = std::make_unique<AllocationMachine>(rows_max_);
    machine_->open(store_);
  }
  void flush() {
    store::WriteSet rows;
    machine_->flush(rows);
    ASSERT_TRUE(store_.commit(rows).ok());
    machine_->committed();
  }

  void intake(const Event& event) { lane(MachineKind::intake, 0, ++intake_number_, event); }
  void metering(const Event& event, std::uint16_t shard = 1) {
    lane(MachineKind::metering, shard, ++metering_number_, event);
  }
  void tick(Instant now) {
    if (now <= context_.now) return;
    const Instant before = context_.now;
    context_.now = now;
    if (machine_->has_sweeps(context_)) machine_->sweep(machine::kSweepRowsOfTick, context_, out);
    machine_->apply_tick(before, context_, out);
  }
  void tick(std::string_view now) { tick(at(now)); }
  void open_project(std::string project = "p", std::string organisation = "o", std::string purpose = "develop") {
    intake(events::ProjectOpened{
        std::move(project), std::move(organisation), events::CustomerKind::sme, std::move(purpose), {}});
  }

  AllocationMachine& machine() { return *machine_; }
  machine::Context& context() { return context_; }
  ClassBalance balance(std::string_view project = "p", std::string_view class_name = "gpu") {
    const auto found = machine_->balance(project, context_.now);
    if (found)
      for (const ClassBalance& one : found->classes)
        if (one.class_name == class_name) return one;
    ADD_FAILURE() << "no balance of " << project << " " << class_name;
    return {};
  }
  // All parts of the newest usage.charged.
  std::vector<events::ChargePart> last_parts() const {
    const auto charged = out.all<events::UsageCharged>();
    return charged.empty() ? std::vector<events::ChargePart>{} : charged.back().parts;
  }
  // The counts of the shard, after a flush.
  CountsRow counts() {
    flush();
    CountsRow counts;
    if (const auto row = store_.get(Bytes(1, static_cast<char>(Table::counts)))) {
      EXPECT_TRUE(codec::decode(*row, counts));
    }
    return counts;
  }
  std::vector<std::pair<Bytes, Bytes>> rows() const {
    std::vector<std::pair<Bytes, Bytes>> all;
    store_.scan({}, {}, [&](BytesView key, BytesView value) {
      all.emplace_back(key, value);
      return true;
    });
    return all;
  }

  granary::test::RecordingOut out;

 private:
  void lane(MachineKind from, std::uint16_t shard, std::uint64_t number, const Event& event) {
    if (machine_->has_sweeps(context_)) machine_->sweep(machine::kSweepRows, context_, out);
    machine_->apply_lane({from, shard, number, event}, context_, out);
  }

  store::MemoryStore store_;
  std::size_t rows_max_;
  std::unique_ptr<AllocationMachine> machine_;
  machine::Router router_{kPartitions};
  machine::Context context_{MachineKind::allocation, 2, kPartitions, 0, Instant(), Instant(), &router_};
  std::uint64_t intake_number_ = 0, metering_number_ = 0;
};

// A part as one line of text: "gpu 2026-10-31T23:30:00Z 2026-11-01T00:00:00Z 3600000000 available>used 1/1 covered".
inline std::string line(const events::ChargePart& part) {
  std::string text = part.class_name + " " + units::format_time(part.from) + " " + units::format_time(part.to) + " " +
                     units::format_integer(part.amount.value()) + " ";
  text += codec::enum_name(part.from_account);
  text += ">";
  text += codec::enum_name(part.to_account);
  text += " " + std::to_string(part.grant.back()) + "/" + std::to_string(part.lot) + " ";
  text += codec::enum_name(part.funding);
  return text;
}
inline std::vector<std::string> lines(const std::vector<events::ChargePart>& parts) {
  std::vector<std::string> texts;
  for (const events::ChargePart& part : parts) texts.push_back(line(part));
  return texts;
}
// A posting: "gpu 1/1 available>expired 5 expired 2026-02-01T00:00:00Z".
inline std::string line(const events::UnitsPosted& posted) {
  std::string text = posted.class_name + " " + std::to_string(posted.grant.back()) + "/" + std::to_string(posted.lot);
  text += " ";
  text += codec::enum_name(posted.from_account);
  text += ">";
  text += codec::enum_name(posted.to_account);
  text += " " + units::format_integer(posted.amount.value()) + " ";
  text += codec::enum_name(posted.cause);
  return text + " " + units::format_time(posted.at);
}

using Lines = std::vector<std::string>;

}  // namespace granary::allocation::test
