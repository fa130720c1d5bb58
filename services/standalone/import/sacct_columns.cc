#include "services/standalone/import/sacct_columns.h"

#include <algorithm>
#include <utility>

#include "services/standalone/import/slurm_job.h"
#include "services/standalone/import/text.h"
#include "services/standalone/import/time_zone.h"

namespace granary::import {
namespace {

using Kind = SacctColumns::Kind;

constexpr std::array<const char*, kSacctColumns> kNames{
    "JobID",      "State",   "Submit", "Start", "End",     "AllocTRES", "AllocCPUS", "Elapsed",
    "ElapsedRaw", "Account", "User",   "Group", "Cluster", "QOS",       "Partition", "Reservation"};
constexpr std::size_t kWaysMax = 4096;
constexpr const char* kAmbiguousHint =
    "export again without the columns that may hold '|' (JobName, SubmitLine, Comment, WorkDir), or as sacct --json";

// What sacct's columns hold (sacct(1), --format). A column that is not here may hold anything but '|'.
constexpr std::array<std::pair<std::string_view, Kind>, 47> kKinds{{
    {"JobName", Kind::text},
    {"SubmitLine", Kind::text},
    {"Comment", Kind::text},
    {"AdminComment", Kind::text},
    {"SystemComment", Kind::text},
    {"WorkDir", Kind::text},
    {"Extra", Kind::text},
    {"Constraints", Kind::text},
    {"Container", Kind::text},
    {"StdIn", Kind::text},
    {"StdOut", Kind::text},
    {"StdErr", Kind::text},
    {"User", Kind::word},
    {"Group", Kind::word},
    {"Account", Kind::word},
    {"Cluster", Kind::word},
    {"QOS", Kind::word},
    {"Partition", Kind::word},
    {"Reservation", Kind::word},
    {"JobID", Kind::job_id},
    {"JobIDRaw", Kind::job_id},
    {"State", Kind::state},
    {"Submit", Kind::time},
    {"Eligible", Kind::time},
    {"Start", Kind::time},
    {"End", Kind::time},
    {"AllocCPUS", Kind::integer},
    {"AllocNodes", Kind::integer},
    {"NCPUS", Kind::integer},
    {"NNodes", Kind::integer},
    {"ReqCPUS", Kind::integer},
    {"ReqNodes", Kind::integer},
    {"NTasks", Kind::integer},
    {"Priority", Kind::integer},
    {"ElapsedRaw", Kind::integer},
    {"CPUTimeRAW", Kind::integer},
    {"TimelimitRaw", Kind::integer},
    {"UID", Kind::integer},
    {"GID", Kind::integer},
    {"Elapsed", Kind::duration},
    {"CPUTime", Kind::duration},
    {"ExitCode", Kind::pair},
    {"DerivedExitCode", Kind::pair},
    {"AllocTRES", Kind::tres},
    {"ReqTRES", Kind::tres},
    {"Suspended", Kind::duration},
    {"AssocID", Kind::integer},
}};

Kind kind_of(std::string_view name) {
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return Kind::other;
}

bool has_only(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool can_hold(Kind kind, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789";
  switch (kind) {
    case Kind::text:
    case Kind::other:
      return true;
    case Kind::word:
      return value.find(' ') == std::string_view::npos;
    case Kind::job_id:
      return !value.empty() && has_only(value.substr(0, 1), kDigits);
    case Kind::state:
      return is_slurm_state(value.substr(0, value.find(' ')));
    case Kind::time:
      return value.empty() || value == "Unknown" || value == "None" || value == "N/A" ||
             parse_local_time(value).has_value();
    case Kind::integer:
      return has_only(value, kDigits) || value == "Partition_Limit" || value == "UNLIMITED";
    case Kind::duration:
      return has_only(value, "0123456789-:.");
    case Kind::pair:
      return has_only(value, "0123456789:");
    case Kind::tres:
      return value.empty() || value.find('=') != std::string_view::npos;
  }
  return false;
}

// The number of ways to give `extra` parts to `columns`, at most kWaysMax + 1.
std::size_t ways(std::size_t extra, std::size_t columns) {
  std::size_t count = 1;
  for (std::size_t i = 1; i < columns; ++i) {
    count = count * (extra + i) / i;
    if (count > kWaysMax) return kWaysMax + 1;
  }
  return count;
}

}  // namespace

const char* name_of(SacctColumn column) {
  return kNames[static_cast<std::size_t>(column)];
}

Result<SacctColumns> SacctColumns::parse(const Line& header) {
  SacctColumns columns;
  const auto names = split(header.text, '|');
  for (std::size_t i = 0; i < names.size(); ++i) {
    columns.kinds_.push_back(kind_of(names[i]));
    if (columns.kinds_.back() == Kind::text) columns.texts_.push_back(i);
    const auto used = std::find(kNames.begin(), kNames.end(), names[i]);
    if (used == kNames.end()) continue;
    auto& index = columns.used_[static_cast<std::size_t>(used - kNames.begin())];
    if (index) return row_error(header.number, names[i], "it twice", "each column once", "export it once");
    index = i;
  }
  for (const SacctColumn needed : {SacctColumn::job_id, SacctColumn::state, SacctColumn::start, SacctColumn::end,
                                   SacctColumn::account, SacctColumn::alloc_tres}) {
    const bool is_there =
        columns.has(needed) || (needed == SacctColumn::alloc_tres && columns.has(SacctColumn::alloc_cpus));
    if (is_there) continue;
    return row_error(header.number, "header", header.text, std::string("a column ") + name_of(needed),
                     "export with sacct --parsable2 --allusers "
                     "--format=JobID,Cluster,Account,User,QOS,Partition,State,Submit,Start,End,ElapsedRaw,AllocTRES");
  }
  return columns;
}

bool SacctColumns::is_short(std::string_view line) const {
  return static_cast<std::size_t>(std::count(line.begin(), line.end(), '|')) + 1 < kinds_.size();
}

std::string_view SacctColumns::job_id_before_text(std::string_view line) const {
  const std::size_t at = *index(SacctColumn::job_id);
  if (!texts_.empty() && texts_.front() < at) return {};
  const auto parts = split(line, '|');
  return at < parts.size() ? parts[at] : std::string_view();
}

std::optional<SacctFields> SacctColumns::fit(const std::vector<std::string_view>& parts,
                                             const std::vector<std::size_t>& extra) const {
  SacctFields fields;
  std::size_t part = 0;
  for (std::size_t column = 0; column < kinds_.size(); ++column) {
    if (!can_hold(kinds_[column], parts[part])) return std::nullopt;
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (used_[i] == column) fields.values[i] = parts[part];
    }
    part += 1 + extra[column];
  }
  return fields;
}

Result<SacctFields> SacctColumns::fields(const Line& line) const {
  const auto parts = split(line.text, '|');
  const std::size_t width = kinds_.size();
  if (parts.size() == width) {
    SacctFields fields;
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (used_[i]) fields.values[i] = parts[*used_[i]];
    }
    return fields;
  }
  GRANARY_CHECK(parts.size() > width, "fields() of a row that is short");
  const std::string expected = std::to_string(width) + " fields, got " + std::to_string(parts.size());
  const std::size_t more = parts.size() - width;
  if (texts_.empty() || ways(more, texts_.size()) > kWaysMax) {
    return row_error(line.number, "row", line.text, expected, kAmbiguousHint);
  }
  // Every way to spread `more` over the text columns: all on the last one first, then as an odometer.
  std::vector<std::size_t> extra(width, 0);
  std::optional<SacctFields> found;
  const auto try_from = [&](const auto& self, std::size_t text, std::size_t left) -> bool {
    if (text + 1 == texts_.size()) {
      extra[texts_[text]] = left;
      const auto fitting = fit(parts, extra);
      const bool differs = fitting && found && fitting->values != found->values;
      if (fitting) found = fitting;
      return !differs;
    }
    for (std::size_t here = 0; here <= left; ++here) {
      extra[texts_[text]] = here;
      if (!self(self, text + 1, left - here)) return false;
    }
    return true;
  };
  const bool is_clear = try_from(try_from, 0, more);
  if (is_clear && found) return *found;
  return row_error(line.number, "row", line.text, expected + (found ? ", which can be read in two ways" : ""),
                   kAmbiguousHint);
}

}  // namespace granary::import
