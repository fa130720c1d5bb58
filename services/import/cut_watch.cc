#include "services/import/cut_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "services/import/slurm_job.h"

namespace granary::import {
namespace {

constexpr std::int64_t kMinute = 60;

// Of a heterogeneous job, whose components start and end at once, the first speaks for all.
bool is_further_component(const std::string& job) {
  const std::size_t plus = job.find('+');
  return plus != std::string::npos && job.substr(plus) != "+0";
}

}  // namespace

void CutWatch::Edge::add(std::int64_t at, const std::optional<Remark>& sign) {
  if (!jobs.empty() && at > jobs.begin()->first + kMinute) return;
  if (jobs.empty() || at < jobs.begin()->first) {
    signs = 0;
    first.reset();
  }
  ++jobs[at];
  jobs.erase(jobs.upper_bound(jobs.begin()->first + kMinute), jobs.end());
  if (!sign || at != jobs.begin()->first) return;
  ++signs;
  if (!first) first = sign;
}

std::optional<Remark> CutWatch::Edge::found() const {
  if (!first) return std::nullopt;
  std::uint64_t within = 0;
  for (auto other = std::next(jobs.begin()); other != jobs.end(); ++other) within += other->second;
  if (signs <= within) return std::nullopt;
  Remark remark = *first;
  remark.detail += fmt::format(" (jobs at that instant: {}, in the minute within: {})", signs, within);
  return remark;
}

void CutWatch::look_at(const SlurmJob& job) {
  if (job.end_s <= 0) return;
  const std::string& state = job.states.front();
  const auto remark = [&](const char* field, const std::string& detail) {
    return Remark{job.row.line, job.row.job, job.field_prefix + field, "cut", detail};
  };
  if (state == "RUNNING" || state == "SUSPENDED" || state == "PENDING") {
    if (!proof_) proof_ = remark(job.names->end, fmt::format("the job is {} and shows an end", state));
    return;
  }
  if (job.start_s <= 0 || job.end_s <= job.start_s || is_further_component(job.row.job)) return;
  // Who waits for less than a minute, was to begin then: little of the job can be missing.
  const std::int64_t waits_since_s = std::max(job.submit_s, job.eligible_s);
  std::optional<Remark> sign;
  if (job.starts_at_midnight && waits_since_s > 0 && waits_since_s <= job.start_s - kMinute) {
    sign = remark(job.names->start, std::string("the file's first start is at midnight, and the job was ") +
                                        (job.eligible_s > 0 ? "eligible to begin" : "submitted") + " before");
  }
  start_.add(job.start_s, sign);
  sign.reset();
  // What ends jobs otherwise (a site, a limit) may do so at midnight.
  if (job.ends_at_midnight && state == "COMPLETED") {
    sign = remark(job.names->end, "the file's last end is at midnight");
  }
  end_.add(-job.end_s, sign);
}

std::optional<Remark> CutWatch::found() const {
  if (proof_) return proof_;
  const auto at_start = start_.found();
  return at_start ? at_start : end_.found();
}

}  // namespace granary::import
