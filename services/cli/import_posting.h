// The posting side of `granary import`, once all of the file is checked. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/import_options.h"
#include "services/cli/import_report.h"
#include "services/cli/import_rules.h"
#include "services/import/reader.h"

namespace granary::cli {

// What was checked and is to be posted. Borrows; one import's.
struct CheckedImport {
  const ImportArguments& arguments;
  const import::Options& options;
  const import::Summary& summary;  // of the pass that judged
  const Judge& judge;
  const std::vector<std::string>& to_remember;  // events, see EarlierImports
  std::optional<std::int64_t> complete_through_ms;
};

struct PostedImport {
  std::uint64_t accepted = 0, repeats = 0, waiting = 0;
  std::string token;  // for all of it; empty: nothing new was appended
  Remarks remarks;
  import::Summary sent;
};

// Before any usage: the awards of --award-all, and how the file is read. `after`: what has to be folded first. Comes
// back with the token after which the usage is posted. Errors: the server's.
Result<std::string> post_before(Api& api, const CheckedImport& checked, std::string after);

// The usage, and that its sources are complete. Errors: the server's, with how much was posted.
Result<PostedImport> post_usage(Api& api, const CheckedImport& checked, const std::string& after);

}  // namespace granary::cli
