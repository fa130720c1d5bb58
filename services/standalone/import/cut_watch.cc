#include "services/standalone/import/cut_watch.h"

#include "services/standalone/import/slurm_job.h"

namespace granary::import {
void CutWatch::look_at(const SlurmJob& job) {
  if (job.end_s <= 0) return;
  const std::string& state = job.states.front();
  const auto remark = [&](const char* field, const std::string& detail) {
    return Remark{job.row.line, job.row.job, job.field_prefix + field, "cut", detail};
  };
  if (state == "RUNNING" || state == "SUSPENDED" || state == "PENDING") {
    if (!proof_) proof_ = remark(job.names->end, "the job is " + state + " and shows an end");
    return;
  }
  if (job.start_s <= 0 || job.end_s <= job.start_s) return;
  const auto is_before_start = [&](std::int64_t at) { return at <= 0 || at < job.start_s; };
  if (!start_.at || job.start_s < *start_.at) start_ = {job.start_s, std::nullopt};
  if (job.start_s == start_.at && !start_.sign && job.starts_at_midnight && is_before_start(job.submit_s) &&
      is_before_start(job.eligible_s)) {
    start_.sign =
        remark(job.names->start,
               "the file's first start is at midnight, and the job was submitted before (a column Eligible would "
               "tell one that was to begin then)");
  }
  if (!end_.at || job.end_s > *end_.at) end_ = {job.end_s, std::nullopt};
  // What ends jobs otherwise (a site, a limit) may do so at midnight.
  if (job.end_s == end_.at && !end_.sign && job.ends_at_midnight && state == "COMPLETED")
    end_.sign = remark(job.names->end, "the file's last end is at midnight");
}

std::optional<Remark> CutWatch::found() const {
  if (proof_) return proof_;
  for (const Edge* edge : {&start_, &end_}) {
    if (edge->sign) return edge->sign;
  }
  return std::nullopt;
}

}  // namespace granary::import
