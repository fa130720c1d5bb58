#include "services/cli/import_passes.h"

#include "services/import/input.h"

namespace granary::cli {

Result<import::Summary> read_file(const std::string& path, const import::Options& options, import::RowSink& sink) {
  auto input = import::Input::open(path);
  if (!input.ok()) return input.error();
  return import::read(*input, options, sink);
}

}  // namespace granary::cli
