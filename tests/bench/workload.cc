#include "tests/bench/workload.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "shared/codec/json_fields.h"
#include "shared/events/catalogue.h"
#include "shared/events/record.h"
#include "shared/proof/hash.h"

namespace granary::bench {
namespace {

using events::UnitKind;
using units::Instant;
using units::kDayMs;
using units::kHourMs;
using units::kMinuteMs;

constexpr std::uint64_t kRepeatsReach = 100'000;
constexpr std::uint64_t kFirstJob = 1'000'000;  // ids of one length, mostly
constexpr std::int64_t kLotsFrom = kNow.ms() - 45 * kDayMs;
constexpr std::int64_t kLotsEdge = kNow.ms() - 10 * kDayMs;
constexpr std::int64_t kLotsTo = kNow.ms() + 60 * kDayMs;
constexpr std::int64_t kLotUnits = 1'000'000'000'000;

struct Class {
  const char* name;
  UnitKind kind;
  const char* unit;
  std::int64_t price;  // 10^-9 of a euro
};
constexpr std::array<Class, 4> kClasses{{{"gpu", UnitKind::resource_us, "resource-hour", 2'500'000'000},
                                         {"cpu", UnitKind::resource_us, "resource-hour", 31'000'000},
                                         {"storage", UnitKind::byte_ms, "gib-hour", 45'000},
                                         {"qpu", UnitKind::resource_us, "resource-hour", 975'000'000'000}}};

// splitmix64's last step: https://prng.di.unimi.it/splitmix64.c
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

std::vector<events::Event> policies() {
  events::PolicyPublished classes{events::PolicyKind::resource_classes, "1", Instant(), {}};
  events::PriceBookPublished prices{"factory", "1", Instant(), "EUR", {}, {}};
  for (const Class& one : kClasses) {
    classes.content.classes.push_back({one.name, one.kind, events::Charging::lots});
    prices.prices.push_back({one.name, units::Price(one.price), one.unit, {}, {}});
  }
  events::PolicyPublished window{events::PolicyKind::acceptance_window, "1", Instant(), {}};
  window.content.window_days = 400;
  events::PolicyPublished overdraft{events::PolicyKind::overdraft, "1", Instant(), {}};
  overdraft.content.mode = events::OverdraftMode::bill;
  overdraft.content.seller = "factory";
  return {classes, window, overdraft, prices};
}

std::vector<events::Event> project_decisions(std::uint64_t project) {
  const std::string name = project_name(project);
  const std::string organisation = "o" + std::to_string(project / 4);
  const std::string application = "a" + std::to_string(project);
  std::vector<events::Event> out;
  if (project % 4 == 0)
    out.emplace_back(events::OrganisationRegistered{organisation, "O", events::CustomerKind::startup, "FI", "", {}});
  out.emplace_back(events::ProjectRegistered{name, organisation, "", {}});
  events::ApplicationSubmitted submitted{
      application, name, "trial", "", {{"gpu", units::Quantity(1000), "resource-hour"}}, {}, kNow, {}};
  submitted.period_from = Instant(kLotsFrom);
  submitted.period_to = Instant(kLotsTo);
  out.emplace_back(std::move(submitted));
  out.emplace_back(events::ScreeningDecided{application, "", "trial", "", events::ScreeningOutcome::cleared, ""});
  events::GrantAwarded grant{"m", "", "factory", "", "trial", "FI", {events::FundingKind::covered, {}}, {}};
  for (const Class& one : kClasses) {
    const auto lot = [&](std::int64_t from, std::int64_t to) {
      grant.lots.push_back({one.name, units::Quantity(kLotUnits), one.unit, Instant(from), Instant(to), 0});
    };
    if (&one == kClasses.data()) {
      lot(kLotsFrom, kLotsEdge);
      lot(kLotsEdge, kLotsTo);
    } else {
      lot(kLotsFrom, kLotsTo);
    }
  }
  out.emplace_back(events::ApplicationDecided{application, name, events::DecisionOutcome::awarded, "", grant});
  return out;
}

}  // namespace

Bytes raw_record(const events::Event& event, std::string source, std::string id) {
  events::Raw raw;
  raw.source = std::move(source);
  raw.id = std::move(id);
  raw.time = raw.recorded_at = kNow;
  raw.actor = "agent";
  raw.caller.kind = events::CallerKind::open;
  raw.door = "http";
  events::encode_event(event, raw.substance);
  return events::encode_record(kLedger, raw);
}

std::uint64_t each_decision(std::uint64_t projects, const std::function<void(Bytes)>& take) {
  std::uint64_t count = 0;
  const auto give = [&](const std::vector<events::Event>& events) {
    for (const events::Event& event : events) take(raw_record(event, "urn:bench", "d" + std::to_string(count++)));
  };
  give(policies());
  for (std::uint64_t project = 0; project < projects; ++project) give(project_decisions(project));
  return count;
}

Jobs::Jobs(const Workload& workload) : workload_(workload) {
  weights_.reserve(workload.projects);
  std::uint64_t sum = 0;
  for (std::uint64_t rank = 1; rank <= workload.projects; ++rank) weights_.push_back(sum += (1ULL << 40) / rank);
}

std::uint64_t Jobs::draw(std::uint64_t number, std::uint64_t what) const {
  return mixed(mixed(workload_.seed * 0x9e3779b97f4a7c15ULL + number) + what);
}

std::uint64_t Jobs::number_at(std::uint64_t place) const {
  while (place > 0 && draw(place, 0) % 100 == 0) place -= 1 + draw(place, 1) % std::min(place, kRepeatsReach);
  return place;
}

std::string Jobs::source_of(std::uint64_t number) {
  return "slurm://aif" + std::to_string(number % 4);
}

std::string Jobs::id_of(std::uint64_t number) const {
  return std::to_string(kFirstJob + number) + "." + std::to_string(usage_of(number).start.ms() / 1000);
}

std::uint64_t Jobs::number_of(std::string_view id) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number - kFirstJob;
}

events::UsageReported Jobs::usage_of(std::uint64_t number) const {
  events::UsageReported job;
  const std::uint64_t weight = draw(number, 2) % weights_.back();
  job.project = project_name(
      static_cast<std::uint64_t>(std::upper_bound(weights_.begin(), weights_.end(), weight) - weights_.begin()));
  const std::uint64_t percent = draw(number, 3) % 100;
  const std::size_t picked = percent < 70 ? 0 : percent < 90 ? 1 : percent < 98 ? 2 : 3;
  const auto size = static_cast<std::int64_t>(1 + draw(number, 4) % 64);
  // An eighth of a GPU to eight of them; 1 to 64 of the rest (storage: GiB).
  const std::int64_t thousandths = picked == 0 ? size * 125 : picked == 2 ? size * (1LL << 30) * 1000 : size * 1000;
  job.resources = {{kClasses[picked].name, units::Quantity(thousandths), {}, ""}};
  const bool is_uncovered = draw(number, 5) % 100 == 0;
  const auto spread = [&](std::uint64_t days) {
    return static_cast<std::int64_t>(draw(number, 6) % (days * 24 * 60)) * kMinuteMs;
  };
  const std::int64_t ago = is_uncovered ? 50 * kDayMs + spread(9) : 12 * kHourMs + spread(40);
  job.start = kNow.plus_ms(-ago);
  job.end = job.start.plus_ms(static_cast<std::int64_t>(1 + draw(number, 7) % (10 * 3'600)) * units::kSecondMs);
  job.state = "COMPLETED";
  job.partition = kClasses[picked].name;
  return job;
}

Jobs::Placed Jobs::record_of(std::uint64_t number, std::uint16_t partitions) const {
  events::UsageReported job = usage_of(number);
  std::string id = std::to_string(kFirstJob + number) + "." + std::to_string(job.start.ms() / 1000);
  std::string source = source_of(number);
  const std::uint16_t partition = proof::shard_of({source, id}, partitions);
  return {partition, raw_record(std::move(job), std::move(source), std::move(id))};
}

std::string Jobs::cloud_event(std::uint64_t number) const {
  const events::UsageReported job = usage_of(number);
  std::string out = R"({"specversion":"1.0","type":"granary.usage.reported.v1","source":")" + source_of(number) +
                    R"(","id":")" + id_of(number) + R"(","time":")" + units::format_time(job.end) + R"(","data":)";
  codec::write_json_object(job, out);
  out += '}';
  return out;
}

}  // namespace granary::bench
