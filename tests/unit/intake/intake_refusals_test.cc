// One line for each refusal: what is sent after the worked example, and what the answer names.
#include "services/intake/core/refusals.h"

#include <set>

#include "tests/unit/intake/intake_shard.h"

namespace granary::intake {
namespace {

struct Case {
  const char* name;
  events::Event event;
  std::string_view reason;
  std::string_view field;
  std::string id = "";
};

template <class T, class Change>
events::Event changed(T event, Change change) {
  change(event);
  return event;
}

// app-2 is submitted and not screened; app-3, and app-4 of the project wordy, are cleared and not decided.
template <class Change>
events::Event award(Change change) {
  auto decision = example::decision();
  decision.application = "app-3";
  change(decision);
  return decision;
}
template <class Change>
events::Event award_lot(Change change) {
  return award([&](events::ApplicationDecided& d) { change(d.grant->lots[1]); });
}

template <class Change>
events::Event book(Change change) {
  auto book = example::price_book();
  book.version = "new";
  change(book);
  return book;
}
template <class Change>
events::Event another(Change change) {
  events::OrganisationRegistered registered{"another", "Another Oy", events::CustomerKind::sme, "FI", "", {}};
  change(registered);
  return registered;
}
events::PolicyContent overdraft_of(const char* project) {
  events::PolicyContent content;
  content.mode = events::OverdraftMode::record;
  content.project = project;
  return content;
}

std::vector<Case> cases() {
  using events::ApplicationDecided;
  using events::LotAwarded;
  return {
      {"other substance under a known id", example::bound(), "conflicting_duplicate", "", "taken"},
      {"too large to be sent on",
       changed(example::organisation(), [](auto& o) { o.organisation = o.name = std::string(40'000, 'x'); }),
       "event_too_large", ""},
      {"organisation again", example::organisation(), "organisation_exists", "/organisation"},
      {"project of nobody", events::ProjectRegistered{"p", "nobody", "", {}}, "unknown_organisation", "/organisation"},
      {"project of nobody that exists", events::ProjectRegistered{"aurora-llm", "nobody", "", {}},
       "unknown_organisation", "/organisation"},
      {"project again", example::project(), "project_exists", "/project"},
      {"binding to no project", events::AccountBound{"aif1", "a", "nothing", {}, {}}, "unknown_project", "/project"},
      {"application for no project", changed(example::application(), [](auto& a) { a.project = "nothing"; }),
       "unknown_project", "/project"},
      {"application again", example::application(), "application_exists", "/application"},
      {"application for an unpublished class",
       changed(example::application(),
               [](auto& a) {
                 a.application = "new";
                 a.resources.push_back(a.resources[0]);
                 a.resources[1].class_name = "gpu:x";
               }),
       "unknown_resource_class", "/resources/1/class"},
      {"screening of no application", changed(example::screening(), [](auto& s) { s.application = "nothing"; }),
       "unknown_application", "/application"},
      {"screening of a decided application", example::screening(), "application_already_decided", "/application"},
      {"decision on no application", award([](auto& d) { d.application = "nothing"; }), "unknown_application",
       "/application"},
      {"decision for another project", award([](auto& d) { d.project = "other"; }), "project_differs", "/project"},
      {"decision for another project on a decided one", award([](auto& d) {
         d.application = "app-1";
         d.project = "other";
       }),
       "project_differs", "/project"},
      {"decision again", example::decision(), "application_already_decided", "/application"},
      {"award without a screening", award([](auto& d) { d.application = "app-2"; }), "screening_not_cleared",
       "/application"},
      {"more lots than an event holds", award([](auto& d) { d.grant->lots.resize(201, d.grant->lots[0]); }),
       "too_many_lots", "/grant/lots"},
      {"lots that are too large together", award([](auto& d) {
         d.application = "app-4";
         d.project = "wordy";
         d.grant->pool = std::string(57'000, 'x');
       }),
       "too_many_lots", "/grant/lots"},
      {"lot of an unpublished class", award_lot([](LotAwarded& l) { l.class_name = "gpu:x"; }),
       "unknown_resource_class", "/grant/lots/1/class"},
      {"lot of a metered class", award_lot([](LotAwarded& l) { l.class_name = "cpu"; }), "class_is_metered_only",
       "/grant/lots/1/class"},
      {"lot in another unit", award_lot([](LotAwarded& l) { l.unit = "tib-hour"; }), "unit_differs",
       "/grant/lots/1/unit"},
      {"half an item", award_lot([](LotAwarded& l) { l.class_name = "licence", l.unit = "item"; }),
       "quantity_too_precise", "/grant/lots/1/quantity"},
      {"lot beyond 2^96", award_lot([](LotAwarded& l) { l.quantity = units::Quantity(units::kAmountMax); }),
       "quantity_overflow", "/grant/lots/1/quantity"},
      {"lot without a period", award_lot([](LotAwarded& l) { l.to = l.from; }), "lot_period_empty", "/grant/lots/1/to"},
      {"policy's version again", changed(example::classes(), [](auto& p) { p.effective = at("2027-01-01T00:00:00Z"); }),
       "version_exists", "/version"},
      {"overdraft of no project",
       events::PolicyPublished{events::PolicyKind::overdraft, "new", {}, overdraft_of("nothing")}, "unknown_project",
       "/content/project"},
      {"price of an unpublished class", book([](auto& b) { b.prices[0].class_name = "gpu:x"; }),
       "unknown_resource_class", "/prices/0/class"},
      {"price in a unit of another kind", book([](auto& b) { b.prices[0].per = "gib-hour"; }), "unit_differs",
       "/prices/0/per"},
      {"price book that leaves a class out", book([](auto& b) { b.prices[0].class_name = "cpu"; }), "class_left_out",
       "/prices"},
      {"price book that leaves a kind of customer out",
       book([](auto& b) { b.prices[0].customer_kinds = {events::CustomerKind::sme}; }), "class_left_out", "/prices"},
      {"price book that leaves purposes out", book([](auto& b) { b.prices[0].purposes = {"train"}; }), "class_left_out",
       "/prices"},
      {"legal id of another organisation", another([](auto& o) {
         o.legal_ids = {{"VAT", "FI2", {}, {}}, {"VAT", "FI1", {}, {}}};
       }),
       "legal_id_taken", "/legal_ids/1/id"},
      {"organisation's ref that an organisation has", another([](auto& o) {
         o.refs = {{"federation", "free"}, {"federation", "org"}};
       }),
       "ref_taken", "/refs/1"},
      {"project's ref that an organisation has",
       events::ProjectRegistered{"new", "aurora", "", {}, {{"federation", "org"}}}, "ref_taken", "/refs/0"},
      {"account's ref that another account has",
       events::AccountBound{"aif1", "other", "aurora-llm", {}, {}, {{"site", "a"}}}, "ref_taken", "/refs/0"},
      {"account's ref that the account of another cluster has",
       events::AccountBound{"aif2", "aurora", "aurora-llm", {}, {}, {{"site", "a"}}}, "ref_taken", "/refs/0"},
      {"application's ref that a project has",
       changed(example::application(),
               [](auto& a) {
                 a.application = "new";
                 a.refs = {{"federation", "project"}};
               }),
       "ref_taken", "/refs/0"},
      {"grant's ref that its application has", award([](auto& d) {
         d.grant->refs = {{"federation", "application"}};
       }),
       "ref_taken", "/grant/refs/0"},
      {"grant's ref that another grant has", award([](auto& d) {
         d.grant->refs = {{"federation", "grant"}};
       }),
       "ref_taken", "/grant/refs/0"},
      {"price book's version again", changed(example::price_book(), [](auto& b) { b.currency = "SEK"; }),
       "version_exists", "/version"},
      {"rules version in force again", events::RulesActivated{1}, "rules_version_not_next", "/version"},
      {"rules version after the next", events::RulesActivated{3}, "rules_version_not_next", "/version"},
  };
}

// Everything that the cases start from.
void set_up(IntakeShard& shard) {
  std::vector<events::Event> events = example::all();
  for (events::Event& event : events) {
    if (auto* o = std::get_if<events::OrganisationRegistered>(&event)) {
      o->legal_ids = {{"VAT", "FI1", {}, {}}};
      o->refs = {{"federation", "org"}};
    }
    if (auto* p = std::get_if<events::ProjectRegistered>(&event)) p->refs = {{"federation", "project"}};
    if (auto* b = std::get_if<events::AccountBound>(&event)) b->refs = {{"site", "a"}};
    if (auto* d = std::get_if<events::ApplicationDecided>(&event)) d->grant->refs = {{"federation", "grant"}};
  }
  events.push_back(events::ProjectRegistered{"wordy", "aurora", std::string(5'000, 'x'), {}});
  for (const char* name : {"app-2", "app-3", "app-4"})
    events.push_back(changed(example::application(), [&](auto& a) {
      a.application = name;
      if (a.application == "app-4") a.project = "wordy";
      if (a.application == "app-3") a.refs = {{"federation", "application"}};
    }));
  for (const char* name : {"app-3", "app-4"})
    events.push_back(changed(example::screening(), [&](auto& s) { s.application = name; }));
  for (const auto& event : events) ASSERT_EQ(shard.send(event).judgement, Judgement::accepted) << event.index();
  ASSERT_EQ(shard.send(events::SourceStated{"other", at("2026-11-01T00:00:00Z"), 1}, "taken").judgement,
            Judgement::accepted);
  shard.flush();
}

TEST(IntakeRefusals, NameTheBrokenRuleChangeNothingAndLeaveNoId) {
  IntakeShard shard;
  set_up(shard);
  const auto rows = shard.rows();
  const std::size_t sent = shard.out.sent.size();
  std::set<std::string_view> seen;
  for (const Case& one : cases()) {
    for (int time = 0; time < 2; ++time) {  // sent again, it is judged again
      const Outcome outcome = shard.send(one.event, one.id.empty() ? one.name : one.id);
      EXPECT_EQ(outcome.judgement, Judgement::refused) << one.name;
      EXPECT_EQ(outcome.reason, one.reason) << one.name;
      EXPECT_EQ(outcome.field, one.field) << one.name;
      EXPECT_FALSE(outcome.hint.empty()) << one.name;
    }
    seen.insert(one.reason);
  }
  shard.flush();
  EXPECT_EQ(shard.rows(), rows);
  EXPECT_EQ(shard.out.sent.size(), sent);
  for (const std::string_view name : kRefusalNames) EXPECT_TRUE(seen.contains(name)) << "no case: " << name;
}

TEST(IntakeRefusals, WhatWasRefusedIsAcceptedUnderTheSameIdOnceTheRulesAllowIt) {
  IntakeShard shard;
  EXPECT_EQ(shard.send(example::project(), "p").reason, "unknown_organisation");
  ASSERT_EQ(shard.send(example::organisation()).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send(example::project(), "p").judgement, Judgement::accepted);
  EXPECT_EQ(shard.send(example::project(), "p").judgement, Judgement::repeat);
}

TEST(IntakeRefusals, SayWhoHasTheNameThatIsTaken) {
  IntakeShard shard;
  set_up(shard);
  shard.reopen();
  EXPECT_EQ(shard.send(another([](auto& o) {
                   o.legal_ids = {{"VAT", "FI1", {}, {}}};
                 }))
                .hint,
            "use the organisation 'aurora', which has VAT FI1, or give this one's own");
  const struct {
    events::Ref ref;
    const char* has;
  } cases[] = {
      {{"federation", "org"}, "the organisation 'aurora' has federation:org"},
      {{"federation", "project"}, "the project 'aurora-llm' has federation:project"},
      {{"federation", "application"}, "the application 'app-3' has federation:application"},
      {{"federation", "grant"}, "the grant of the application 'app-1' has federation:grant"},
      {{"site", "a"}, "the account 'aurora' of the cluster 'aif1' has site:a"},
  };
  for (const auto& one : cases)
    EXPECT_EQ(shard.send(another([&](auto& o) { o.refs = {one.ref}; })).hint,
              "leave it out, or give this one's own: " + std::string(one.has));
  EXPECT_EQ(shard
                .send(another([](auto& o) {
                  o.legal_ids = {{"EUID", "FI1", {}, {}}};
                  o.refs = {{"site", "org"}};
                }))
                .judgement,
            Judgement::accepted)
      << "another scheme, another system";
}

TEST(IntakeRefusals, BindingsOfOneAccountCarryTheSameRef) {
  IntakeShard shard;
  set_up(shard);
  events::AccountBound again{"aif1", "aurora", "wordy", at("2027-01-01T00:00:00Z"), {}, {{"site", "a"}, {"site", "b"}}};
  EXPECT_EQ(shard.send(again).judgement, Judgement::accepted);
  again.account = "other";
  again.refs = {{"site", "b"}};
  EXPECT_EQ(shard.send(again).reason, "ref_taken");
}

TEST(IntakeRefusals, VersionsAreUniqueForAKindAndForASellerOnly) {
  IntakeShard shard;
  ASSERT_EQ(shard.send(example::classes()).judgement, Judgement::accepted);
  EXPECT_EQ(shard.send(example::overdraft()).judgement, Judgement::accepted);  // version 1 too
  ASSERT_EQ(shard.send(example::price_book()).judgement, Judgement::accepted);
  auto book = example::price_book();
  book.seller = "other";
  EXPECT_EQ(shard.send(book).judgement, Judgement::accepted);
}

}  // namespace
}  // namespace granary::intake
