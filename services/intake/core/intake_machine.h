// Intake: folds what people decide (`granary.applications.v1`, one partition), keeps the registry of organisations,
// projects, applications, policies and price books, and sends on by lanes what the other machines have to know.
//
// Threads: as machine.h. Ownership: rows that queries get live until the next call of any function here.
#pragma once

#include "services/intake/core/policies.h"
#include "services/intake/core/price_books.h"
#include "services/intake/core/rows.h"
#include "shared/machine/id_buckets.h"
#include "shared/machine/machine.h"
#include "shared/machine/row_table.h"

namespace granary::intake {

class IntakeMachine final : public machine::Machine {
 public:
  IntakeMachine();

  [[nodiscard]] machine::RowForm row_form() const override { return kRowForm; }
  void open(const store::View& rows) override;
  void show(const store::View& rows) override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  // Nothing comes to intake by a lane: breaks a law.
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  void flush(store::WriteSet& rows) override;
  void committed() override;

  // Queries. nullptr: there is none of that name.
  const OrganisationRow* organisation(BytesView name) { return organisations_.find(name); }
  const ProjectRow* project(BytesView name) { return projects_.find(name); }
  const ApplicationRow* application(BytesView name) { return applications_.find(name); }
  const SourceRow* source(BytesView name) { return sources_.find(name); }

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
  // What one event is folded with.
  struct Fold {
    const machine::RawInput& input;
    const machine::Context& context;
    machine::Out& out;
    [[nodiscard]] Instant recorded_at() const { return input.raw.recorded_at; }
  };
  machine::Outcome fold(const events::OrganisationRegistered& event, const Fold& with);
  machine::Outcome fold(const events::ProjectRegistered& event, const Fold& with);
  machine::Outcome fold(const events::AccountBound& event, const Fold& with);
  machine::Outcome fold(const events::ApplicationSubmitted& event, const Fold& with);
  machine::Outcome fold(const events::ScreeningDecided& event, const Fold& with);
  machine::Outcome fold(const events::ApplicationDecided& event, const Fold& with);
  machine::Outcome fold(const events::PolicyPublished& event, const Fold& with);
  machine::Outcome fold(const events::PriceBookPublished& event, const Fold& with);
  machine::Outcome fold(const events::SourceStated& event, const Fold& with);

  machine::Outcome award(const events::ApplicationDecided& event, const ApplicationRow& application, const Fold& with);
  [[nodiscard]] bool is_published(const Bytes& version_key) { return versions_.find(version_key) != nullptr; }
  // Numbers the publication; `version_key` has none yet.
  void publish(const Bytes& version_key, PublicationRow row);

  machine::RowTable<OrganisationRow> organisations_;
  machine::RowTable<ProjectRow> projects_;
  machine::RowTable<ApplicationRow> applications_;
  machine::RowTable<ProjectApplicationRow> project_applications_;
  machine::RowTable<PublicationRow> publications_;
  machine::RowTable<VersionRow> versions_;
  machine::RowTable<SourceRow> sources_;
  machine::IdBuckets ids_;
  Policies policies_;
  PriceBooks price_books_;
  std::uint64_t published_ = 0;  // the number of the last publication
};

}  // namespace granary::intake
