#include "services/intake/core/machine.h"

#include "tests/unit/intake/intake_shard.h"

namespace granary::intake {
namespace {

std::vector<std::pair<Topic, std::uint16_t>> targets(const test::RecordingOut& out, std::size_t from = 0) {
  std::vector<std::pair<Topic, std::uint16_t>> all;
  for (std::size_t i = from; i < out.sent.size(); ++i) all.emplace_back(out.sent[i].topic, out.sent[i].partition);
  return all;
}

std::vector<std::pair<Topic, std::uint16_t>> every(Topic topic) {
  std::vector<std::pair<Topic, std::uint16_t>> all;
  for (std::uint16_t partition = 0; partition < IntakeShard::kPartitions; ++partition)
    all.emplace_back(topic, partition);
  return all;
}

// Each event of the worked example goes where it is read, and nowhere else.
TEST(Intake, SendsWhatIsDecidedToThoseWhoReadIt) {
  IntakeShard shard;
  const std::pair allocation{Topic::allocations, shard.shard_of("aurora-llm")};
  const std::pair ledger{Topic::ledger, shard.shard_of("aurora")};
  using Targets = std::vector<std::pair<Topic, std::uint16_t>>;
  const std::vector<std::pair<events::Event, Targets>> steps{
      {example::classes(), every(Topic::usage)},
      {example::overdraft(), every(Topic::allocations)},
      {example::window(400), every(Topic::usage)},
      {example::price_book(), every(Topic::ledger)},
      {example::organisation(), {ledger}},
      {example::project(), {allocation, ledger}},
      {example::application(), {}},
      {example::screening(), {}},
      {example::decision(), {allocation}},
      {example::bound(), every(Topic::usage)},
      {example::stated(), every(Topic::usage)},
  };
  for (const auto& [event, expected] : steps) {
    const std::size_t before = shard.out.sent.size();
    const Outcome outcome = shard.send(event);
    EXPECT_EQ(outcome.judgement, Judgement::accepted) << outcome.reason << " " << outcome.hint;
    EXPECT_EQ(targets(shard.out, before), expected) << event.index();
  }
  EXPECT_EQ(shard.out.all<events::PolicyPublished>().size(), 3U * IntakeShard::kPartitions);
}

TEST(Intake, BurnOrderGoesToAllocation) {
  IntakeShard shard;
  events::PolicyPublished policy{events::PolicyKind::burn_order, "1", at("2026-01-01T00:00:00Z"), {}};
  policy.content.order = {events::BurnRule::earliest_expiry};
  EXPECT_EQ(shard.send(policy).judgement, Judgement::accepted);
  EXPECT_EQ(targets(shard.out), every(Topic::allocations));
}

TEST(Intake, TheWorkedExamplesGrantInBaseUnits) {
  IntakeShard shard;
  for (const auto& event : example::all())
    if (!std::holds_alternative<events::ApplicationDecided>(event)) {
      ASSERT_EQ(shard.send(event).judgement, Judgement::accepted) << event.index();
    }
  shard.recorded_at = at("2026-09-02T08:00:00Z");
  ASSERT_EQ(shard.send(example::decision(), "decision-1").judgement, Judgement::accepted);

  const auto opened = shard.out.all<events::ProjectOpened>();
  ASSERT_EQ(opened.size(), 2U);
  EXPECT_EQ(opened[0].organisation, "aurora");
  EXPECT_EQ(opened[0].customer_kind, events::CustomerKind::sme);
  EXPECT_EQ(opened[0].purpose, "language models");

  const auto grants = shard.out.all<events::GrantOpened>();
  ASSERT_EQ(grants.size(), 1U);
  const events::GrantOpened& grant = grants[0];
  EXPECT_EQ(grant.grant, IntakeShard::identity("decision-1"));
  EXPECT_EQ(grant.project, "aurora-llm");
  EXPECT_EQ(grant.application, "app-1");
  EXPECT_EQ(grant.machine, "aif1");
  EXPECT_EQ(grant.seller, "aif");
  EXPECT_EQ(grant.purpose, "language models");  // the grant names none: the project's
  EXPECT_EQ(grant.legal_basis, "eurohpc-access");
  EXPECT_EQ(grant.member_state, "FI");
  EXPECT_EQ(grant.funding.kind, events::FundingKind::covered);
  EXPECT_EQ(grant.awarded_at, at("2026-09-02T08:00:00Z"));
  ASSERT_EQ(grant.lots.size(), 2U);
  EXPECT_EQ(grant.lots[0].ordinal, 1U);
  EXPECT_EQ(grant.lots[0].class_name, "gpu:h200");
  EXPECT_EQ(grant.lots[0].unit, units::UnitKind::resource_us);
  EXPECT_EQ(grant.lots[0].amount, units::Amount(36'000'000'000));
  EXPECT_EQ(grant.lots[0].from, at("2026-10-01T00:00:00Z"));
  EXPECT_EQ(grant.lots[0].to, at("2026-11-01T00:00:00Z"));
  EXPECT_EQ(grant.lots[1].ordinal, 2U);
  EXPECT_EQ(grant.lots[1].amount, units::Amount(2'700'000'000));

  const ApplicationRow* application = shard->application("app-1");
  ASSERT_NE(application, nullptr);
  ASSERT_TRUE(application->decision.has_value());
  EXPECT_EQ(application->decision->grant, IntakeShard::identity("decision-1"));
  EXPECT_EQ(application->decision->lots, 2U);
}

TEST(Intake, TheGrantsOwnPurposeGoesBeforeTheProjects) {
  IntakeShard shard;
  for (const auto& event : example::all())
    if (!std::holds_alternative<events::ApplicationDecided>(event)) (void)shard.send(event);
  auto decision = example::decision();
  decision.grant->purpose = "benchmarks";
  decision.grant->lots[0] = {
      "licence", units::Quantity(3000), "item", at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"), 5};
  ASSERT_EQ(shard.send(decision).judgement, Judgement::accepted);
  const auto grant = shard.out.all<events::GrantOpened>().at(0);
  EXPECT_EQ(grant.purpose, "benchmarks");
  EXPECT_EQ(grant.lots[0].unit, units::UnitKind::item);
  EXPECT_EQ(grant.lots[0].amount, units::Amount(3));
  EXPECT_EQ(grant.lots[0].priority, 5U);
}

TEST(Intake, ADeclinedApplicationOpensNothingAndNeedsNoScreening) {
  IntakeShard shard;
  for (const events::Event& event : {events::Event(example::classes()), events::Event(example::organisation()),
                                     events::Event(example::project()), events::Event(example::application())})
    ASSERT_EQ(shard.send(event).judgement, Judgement::accepted);
  const std::size_t before = shard.out.sent.size();
  EXPECT_EQ(
      shard.send(events::ApplicationDecided{"app-1", "aurora-llm", events::DecisionOutcome::declined, "budget", {}})
          .judgement,
      Judgement::accepted);
  EXPECT_EQ(shard.out.sent.size(), before);
  EXPECT_EQ(shard->application("app-1")->decision->outcome, events::DecisionOutcome::declined);
}

TEST(Intake, TheLatestScreeningDecides) {
  IntakeShard shard;
  for (const auto& event : example::all())
    if (!std::holds_alternative<events::ApplicationDecided>(event)) (void)shard.send(event);
  auto screening = example::screening();
  screening.outcome = events::ScreeningOutcome::refused;
  EXPECT_EQ(shard.send(screening).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send(example::decision()).reason, "screening_not_cleared");
  EXPECT_EQ(shard.send(example::screening()).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send(example::decision()).judgement, Judgement::accepted);
}

TEST(Intake, ALaterPublishedListOfClassesReplacesTheOneBeforeOnceItIsEffective) {
  IntakeShard shard;
  for (const events::Event& event :
       {events::Event(example::classes()), events::Event(example::organisation()), events::Event(example::project())})
    (void)shard.send(event);
  auto policy = example::classes();
  policy.version = "2";
  policy.effective = at("2026-09-10T00:00:00Z");
  policy.content.classes = {{"gpu:b300", units::UnitKind::resource_us, events::Charging::lots}};
  ASSERT_EQ(shard.send(policy).judgement, Judgement::accepted);
  auto application = example::application();
  EXPECT_EQ(shard.send(application).judgement, Judgement::accepted);
  shard.recorded_at = at("2026-09-10T00:00:00Z");
  application.application = "app-2";
  EXPECT_EQ(shard.send(application).reason, "unknown_resource_class");
  application.resources[0].class_name = "gpu:b300";
  EXPECT_EQ(shard.send(application).judgement, Judgement::accepted);
}

TEST(Intake, AnswersForQueries) {
  IntakeShard shard;
  for (const auto& event : example::all()) ASSERT_EQ(shard.send(event).judgement, Judgement::accepted);
  auto second = example::application();
  second.application = "app-0";
  (void)shard.send(second);
  ASSERT_EQ(shard.send(events::ProjectRegistered{"aurora", "aurora", "", std::nullopt}).judgement, Judgement::accepted);
  for (const bool flushed : {false, true}) {
    if (flushed) shard.flush(), shard.reopen();
    std::vector<std::string> applications;
    shard->applications_of("aurora-llm", [&](BytesView name) { return applications.emplace_back(name), true; });
    EXPECT_EQ(applications, (std::vector<std::string>{"app-0", "app-1"}));
    shard->applications_of("aurora", [&](BytesView name) { return ADD_FAILURE() << name, true; });
    std::vector<std::string> published;
    shard->publications([&](const PublicationRow& row) {
      published.push_back(row.policy ? std::string(codec::enum_name(row.policy->kind)) : row.price_book->seller);
      return true;
    });
    EXPECT_EQ(published, (std::vector<std::string>{"resource_classes", "overdraft", "acceptance_window", "aif"}));
    EXPECT_EQ(shard->source("slurm://aif1")->stated.records, 7U);
    EXPECT_EQ(shard->organisation("aurora")->registered.name, "Aurora Oy");
    EXPECT_EQ(shard->project("aurora-llm")->registered.purpose, "language models");
    EXPECT_EQ(shard->project("nobody"), nullptr);
  }
}

}  // namespace
}  // namespace granary::intake
