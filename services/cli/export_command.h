// `granary export`: usage or charges as they were posted, row by row, to standard output or to a file that has its name
// only once it is whole.
#pragma once

#include <string>

#include "services/cli/commands.h"

namespace granary::cli {

struct ExportArguments {
  std::string what;  // usage or charges
  std::string format = "csv";
  std::string out;  // empty: standard output
};

// The exit code: 0 all rows are written, 1 refused by the server, 3 cannot run (no server, not all could be written).
int export_rows(const ClientOptions& options, const ExportArguments& arguments);

}  // namespace granary::cli
