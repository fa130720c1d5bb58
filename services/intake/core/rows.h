// The rows of intake: what people have decided. Fields as events list theirs (codec/field.h); a tag is
// never reused. Values; any thread.
#pragma once

#include <optional>
#include <string>

#include "shared/events/application.h"
#include "shared/events/organisation.h"
#include "shared/events/policy.h"
#include "shared/events/price_book.h"
#include "shared/events/project.h"
#include "shared/events/source.h"
#include "shared/machine/row_form.h"

namespace granary::intake {

using codec::kOptional;
using codec::kRequired;
using units::Instant;

// Of all rows below and their keys; shared/machine/row_form.h says when to raise which number.
inline constexpr machine::RowForm kRowForm{.format = 1, .revision = 1, .readable_from = 1};

// The tables, by the first byte of their keys; numbers in keys are big-endian.
enum class Table : std::uint8_t {
  organisations = 1,     // organisation
  projects,              // project
  applications,          // application
  project_applications,  // part(project) | application: those of a project in the order of their names
  publications,          // u64 number in the order of publication, from 1
  versions,              // u8 kind of a policy | version; 0 | part(seller) | version of a price book
  sources,               // source
  ids,                   // machine/id_buckets.h
  refs,                  // part(system) | id
  legal_ids,             // part(scheme) | id
};

struct OrganisationRow {
  events::OrganisationRegistered registered;
  Instant registered_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "registered", s.registered, kRequired);
    visit(2, "registered_at", s.registered_at, kRequired);
  }
};

struct ProjectRow {
  events::ProjectRegistered registered;
  Instant registered_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "registered", s.registered, kRequired);
    visit(2, "registered_at", s.registered_at, kRequired);
  }
};

struct Decision {
  events::DecisionOutcome outcome{};
  std::string reason;
  Id16 grant{};  // zero: declined
  std::uint64_t lots = 0;
  Instant decided_at;
  std::vector<events::Ref> refs = {};  // of the grant
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "outcome", s.outcome, kRequired);
    visit(2, "reason", s.reason, kOptional);
    visit(3, "grant", s.grant, kOptional);
    visit(4, "lots", s.lots, kOptional);
    visit(5, "decided_at", s.decided_at, kRequired);
    visit(6, "refs", s.refs, kOptional);
  }
};

struct ApplicationRow {
  events::ApplicationSubmitted submitted;
  Instant submitted_at;
  std::optional<events::ScreeningDecided> screening;  // the latest
  std::optional<Instant> screened_at;
  std::optional<Decision> decision;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "submitted", s.submitted, kRequired);
    visit(2, "submitted_at", s.submitted_at, kRequired);
    visit(3, "screening", s.screening, kOptional);
    visit(4, "screened_at", s.screened_at, kOptional);
    visit(5, "decision", s.decision, kOptional);
  }
};

struct ProjectApplicationRow {
  Instant submitted_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "submitted_at", s.submitted_at, kRequired);
  }
};

// A policy or a price book.
struct PublicationRow {
  std::optional<events::PolicyPublished> policy;
  std::optional<events::PriceBookPublished> price_book;
  Instant published_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "policy", s.policy, kOptional);
    visit(2, "price_book", s.price_book, kOptional);
    visit(3, "published_at", s.published_at, kRequired);
  }
};

// Which versions there are.
struct VersionRow {
  std::uint64_t publication = 0;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "publication", s.publication, kRequired);
  }
};

// The latest statement of a source.
struct SourceRow {
  events::SourceStated stated;
  Instant stated_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "stated", s.stated, kRequired);
    visit(2, "stated_at", s.stated_at, kRequired);
  }
};

enum class RefKind : std::uint8_t { organisation = 1, project, application, grant, account };

// What a ref names.
struct RefRow {
  RefKind kind{};
  std::string name;     // of a grant the application's, of an account the account's
  std::string cluster;  // of an account
  bool operator==(const RefRow&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "kind", s.kind, kRequired);
    visit(2, "name", s.name, kRequired);
    visit(3, "cluster", s.cluster, kOptional);
  }
};

// Whose legal id it is.
struct LegalIdRow {
  std::string organisation;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "organisation", s.organisation, kRequired);
  }
};

// A key of two names.
inline Bytes key_of(BytesView first, BytesView second) {
  Bytes key;
  append_part(key, first);
  key.append(second);
  return key;
}

}  // namespace granary::intake

GRANARY_ENUM_NAMES(granary::intake::RefKind, "organisation", "project", "application", "grant", "account");
