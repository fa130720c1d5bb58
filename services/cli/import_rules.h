// How the ledger judges the usage of a file, asked from the server, so that `granary import` judges alike: a usage by
// the classes in force at its start, its age by the window in force now. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/import_report.h"
#include "services/import/reader.h"
#include "shared/events/policy.h"
#include "shared/units/instant.h"

namespace granary::cli {

class LedgerRules {
 public:
  struct Class {
    std::string unit;
    bool is_charged_to_lots = false;
  };
  using Classes = std::map<std::string, Class>;

  // Asks for the window of now, and for the classes at each instant from the period's begin to its end at which others
  // may come into force. Errors: the server's; io_error for an answer that lacks what it should hold.
  static Result<LedgerRules> ask(Api& api, std::optional<units::Interval> starts);

  // The classes in force at a usage's start, which must lie in the period that was asked for; empty: none.
  [[nodiscard]] const Classes& classes_at(units::Instant start) const;

  units::Instant now;
  std::optional<std::int64_t> window_days;
  std::int64_t usage_days_max = events::kUsageDaysMax;
  std::string after;  // a token: what intake had folded

 private:
  std::vector<std::pair<units::Instant, Classes>> classes_;  // in force from then on
};

// The second pass over a file: what the ledger will make of it, and what is to be said about its rows.
class Judge final : public import::RowSink {
 public:
  Judge(const LedgerRules& rules, const import::Options& options, bool keeps_all)
      : remarks(keeps_all), rules_(rules), options_(options) {}
  Result<void> on_row(const import::UsageRow& row) override;
  Result<void> on_remark(import::Fate fate, const import::Remark& remark) override;

  // Why nothing of the file should be posted; nullopt: it may be.
  [[nodiscard]] std::optional<std::string> refusal(const import::Summary& summary) const;

  std::set<std::string> projects, classes;
  std::set<std::pair<std::string, std::string>> lots;  // class and unit, of usage that is charged to lots
  Remarks remarks;                                     // also of usage that the ledger will refuse for its class or age

 private:
  const LedgerRules& rules_;
  const import::Options& options_;
  bool has_classes_ = false;  // at the start of some usage
  std::uint64_t usages_ = 0, too_old_ = 0;
  std::optional<std::int64_t> end_ms_min_;
};

}  // namespace granary::cli
