// `granary import`: reads a workload file twice to check all of it, first on its own, then by the ledger's rules, and a
// third time to post it as CloudEvents through the server's door. Exit codes: 0 every row answered, 1 stopped in the
// middle (the server stayed away; run it again), 2 usage, 3 refused before any usage was posted, or the summary could
// not be written, 4 with --strict: a row was refused, 5 the input is cut short (its whole rows are posted, the source
// is not stated complete).
#pragma once

#include <string>

#include "services/cli/commands.h"

namespace granary::cli {

struct ImportArguments {
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

int import_file(const ClientOptions& client, const ImportArguments& arguments);

}  // namespace granary::cli
