// What `granary import` says about the rows that are not usage, or not all of which is. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "services/import/row.h"
#include "shared/json/writer.h"

namespace granary::cli {

class Remarks {
 public:
  // `keeps_all`: for JSON, which names every row; otherwise memory does not grow with their number.
  explicit Remarks(bool keeps_all) : keeps_all_(keeps_all) {}

  void add(import::Fate fate, const import::Remark& remark);

  [[nodiscard]] std::uint64_t count(import::Fate fate) const;
  // "no_run_time 3, never_started 1"; empty: none.
  [[nodiscard]] std::string by_reason(import::Fate fate) const;
  // For people: a line for each reason, with the first rows by line, job and field.
  [[nodiscard]] std::string lines() const;
  // For programs, three members of an object: `"refused":[{"line":..,"job":..,"field":..,"reason":..,"hint":..}],
  // "skipped":[..],"noted":[..]`.
  void write(json::Writer<std::string>& out) const;

 private:
  struct Group {
    std::uint64_t rows = 0;
    std::vector<import::Remark> first;
  };
  // By fate and reason, and by what it is about if that is not the same for all: a resource, a column.
  std::map<std::tuple<import::Fate, std::string, std::string>, Group> groups_;
  bool keeps_all_;
  std::map<import::Fate, std::vector<import::Remark>> all_;
};

}  // namespace granary::cli
