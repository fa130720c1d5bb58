// Standard Workload Format 2.2 (Parallel Workloads Archive): one job a line, 18 fields between blanks, comments and
// header after ';'. Further fields are ignored.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "services/import/emit.h"
#include "services/import/formats.h"
#include "services/import/text.h"

namespace granary::import {
namespace {

constexpr std::size_t kFields = 18;
enum Field : std::size_t {
  kJob = 0,
  kSubmit = 1,
  kWait = 2,
  kRunTime = 3,
  kProcessors = 4,
  kProcessorsAsked = 7,
  kMemoryAsked = 9,
  kStatus = 10,
  kUser = 11,
  kGroup = 12,
};
constexpr std::array<const char*, kFields> kNames{
    "1 job number", "2 submit time",      "3 wait time",  "4 run time",      "5 processors",     "6 average CPU time",
    "7 memory",     "8 processors asked", "9 time asked", "10 memory asked", "11 status",        "12 user",
    "13 group",     "14 executable",      "15 queue",     "16 partition",    "17 preceding job", "18 think time"};
constexpr std::array<Field, 9> kUsed{kJob,    kSubmit, kWait, kRunTime, kProcessors, kProcessorsAsked,
                                     kStatus, kUser,   kGroup};
constexpr const char* kHint = "check that the file is whole and in the Standard Workload Format";

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return out;
    text.remove_prefix(from);
    const std::size_t to = text.find_first_of(" \t");
    out.push_back(text.substr(0, to));
    if (to == std::string_view::npos) return out;
    text.remove_prefix(to);
  }
}

std::string state_name(std::int64_t status) {
  switch (status) {
    case 0:
      return "FAILED";
    case 1:
      return "COMPLETED";
    case 5:
      return "CANCELLED";
    default:
      return "";
  }
}

class SwfReader {
 public:
  SwfReader(const Options& options, RowSink& sink)
      : emitter_(options, sink),
        source_(source_of(options, "")),
        namer_(options.project_from == ProjectFrom::user ? kUser : kGroup) {}

  Result<Summary> read(Input& input) {
    GRANARY_TRY(expect_text(input, "swf"));
    Line line;
    for (;;) {
      const auto more = read_line(input, line);
      if (!more.ok()) return more.error();
      if (!*more) break;
      GRANARY_TRY(take(line, input));
    }
    emitter_.summary.truncated |= input.truncated();
    return emitter_.summary;
  }

 private:
  Result<void> take(const Line& line, Input& input) {
    const std::size_t first = line.text.find_first_not_of(" \t");
    if (first == std::string::npos) return {};
    if (line.text[first] == ';') return header(line, std::string_view(line.text).substr(first + 1));
    const auto fields = words(line.text);
    // Without a line end the row may be cut; all that is used comes before the last field, so 18 are enough, except
    // if the archive says that more should follow.
    const bool is_cut = !line.terminated && (fields.size() < kFields || input.truncated());
    if (is_cut && emitter_.summary.rows() > 0) {
      emitter_.summary.truncated = true;
      return {};
    }
    return row(line.number, fields);
  }

  Result<void> header(const Line& line, std::string_view text) {
    const std::size_t colon = text.find(':');
    const auto name = words(text.substr(0, colon));
    if (colon == std::string_view::npos || name.size() != 1 || name[0] != "UnixStartTime") return {};
    const auto value = words(text.substr(colon + 1));
    const auto start = value.empty() ? std::nullopt : parse_integer(value[0]);
    if (!start || *start > kSecondsMax) {
      return row_error(line.number, "UnixStartTime", value.empty() ? "" : value[0], "seconds since 1970", kHint);
    }
    if (emitter_.summary.rows() > 0) {
      return row_error(line.number, "UnixStartTime", value[0], "it above the first job",
                       "the jobs before it would have another time; sort the file");
    }
    unix_start_ = std::max<std::int64_t>(0, *start);  // -1 is unknown
    return {};
  }

  Result<void> row(std::uint64_t line, const std::vector<std::string_view>& fields) {
    if (fields.size() < kFields) {
      return row_error(line, "row", fields[0], fmt::format("18 fields, got {}", fields.size()), kHint);
    }
    for (std::size_t i = 0; i < kFields; ++i) {
      if (!is_number(fields[i])) return row_error(line, kNames[i], fields[i], "a number (-1: unknown)", kHint);
    }
    std::array<std::int64_t, kFields> values{};
    for (const Field used : kUsed) {
      const auto value = parse_integer(fields[used]);
      if (!value || *value > kSecondsMax || *value < -kSecondsMax) {
        return row_error(line, kNames[used], fields[used], "an integer of at most 12 digits", kHint);
      }
      values[used] = *value;
    }
    const std::string_view memory = fields[kMemoryAsked];
    if (!has_told_memory_ && !memory.starts_with('-') && memory.find_first_of("123456789") != std::string_view::npos) {
      has_told_memory_ = true;
      GRANARY_TRY(emitter_.tell(Fate::noted,
                                {line, "", kNames[kMemoryAsked], "column_unmapped", "only processors are counted"}));
    }
    // Numbers grow in nearly every log. If one does not, it may come twice, so the line tells them apart.
    std::string id = std::to_string(values[kJob]);
    if (values[kJob] > job_max_) {
      job_max_ = values[kJob];
    } else {
      id += fmt::format("@{}", line);
    }
    return usage(line, std::move(id), values);
  }

  Result<void> usage(std::uint64_t line, std::string id, const std::array<std::int64_t, kFields>& values) {
    if (values[kRunTime] <= 0) {
      return emitter_.tell(Fate::skipped, {line, id, kNames[kRunTime], "no_run_time",
                                           fmt::format("the job ran {} s", values[kRunTime])});
    }
    const std::int64_t processors = values[kProcessors] > 0 ? values[kProcessors] : values[kProcessorsAsked];
    if (processors <= 0) {
      return emitter_.tell(Fate::skipped, {line, id, kNames[kProcessors], "no_processors",
                                           fmt::format("the job has processors {}, asked {}", values[kProcessors],
                                                       values[kProcessorsAsked])});
    }
    if (values[namer_] < 0) {
      return emitter_.tell(Fate::skipped, {line, id, kNames[namer_], namer_ == kUser ? "no_user" : "no_group",
                                           "it is not known, and would name the project (--project-from)"});
    }
    const std::int64_t start = unix_start_ + values[kSubmit] + std::max<std::int64_t>(0, values[kWait]);
    if (start > kSecondsMax || start + values[kRunTime] > kSecondsMax) {
      return row_error(line, kNames[kRunTime], std::to_string(values[kRunTime]), "an end before the year 10000", kHint);
    }
    UsageRow row;
    row.line = line;
    row.job = id;
    row.id = std::move(id);
    row.source = source_;
    row.group = std::to_string(values[kGroup]);
    row.user = std::to_string(values[kUser]);
    row.resources.push_back({"cpu", std::to_string(processors)});
    row.start_ms = start * 1000;
    row.end_ms = (start + values[kRunTime]) * 1000;
    row.state = state_name(values[kStatus]);
    return emitter_.row(row);
  }

  Emitter emitter_;
  std::string source_;
  Field namer_;  // what names the project
  std::int64_t unix_start_ = 0;
  bool has_told_memory_ = false;
  std::int64_t job_max_ = -kSecondsMax - 1;
};

}  // namespace

Result<Summary> read_swf(Input& input, const Options& options, RowSink& sink) {
  return SwfReader(options, sink).read(input);
}

}  // namespace granary::import
