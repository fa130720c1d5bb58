#include "services/import/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::import {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view rest = point == std::string_view::npos ? "0" : text.substr(point + 1);
  return !whole.empty() && !rest.empty() && std::all_of(whole.begin(), whole.end(), is_digit) &&
         std::all_of(rest.begin(), rest.end(), is_digit);
}

std::string thousandths_text(std::int64_t thousandths) {
  return units::format_decimal(thousandths, 3);
}

std::string time_text(std::int64_t seconds) {
  return units::format_time(units::Instant(seconds * units::kSecondMs));
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::string printable(std::string_view value) {
  constexpr std::size_t kShownBytesMax = 60;
  std::string out(value.substr(0, kShownBytesMax));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (value.size() > kShownBytesMax) out += "...";
  return out;
}

Error row_error(std::uint64_t line, std::string_view field, std::string_view value, std::string_view expected,
                std::string_view hint) {
  return {ErrorCode::invalid_input, fmt::format("line {}, field \"{}\": expected {}, got '{}'; hint: {}", line,
                                                printable(field), expected, printable(value), hint)};
}

Result<void> expect_text(Input& input, std::string_view format) {
  while (input.peek() == ' ' || input.peek() == '\t' || input.peek() == '\r' || input.peek() == '\n') input.get();
  GRANARY_TRY(input.status());
  const int first = input.peek();
  const char* other = first == '{' || first == '[' ? "JSON" : first == '<' ? "HTML or XML" : nullptr;
  if (other != nullptr) {
    return row_error(input.line(), "file", other, fmt::format("a file of format {}", format),
                     "name the file's own format with --format (sacct --json is sacct-json)");
  }
  return {};
}

}  // namespace granary::import
