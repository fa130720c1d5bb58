#include "services/intake/core/machine.h"

#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {
namespace {

using machine::Judgement;
using machine::Outcome;

constexpr std::size_t kRowsMax = 20'000;

}  // namespace

IntakeMachine::IntakeMachine()
    : organisations_(prefix::kOrganisations, kRowsMax),
      projects_(prefix::kProjects, kRowsMax),
      applications_(prefix::kApplications, kRowsMax),
      project_applications_(prefix::kProjectApplications, kRowsMax),
      publications_(prefix::kPublications, kRowsMax),
      versions_(prefix::kVersions, kRowsMax),
      sources_(prefix::kSources, kRowsMax),
      refs_(prefix::kRefs, kRowsMax),
      legal_ids_(prefix::kLegalIds, kRowsMax),
      ids_(prefix::kIds) {}

void IntakeMachine::open(const store::View& rows) {
  show(rows);
  ids_.open(rows);
  publications([this](const PublicationRow& row) {
    ++published_;
    if (row.policy) policies_.learn(*row.policy);
    if (row.price_book) price_books_.learn(*row.price_book);
    return true;
  });
}

void IntakeMachine::show(const store::View& rows) {
  organisations_.open(rows);
  projects_.open(rows);
  applications_.open(rows);
  project_applications_.open(rows);
  publications_.open(rows);
  versions_.open(rows);
  sources_.open(rows);
  refs_.open(rows);
  legal_ids_.open(rows);
}

const IntakeMachine::Rules& IntakeMachine::rules() {
  static const Rules kRules = Rules()
                                  .raw<events::OrganisationRegistered, &IntakeMachine::register_organisation>()
                                  .raw<events::ProjectRegistered, &IntakeMachine::register_project>()
                                  .raw<events::AccountBound, &IntakeMachine::bind_account>()
                                  .raw<events::ApplicationSubmitted, &IntakeMachine::submit_application>()
                                  .raw<events::ScreeningDecided, &IntakeMachine::decide_screening>()
                                  .raw<events::ApplicationDecided, &IntakeMachine::decide_application>()
                                  .raw<events::PolicyPublished, &IntakeMachine::publish_policy>()
                                  .raw<events::PriceBookPublished, &IntakeMachine::publish_price_book>()
                                  .raw<events::SourceStated, &IntakeMachine::state_source>()
                                  .raw<events::RulesActivated, &IntakeMachine::activate_rules>();
  return kRules;
}

bool IntakeMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

Outcome IntakeMachine::apply_raw(const machine::RawInput& input, const machine::Context& context, machine::Out& out) {
  const Hash32 substance = machine::substance_hash(input.raw);
  if (const auto known = ids_.find(input.identity)) {
    if (known->substance == substance) return {Judgement::repeat};
    return refuse(Refusal::conflicting_duplicate, "",
                  "send another event under an id of its own: this one stands for something else");
  }
  if (input.raw.substance.size() > kEventBytesMax) {
    GRANARY_PROBE("an event is too large to be sent on");
    return refuse(Refusal::event_too_large, "",
                  "send at most " + std::to_string(kEventBytesMax) + " bytes: shorter texts or lists");
  }
  Outcome outcome = rules().apply(*this, input, context, out);
  // The later of the two: before the first tick `now` is 1970, and the id would be dropped with the next one.
  if (outcome.judgement == Judgement::accepted)
    ids_.add(input.identity, substance, units::day_number(std::max(context.now, input.raw.recorded_at)), 0, 0);
  return outcome;
}

void IntakeMachine::apply_lane(const machine::LaneInput&, const machine::Context&, machine::Out&) {
  GRANARY_CHECK(false, "no lane leads to intake");
}

void IntakeMachine::apply_tick(Instant, const machine::Context& context, machine::Out&) {
  const auto window = policies_.window_days(context.now);
  if (!window) return;
  // A bucket goes when the window and a day have passed since the end of its day.
  const auto kept = static_cast<std::int64_t>(std::min<std::uint64_t>(*window, 1'000'000)) + 1;
  ids_.drop_before(units::day_number(context.now) - kept);
}

void IntakeMachine::flush(store::WriteSet& rows) {
  organisations_.flush(rows);
  projects_.flush(rows);
  applications_.flush(rows);
  project_applications_.flush(rows);
  publications_.flush(rows);
  versions_.flush(rows);
  sources_.flush(rows);
  refs_.flush(rows);
  legal_ids_.flush(rows);
  ids_.flush(rows);
}

void IntakeMachine::committed() {
  organisations_.shrink();
  projects_.shrink();
  applications_.shrink();
  project_applications_.shrink();
  publications_.shrink();
  versions_.shrink();
  sources_.shrink();
  refs_.shrink();
  legal_ids_.shrink();
}

}  // namespace granary::intake
