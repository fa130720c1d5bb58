// What a person says to `granary import`, and what it comes to. Plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "services/cli/options.h"
#include "services/import/options.h"
#include "shared/base/result.h"

namespace granary::cli {

struct ImportArguments {
  ClientOptions client;
  std::string file, format, cluster, project_from, project_prefix, shift_end_to, epoch, time_zone, columns,
      complete_through, award_all;
  std::string delimiter = "|";
  int retry_for_s = 600;
  bool trust_text = false;
  bool dry_run = false;
  bool strict = false;
  bool again = false;
  bool whole_jobs = false;
};

struct ImportPlan {
  import::Options options;  // checked; what only the file tells is not set yet
  std::optional<std::int64_t> complete_through_ms;
};

// Errors: invalid_input, which names the flag.
Result<ImportPlan> plan_of(const ImportArguments& arguments);

}  // namespace granary::cli
