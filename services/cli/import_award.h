// `granary import --award-all`, for trials. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "services/cli/api.h"
#include "services/cli/import_rules.h"
#include "services/import/reader.h"

namespace granary::cli {

struct TrialAward {
  std::string hours;   // of each class that the file's usage is charged to lots for
  std::string sha256;  // of the file: names the awards
  std::int64_t retry_for_ms = 0;
};

// Gives each project of the file an organisation, and an award for the file's period by an application that is cleared
// on basis `trial`. The token of what was posted; empty: nothing new was. Errors: the poster's; invalid_input if an
// award was refused, or none can be made.
Result<std::string> award_all(Api& api, const TrialAward& award, const std::string& after, const Judge& judge,
                              const import::Summary& summary);

}  // namespace granary::cli
