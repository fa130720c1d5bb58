// The columns of `sacct --parsable2`, and the splitting of a row at the delimiter where free text or, if that is a
// comma, a list of resources may hold one too. Internal to this room. Any thread once made.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/import/input.h"
#include "services/import/options.h"
#include "shared/base/result.h"

namespace granary::import {

enum class SacctColumn {
  job_id,
  state,
  submit,
  eligible,
  start,
  end,
  alloc_tres,
  alloc_gres,
  alloc_cpus,
  elapsed,
  elapsed_raw,
  suspended,
  account,
  user,
  group,
  cluster,
  qos,
  partition,
  reservation,
};
constexpr std::size_t kSacctColumns = 19;

// The fields of the columns that are used; empty if the export lacks one.
struct SacctFields {
  std::array<std::string_view, kSacctColumns> values;

  std::string_view operator[](SacctColumn column) const { return values[static_cast<std::size_t>(column)]; }
};

// As sacct names the column in its header.
const char* name_of(SacctColumn column);

class SacctColumns {
 public:
  // From the file's header, or from Options::columns if they are given. Errors: invalid_input if a column that is
  // needed is missing, or one is there twice, or may hold a line end that makes rows, unless the options trust it.
  static Result<SacctColumns> parse(const Line& header, const Options& options);

  [[nodiscard]] bool has(SacctColumn column) const { return index(column).has_value(); }
  // Whether that column is the last one of a row.
  [[nodiscard]] bool is_last(SacctColumn column) const { return index(column) == kinds_.size() - 1; }
  // The field in the last column of a row.
  [[nodiscard]] std::string_view last(std::string_view line) const;
  // Whether the line has fewer fields than the header.
  [[nodiscard]] bool is_short(std::string_view line) const;
  // Whether the line is a header again, as between exports that were put into one file.
  [[nodiscard]] bool is_header(const SacctFields& fields) const;
  // The JobID if no free text comes before it, so that it is known whatever the rest holds; empty otherwise.
  [[nodiscard]] std::string_view job_id_before_text(std::string_view line) const;

  // The fields of a row that is not short; they live as long as the line's text. If it has more parts than the header
  // has columns, all ways to give the extra ones to columns that may hold a delimiter are tried; if those under which
  // every other column holds what it can hold agree on the fields, these are it. Errors: invalid_input if none fits,
  // or several that differ.
  Result<SacctFields> fields(const Line& line) const;

  // What a column can hold, as far as that tells it from another.
  enum class Kind { text, word, job_id, state, time, integer, duration, pair, tres, other };

 private:
  enum class Judged { all, used };  // columns

  [[nodiscard]] std::optional<std::size_t> index(SacctColumn column) const {
    return used_[static_cast<std::size_t>(column)];
  }
  [[nodiscard]] bool is_used(std::size_t column) const;
  // The fields when column i has 1 + extra[i] parts; nullopt if a column that is judged cannot hold its own.
  [[nodiscard]] std::optional<SacctFields> fit(const std::vector<std::string_view>& parts,
                                               const std::vector<std::size_t>& extra, Judged judged) const;
  struct Found {
    std::optional<SacctFields> fields;
    bool is_clear = true;  // no two ways differ
  };
  [[nodiscard]] Found find(const std::vector<std::string_view>& parts, Judged judged) const;

  std::string delimiter_;
  std::vector<Kind> kinds_;         // one a column
  std::vector<std::size_t> texts_;  // the columns that may hold a delimiter
  std::array<std::optional<std::size_t>, kSacctColumns> used_;
};

}  // namespace granary::import
