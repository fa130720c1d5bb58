#include "services/standalone/import/reader.h"

#include "services/standalone/import/formats.h"

namespace granary::import {

std::uint64_t Summary::rows() const {
  std::uint64_t rows = usages + steps;
  for (const auto& [reason, count] : skipped) rows += count;
  return rows;
}

Result<Summary> read(Input& input, const Options& options, RowSink& sink) {
  switch (options.format) {
    case Format::swf:
      return read_swf(input, options, sink);
    case Format::openb:
      return read_openb(input, options, sink);
    case Format::sacct_json:
      return read_sacct_json(input, options, sink);
    case Format::sacct:
      return read_sacct_text(input, options, sink);
  }
  GRANARY_CHECK(false, "a format without a reader");
}

}  // namespace granary::import
