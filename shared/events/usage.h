// Usage: what machines report, and what metering makes of it. The structs of reports are the substance, that is what a
// charge can depend on; what else the sender may say (UsageNotes) is stored beside it in the record, so that two paths
// that report one job agree.
#pragma once

#include "shared/events/origin.h"

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
  std::string state, partition, qos, advance_reservation;
  std::optional<Job> job;
  std::optional<Reservation> reservation;
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
    visit(10, "advance_reservation", s.advance_reservation, kOptional);
    visit(11, "job", s.job, kOptional);
    visit(12, "reservation", s.reservation, kOptional);
  }
};

// What a running job has used by `measured_at`. Moves holds only, never a charge.
struct UsageInterim {
  Root root;
  std::string project, cluster, account;
  std::vector<ResourceUsed> resources;
  Instant start, measured_at;
  std::string partition, qos, advance_reservation;
  std::optional<Job> job;
  std::optional<Reservation> reservation;
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
    visit(10, "advance_reservation", s.advance_reservation, kOptional);
    visit(11, "job", s.job, kOptional);
    visit(12, "reservation", s.reservation, kOptional);
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

// Of one class: what was used, and what of it is to be charged to lots (zero: metered only).
struct MeteredAmount {
  std::string class_name;
  UnitKind unit{};
  Amount raw, charged;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "class", s.class_name, kRequired);
    visit(2, "unit", s.unit, kRequired);
    visit(3, "raw", s.raw, kRequired);
    visit(4, "charged", s.charged, kOptional);
  }
};

// Metering to allocation: one usage, once, in base units. (source, id) is its origin.
struct UsageMetered {
  std::string source, id, project;
  Instant start, end;
  std::vector<MeteredAmount> amounts;
  std::string classes_version;
  std::int64_t bucket_day = 0;  // day on which metering will drop the id, less the window; days since 1970
  std::string state, advance_reservation;
  std::optional<Job> job;
  std::optional<Reservation> reservation;
  std::string member, activity, model;
  Instant recorded_at;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "start", s.start, kRequired);
    visit(5, "end", s.end, kRequired);
    visit(6, "amounts", s.amounts, kRequired);
    visit(7, "classes_version", s.classes_version, kRequired);
    visit(8, "bucket_day", s.bucket_day, kRequired);
    visit(9, "state", s.state, kOptional);
    visit(10, "advance_reservation", s.advance_reservation, kOptional);
    visit(11, "job", s.job, kOptional);
    visit(12, "reservation", s.reservation, kOptional);
    visit(13, "member", s.member, kOptional);
    visit(14, "activity", s.activity, kOptional);
    visit(15, "model", s.model, kOptional);
    visit(16, "recorded_at", s.recorded_at, kRequired);
  }
};

// Metering to allocation: an interim figure. Its hold ends with the usage.metered of the same (source, id), or with the
// hold.settled of it.
struct UsageHeld {
  std::string source, id, project;
  Instant start, measured_at;
  std::vector<MeteredAmount> amounts;
  std::string classes_version, advance_reservation;
  std::optional<Job> job;
  std::optional<Reservation> reservation;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "source", s.source, kRequired);
    visit(2, "id", s.id, kRequired);
    visit(3, "project", s.project, kRequired);
    visit(4, "start", s.start, kRequired);
    visit(5, "measured_at", s.measured_at, kRequired);
    visit(6, "amounts", s.amounts, kRequired);
    visit(7, "classes_version", s.classes_version, kRequired);
    visit(8, "advance_reservation", s.advance_reservation, kOptional);
    visit(9, "job", s.job, kOptional);
    visit(10, "reservation", s.reservation, kOptional);
  }
};

// What the event alone shows to be wrong; `at` is the JSON pointer to its data.
Trouble check(const UsageReported& usage, const std::string& at);
Trouble check(const UsageInterim& usage, const std::string& at);

}  // namespace granary::events
