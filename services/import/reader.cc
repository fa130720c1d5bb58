#include "services/import/reader.h"

#include "services/import/formats.h"
#include "services/import/text.h"
#include "shared/base/encoding.h"

namespace granary::import {

std::uint64_t Summary::rows() const {
  std::uint64_t rows = usages + steps;
  for (const auto& [reason, count] : skipped) rows += count;
  for (const auto& [reason, count] : refused) rows += count;
  return rows;
}

Result<Summary> read(Input& input, const Options& options, RowSink& sink) {
  const std::string_view head = input.ahead(kEncodingBytes);
  if (const char* wide = wide_encoding(head)) return row_error(1, "file", wide, "text in UTF-8", conversion_hint(wide));
  if (head.starts_with(kByteOrderMark)) input.pass(kByteOrderMark.size());
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
