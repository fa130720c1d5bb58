// `granary import`, step by step: checks the options, surveys the file, judges it by the ledger's rules, posts it. One
// thread.
#pragma once

#include "services/cli/import_options.h"

namespace granary::cli {

// The exit code: 0 every row answered, 1 stopped in the middle (the server stayed away, or answered as no Granary does;
// run it again), 2 usage, 3 refused before any usage was posted, 4 with --strict: a row was refused, 5 the input is cut
// short (its whole rows are posted, the source is not stated complete).
int run_import(const ImportArguments& arguments);

}  // namespace granary::cli
