// Small exact conversions that the readers share, and how they word a refusal. Internal to this room. Pure: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/import/input.h"
#include "shared/base/result.h"

namespace granary::import {

// Seconds between the years -9999 and 9999: what lies outside is no time of a job.
constexpr std::int64_t kSecondsMax = 253'402'300'799;

// An optional minus and digits, nothing else, that fit; nullopt otherwise.
std::optional<std::int64_t> parse_integer(std::string_view text);

// Whether it is a decimal number: an optional minus, digits, and perhaps a point and digits.
bool is_number(std::string_view text);

// "0.46" for 460: the shortest decimal text. `thousandths` must not be negative.
std::string thousandths_text(std::int64_t thousandths);

// "2026-10-31T23:30:00Z". `seconds` must be within +-kSecondsMax.
std::string time_text(std::int64_t seconds);

// The parts between separators; one (empty) part for an empty text. They live as long as `text`; `separator` must not
// be empty.
std::vector<std::string_view> split(std::string_view text, std::string_view separator);

// The text as a message shows it: what is long is cut, what does not print is replaced.
std::string printable(std::string_view value);

// «line 7, field "submit": expected an integer, got 'abc'; hint: ...», code invalid_input, with the value printable.
Error row_error(std::uint64_t line, std::string_view field, std::string_view value, std::string_view expected,
                std::string_view hint);

// Refuses what is JSON, XML or HTML if lines are expected. `format` is the word that --format takes. Errors:
// invalid_input; the input's.
Result<void> expect_text(Input& input, std::string_view format);

}  // namespace granary::import
