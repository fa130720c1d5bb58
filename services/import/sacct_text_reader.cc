// `sacct --parsable2`: a header of column names, then a row a job or step, separated by '|'; times are local to the
// cluster's clock and say no zone, so --time-zone does, unless the export was told to write another form.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "services/import/formats.h"

#include <fmt/format.h>
#include "services/import/sacct_columns.h"
#include "services/import/slurm_job.h"
#include "services/import/text.h"
#include "services/import/time_zone.h"
#include "shared/json/utf8.h"

namespace granary::import {
namespace {

constexpr const char* kHint = "export with sacct --parsable2 and import that file as it is";

constexpr std::int64_t kSecondsOfNoTime = 2 * 86400;

bool is_step(std::string_view job_id) {
  return job_id.find('.') != std::string_view::npos;
}

// Takes digits off the front; false if there are none.
bool take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end > 0;
}

// "81234", "81234_7", "81234_[8-20]" (tasks that wait), "81234+1".
bool is_allocation_id(std::string_view text) {
  if (!take_digits(text)) return false;
  if (text.starts_with("_[")) return text.ends_with(']');
  if (text.starts_with('_')) {
    text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

bool is_unknown_time(std::string_view text) {
  return text.empty() || text == "Unknown" || text == "None" || text == "N/A";
}

// Seconds of "[days-]hours:minutes:seconds"; nullopt for another form.
std::optional<std::int64_t> parse_elapsed(std::string_view text) {
  std::int64_t days = 0;
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) {
    const auto number = parse_integer(text.substr(0, dash));
    if (!number || *number < 0 || *number > 1'000'000) return std::nullopt;
    days = *number;
    text.remove_prefix(dash + 1);
  }
  const auto parts = split(text, ":");
  if (parts.size() != 3) return std::nullopt;
  std::int64_t seconds = days * 24;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = parse_integer(parts[i]);
    if (!number || *number < 0 || *number > 100'000) return std::nullopt;
    seconds = i == 0 ? seconds + *number : seconds * 60 + *number;
  }
  return seconds;
}

constexpr SlurmFieldNames kFieldNames{"Account", "Start", "End", "Elapsed", "AllocTRES"};

class SacctTextReader {
 public:
  SacctTextReader(const Options& options, RowSink& sink, std::optional<TimeZone> zone)
      : options_(options), jobs_(options, sink), zone_(zone) {}

  Result<Summary> read(Input& input) {
    GRANARY_TRY(expect_text(input, "sacct"));
    Line line;
    line.number = 1;
    if (options_.columns.empty()) {
      const auto header = read_line(input, line);
      if (!header.ok()) return header.error();
    }
    const auto columns = SacctColumns::parse(line, options_);
    if (!columns.ok()) return columns.error();
    columns_ = *columns;
    GRANARY_TRY(tell_what_is_missing());
    auto more = read_line(input, line);
    for (; more.ok() && *more; more = read_line(input, line)) {
      if (line.text.empty()) continue;
      if (is_cut(line, input)) {
        jobs_.summary().truncated = true;
      } else {
        GRANARY_TRY(row(line));
      }
    }
    if (!more.ok()) return more.error();
    jobs_.summary().truncated |= input.truncated();
    return jobs_.finish();
  }

 private:
  // Columns without which some use is not seen.
  Result<void> tell_what_is_missing() {
    const auto tell = [&](SacctColumn column, const char* detail) {
      return jobs_.tell(Fate::noted, {1, "", name_of(column), "column_missing", detail});
    };
    if (!columns_->has(SacctColumn::alloc_tres)) {
      GRANARY_TRY(tell(SacctColumn::alloc_tres, columns_->has(SacctColumn::alloc_gres)
                                                    ? "without it memory and nodes are not seen"
                                                    : "without it GPUs, memory and nodes are not seen"));
    }
    const bool knows_elapsed = columns_->has(SacctColumn::elapsed) || columns_->has(SacctColumn::elapsed_raw) ||
                               columns_->has(SacctColumn::suspended);
    if (!knows_elapsed) {
      GRANARY_TRY(tell(SacctColumn::elapsed_raw, "without it time in which a job was suspended counts as run"));
    }
    return {};
  }

  // Of a job's sizes, the first time that one shows up.
  Result<void> tell_if_sizes_need_submit(const UsageRow& row) {
    if (has_told_of_sizes_ || columns_->has(SacctColumn::submit)) return {};
    has_told_of_sizes_ = true;
    return jobs_.tell(Fate::noted, {row.line, row.job, name_of(SacctColumn::submit), "column_missing",
                                    "sizes of a resized job are told apart only within one file: export Submit too"});
  }

  // sacct ends each row with a line end. Without one, a last column whose value could be longer cannot be trusted.
  bool is_cut(const Line& line, const Input& input) const {
    if (line.terminated) return false;
    if (input.truncated() || columns_->is_short(line.text)) return true;
    const std::string_view last = columns_->last(line.text);
    if (columns_->is_last(SacctColumn::state)) return !is_slurm_state(last.substr(0, last.find(' ')));
    if (columns_->is_last(SacctColumn::start) || columns_->is_last(SacctColumn::end)) {
      if (last.empty()) return true;
      const auto time = parse_written_time(last);
      return time ? !time->has_clock : !is_unknown_time(last);  // of Unix seconds digits may be missing
    }
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (columns_->is_last(static_cast<SacctColumn>(i))) return true;
    }
    return false;
  }

  Result<void> row(const Line& line) {
    Summary& summary = jobs_.summary();
    if (is_step(columns_->job_id_before_text(line.text))) return ++summary.steps, Result<void>();
    if (columns_->is_short(line.text)) {
      return row_error(
          line.number, "row", line.text, "as many fields as the header has",
          "a name or command with a line end breaks a row: export without JobName, SubmitLine and Comment, "
          "or as sacct --json");
    }
    const auto split_line = columns_->fields(line);
    if (!split_line.ok()) return split_line.error();
    const SacctFields& fields = *split_line;
    if (is_step(fields[SacctColumn::job_id])) return ++summary.steps, Result<void>();
    if (columns_->is_header(fields)) return {};
    const auto refuse = [&](SacctColumn column, std::string_view expected, std::string_view hint = kHint) {
      return row_error(line.number, name_of(column), fields[column], expected, hint);
    };
    if (!is_allocation_id(fields[SacctColumn::job_id])) return refuse(SacctColumn::job_id, "a job's number");
    for (const SacctColumn column : {SacctColumn::account, SacctColumn::cluster, SacctColumn::qos,
                                     SacctColumn::partition, SacctColumn::reservation, SacctColumn::alloc_tres}) {
      if (json::is_utf8(fields[column])) continue;
      return jobs_.tell(Fate::refused, {line.number, std::string(fields[SacctColumn::job_id]), name_of(column),
                                        "not_utf8", fmt::format("'{}' is not UTF-8", printable(fields[column]))});
    }
    SlurmJob job;
    job.names = &kFieldNames;
    job.row.line = line.number;
    job.row.job = fields[SacctColumn::job_id];
    const std::string_view state = fields[SacctColumn::state];
    job.states.emplace_back(state.substr(0, state.find(' ')));  // "CANCELLED by 1000" is CANCELLED
    if (!is_slurm_state(job.states[0])) return refuse(SacctColumn::state, "a state of Slurm");
    if (job.states[0] == "RESIZING") GRANARY_TRY(tell_if_sizes_need_submit(job.row));
    GRANARY_TRY(times(line, fields, job));
    if (!job.tres.add_text(fields[SacctColumn::alloc_tres])) {
      return refuse(SacctColumn::alloc_tres, "resources such as cpu=4,gres/gpu:a100=1,mem=16G,node=1");
    }
    if (!job.tres.has_gpus() && !job.tres.add_gres_text(fields[SacctColumn::alloc_gres])) {
      return refuse(SacctColumn::alloc_gres, "resources such as gpu:2 or gpu:a100:2");
    }
    // A job that was cancelled before it began shows the CPUs that it asked for, and one instant as start and end.
    const bool may_have_run = fields[SacctColumn::start] != fields[SacctColumn::end];
    if (may_have_run && fields[SacctColumn::alloc_tres].empty() && !fields[SacctColumn::alloc_cpus].empty()) {
      const auto cpus = parse_count(fields[SacctColumn::alloc_cpus]);
      if (!cpus) return refuse(SacctColumn::alloc_cpus, "a whole number");
      job.tres.add("cpu", "", cpus->value);
    }
    job.row.group = fields[SacctColumn::group];
    job.row.user = fields[SacctColumn::user];
    job.row.account = fields[SacctColumn::account];
    job.row.cluster = fields[SacctColumn::cluster];
    job.row.qos = fields[SacctColumn::qos];
    job.row.partition = fields[SacctColumn::partition];
    job.row.advance_reservation = fields[SacctColumn::reservation];
    return jobs_.take(job);
  }

  // The instants that a column can mean, and whether its clock shows midnight; nothing if the time is not known.
  struct Times {
    Instants instants;
    bool is_midnight = false;
  };
  Result<Times> instants(const Line& line, const SacctFields& fields, SacctColumn column) {
    const std::string_view text = fields[column];
    const auto refuse = [&](const std::string& expected, const char* hint) {
      return row_error(line.number, name_of(column), text, expected, hint);
    };
    if (is_unknown_time(text)) return Times{};
    const auto time = parse_written_time(text);
    if (!time) return refuse("a time such as 2026-10-31T23:30:00", kHint);
    // "1970-01-01T01:00:00" is the second 0, which is no time, on some clock.
    if (time->seconds < kSecondsOfNoTime) return Times{};
    if (!time->is_local) return Times{{time->seconds, time->seconds}, time->is_midnight};
    ++jobs_.summary().local_times;
    if (!zone_) {
      return refuse("a time with its zone",
                    "sacct writes times of the cluster's clock without a zone: say which one with --time-zone, for "
                    "instance Europe/Paris or UTC");
    }
    const Instants instants = zone_->instants(time->seconds);
    if (!instants.earliest) {
      return refuse(fmt::format("a time that {} has", options_.time_zone),
                    "its clocks jumped over this one: name the cluster's zone with --time-zone");
    }
    return Times{instants, time->is_midnight};
  }

  // Of a time that only says whether something was before the start.
  std::int64_t earliest_s(std::string_view text) const {
    const auto time = parse_written_time(text);
    if (!time || time->seconds < kSecondsOfNoTime) return 0;
    if (!time->is_local) return time->seconds;
    return zone_ ? zone_->instants(time->seconds).earliest.value_or(0) : 0;
  }

  Result<void> times(const Line& line, const SacctFields& fields, SlurmJob& job) {
    const auto start = instants(line, fields, SacctColumn::start);
    if (!start.ok()) return start.error();
    const auto end = instants(line, fields, SacctColumn::end);
    if (!end.ok()) return end.error();
    const Instants& starts = start->instants;
    const Instants& ends = end->instants;
    job.starts_at_midnight = start->is_midnight;
    job.ends_at_midnight = end->is_midnight;
    job.start_s = starts.earliest.value_or(0);
    job.end_s = ends.earliest.value_or(0);
    job.submit_s = earliest_s(fields[SacctColumn::submit]);
    job.eligible_s = earliest_s(fields[SacctColumn::eligible]);
    const auto raw = parse_integer(fields[SacctColumn::elapsed_raw]);
    job.elapsed_s = duration(raw ? raw : parse_elapsed(fields[SacctColumn::elapsed]));
    job.suspended_s = duration(parse_elapsed(fields[SacctColumn::suspended]));
    if (!starts.earliest || !ends.earliest || (!starts.is_ambiguous() && !ends.is_ambiguous())) return {};
    if (job.end_s < job.start_s) job.end_s = *ends.latest;
    // The elapsed time tells which of two instants was meant; it leaves suspended time out.
    const std::int64_t suspended = job.suspended_s.value_or(0);
    for (const std::int64_t start_s : {*starts.earliest, *starts.latest}) {
      for (const std::int64_t end_s : {*ends.earliest, *ends.latest}) {
        if (!job.elapsed_s || end_s - start_s != *job.elapsed_s + suspended) continue;
        job.start_s = start_s;
        job.end_s = end_s;
        return {};
      }
    }
    const SacctColumn column = starts.is_ambiguous() ? SacctColumn::start : SacctColumn::end;
    return jobs_.tell(Fate::noted,
                      {line.number, job.row.job, name_of(column), "ambiguous_time",
                       fmt::format("clocks were set back over '{}' and the elapsed time does not say which one it is: "
                                   "the first is taken",
                                   printable(fields[column]))});
  }

  static std::optional<std::int64_t> duration(std::optional<std::int64_t> seconds) {
    return seconds && *seconds >= 0 && *seconds <= kSecondsMax ? seconds : std::nullopt;
  }

  const Options& options_;
  SlurmJobs jobs_;
  std::optional<TimeZone> zone_;
  std::optional<SacctColumns> columns_;
  bool has_told_of_sizes_ = false;
};

}  // namespace

Result<Summary> read_sacct_text(Input& input, const Options& options, RowSink& sink) {
  std::optional<TimeZone> zone;
  if (!options.time_zone.empty()) {
    const auto found = TimeZone::find(options.time_zone);
    if (!found.ok()) return found.error();
    zone = *found;
  }
  return SacctTextReader(options, sink, zone).read(input);
}

}  // namespace granary::import
