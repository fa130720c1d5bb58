// A plain table for people: left column by left, numbers right-aligned. Values; any thread.
#pragma once

#include <cstdio>
#include <set>
#include <string>
#include <vector>

namespace granary::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  enum class Row { plain, alarm };
  void add(std::vector<std::string> row, Row kind = Row::plain) {
    if (kind == Row::alarm) alarms_.insert(rows_.size());
    rows_.push_back(std::move(row));
  }
  // A column that older servers' answers have nothing for.
  void leave_out_if_empty(const std::string& heading) { optional_.insert(heading); }
  // The headings bold and alarms red if `out` is a terminal. Columns in which every cell is a number are aligned to the
  // right.
  void print(std::FILE* out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::set<std::size_t> alarms_;
  std::set<std::string> optional_;
};

// An amount of base units as people read it: hours of a resource, GiB-hours, items; two decimals. `unit` as in the
// answers.
std::string people_amount(const std::string& amount, const std::string& unit);

}  // namespace granary::cli
