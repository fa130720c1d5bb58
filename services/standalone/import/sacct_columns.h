// The columns of `sacct --parsable2`, and the splitting of a row at '|' where a job's name or command may hold one too.
// Internal to this room. Any thread once made.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/standalone/import/input.h"
#include "shared/base/result.h"

namespace granary::import {

enum class SacctColumn {
  job_id,
  state,
  submit,
  start,
  end,
  alloc_tres,
  alloc_cpus,
  elapsed,
  elapsed_raw,
  account,
  user,
  group,
  cluster,
  qos,
  partition,
  reservation,
};
constexpr std::size_t kSacctColumns = 16;

// What stands in the columns that are used; empty where the export lacks one.
struct SacctFields {
  std::array<std::string_view, kSacctColumns> values;

  std::string_view operator[](SacctColumn column) const { return values[static_cast<std::size_t>(column)]; }
};

// As sacct names the column in its header.
const char* name_of(SacctColumn column);

class SacctColumns {
 public:
  // Errors: invalid_input where a column that is needed is missing, or one stands there twice.
  static Result<SacctColumns> parse(const Line& header);

  [[nodiscard]] bool has(SacctColumn column) const { return index(column).has_value(); }
  // Whether that column is the last one of a row.
  [[nodiscard]] bool is_last(SacctColumn column) const { return index(column) == kinds_.size() - 1; }
  // Whether the line has fewer fields than the header.
  [[nodiscard]] bool is_short(std::string_view line) const;
  // The JobID where no free text stands before it, so that it is known whatever the rest holds; empty otherwise.
  [[nodiscard]] std::string_view job_id_before_text(std::string_view line) const;

  // The fields of a row that is not short; they live as long as the line's text. Where it has more parts than the
  // header has columns, all ways to give the extra ones to columns of free text (names, commands, comments) are tried;
  // if those under which every other column holds what it can hold agree on the fields, these are it. Errors:
  // invalid_input where none fits, or several that differ.
  Result<SacctFields> fields(const Line& line) const;

  // What a column can hold, as far as that tells it from another.
  enum class Kind { text, word, job_id, state, time, integer, duration, pair, tres, other };

 private:
  [[nodiscard]] std::optional<std::size_t> index(SacctColumn column) const {
    return used_[static_cast<std::size_t>(column)];
  }
  // The fields when column i has 1 + extra[i] parts; nullopt where a column cannot hold its own.
  [[nodiscard]] std::optional<SacctFields> fit(const std::vector<std::string_view>& parts,
                                               const std::vector<std::size_t>& extra) const;

  std::vector<Kind> kinds_;         // one a column
  std::vector<std::size_t> texts_;  // the columns of free text
  std::array<std::optional<std::size_t>, kSacctColumns> used_;
};

}  // namespace granary::import
