// The pod list of Alibaba's cluster-trace-gpu-v2023: comma-separated, times in whole seconds from an instant that the
// file does not tell. Lines before the header that begin with '#' are comments.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "services/import/csv.h"
#include "services/import/emit.h"
#include "services/import/formats.h"
#include "services/import/text.h"
#include "shared/json/utf8.h"

namespace granary::import {
namespace {

enum Column : std::size_t { kName, kGpus, kGpuMilli, kQos, kCreated, kDeleted, kScheduled, kColumns };
constexpr std::array<const char*, kColumns> kNames{"name",          "num_gpu",       "gpu_milli",     "qos",
                                                   "creation_time", "deletion_time", "scheduled_time"};
constexpr const char* kHint = "check that the file is whole and a pod list of cluster-trace-gpu-v2023";

class OpenbReader {
 public:
  OpenbReader(const Options& options, RowSink& sink)
      : emitter_(options, sink), source_(source_of(options, "")), epoch_ms_(options.epoch_ms.value_or(0)) {}

  Result<Summary> read(Input& input) {
    GRANARY_TRY(expect_text(input, "openb"));
    GRANARY_TRY(header(input));
    CsvRecord record;
    for (;;) {
      const auto more = read_csv_record(input, record);
      if (!more.ok()) return more.error();
      if (!*more) break;
      if (is_cut(record, input)) {
        emitter_.summary.truncated = true;
      } else {
        GRANARY_TRY(row(record));
      }
    }
    emitter_.summary.truncated |= input.truncated();
    return emitter_.summary;
  }

 private:
  Result<void> header(Input& input) {
    Line comment;
    while (input.peek() == '#') {
      const auto more = read_line(input, comment);
      if (!more.ok()) return more.error();
    }
    CsvRecord record;
    const auto more = read_csv_record(input, record);
    if (!more.ok()) return more.error();
    width_ = record.fields.size();
    for (std::size_t column = 0; column < kColumns; ++column) {
      std::size_t found = width_;
      for (std::size_t i = 0; i < width_; ++i) {
        if (record.fields[i] != kNames[column]) continue;
        if (found != width_) return row_error(record.line, kNames[column], "it twice", "each column once", kHint);
        found = i;
      }
      if (found == width_) {
        return row_error(record.line, "header", record.fields.empty() ? "" : record.fields[0],
                         std::string("a column named ") + kNames[column], kHint);
      }
      at_[column] = found;
    }
    for (const char* unmapped : {"cpu_milli", "memory_mib"}) {
      if (std::find(record.fields.begin(), record.fields.end(), unmapped) == record.fields.end()) continue;
      GRANARY_TRY(emitter_.tell(Fate::noted, {record.line, "", unmapped, "column_unmapped", "only GPUs are counted"}));
    }
    return {};
  }

  // Whether the last record of the file was cut. A cut within the last number leaves a smaller one, or none: then a pod
  // that was deleted would have been scheduled before it was created, or never.
  bool is_cut(const CsvRecord& record, Input& input) const {
    if (record.terminated) return false;
    if (record.fields.size() < width_ || record.in_quotes || input.truncated()) return true;
    const auto created = parse_integer(record.fields[at_[kCreated]]);
    const auto scheduled = parse_integer(record.fields[at_[kScheduled]]);
    return at_[kScheduled] + 1 == width_ && created && (!scheduled || *scheduled < *created);
  }

  Result<void> row(const CsvRecord& record) {
    if (record.fields.size() != width_) {
      return row_error(record.line, "row", record.fields[0],
                       fmt::format("{} fields, got {}", width_, record.fields.size()), kHint);
    }
    const auto field = [&](Column column) -> const std::string& { return record.fields[at_[column]]; };
    const auto refuse = [&](Column column, const char* expected) {
      return row_error(record.line, kNames[column], field(column), expected, kHint);
    };
    const auto is_unset = [&](Column column) { return field(column).empty(); };
    const auto integer = [&](Column column) {
      return is_unset(column) ? std::int64_t{0} : parse_integer(field(column));
    };
    if (is_unset(kName)) return refuse(kName, "the pod's name");
    for (const Column column : {kDeleted, kScheduled}) {
      const auto seconds = integer(column);
      if (!seconds || *seconds < 0 || *seconds > kSecondsMax) return refuse(column, "whole seconds from 0, or nothing");
    }
    constexpr std::int64_t kGpusMax = 1'000'000;
    for (const Column column : {kGpus, kGpuMilli}) {
      const auto number = is_unset(column) ? std::nullopt : integer(column);
      if (!number || *number < 0 || *number > kGpusMax) return refuse(column, "an integer from 0 to 1000000");
    }
    const auto skip = [&](Column column, const char* reason, const std::string& detail) {
      return emitter_.tell(Fate::skipped, {record.line, field(kName), kNames[column], reason, detail});
    };
    if (is_unset(kScheduled)) return skip(kScheduled, "never_scheduled", "the pod has no scheduled_time");
    if (is_unset(kDeleted)) return skip(kDeleted, "still_running", "the pod has no deletion_time");
    const std::int64_t thousandths = *integer(kGpus) * *integer(kGpuMilli);
    if (thousandths == 0) {
      return skip(kGpus, "no_quantity",
                  fmt::format("the pod has num_gpu {}, gpu_milli {}", field(kGpus), field(kGpuMilli)));
    }
    if (is_unset(kQos)) return skip(kQos, "no_qos", "the pod has no class of service, which would name its project");
    for (const Column column : {kName, kQos}) {
      if (json::is_utf8(field(column))) continue;
      return emitter_.tell(Fate::refused, {record.line, printable(field(kName)), kNames[column], "not_utf8",
                                           fmt::format("'{}' is not UTF-8", printable(field(column)))});
    }
    UsageRow row;
    row.line = record.line;
    row.job = field(kName);
    row.id = field(kName);
    row.source = source_;
    row.qos = field(kQos);
    row.resources.push_back({"gpu", thousandths_text(thousandths)});
    row.start_ms = epoch_ms_ + *integer(kScheduled) * 1000;
    row.end_ms = epoch_ms_ + *integer(kDeleted) * 1000;
    return emitter_.row(row);
  }

  Emitter emitter_;
  std::string source_;
  std::int64_t epoch_ms_;
  std::size_t width_ = 0;
  std::array<std::size_t, kColumns> at_{};
};

}  // namespace

Result<Summary> read_openb(Input& input, const Options& options, RowSink& sink) {
  return OpenbReader(options, sink).read(input);
}

}  // namespace granary::import
