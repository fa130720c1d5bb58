#include "services/import/sacct_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "services/import/resources.h"
#include "services/import/slurm_job.h"
#include "services/import/text.h"
#include "services/import/time_zone.h"

namespace granary::import {
namespace {

using Kind = SacctColumns::Kind;

constexpr std::array<const char*, kSacctColumns> kNames{"JobID",      "State",     "Submit",    "Eligible",   "Start",
                                                        "End",        "AllocTRES", "AllocGRES", "AllocCPUS",  "Elapsed",
                                                        "ElapsedRaw", "Suspended", "Account",   "User",       "Group",
                                                        "Cluster",    "QOS",       "Partition", "Reservation"};
constexpr std::size_t kWaysMax = 4096;
constexpr const char* kAmbiguousHint =
    "export again without the columns that may hold the delimiter (JobName, SubmitLine, Comment, WorkDir), or as sacct "
    "--json";
constexpr const char* kExportHint =
    "export with sacct --parsable2 --noconvert --duplicates --allusers "
    "--format=JobID,Cluster,Account,User,QOS,Partition,Reservation,State,Submit,Eligible,Start,End,ElapsedRaw,"
    "Suspended,AllocTRES";

// What sacct's columns hold (sacct(1), --format). Those of kind `text` are set by users, or not known to be free of
// line ends.
constexpr std::array<std::pair<std::string_view, Kind>, 37> kKinds{{
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
    {"DBIndex", Kind::integer},
    {"AssocID", Kind::integer},
    {"Restarts", Kind::integer},
    {"Elapsed", Kind::duration},
    {"CPUTime", Kind::duration},
    {"Suspended", Kind::duration},
    {"ExitCode", Kind::pair},
    {"DerivedExitCode", Kind::pair},
    {"AllocTRES", Kind::tres},
    {"ReqTRES", Kind::tres},
}};
// Columns of Slurm's own figures and names: nobody writes a line end into them.
constexpr std::array<std::string_view, 23> kOthers{"AllocGRES",  "BlockID",       "ConsumedEnergy", "ConsumedEnergyRaw",
                                                   "FailedNode", "Flags",         "Layout",         "McsLabel",
                                                   "NodeList",   "QOSRAW",        "Reason",         "ReservationId",
                                                   "Reserved",   "SLUID",         "Timelimit",      "SystemCPU",
                                                   "TotalCPU",   "UserCPU",       "WCKeyID",        "Planned",
                                                   "PlannedCPU", "PlannedCPURAW", "Licenses"};
constexpr std::array<std::string_view, 6> kOtherFamilies{"Ave", "Max", "Min", "Req", "Resv", "TRESUsage"};

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Kind kind_of(std::string_view name) {
  for (const auto& [known, kind] : kKinds) {
    if (same_name(known, name)) return kind;
  }
  const bool is_other =
      name.empty() ||  // behind the last delimiter of `sacct --parsable`
      std::any_of(kOthers.begin(), kOthers.end(), [&](std::string_view known) { return same_name(known, name); }) ||
      std::any_of(kOtherFamilies.begin(), kOtherFamilies.end(),
                  [&](std::string_view family) { return name.starts_with(family); });
  return is_other ? Kind::other : Kind::text;
}

// The name of a used column at the front of the text; empty: none.
std::string_view known_name(std::string_view text) {
  std::string_view longest;
  for (const auto& [name, kind] : kKinds) {
    if (text.starts_with(name) && name.size() > longest.size()) longest = name;
  }
  for (const std::string_view name : {"JobName", "Comment", "SubmitLine", "WorkDir"}) {
    if (text.starts_with(name)) longest = name;
  }
  return longest;
}

// What a header seems to be separated by: the text between its first name and the next; empty: it is no header.
std::string_view guessed_delimiter(std::string_view header) {
  const std::string_view first = known_name(header);
  const std::string_view rest = header.substr(first.size());
  const auto is_of_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto next = std::find_if(rest.begin(), rest.end(), is_of_name);
  const auto size = static_cast<std::size_t>(next - rest.begin());
  return first.empty() || known_name(rest.substr(size)).empty() ? "" : rest.substr(0, size);
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
             parse_written_time(value).has_value();
    case Kind::integer:
      return value.empty() || parse_count(value).has_value() || value == "Partition_Limit" || value == "UNLIMITED";
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

// Why a header lacks a column that is needed, as far as that can be seen.
Error missing(const Line& header, const Options& options, SacctColumn needed) {
  const auto refuse = [&](const std::string& hint) {
    return row_error(header.number, options.columns.empty() ? "header" : "--columns",
                     options.columns.empty() ? header.text : options.columns,
                     std::string("a column ") + name_of(needed), hint);
  };
  if (!options.columns.empty()) return refuse("name all columns of the file, in their order, separated by commas");
  const std::string_view guessed = guessed_delimiter(header.text);
  if (!guessed.empty() && has_only(guessed, " "))
    return refuse(std::string("its columns seem to be padded with blanks: ") + kExportHint);
  if (!guessed.empty() && guessed != options.delimiter) {
    const std::string shown = guessed == "\t" ? "\\t" : std::string(guessed);
    return refuse(fmt::format("its columns seem to be separated by '{0}': say --delimiter '{0}'", shown));
  }
  const bool is_row = !header.text.empty() && std::isdigit(static_cast<unsigned char>(header.text.front())) != 0;
  if (is_row)
    return refuse("it seems to be a job and not a header: name the file's columns with --columns JobID,Cluster,...");
  return refuse(kExportHint);
}

}  // namespace

const char* name_of(SacctColumn column) {
  return kNames[static_cast<std::size_t>(column)];
}

Result<SacctColumns> SacctColumns::parse(const Line& header, const Options& options) {
  const bool is_given = !options.columns.empty();
  SacctColumns columns;
  columns.delimiter_ = options.delimiter;
  const auto names = is_given ? split(options.columns, ",") : split(header.text, options.delimiter);
  std::string texts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    // --format=JobName%30 is a column JobName.
    const std::string_view name = names[i].substr(0, names[i].find('%'));
    const Kind kind = kind_of(name);
    columns.kinds_.push_back(kind);
    if (kind == Kind::text) texts += (texts.empty() ? "" : ", ") + printable(name);
    if (kind == Kind::text || (kind == Kind::tres && options.delimiter == ",")) columns.texts_.push_back(i);
    const auto used =
        std::find_if(kNames.begin(), kNames.end(), [name](const char* known) { return same_name(known, name); });
    if (used == kNames.end()) continue;
    auto& index = columns.used_[static_cast<std::size_t>(used - kNames.begin())];
    if (index) return row_error(header.number, names[i], "it twice", "each column once", "export it once");
    index = i;
  }
  for (const SacctColumn needed : {SacctColumn::job_id, SacctColumn::state, SacctColumn::start, SacctColumn::end,
                                   SacctColumn::account, SacctColumn::alloc_tres}) {
    const bool is_there =
        columns.has(needed) || (needed == SacctColumn::alloc_tres && columns.has(SacctColumn::alloc_cpus));
    if (!is_there) return missing(header, options, needed);
  }
  if (!texts.empty() && !options.trusts_text) {
    return row_error(
        header.number, is_given ? "--columns" : "header", texts,
        "columns in which nobody can write a line end, which would make rows of other people's usage",
        fmt::format("export again without {}, or as sacct --json; --trust-text takes them, if you know that no "
                    "text holds a line end",
                    texts));
  }
  return columns;
}

std::string_view SacctColumns::last(std::string_view line) const {
  const std::size_t at = line.rfind(delimiter_);
  return at == std::string_view::npos ? line : line.substr(at + delimiter_.size());
}

bool SacctColumns::is_short(std::string_view line) const {
  std::size_t fields = 1;
  for (std::size_t at = line.find(delimiter_); at != std::string_view::npos; at = line.find(delimiter_, at)) {
    ++fields;
    at += delimiter_.size();
  }
  return fields < kinds_.size();
}

bool SacctColumns::is_header(const SacctFields& fields) const {
  for (const SacctColumn column : {SacctColumn::job_id, SacctColumn::state, SacctColumn::start, SacctColumn::account}) {
    if (fields[column] != name_of(column)) return false;
  }
  return true;
}

std::string_view SacctColumns::job_id_before_text(std::string_view line) const {
  const std::size_t at = *index(SacctColumn::job_id);
  if (!texts_.empty() && texts_.front() < at) return {};
  const auto parts = split(line, delimiter_);
  return at < parts.size() ? parts[at] : std::string_view();
}

bool SacctColumns::is_used(std::size_t column) const {
  return std::find(used_.begin(), used_.end(), std::optional(column)) != used_.end();
}

std::optional<SacctFields> SacctColumns::fit(const std::vector<std::string_view>& parts,
                                             const std::vector<std::size_t>& extra, Judged judged) const {
  SacctFields fields;
  std::size_t part = 0;
  for (std::size_t column = 0; column < kinds_.size(); ++column) {
    const std::string_view last = parts[part + extra[column]];
    const std::string_view value(parts[part].data(),
                                 static_cast<std::size_t>(last.data() + last.size() - parts[part].data()));
    if ((judged == Judged::all || is_used(column)) && !can_hold(kinds_[column], value)) return std::nullopt;
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (used_[i] == column) fields.values[i] = value;
    }
    part += 1 + extra[column];
  }
  return fields;
}

// Every way to spread the extra parts over the columns that may have more than one: all on the last one first, then as
// an odometer.
SacctColumns::Found SacctColumns::find(const std::vector<std::string_view>& parts, Judged judged) const {
  std::vector<std::size_t> extra(kinds_.size(), 0);
  Found found;
  const auto try_from = [&](const auto& self, std::size_t text, std::size_t left) -> bool {
    if (text + 1 == texts_.size()) {
      extra[texts_[text]] = left;
      const auto fitting = fit(parts, extra, judged);
      const bool differs = fitting && found.fields && fitting->values != found.fields->values;
      if (fitting) found.fields = fitting;
      return !differs;
    }
    for (std::size_t here = 0; here <= left; ++here) {
      extra[texts_[text]] = here;
      if (!self(self, text + 1, left - here)) return false;
    }
    return true;
  };
  found.is_clear = try_from(try_from, 0, parts.size() - kinds_.size());
  return found;
}

Result<SacctFields> SacctColumns::fields(const Line& line) const {
  const auto parts = split(line.text, delimiter_);
  const std::size_t width = kinds_.size();
  if (parts.size() == width) {
    SacctFields fields;
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (used_[i]) fields.values[i] = parts[*used_[i]];
    }
    return fields;
  }
  GRANARY_CHECK(parts.size() > width, "fields() of a row that is short");
  const std::string expected = fmt::format("{} fields, got {}", width, parts.size());
  if (texts_.empty() || ways(parts.size() - width, texts_.size()) > kWaysMax) {
    return row_error(line.number, "row", line.text, expected, kAmbiguousHint);
  }
  // The field of a column that is not used tells columns apart, and is not judged if it tells nothing.
  Found found = find(parts, Judged::all);
  if (!found.fields) found = find(parts, Judged::used);
  if (found.is_clear && found.fields) return *found.fields;
  return row_error(line.number, "row", line.text, expected + (found.fields ? ", which can be read in two ways" : ""),
                   kAmbiguousHint);
}

}  // namespace granary::import
