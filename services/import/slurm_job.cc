#include "services/import/slurm_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "services/import/text.h"

namespace granary::import {
namespace {

// A job in one of these still holds what it was given, or waits, whatever end the export shows (`sacct -T` cuts a
// running job's times to the window that was asked for).
constexpr std::array<std::string_view, 9> kNotEnded{"PENDING",   "RUNNING", "SUSPENDED", "CONFIGURING",  "COMPLETING",
                                                    "SIGNALING", "STOPPED", "STAGE_OUT", "POWER_UP_NODE"};
// It may have ended in one of these without having begun.
constexpr std::array<std::string_view, 7> kMayNotHaveBegun{"CANCELLED",    "DEADLINE",     "REVOKED",      "REQUEUED",
                                                           "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"};
constexpr std::array<std::string_view, 13> kOthers{
    "COMPLETED",     "FAILED",      "TIMEOUT",       "NODE_FAIL",     "PREEMPTED", "BOOT_FAIL", "RESIZING",
    "OUT_OF_MEMORY", "REQUEUE_FED", "LAUNCH_FAILED", "RECONFIG_FAIL", "UPDATE_DB", "EXPEDITING"};

// Records that a resize closed: a job is resized a few times, and few jobs are.
constexpr std::size_t kResizesMax = 100'000;

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// How long the job did not run between the start that the record shows and its end. Slurm's elapsed time leaves
// suspended time out; if it is not there, the suspended time is.
std::int64_t paused_s(const SlurmJob& job) {
  const std::int64_t span = job.end_s - job.start_s;
  const std::int64_t suspended = std::clamp<std::int64_t>(job.suspended_s.value_or(0), 0, span);
  if (!job.elapsed_s || *job.elapsed_s < 0 || *job.elapsed_s > span) return suspended;
  // An elapsed time of 0 is one that nobody filled in, unless the job was suspended all the time.
  return *job.elapsed_s == 0 ? suspended : span - *job.elapsed_s;
}

}  // namespace

bool is_slurm_state(std::string_view state) {
  return contains(kNotEnded, state) || contains(kMayNotHaveBegun, state) || contains(kOthers, state);
}

Result<void> SlurmJobs::tell(Fate fate, const SlurmJob& job, const char* field, const char* reason,
                             std::string detail) {
  return emitter_.tell(fate, {job.row.line, job.row.job, job.field_prefix + field, reason, std::move(detail)});
}

// Of the records of one job that all show its first start, each begins when the one before it ended.
std::int64_t SlurmJobs::start_of_size(const SlurmJob& job) const {
  if (job.submit_s > job.start_s && job.submit_s <= job.end_s) return job.submit_s;
  const auto key = std::tuple(job.row.cluster, job.row.job, job.start_s);
  std::int64_t start_s = job.start_s;
  for (const Resizes* resizes : {options_.resizes, &emitter_.summary.resizes}) {
    if (resizes == nullptr) continue;
    const auto found = resizes->find(key);
    if (found == resizes->end()) continue;
    for (const std::int64_t end_s : found->second) {
      if (end_s < job.end_s) start_s = std::max(start_s, end_s);
    }
  }
  return start_s;
}

Result<std::optional<SlurmJobs::Run>> SlurmJobs::run_of(SlurmJob& job) {
  const std::string& state = job.states.front();
  const auto skip = [&](const char* field, const char* reason,
                        std::string detail) -> Result<std::optional<SlurmJobs::Run>> {
    GRANARY_TRY(tell(Fate::skipped, job, field, reason, std::move(detail)));
    return std::optional<Run>();
  };
  const bool has_ended = std::none_of(job.states.begin(), job.states.end(),
                                      [](const std::string& name) { return contains(kNotEnded, name); });
  const std::int64_t elapsed_s = job.elapsed_s.value_or(0);
  const bool is_reckoned = job.start_s <= 0 && job.end_s > 0 && has_ended && elapsed_s > 0;
  if (is_reckoned) job.start_s = job.end_s - elapsed_s - job.suspended_s.value_or(0);
  if (job.start_s <= 0) {
    if (!has_ended && state != "PENDING") return skip(job.names->start, "still_running", "the job is " + state);
    const bool may_have_begun = has_ended && !contains(kMayNotHaveBegun, state) && job.elapsed_s != 0;
    return skip(job.names->start, may_have_begun ? "start_unknown" : "never_started", "the job is " + state);
  }
  if (!has_ended) return skip(job.names->end, "still_running", "the job is " + state);
  if (job.end_s <= 0) return skip(job.names->end, "end_unknown", fmt::format("the job is {} and shows no end", state));
  if (job.end_s < job.start_s) {
    return skip(job.names->end, "end_before_start",
                fmt::format("the job ended {} and started {}", time_text(job.end_s), time_text(job.start_s)));
  }
  job.row.resources = job.tres.take();
  for (const std::string& name : job.tres.unmapped()) {
    const Remark remark{job.row.line, job.row.job, name, "unmapped", "no resource class counts it"};
    GRANARY_TRY(emitter_.tell(Fate::noted, remark));
  }
  if (job.row.resources.empty()) {
    return skip(job.names->tres, "no_resources", "no CPUs, GPUs, memory or nodes are allocated");
  }
  const std::int64_t start_s = start_of_size(job);
  const std::int64_t paused = paused_s(job);
  const std::int64_t ran_s = job.end_s - start_s - paused;
  if (ran_s <= 0) return skip(job.names->end, "no_run_time", "the job ran 0 s");
  if (job.row.account.empty()) return skip(job.names->account, "no_account", "the job has no account");
  if (is_reckoned && start_s == job.start_s) {
    GRANARY_TRY(tell(Fate::noted, job, job.names->start, "start_reckoned",
                     fmt::format("the start is not known: it is the end less the elapsed time of {} s", elapsed_s)));
  }
  if (!job.tres.rounded().empty()) {
    GRANARY_TRY(tell(Fate::noted, job, job.names->tres, "rounded",
                     fmt::format("'{}' is a rounded number: sacct --noconvert writes exact ones", job.tres.rounded())));
  }
  if (start_s != job.start_s && start_s != job.submit_s) {
    GRANARY_TRY(tell(Fate::noted, job, job.names->start, "overlapping",
                     fmt::format("the job was resized and has a record from {} too: this one counts from {}",
                                 time_text(job.start_s), time_text(start_s))));
  }
  if (paused > 0) {
    GRANARY_TRY(tell(Fate::noted, job, job.names->elapsed, "suspended",
                     fmt::format("the job was suspended for {} s, which do not count", paused)));
  }
  if (elapsed_s > job.end_s - job.start_s) {
    GRANARY_TRY(tell(Fate::noted, job, job.names->elapsed, "elapsed_too_long",
                     fmt::format("{} s elapsed in the {} s from start to end, which count: is the time zone right?",
                                 elapsed_s, job.end_s - job.start_s)));
  }
  return std::optional(Run{start_s, job.end_s, ran_s});
}

Result<void> SlurmJobs::take(SlurmJob& job) {
  UsageRow& row = job.row;
  row.recorded_cluster = row.cluster;
  if (!options_.cluster.empty()) row.cluster = options_.cluster;
  cut_watch_.look_at(job);
  if (job.states.front() == "RESIZING" && job.start_s > 0 && job.end_s > job.start_s) {
    emitter_.summary.resizes[std::tuple(row.cluster, row.job, job.start_s)].push_back(job.end_s);
    if (emitter_.summary.resizes.size() > kResizesMax) {
      return row_error(row.line, "State", "RESIZING", fmt::format("at most {} resized jobs", kResizesMax),
                       "import the export in parts");
    }
  }
  const auto run = run_of(job);
  if (!run.ok()) return run.error();
  if (!*run) return {};
  if (row.cluster.empty()) {
    return row_error(row.line, "Cluster", "", "the cluster's name",
                     "say it with --cluster NAME, the same each time: it is part of every job's identity");
  }
  row.id = row.job + "/" + time_text((*run)->start_s);
  row.source = source_of(options_, row.cluster);
  row.has_runs = true;
  row.state = job.states.front();
  row.start_ms = (*run)->start_s * 1000;
  row.end_ms = (*run)->end_s * 1000;
  if ((*run)->ran_s < (*run)->end_s - (*run)->start_s) row.ran_ms = (*run)->ran_s * 1000;
  return emitter_.row(row);
}

Summary SlurmJobs::finish() {
  emitter_.summary.cut = cut_watch_.found();
  return emitter_.summary;
}

}  // namespace granary::import
