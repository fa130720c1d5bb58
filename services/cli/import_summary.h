// What `granary import` prints at its end: a line for people with one for each kind of remark, or JSON. Pure; any
// thread.
#pragma once

#include <string>

#include "services/cli/import_posting.h"
#include "services/cli/import_rules.h"
#include "services/import/reader.h"

namespace granary::cli {

// Of --dry-run.
std::string dry_run_text(const import::Summary& summary, const Judge& judge);
std::string dry_run_json(const import::Summary& summary, const Judge& judge);

// Of what was posted.
std::string posted_text(const PostedImport& posted);
std::string posted_json(const PostedImport& posted);

}  // namespace granary::cli
