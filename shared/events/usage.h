// What machines report: the raw events of `granary.usage.v1`. A struct here is the substance, that is what a charge can
// depend on; what else the sender may say (UsageNotes) stands beside it in the record, so that two paths that report
// one job agree. Fields and words: schemas/granary/events/v1/usage.proto.
#pragma once

#include "shared/events/decisions.h"

namespace granary::events {

// `quantity` held over the interval; or `amount` of `unit` (base units) where holding says nothing (items).
struct ResourceUsed {
  std::string class_name;
  Quantity quantity;
  Amount amount;
  std::string unit;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "quantity", s.quantity, kOptional);
    visit(3, "amount", s.amount, kOptional);
    visit(4, "unit", s.unit, kOptional);
  }
};

// A job or an interval that has ended. Names its project, or the scheduler's cluster and account.
struct UsageReported {
  std::string project, cluster, account;
  std::vector<ResourceUsed> resources;
  Instant start, end;
  std::string state, partition, qos, reservation;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "project", s.project, kOptional);
    visit(2, "cluster", s.cluster, kOptional);
    visit(3, "account", s.account, kOptional);
    visit(4, "resources", s.resources, kRequired);
    visit(5, "start", s.start, kRequired);
    visit(6, "end", s.end, kRequired);
    visit(7, "state", s.state, kOptional);
    visit(8, "partition", s.partition, kOptional);
    visit(9, "qos", s.qos, kOptional);
    visit(10, "reservation", s.reservation, kOptional);
  }
};

// The identity of the report that this belongs to.
struct Root {
  std::string source, id;
  bool operator==(const Root&) const = default;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
  }
};

// What a running job has used by `measured_at`. Moves holds only, never a charge.
struct UsageInterim {
  Root root;
  std::string project, cluster, account;
  std::vector<ResourceUsed> resources;
  Instant start, measured_at;
  std::string partition, qos, reservation;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "root", s.root, kRequired);
    visit(2, "project", s.project, kOptional);
    visit(3, "cluster", s.cluster, kOptional);
    visit(4, "account", s.account, kOptional);
    visit(5, "resources", s.resources, kRequired);
    visit(6, "start", s.start, kRequired);
    visit(7, "measured_at", s.measured_at, kRequired);
    visit(8, "partition", s.partition, kOptional);
    visit(9, "qos", s.qos, kOptional);
    visit(10, "reservation", s.reservation, kOptional);
  }
};

// What may be said beside a usage and never changes a charge.
struct UsageNotes {
  std::string member, activity, model;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "member", s.member, kOptional);
    visit(2, "activity", s.activity, kOptional);
    visit(3, "model", s.model, kOptional);
  }
};

}  // namespace granary::events
