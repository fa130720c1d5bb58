#include "services/intake/core/machine.h"

#include <fmt/format.h>

#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {
namespace {

using machine::Judgement;
using machine::Outcome;

// Rows of each table that stay in memory between commits: what people decide in a year or two. An application is the
// largest, about 1 KiB with its texts.
constexpr std::size_t kRowsMax = 20'000;

// Ids are never kept for longer, whatever window the log has, so that a sum of days cannot overflow. Doors take less.
constexpr std::uint64_t kWindowDaysMax = 1'000'000;

}  // namespace

IntakeMachine::IntakeMachine()
    : organisations_(tables_, Table::organisations, kRowsMax),
      projects_(tables_, Table::projects, kRowsMax),
      applications_(tables_, Table::applications, kRowsMax),
      project_applications_(tables_, Table::project_applications, kRowsMax),
      publications_(tables_, Table::publications, kRowsMax),
      versions_(tables_, Table::versions, kRowsMax),
      sources_(tables_, Table::sources, kRowsMax),
      refs_(tables_, Table::refs, kRowsMax),
      legal_ids_(tables_, Table::legal_ids, kRowsMax),
      ids_(tables_, Table::ids) {}

void IntakeMachine::open(const store::View& rows) {
  tables_.open(rows);
  publications([this](const PublicationRow& row) {
    ++published_;
    if (row.policy) policies_.learn(*row.policy);
    if (row.price_book) price_books_.learn(*row.price_book);
    return true;
  });
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
                  "send another event under an id of its own: this id is taken by an event with other content");
  }
  if (input.raw.substance.size() > kEventBytesMax) {
    GRANARY_PROBE("an event is too large to be sent on");
    return refuse(Refusal::event_too_large, "",
                  fmt::format("send at most {} bytes: shorter texts or lists", kEventBytesMax));
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
  const auto kept = static_cast<std::int64_t>(std::min(*window, kWindowDaysMax)) + 1;
  ids_.drop_before(units::day_number(context.now) - kept);
}

}  // namespace granary::intake
