// Comma-separated records (RFC 4180), strictly: a quote opens a field at its beginning only, and closes it at its end.
// Internal to this room. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/import/input.h"
#include "shared/base/result.h"

namespace granary::import {

struct CsvRecord {
  std::vector<std::string> fields;  // without their quotes
  std::uint64_t line = 0;           // the number of its first line
  bool terminated = false;          // whether a line end followed
  bool in_quotes = false;           // not terminated, and the last field's closing quote is missing
};

// Takes the next record, passing over empty lines; false at the end. Errors: the input's; invalid_input for a stray
// quote and for a record over 1 MiB.
Result<bool> read_csv_record(Input& input, CsvRecord& record);

}  // namespace granary::import
