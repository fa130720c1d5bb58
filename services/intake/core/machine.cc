#include "services/intake/core/machine.h"

#include "services/intake/core/lots.h"
#include "services/intake/core/refusals.h"
#include "shared/base/probe.h"

namespace granary::intake {
namespace {

using events::PolicyKind;
using machine::Judgement;
using machine::Outcome;
using machine::Topic;

constexpr std::size_t kRowsMax = 20'000;

// What is sent on has to fit a record of 60 KiB together with the lane's own fields.
constexpr std::size_t kEventBytesMax = 59 * 1024;

Outcome unknown_project(const std::string& project) {
  return refuse(Refusal::unknown_project, "/project", "register the project '" + project + "' first");
}

Outcome unknown_application(const std::string& application) {
  return refuse(Refusal::unknown_application, "/application", "submit the application '" + application + "' first");
}

Outcome already_decided(const std::string& application) {
  return refuse(Refusal::application_already_decided, "/application",
                "submit a new application: '" + application + "' has its decision");
}

// A key of two names.
Bytes key_of(BytesView first, BytesView second) {
  Bytes key;
  append_part(key, first);
  key.append(second);
  return key;
}

std::string shown(const RefRow& owner) {
  const std::string name = "'" + owner.name + "'";
  if (owner.kind == RefKind::account) return "the account " + name + " of the cluster '" + owner.cluster + "'";
  if (owner.kind == RefKind::grant) return "the grant of the application " + name;
  return "the " + std::string(codec::enum_name(owner.kind)) + " " + name;
}

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

const RefRow* IntakeMachine::named_by(const events::Ref& ref) {
  return refs_.find(key_of(ref.system, ref.id));
}

Outcome IntakeMachine::check_refs(const std::vector<events::Ref>& refs, const std::string& at, const RefRow& owner) {
  for (std::size_t i = 0; i < refs.size(); ++i)
    if (const RefRow* known = named_by(refs[i]); known != nullptr && *known != owner)
      return refuse(
          Refusal::ref_taken, at + "/" + std::to_string(i),
          "leave it out, or give this one's own: " + shown(*known) + " has " + refs[i].system + ":" + refs[i].id);
  return {};
}

void IntakeMachine::take_refs(const std::vector<events::Ref>& refs, const RefRow& owner) {
  for (const events::Ref& ref : refs) refs_.edit(key_of(ref.system, ref.id)) = owner;
}

Outcome IntakeMachine::register_organisation(const events::OrganisationRegistered& event, const Input& input,
                                             const Context& context, Out& out) {
  if (organisations_.find(event.organisation) != nullptr)
    return refuse(Refusal::organisation_exists, "/organisation", "choose a name that is not taken");
  for (std::size_t i = 0; i < event.legal_ids.size(); ++i) {
    const events::LegalId& one = event.legal_ids[i];
    if (const LegalIdRow* known = legal_ids_.find(key_of(one.scheme, one.id)))
      return refuse(Refusal::legal_id_taken, "/legal_ids/" + std::to_string(i) + "/id",
                    "use the organisation '" + known->organisation + "', which has " + one.scheme + " " + one.id +
                        ", or give this one's own");
  }
  const RefRow owner{RefKind::organisation, event.organisation, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  for (const events::LegalId& one : event.legal_ids)
    legal_ids_.edit(key_of(one.scheme, one.id)).organisation = event.organisation;
  organisations_.edit(event.organisation) = {event, input.raw.recorded_at};
  out.emit(Topic::ledger, context.router->shard_of(event.organisation), event);
  return {};
}

Outcome IntakeMachine::register_project(const events::ProjectRegistered& event, const Input& input,
                                        const Context& context, Out& out) {
  const OrganisationRow* organisation = organisations_.find(event.organisation);
  if (organisation == nullptr)
    return refuse(Refusal::unknown_organisation, "/organisation",
                  "register the organisation '" + event.organisation + "' first");
  if (projects_.find(event.project) != nullptr)
    return refuse(Refusal::project_exists, "/project", "choose a name that is not taken");
  const RefRow owner{RefKind::project, event.project, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  const events::ProjectOpened opened{event.project, event.organisation, organisation->registered.kind,
                                     event.purpose, event.from,         event.refs};
  projects_.edit(event.project) = {event, input.raw.recorded_at};
  out.emit(Topic::allocations, context.router->shard_of(event.project), opened);
  out.emit(Topic::ledger, context.router->shard_of(event.organisation), opened);
  return {};
}

Outcome IntakeMachine::bind_account(const events::AccountBound& event, const Input&, const Context& context, Out& out) {
  if (projects_.find(event.project) == nullptr) return unknown_project(event.project);
  const RefRow owner{RefKind::account, event.account, event.cluster};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  out.broadcast(Topic::usage, context.partitions, event);
  return {};
}

Outcome IntakeMachine::submit_application(const events::ApplicationSubmitted& event, const Input& input, const Context&,
                                          Out&) {
  if (projects_.find(event.project) == nullptr) return unknown_project(event.project);
  if (applications_.find(event.application) != nullptr)
    return refuse(Refusal::application_exists, "/application", "choose a name that is not taken");
  for (std::size_t i = 0; i < event.resources.size(); ++i)
    if (policies_.find_class(event.resources[i].class_name, input.raw.recorded_at) == nullptr)
      return refuse(Refusal::unknown_resource_class, "/resources/" + std::to_string(i) + "/class",
                    "publish a policy resource_classes that lists '" + event.resources[i].class_name +
                        "', or ask for a class of the list");
  const RefRow owner{RefKind::application, event.application, ""};
  if (Outcome outcome = check_refs(event.refs, "/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(event.refs, owner);
  ApplicationRow& row = applications_.edit(event.application);
  row.submitted = event;
  row.submitted_at = input.raw.recorded_at;
  project_applications_.edit(key_of(event.project, event.application)).submitted_at = input.raw.recorded_at;
  return {};
}

Outcome IntakeMachine::decide_screening(const events::ScreeningDecided& event, const Input& input, const Context&,
                                        Out&) {
  const ApplicationRow* application = applications_.find(event.application);
  if (application == nullptr) return unknown_application(event.application);
  if (application->decision) {
    GRANARY_PROBE("a screening comes after the decision");
    return already_decided(event.application);
  }
  ApplicationRow& row = applications_.edit(event.application);
  row.screening = event;
  row.screened_at = input.raw.recorded_at;
  return {};
}

Outcome IntakeMachine::decide_application(const events::ApplicationDecided& event, const Input& input,
                                          const Context& context, Out& out) {
  const ApplicationRow* application = applications_.find(event.application);
  if (application == nullptr) return unknown_application(event.application);
  if (application->submitted.project != event.project)
    return refuse(Refusal::project_differs, "/project",
                  "name the project of the application: '" + application->submitted.project + "'");
  if (application->decision) return already_decided(event.application);
  Decision decision{event.outcome, event.reason, {}, 0, input.raw.recorded_at};
  if (event.outcome == events::DecisionOutcome::awarded) {
    Outcome outcome = award(event, *application, input, context, out);
    if (outcome.judgement != Judgement::accepted) return outcome;
    decision.grant = input.identity;
    decision.lots = event.grant->lots.size();
    decision.refs = event.grant->refs;
  }
  applications_.edit(event.application).decision = std::move(decision);
  return {};
}

Outcome IntakeMachine::award(const events::ApplicationDecided& event, const ApplicationRow& application,
                             const Input& input, const Context& context, Out& out) {
  if (!application.screening || application.screening->outcome != events::ScreeningOutcome::cleared)
    return refuse(Refusal::screening_not_cleared, "/application",
                  "decide the screening first: an award needs the outcome cleared");
  // The doors see to it that an award has its grant.
  GRANARY_CHECK(event.grant.has_value(), "an award without a grant stands in the log");
  const events::GrantAwarded& awarded = *event.grant;
  events::GrantOpened grant;
  Outcome outcome = open_lots(awarded.lots, policies_, input.raw.recorded_at, grant.lots);
  if (outcome.judgement != Judgement::accepted) return outcome;
  const ProjectRow* project = projects_.find(event.project);
  GRANARY_CHECK(project != nullptr, "an application's project is not registered");
  grant.grant = input.identity;
  grant.project = event.project;
  grant.application = event.application;
  grant.machine = awarded.machine;
  grant.pool = awarded.pool;
  grant.seller = awarded.seller;
  grant.purpose = awarded.purpose.empty() ? project->registered.purpose : awarded.purpose;
  grant.legal_basis = awarded.legal_basis;
  grant.member_state = awarded.member_state;
  grant.funding = awarded.funding;
  grant.awarded_at = input.raw.recorded_at;
  Bytes encoded;
  events::encode_event(grant, encoded);
  if (encoded.size() > kEventBytesMax) {
    GRANARY_PROBE("a grant is too large to be sent on");
    return refuse(Refusal::too_many_lots, "/grant/lots",
                  "award fewer lots in one decision, or use shorter texts: together they are too large to be sent on");
  }
  const RefRow owner{RefKind::grant, event.application, ""};
  if (outcome = check_refs(awarded.refs, "/grant/refs", owner); outcome.judgement != Judgement::accepted)
    return outcome;
  take_refs(awarded.refs, owner);
  out.emit(Topic::allocations, context.router->shard_of(event.project), grant);
  return {};
}

Outcome IntakeMachine::publish_policy(const events::PolicyPublished& event, const Input& input, const Context& context,
                                      Out& out) {
  Bytes version(1, static_cast<char>(event.kind));
  version.append(event.version);
  if (!event.content.project.empty() && projects_.find(event.content.project) == nullptr)
    return refuse(Refusal::unknown_project, "/content/project",
                  "register the project '" + event.content.project + "' first");
  if (is_published(version))
    return refuse(Refusal::version_exists, "/version",
                  "choose a version that the kind " + std::string(codec::enum_name(event.kind)) + " does not have");
  publish(version, {event, std::nullopt, input.raw.recorded_at});
  policies_.learn(event);
  const bool for_usage = event.kind == PolicyKind::resource_classes || event.kind == PolicyKind::acceptance_window;
  out.broadcast(for_usage ? Topic::usage : Topic::allocations, context.partitions, event);
  return {};
}

Outcome IntakeMachine::publish_price_book(const events::PriceBookPublished& event, const Input& input,
                                          const Context& context, Out& out) {
  Bytes version(1, '\0');
  append_part(version, event.seller);
  version.append(event.version);
  if (is_published(version))
    return refuse(Refusal::version_exists, "/version",
                  "choose a version that the seller '" + event.seller + "' does not have");
  if (Outcome outcome = price_books_.check(event, policies_); outcome.judgement != Judgement::accepted) return outcome;
  publish(version, {std::nullopt, event, input.raw.recorded_at});
  price_books_.learn(event);
  out.broadcast(Topic::ledger, context.partitions, event);
  return {};
}

Outcome IntakeMachine::state_source(const events::SourceStated& event, const Input& input, const Context& context,
                                    Out& out) {
  sources_.edit(event.source) = {event, input.raw.recorded_at};
  out.broadcast(Topic::usage, context.partitions, event);
  return {};
}

Outcome IntakeMachine::activate_rules(const events::RulesActivated& event, const Input&, const Context& context,
                                      Out& out) {
  if (event.version != context.rules + 1) {
    GRANARY_PROBE("rules are activated that are not the next");
    return refuse(Refusal::rules_version_not_next, "/version",
                  "version " + std::to_string(context.rules) + " is in force, so only version " +
                      std::to_string(context.rules + 1) + " can come next");
  }
  out.activate_rules(event.version);
  return {};
}

void IntakeMachine::publish(const Bytes& version_key, PublicationRow row) {
  Bytes number;
  append_u64(number, ++published_);
  publications_.edit(number) = std::move(row);
  versions_.edit(version_key).publication = published_;
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
