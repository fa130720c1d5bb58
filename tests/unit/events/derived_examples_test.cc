// schemas/examples/derived: what the machines say of the worked example, as the outward streams show it. The values are
// put together by hand from the worked example's figures; the files are what write_json makes of them, laid out.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "shared/events/json.h"
#include "tests/unit/events/worked_example.h"

namespace granary::events {
namespace {

using namespace testing;  // NOLINT: the worked example is what this file speaks of

const Instant kRecorded = at("2026-11-01T00:30:06.250Z");
const Instant kOctober = at("2026-10-01T00:00:00Z");
const Instant kNovember = at("2026-11-01T00:00:00Z");
const Instant kDecember = at("2026-12-01T00:00:00Z");
constexpr auto kUs = UnitKind::resource_us;

ProjectOpened project_opened() {
  return {"aurora-llm",
          "aurora",
          CustomerKind::sme,
          "innovation",
          at("2026-09-01T00:00:00Z"),
          {{"eurohpc", "EHPC-2026-0117"}}};
}

GrantOpened grant_opened() {
  GrantOpened grant;
  grant.grant = grant_id();
  grant.project = "aurora-llm";
  grant.application = "2026-0117";
  grant.machine = grant.seller = "aif1";
  grant.pool = "union-share";
  grant.purpose = "innovation";
  grant.legal_basis = "de-minimis-2023-2831";
  grant.member_state = "FI";
  grant.funding.kind = FundingKind::covered;
  grant.awarded_at = at("2026-09-04T12:00:00Z");
  grant.lots = {{1, "gpu:h200", kUs, Amount(36'000'000'000), kOctober, kNovember, 1},
                {2, "gpu:h200", kUs, Amount(2'700'000'000), kNovember, kDecember, 1}};
  return grant;
}

UsageMetered usage_metered() {
  const UsageReported usage = job_usage();
  UsageMetered metered;
  metered.source = kSlurm;
  metered.id = kJob;
  metered.project = usage.project;
  metered.start = usage.start;
  metered.end = usage.end;
  metered.amounts = {{"gpu:h200", kUs, Amount(7'200'000'000), Amount(7'200'000'000)},
                     {"cpu", kUs, Amount(115'200'000'000), {}}};
  metered.classes_version = "1";
  metered.bucket_day = units::day_number(usage.end);
  metered.state = usage.state;
  metered.job = usage.job;
  metered.activity = "train";
  metered.model = "aurora-7b";
  metered.recorded_at = kRecorded;
  return metered;
}

UsageHeld usage_held() {
  UsageHeld held;
  held.source = kSlurm;
  held.id = kJob;
  held.project = "aurora-llm";
  held.start = job_usage().start;
  held.measured_at = kNovember;
  held.amounts = {{"gpu:h200", kUs, Amount(3'600'000'000), Amount(3'600'000'000)},
                  {"cpu", kUs, Amount(57'600'000'000), {}}};
  held.classes_version = "1";
  held.job = job_usage().job;
  return held;
}

HoldLapsed hold_lapsed() {
  return {"aurora-llm",
          "aurora",
          kSlurm,
          kJob,
          "gpu:h200",
          kUs,
          Amount(3'600'000'000),
          kNovember,
          kNovember.plus_ms(48 * units::kHourMs)};
}

ChargePart part(std::uint64_t lot, std::int64_t amount) {
  ChargePart part;
  part.class_name = "gpu:h200";
  part.unit = kUs;
  part.from = lot == 1 ? job_usage().start : kNovember;
  part.to = lot == 1 ? kNovember : job_usage().end;
  part.amount = Amount(amount);
  part.from_account = lot == 0 ? Account::outside : Account::available;
  part.to_account = lot == 0 ? Account::uncovered : Account::used;
  if (lot != 0) part.grant = grant_id();
  part.lot = lot;
  part.funding = lot == 0 ? PartFunding::uncovered_bill : PartFunding::covered;
  part.seller = "aif1";
  part.purpose = "innovation";
  return part;
}

UsageCharged usage_charged() {
  UsageCharged charged;
  charged.source = kSlurm;
  charged.id = kJob;
  charged.project = "aurora-llm";
  charged.organisation = "aurora";
  charged.start = job_usage().start;
  charged.end = job_usage().end;
  charged.recorded_at = kRecorded;
  charged.metering_shard = proof::shard_of({kSlurm, kJob}, kPartitions);
  charged.metering_number = 1;
  charged.job = job_usage().job;
  charged.parts = {part(1, 3'600'000'000), part(2, 2'700'000'000), part(0, 900'000'000)};
  return charged;
}

// Money in 10^-9 EUR.
ChargeRated charge_rated(int number, const ChargePart& part, std::int64_t price, std::int64_t covered,
                         std::int64_t billed) {
  ChargeRated rated;
  rated.line = std::to_string(proof::shard_of({"aurora"}, kPartitions)) + "-" + std::to_string(number);
  rated.organisation = "aurora";
  rated.project = "aurora-llm";
  rated.resource = part.class_name;
  rated.period = rated.booked = units::format_month(units::month_of(part.from));
  rated.from = part.from;
  rated.to = part.to;
  rated.unit = part.unit;
  rated.amount = part.amount;
  rated.funding = part.funding;
  rated.grant = part.grant;
  rated.lot = part.lot;
  rated.root = {kSlurm, kJob};
  rated.job = job_usage().job;
  rated.seller = "aif1";
  rated.price_book = part.lot == 1 ? "3" : "4";
  rated.currency = "EUR";
  rated.price = Price(price);
  rated.per = "resource-hour";
  rated.list_amount = units::Money(covered + billed);
  rated.covered_amount = units::Money(covered);
  rated.billed_amount = units::Money(billed);
  return rated;
}

UnitsPosted lot_1_expired() {
  UnitsPosted posted;
  posted.organisation = "aurora";
  posted.project = "aurora-llm";
  posted.class_name = "gpu:h200";
  posted.unit = kUs;
  posted.grant = grant_id();
  posted.lot = 1;
  posted.from_account = Account::available;
  posted.to_account = Account::expired;
  posted.amount = Amount(32'400'000'000);
  posted.cause = PostingCause::expired;
  posted.at = kNovember;
  return posted;
}

template <class Notice>
Notice notice(std::uint64_t lot, std::int64_t amount, std::string_view when) {
  Notice notice;
  notice.project = "aurora-llm";
  notice.organisation = "aurora";
  notice.grant = grant_id();
  notice.lot = lot;
  notice.class_name = "gpu:h200";
  notice.unit = kUs;
  notice.amount = Amount(amount);
  notice.at = at(when);
  return notice;
}

// The same job again, by another path that saw 4 GPUs.
RecordRefused record_refused() {
  UsageReported other = job_usage();
  other.resources[0].quantity = Quantity(4000);
  Bytes substance;
  encode_event(Event(other), substance);
  RecordRefused refused;
  refused.machine = MachineKind::metering;
  refused.reason = "conflicting_duplicate";
  refused.field = "/resources";
  refused.hint = "give another run of the job its own start in the id";
  refused.topic = "granary.usage.v1";
  refused.partition = proof::shard_of({kSlurm, kJob}, kPartitions);
  refused.offset = 42;
  refused.type = "granary.usage.reported.v1";
  refused.source = kSlurm;
  refused.id = kJob;
  refused.substance_sha256 = to_hex(view_of(proof::sha256(substance)));
  refused.recorded_at = at("2026-11-01T00:31:00Z");
  refused.collector = "slurm-agent/0.4.1";
  return refused;
}

// JSON without the blanks between its tokens.
std::string compact(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!quoted && (c == ' ' || c == '\n')) continue;
    if (c == '"') quoted = !quoted;
    out += c;
    if (quoted && c == '\\') out += text[++i];
  }
  return out;
}

TEST(DerivedExamples, AreWhatIsWritten) {
  const std::vector<ChargePart> parts = usage_charged().parts;
  const std::vector<std::pair<std::string, Event>> examples = {
      {"lane.completed", LaneCompleted{at("2026-11-01T00:35:00Z")}},
      {"source.completed", SourceCompleted{kSlurm, at("2026-11-01T01:00:00Z"), 1}},
      {"project.opened", project_opened()},
      {"grant.opened", grant_opened()},
      {"usage.metered", usage_metered()},
      {"usage.held", usage_held()},
      {"hold.settled", HoldSettled{kSlurm, kJob, "aurora-llm", job_usage().end}},
      {"usage.charged", usage_charged()},
      {"units.posted", lot_1_expired()},
      {"charge.rated-1", charge_rated(1, parts[0], 2'500'000'000, 2'500'000'000, 0)},
      {"charge.rated-2", charge_rated(2, parts[1], 2'400'000'000, 1'800'000'000, 0)},
      {"charge.rated-3", charge_rated(3, parts[2], 2'400'000'000, 0, 600'000'000)},
      {"grant.awarded", notice<LotAwardedNotice>(1, 36'000'000'000, "2026-09-04T12:00:00Z")},
      {"lot.exhausted", notice<LotExhausted>(2, 2'700'000'000, "2026-11-01T00:30:10Z")},
      {"lot.expired", notice<LotExpired>(1, 32'400'000'000, "2026-11-01T00:00:00Z")},
      {"hold.lapsed", hold_lapsed()},
      {"record.refused", record_refused()},
  };
  const std::string folder = "schemas/examples/derived/";
  std::set<std::string> files;
  std::set<EventType> types;
  for (const auto& [name, event] : examples) {
    files.insert(name + ".json");
    types.insert(type_of(event));
    EXPECT_EQ(type_name(type_of(event)), "granary." + name.substr(0, name.find('-')) + ".v1");
    std::string json;
    write_json(event, json);
    EXPECT_TRUE(json::parse(json).ok()) << name;
    const bool there = std::filesystem::exists(std::string(GRANARY_SOURCE_DIR) + "/" + folder + name + ".json");
    EXPECT_EQ(there ? compact(file_text(folder + name + ".json")) : "no such file", json) << folder << name << ".json";
  }
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GRANARY_SOURCE_DIR) + "/" + folder))
    EXPECT_TRUE(files.contains(entry.path().filename())) << entry.path() << " is no example of this test";
  for (const TypeInfo& info : vocabulary())
    EXPECT_EQ(types.contains(info.type), info.status == Status::derived) << info.name;
}

// A required field is shown even where it is zero or empty, an optional one is not.
TEST(WriteJson, ShowsWhatIsRequired) {
  std::string json;
  write_json(Event(SourceCompleted{}), json);
  EXPECT_EQ(json, R"({"source":"","complete_through":"1970-01-01T00:00:00Z","records":0})");
  json.clear();
  write_json(Event(ProjectRegistered{"p", "o", "", std::nullopt}), json);
  EXPECT_EQ(json, R"({"project":"p","organisation":"o"})");
  json.clear();
  write_json(Event(ProjectRegistered{"a\"b\\\n", "o", "", Instant(250)}), json);
  EXPECT_EQ(json, R"({"project":"a\"b\\\n","organisation":"o","from":"1970-01-01T00:00:00.250Z"})");
}

}  // namespace
}  // namespace granary::events
