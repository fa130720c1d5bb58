// Random histories: the books balance, what is charged is what was metered, and neither the places of the flushes nor a
// machine opened anew in the middle leaves a trace.
#include <cstdlib>
#include <random>

#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

constexpr int kSteps = 400;
const Instant kStart = at("2026-01-01T00:00:00Z");

std::uint64_t seed() {
  const char* given = std::getenv("GRANARY_SEED");
  return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

struct Step {
  enum class Kind { intake, metering, tick } kind;
  Event event;
  std::uint16_t shard = 0;
  Instant now;
};

// A history that keeps the promises of intake and metering.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::vector<Step> make() {
    std::vector<Step> steps;
    for (int i = 0; i < kSteps; ++i) {
      const std::uint64_t dice = below(100);
      if (dice < 10 && opened_ < kProjects)
        steps.push_back({Step::Kind::intake, project(), 0, {}});
      else if (dice < 22 && opened_ > 0)
        steps.push_back({Step::Kind::intake, some_grant(), 0, {}});
      else if (dice < 26)
        steps.push_back({Step::Kind::intake, policy(), 0, {}});
      else if (dice < 34)
        steps.push_back({Step::Kind::tick, {}, 0, now_ = now_.plus_ms(span(12 * units::kDayMs))});
      else if (dice < 50)
        steps.push_back({Step::Kind::metering, below(8) == 0 ? settled() : interim(), shard(), {}});
      else
        steps.push_back({Step::Kind::metering, final_usage(), shard(), {}});
    }
    return steps;
  }

 private:
  static constexpr std::uint64_t kProjects = 5;
  struct Running {
    std::string id, project;
    Instant start;
  };

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::int64_t span(std::int64_t limit_ms) {
    return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(limit_ms)));
  }
  Instant some_time() { return kStart.plus_ms(span(200 * units::kDayMs)); }
  std::uint16_t shard() { return static_cast<std::uint16_t>(below(World::kPartitions)); }
  std::string some_project(std::uint64_t limit) { return std::string(1 + below(limit), 'p'); }
  std::string some_class() { return below(3) == 0 ? "cpu" : "gpu"; }

  Event project() {
    ++opened_;
    return events::ProjectOpened{
        std::string(opened_, 'p'), "o" + std::to_string(opened_ % 2), events::CustomerKind::sme, "", {}};
  }
  Event some_grant() {
    events::GrantOpened opened;
    opened.grant = grant_id(static_cast<std::uint8_t>(++grants_));
    opened.project = some_project(opened_);
    opened.seller = "aif";
    opened.funding.kind = static_cast<events::FundingKind>(1 + below(3));
    opened.awarded_at = now_;
    for (std::uint64_t ordinal = 1; ordinal <= 1 + below(3); ++ordinal) {
      const Instant from = some_time();
      opened.lots.push_back({ordinal, some_class(), UnitKind::resource_us,
                             Amount(static_cast<units::Int128>(1 + below(1'000'000))), from,
                             from.plus_ms(1 + span(60 * units::kDayMs)), below(3)});
    }
    return opened;
  }
  Event policy() {
    if (below(2) == 0) {
      events::PolicyPublished order = burn_order("2026-01-01T00:00:00Z", {});
      order.effective = some_time();
      for (std::uint64_t i = below(3); i > 0; --i)
        order.content.order.push_back(static_cast<events::BurnRule>(1 + below(3)));
      return order;
    }
    if (below(4) == 0) {
      events::PolicyPublished holds{events::PolicyKind::holds, "1", some_time(), {}};
      holds.content.silent_hours_max = 1 + below(72);
      return holds;
    }
    events::PolicyPublished policy = overdraft("2026-01-01T00:00:00Z", static_cast<events::OverdraftMode>(1 + below(2)),
                                               "seller", below(2) == 0 ? "" : some_project(kProjects));
    policy.effective = some_time();
    return policy;
  }
  std::vector<events::MeteredAmount> amounts() {
    std::vector<events::MeteredAmount> list;
    for (const char* name : {"cpu", "gpu"}) {
      if (below(3) == 0) continue;
      const Amount raw(static_cast<units::Int128>(below(400'000)));
      list.push_back({name, UnitKind::resource_us, raw, below(5) == 0 ? Amount() : raw});
    }
    return list;
  }
  Event interim() {
    if (running_.empty() || below(3) == 0)
      running_.push_back({"r" + std::to_string(++ids_), some_project(kProjects), below(2) == 0 ? some_time() : now_});
    const Running& job = running_[below(running_.size())];
    events::UsageHeld held;
    held.source = "s";
    held.id = job.id;
    held.project = job.project;
    held.start = job.start;
    held.measured_at = job.start.plus_ms(span((below(2) == 0 ? 1 : 40) * units::kDayMs));
    held.amounts = amounts();
    held.classes_version = "1";
    return held;
  }
  // A job moves to another project, as metering tells it; or one that holds nothing does.
  Event settled() {
    if (running_.empty()) return events::HoldSettled{"s", "nothing", some_project(kProjects), now_};
    Running& job = running_[below(running_.size())];
    const events::HoldSettled moved{"s", job.id, job.project, now_};
    job.project = some_project(kProjects);
    return moved;
  }
  Event final_usage() {
    Running job{"f" + std::to_string(++ids_), some_project(kProjects), some_time()};
    if (!running_.empty() && below(2) == 0) {
      const auto index = static_cast<std::ptrdiff_t>(below(running_.size()));
      job = running_[static_cast<std::size_t>(index)];
      running_.erase(running_.begin() + index);
    }
    UsageMetered usage;
    usage.source = "s";
    usage.id = job.id;
    usage.project = job.project;
    usage.start = job.start;
    usage.end = job.start.plus_ms(below(10) == 0 ? 0 : span(90 * units::kDayMs));
    usage.amounts = amounts();
    usage.recorded_at = usage.end;
    return usage;
  }

  std::mt19937_64 random_;
  Instant now_ = kStart;
  std::uint64_t opened_ = 0, grants_ = 0, ids_ = 0;
  std::vector<Running> running_;
};

void apply(World& world, const Step& step) {
  switch (step.kind) {
    case Step::Kind::intake:
      return world.intake(step.event);
    case Step::Kind::metering:
      return world.metering(step.event, step.shard);
    case Step::Kind::tick:
      return world.tick(step.now);
  }
}

// The emitted events as bytes, with where they went.
std::vector<std::string> sent(const World& world) {
  std::vector<std::string> all;
  for (const auto& one : world.out.sent) {
    Bytes bytes = std::to_string(static_cast<int>(one.topic)) + "/" + std::to_string(one.partition) + "/" +
                  std::to_string(one.number) + " ";
    events::encode_event(one.event, bytes);
    all.push_back(std::move(bytes));
  }
  return all;
}

using Totals = std::map<std::string, Amount>;

Totals charged_parts(const World& world) {
  Totals totals;
  for (const auto& charged : world.out.all<events::UsageCharged>())
    for (const auto& part : charged.parts) totals[charged.id + "/" + part.class_name] += part.amount;
  return totals;
}

TEST(Property, books_balance_and_flushes_leave_no_trace) {
  const std::uint64_t base = seed();
  SCOPED_TRACE("GRANARY_SEED=" + std::to_string(base) + " unit_allocation --gtest_filter=Property.*");
  std::size_t parts = 0, expired = 0, exhausted = 0, releases = 0, lapsed = 0;
  for (std::uint64_t round = 0; round < 20; ++round) {
    const auto steps = Maker(base + round).make();
    std::mt19937_64 random(base ^ round);
    World once, always(1), anew;
    for (const Step& step : steps) {
      apply(once, step);
      apply(always, step);
      always.flush();
      apply(anew, step);
      if (random() % 8 == 0) {
        anew.flush();
        anew.reopen();
      }
    }
    once.flush();
    anew.flush();
    ASSERT_EQ(once.rows(), always.rows()) << "round " << round;
    ASSERT_EQ(once.rows(), anew.rows()) << "round " << round;
    ASSERT_EQ(sent(once), sent(always)) << "round " << round;
    ASSERT_EQ(sent(once), sent(anew)) << "round " << round;

    // Every metered amount of an opened project is charged, whole and once; none of the others is.
    Totals wanted, metered;
    std::map<std::string, bool> open;
    for (const Step& step : steps)
      if (const auto* project = std::get_if<events::ProjectOpened>(&step.event)) open[project->project] = true;
    for (const Step& step : steps) {
      const auto* usage = std::get_if<UsageMetered>(&step.event);
      if (usage == nullptr) continue;
      for (const auto& amount : usage->amounts) {
        metered[usage->project + "/" + amount.class_name] += amount.raw;
        if (!amount.charged.is_zero() && open[usage->project])
          wanted[usage->id + "/" + amount.class_name] += amount.charged;
      }
    }
    ASSERT_EQ(charged_parts(once), wanted) << "round " << round;
    Totals totals;
    for (const UsageTotal& total : once.machine().usage({}, 1000).rows) {
      totals[total.project + "/" + total.class_name] = total.quantity;
      ASSERT_EQ(total.unassigned, !open[total.project]);
    }
    ASSERT_EQ(totals, metered) << "round " << round;

    // What was posted outside is what stands in the rows.
    std::map<std::string, std::map<events::Account, Amount>> accounts;
    for (const auto& posted : once.out.all<events::UnitsPosted>()) {
      auto& own = accounts[posted.project + "/" + posted.class_name];
      own[posted.from_account] -= posted.amount;
      own[posted.to_account] += posted.amount;
      releases += posted.cause == events::PostingCause::released ? 1 : 0;
    }
    for (const auto& charged : once.out.all<events::UsageCharged>())
      for (const auto& part : charged.parts) {
        auto& own = accounts[charged.project + "/" + part.class_name];
        own[part.from_account] -= part.amount;
        own[part.to_account] += part.amount;
        ++parts;
      }
    for (const ProjectBalance& project : once.machine().projects({}, 1000, {}).rows)
      for (const ClassBalance& balance : project.classes) {
        auto& own = accounts[project.project + "/" + balance.class_name];
        ASSERT_EQ(own[Account::available], balance.available);
        ASSERT_EQ(own[Account::reserved], balance.reserved);
        ASSERT_EQ(own[Account::used], balance.used);
        ASSERT_EQ(own[Account::expired], balance.expired);
        ASSERT_EQ(own[Account::uncovered], balance.uncovered);
        ASSERT_EQ(own[Account::issued], -balance.granted);
      }
    expired += once.out.all<events::LotExpired>().size();
    exhausted += once.out.all<events::LotExhausted>().size();
    lapsed += once.out.all<events::HoldLapsed>().size();
  }
  // The histories are not so dull that all this says nothing.
  EXPECT_GT(parts, 1000u);
  EXPECT_GT(expired, 20u);
  EXPECT_GT(exhausted, 20u);
  EXPECT_GT(releases, 20u);
  EXPECT_GT(lapsed, 2u);
}

}  // namespace
}  // namespace granary::allocation::test
