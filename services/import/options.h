// What a person says about a file that is imported, what of it is part of the usages' identity, and how projects are
// named. Plain values: safe on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/import/row.h"
#include "shared/base/result.h"

namespace granary::import {

enum class Format {
  swf,         // Standard Workload Format (Parallel Workloads Archive)
  openb,       // pod list of Alibaba's cluster-trace-gpu-v2023
  sacct_json,  // `sacct --json`, Slurm 22.05 to 25.05
  sacct,       // `sacct --parsable2`
};

// What names the project. Unset in Options: the format's own way (swf: group; Slurm: account; openb: QOS, its only
// one).
enum class ProjectFrom { group, user, account, binding };

// The words of the command line ("sacct-json"); nullopt for others.
std::optional<Format> format_named(std::string_view name);
std::optional<ProjectFrom> project_from_named(std::string_view name);

struct Options {
  Format format = Format::swf;
  std::optional<ProjectFrom> project_from{};
  std::string project_prefix{};
  // Slurm: the cluster's name in source and binding. If set, it replaces what the rows say; text exports without a
  // column `Cluster` need it.
  std::string cluster{};
  // Slurm text: IANA name, or UTC; needed if a time says no zone.
  std::string time_zone{};
  // Slurm text: what separates the fields; the names of the columns, separated by commas, of a file without a header.
  std::string delimiter = "|";
  std::string columns{};
  // Slurm text: whether columns of free text are taken, though a line end in one can make a row.
  bool trusts_text = false;
  // openb: the instant of the file's second 0 (Unix ms).
  std::optional<std::int64_t> epoch_ms{};
  // The instant at which the file's last usage is to end (Unix ms), ...
  std::optional<std::int64_t> shift_end_to_ms{};
  // ... and what that adds to each start and end: 0 in the first pass, then shift_end_to_ms - Summary::end_ms_max.
  std::int64_t shift_ms = 0;
  // Slurm: Summary::resizes of an earlier pass over the file; nullptr in the first one. Outlives the call.
  const Resizes* resizes = nullptr;
  // Of what the file holds, see sha256_of_content; names the source of files without a cluster.
  std::string file_sha256{};
};

// Whether the options fit the format. Errors: invalid_input, naming the flag.
Result<void> check(const Options& options);

// "urn:granary:import:<sha256>:", the beginning of the source of whatever is imported from this file under any options;
// empty for Slurm, whose sources are clusters.
std::string source_prefix(const Options& options);

// The source of a file's usages: source_prefix and those options that change what the rows say, in one fixed order. For
// Slurm it is "slurm://CLUSTER", here that of `cluster`.
std::string source_of(const Options& options, const std::string& cluster);

// The project that the row names: "<prefix>-g<group>", "<prefix>-u<user>", "<prefix>-<qos>", "<prefix>-<account>";
// without a prefix the part after the dash. nullopt under `binding`: cluster and account are to be sent instead.
std::optional<std::string> project_of(const UsageRow& row, const Options& options);

}  // namespace granary::import
