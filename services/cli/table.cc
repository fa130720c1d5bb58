#include "services/cli/table.h"

#include <unistd.h>
#include <algorithm>

#include "shared/units/amount.h"

namespace granary::cli {
namespace {

bool is_number(const std::string& text) {
  return text.empty() || (text.find_first_not_of("-0123456789.") == std::string::npos);
}

}  // namespace

void Table::print(std::FILE* out) const {
  const bool terminal = isatty(fileno(out)) == 1;
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns);
  std::vector<bool> right(columns, true), shown(columns);
  for (std::size_t c = 0; c < columns; ++c) shown[c] = !optional_.contains(rows_.front()[c]);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (std::size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], rows_[i][c].size());
      if (i > 0 && !is_number(rows_[i][c])) right[c] = false;
      if (i > 0 && !rows_[i][c].empty()) shown[c] = true;
    }
  }
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      if (!shown[c]) continue;
      const std::string pad(widths[c] - rows_[i][c].size(), ' ');
      line += right[c] ? pad + rows_[i][c] : rows_[i][c] + pad;
      line += "  ";
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (terminal && i == 0) line = "\033[1m" + line + "\033[0m";
    if (terminal && alarms_.contains(i)) line = "\033[31m" + line + "\033[0m";
    std::fprintf(out, "%s\n", line.c_str());
  }
}

std::string people_amount(const std::string& amount, const std::string& unit) {
  const auto value = units::parse_integer(amount);
  const char* named = unit == "resource-us" ? "resource-hour" : unit == "byte-ms" ? "gib-hour" : "item";
  const auto size = units::named_unit(named);
  if (!value || !size) return amount;
  const auto hundredths = units::mul_div_half_even(*value, 100, size->base_units);
  return hundredths ? units::format_fixed(*hundredths, 2) : amount;
}

}  // namespace granary::cli
