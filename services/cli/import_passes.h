// The passes of `granary import` over its file: Survey, then Judge (import_rules.h), then Sender. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "services/cli/import_report.h"
#include "services/cli/import_sources.h"
#include "services/cli/poster.h"
#include "services/cli/progress_bar.h"
#include "services/import/cloud_event.h"
#include "services/import/reader.h"

namespace granary::cli {

// Reads all of the file into the sink. Errors: Input::open's, import::read's.
Result<import::Summary> read_file(const std::string& path, const import::Options& options, import::RowSink& sink);

// What the first pass learns beside the summary; that it ends says that every row is a row.
class Survey final : public import::RowSink {
 public:
  Result<void> on_row(const import::UsageRow& row) override {
    if (!row.cluster.empty()) clusters.insert({row.recorded_cluster, row.cluster});
    instants = (instants * 31 + static_cast<std::uint64_t>(row.start_ms)) * 31 + static_cast<std::uint64_t>(row.end_ms);
    return {};
  }
  Result<void> on_remark(import::Fate, const import::Remark&) override { return {}; }

  std::set<ClusterNames> clusters;
  std::uint64_t instants = 0;  // of all usages in one number: two ways to read the file that agree on it are one
};

// The third pass: posts the rows.
class Sender final : public import::RowSink {
 public:
  Sender(Poster& poster, const import::Options& options, std::uint64_t total, bool keeps_all)
      : remarks(keeps_all), poster_(poster), options_(options), progress_(total) {}
  Result<void> on_row(const import::UsageRow& row) override {
    ++sources[row.source];
    progress_.show(++sent_);
    return poster_.add({row.line, row.job}, import::usage_event(row, options_));
  }
  Result<void> on_remark(import::Fate fate, const import::Remark& remark) override {
    remarks.add(fate, remark);
    return {};
  }
  std::map<std::string, std::uint64_t> sources;  // and their rows
  Remarks remarks;

 private:
  Poster& poster_;
  const import::Options& options_;
  ProgressBar progress_;
  std::uint64_t sent_ = 0;
};

}  // namespace granary::cli
