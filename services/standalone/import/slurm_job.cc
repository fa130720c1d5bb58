#include "services/standalone/import/slurm_job.h"

#include <algorithm>
#include <array>
#include <utility>

#include "services/standalone/import/text.h"

namespace granary::import {
namespace {

// A job in one of these still holds what it was given, or waits, whatever end the export shows (`sacct -T` cuts a
// running job's times to the window that was asked for).
constexpr std::array<std::string_view, 9> kNotEnded{"PENDING",   "RUNNING", "SUSPENDED", "CONFIGURING",  "COMPLETING",
                                                    "SIGNALING", "STOPPED", "STAGE_OUT", "POWER_UP_NODE"};
constexpr std::array<std::string_view, 20> kOthers{
    "COMPLETED", "CANCELLED",     "FAILED",        "TIMEOUT",       "NODE_FAIL",   "PREEMPTED",    "BOOT_FAIL",
    "DEADLINE",  "RESIZING",      "OUT_OF_MEMORY", "REQUEUED",      "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT",
    "REVOKED",   "RESV_DEL_HOLD", "LAUNCH_FAILED", "RECONFIG_FAIL", "UPDATE_DB",   "EXPEDITING"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_slurm_state(std::string_view state) {
  return contains(kNotEnded, state) || contains(kOthers, state);
}

Result<void> emit_job(Emitter& emitter, const Options& options, SlurmJob& job) {
  UsageRow& row = job.row;
  const std::string& state = job.states.front();
  if (job.start_s <= 0) return emitter.skip(row.line, "never_started", "job " + job.label + " is " + state);
  const auto has_not_ended = [](const std::string& name) { return contains(kNotEnded, name); };
  if (job.end_s <= 0 || std::any_of(job.states.begin(), job.states.end(), has_not_ended)) {
    return emitter.skip(row.line, "still_running", "job " + job.label + " is " + state);
  }
  row.resources = job.tres.take();
  if (row.resources.empty()) {
    return emitter.skip(row.line, "no_resources", "job " + job.label + " has no CPUs, GPUs, memory or nodes allocated");
  }
  if (!options.cluster.empty()) row.cluster = options.cluster;
  if (row.cluster.empty()) {
    return row_error(row.line, "Cluster", "", "the cluster's name",
                     "say it with --cluster NAME, the same each time: it is part of every job's identity");
  }
  const bool is_resized = job.submit_s > job.start_s && job.submit_s <= job.end_s;
  const std::int64_t start_s = is_resized ? job.submit_s : job.start_s;
  row.id = job.label + "/" + rfc3339_utc(start_s);
  row.source = source_of(options, row.cluster);
  row.state = state;
  row.start_ms = start_s * 1000;
  row.end_ms = job.end_s * 1000;
  return emitter.row(row);
}

}  // namespace granary::import
