#include "services/import/csv.h"

#include <fmt/format.h>

#include "services/import/text.h"

namespace granary::import {
namespace {

constexpr std::size_t kRecordBytesMax = 1U << 20;

enum class End { field, record, file };

bool takes_line_end(Input& input) {
  if (input.peek() == '\n') {
    input.get();
    return true;
  }
  return false;
}

// Takes one field and what ends it.
Result<End> read_field(Input& input, CsvRecord& record, std::size_t& bytes) {
  std::string& field = record.fields.emplace_back();
  const auto refuse = [&](std::string_view expected) {
    return row_error(record.line, fmt::format("column {}", record.fields.size()), field, expected,
                     "check that the file is comma-separated text (RFC 4180)");
  };
  bool is_quoted = input.peek() == '"';
  const bool had_quotes = is_quoted;
  if (is_quoted) input.get();
  for (;;) {
    const int byte = input.get();
    if (byte < 0) {
      GRANARY_TRY(input.status());
      record.in_quotes = is_quoted;
      return End::file;
    }
    if (++bytes > kRecordBytesMax) return refuse("a record of at most 1 MiB");
    if (is_quoted) {
      if (byte != '"') {
        field.push_back(static_cast<char>(byte));
      } else if (input.peek() == '"') {
        field.push_back(static_cast<char>(input.get()));
      } else {
        is_quoted = false;
      }
      continue;
    }
    if (byte == ',') return End::field;
    if (byte == '\n') return End::record;
    if (byte == '\r' && takes_line_end(input)) return End::record;
    if (byte == '"' || had_quotes) return refuse("quotes around a whole field only");
    field.push_back(static_cast<char>(byte));
  }
}

}  // namespace

Result<bool> read_csv_record(Input& input, CsvRecord& record) {
  while (input.peek() == '\n' || input.peek() == '\r') input.get();
  record = {};
  record.line = input.line();
  if (input.peek() < 0) {
    GRANARY_TRY(input.status());
    return false;
  }
  std::size_t bytes = 0;
  for (;;) {
    const auto end = read_field(input, record, bytes);
    if (!end.ok()) return end.error();
    if (*end == End::field) continue;
    record.terminated = *end == End::record;
    return true;
  }
}

}  // namespace granary::import
