// Intake: folds what people decide (`granary.applications.v1`, one partition), keeps the registry of organisations,
// projects, applications, policies and price books, and sends on by lanes what the other machines have to know.
//
// Threads: as machine::Machine; queries belong to the thread of whoever shows it rows (Machine::show). Ownership: rows
// that queries get live until the next call of any function here.
#pragma once

#include "services/intake/core/classes_and_windows.h"
#include "services/intake/core/price_books.h"
#include "services/intake/core/rows.h"
#include "shared/machine/id_buckets.h"
#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"
#include "shared/machine/rule_book.h"

namespace granary::intake {

class IntakeMachine final : public machine::Machine {
 public:
  IntakeMachine();

  [[nodiscard]] machine::RowForm row_form() const override { return kRowForm; }
  void open(const store::View& rows) override;
  void show(const store::View& rows) override { tables_.show(rows); }
  [[nodiscard]] bool has_rule(machine::Way way, const events::Event& event, std::uint64_t rules) const override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  // Nothing comes to intake by a lane: breaks a law.
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  void flush(store::WriteSet& rows) override { tables_.flush(rows); }
  void committed() override { tables_.committed(); }

  // Queries. nullptr: there is none of that name.
  const OrganisationRow* organisation(BytesView name) { return organisations_.find(name); }
  const ProjectRow* project(BytesView name) { return projects_.find(name); }
  const ApplicationRow* application(BytesView name) { return applications_.find(name); }
  const SourceRow* source(BytesView name) { return sources_.find(name); }

  // What the ref names; nullptr: nothing.
  const RefRow* named_by(const events::Ref& ref);

  // Visit rows in order of their keys, from `from` on, until false: visit(BytesView name, const Row&).
  template <class Visit>
  void organisations(BytesView from, Visit visit) const {
    organisations_.scan(from, visit);
  }
  template <class Visit>
  void applications(BytesView from, Visit visit) const {
    applications_.scan(from, visit);
  }
  // In the order of publication: visit(const PublicationRow&).
  template <class Visit>
  void publications(Visit visit) const {
    publications_.scan({}, [&](BytesView, const PublicationRow& row) { return visit(row); });
  }
  // visit(BytesView application)
  template <class Visit>
  void applications_of(BytesView project_name, Visit visit) const {
    Bytes from;
    append_part(from, project_name);
    project_applications_.scan(from, [&](BytesView key, const ProjectApplicationRow&) {
      return key.starts_with(from) && visit(key.substr(from.size()));
    });
  }

 private:
  using Rules = machine::RuleBook<IntakeMachine>;
  static const Rules& rules();

  // The rules, one for each event.
  using Input = machine::RawInput;
  using Context = machine::Context;
  using Out = machine::Out;
  using Outcome = machine::Outcome;
  Outcome register_organisation(const events::OrganisationRegistered& event, const Input& input, const Context& context,
                                Out& out);
  Outcome register_project(const events::ProjectRegistered& event, const Input& input, const Context& context,
                           Out& out);
  Outcome bind_account(const events::AccountBound& event, const Input& input, const Context& context, Out& out);
  Outcome submit_application(const events::ApplicationSubmitted& event, const Input& input, const Context& context,
                             Out& out);
  Outcome decide_screening(const events::ScreeningDecided& event, const Input& input, const Context& context, Out& out);
  Outcome decide_application(const events::ApplicationDecided& event, const Input& input, const Context& context,
                             Out& out);
  Outcome publish_policy(const events::PolicyPublished& event, const Input& input, const Context& context, Out& out);
  Outcome publish_price_book(const events::PriceBookPublished& event, const Input& input, const Context& context,
                             Out& out);
  Outcome state_source(const events::SourceStated& event, const Input& input, const Context& context, Out& out);
  Outcome activate_rules(const events::RulesActivated& event, const Input& input, const Context& context, Out& out);

  // What is sent on has to fit a record of 60 KiB together with the lane's own fields.
  static constexpr std::size_t kEventBytesMax = 59 * 1024;

  Outcome award(const events::ApplicationDecided& event, const ApplicationRow& application, const Input& input,
                const Context& context, Out& out);
  // Accepted, or refused because another thing than `owner` has one of them; `at` points to the list.
  Outcome check_refs(const std::vector<events::Ref>& refs, const std::string& at, const RefRow& owner);
  void take_refs(const std::vector<events::Ref>& refs, const RefRow& owner);
  [[nodiscard]] bool is_published(const Bytes& version_key) { return versions_.find(version_key) != nullptr; }
  // Numbers the publication; `version_key` has none yet.
  void publish(const Bytes& version_key, PublicationRow row);

  machine::TableSet tables_;
  machine::RowTable<OrganisationRow> organisations_;
  machine::RowTable<ProjectRow> projects_;
  machine::RowTable<ApplicationRow> applications_;
  machine::RowTable<ProjectApplicationRow> project_applications_;
  machine::RowTable<PublicationRow> publications_;
  machine::RowTable<VersionRow> versions_;
  machine::RowTable<SourceRow> sources_;
  machine::RowTable<RefRow> refs_;
  machine::RowTable<LegalIdRow> legal_ids_;
  machine::IdBuckets ids_;
  ClassesAndWindows policies_;
  PriceBooks price_books_;
  std::uint64_t published_ = 0;  // the number of the last publication
};

}  // namespace granary::intake
