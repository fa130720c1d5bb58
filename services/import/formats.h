// The four readers behind `read`; `read` and the .cc of each say their rules and errors. Internal to this room.
#pragma once

#include "services/import/reader.h"

namespace granary::import {

Result<Summary> read_swf(Input& input, const Options& options, RowSink& sink);
Result<Summary> read_openb(Input& input, const Options& options, RowSink& sink);
Result<Summary> read_sacct_json(Input& input, const Options& options, RowSink& sink);
Result<Summary> read_sacct_text(Input& input, const Options& options, RowSink& sink);

}  // namespace granary::import
