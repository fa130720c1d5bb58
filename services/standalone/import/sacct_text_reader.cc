// `sacct --parsable2`: a header of column names, then a row a job or step, separated by '|'; times are local to the
// cluster's clock and say no zone, so --time-zone does.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "services/standalone/import/formats.h"
#include "services/standalone/import/sacct_columns.h"
#include "services/standalone/import/slurm_job.h"
#include "services/standalone/import/text.h"
#include "services/standalone/import/time_zone.h"

namespace granary::import {
namespace {

constexpr const char* kHint = "export with sacct --parsable2 and import that file as it is";

bool is_step(std::string_view job_id) {
  return job_id.find('.') != std::string_view::npos;
}

// Takes digits off the front; false where there are none.
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
  const auto parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  std::int64_t seconds = days * 24;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto number = parse_integer(parts[i]);
    if (!number || *number < 0 || *number > 100'000) return std::nullopt;
    seconds = i == 0 ? seconds + *number : seconds * 60 + *number;
  }
  return seconds;
}

class SacctTextReader {
 public:
  SacctTextReader(const Options& options, RowSink& sink, const TimeZone& zone)
      : options_(options), emitter_(options, sink), zone_(zone) {}

  Result<Summary> read(Input& input) {
    GRANARY_TRY(expect_text(input, "sacct"));
    Line line;
    auto more = read_line(input, line);
    if (!more.ok()) return more.error();
    const auto columns = SacctColumns::parse(line);
    if (!columns.ok()) return columns.error();
    columns_ = *columns;
    while ((more = read_line(input, line)).ok() && *more) {
      if (line.text.empty()) continue;
      if (is_cut(line, input)) {
        emitter_.summary.truncated = true;
      } else {
        GRANARY_TRY(row(line));
      }
    }
    if (!more.ok()) return more.error();
    emitter_.summary.truncated |= input.truncated();
    return emitter_.summary;
  }

 private:
  // sacct ends each row with a line end. Without one, a last column whose value could be longer cannot be trusted.
  bool is_cut(const Line& line, const Input& input) const {
    if (line.terminated) return false;
    if (input.truncated() || columns_->is_short(line.text)) return true;
    const std::string_view last = std::string_view(line.text).substr(line.text.rfind('|') + 1);
    if (columns_->is_last(SacctColumn::state)) return !is_slurm_state(last.substr(0, last.find(' ')));
    if (columns_->is_last(SacctColumn::start) || columns_->is_last(SacctColumn::end)) {
      return last.empty() || (!is_unknown_time(last) && !parse_local_time(last));
    }
    for (std::size_t i = 0; i < kSacctColumns; ++i) {
      if (columns_->is_last(static_cast<SacctColumn>(i))) return true;
    }
    return false;
  }

  Result<void> row(const Line& line) {
    if (is_step(columns_->job_id_before_text(line.text))) return ++emitter_.summary.steps, Result<void>();
    if (columns_->is_short(line.text)) {
      return row_error(
          line.number, "row", line.text, "as many fields as the header has",
          "a name or command with a line end breaks a row: export without JobName, SubmitLine and Comment, "
          "or as sacct --json");
    }
    const auto split_line = columns_->fields(line);
    if (!split_line.ok()) return split_line.error();
    const SacctFields& fields = *split_line;
    if (is_step(fields[SacctColumn::job_id])) return ++emitter_.summary.steps, Result<void>();
    const auto refuse = [&](SacctColumn column, std::string_view expected, std::string_view hint = kHint) {
      return row_error(line.number, name_of(column), fields[column], expected, hint);
    };
    if (!is_allocation_id(fields[SacctColumn::job_id])) return refuse(SacctColumn::job_id, "a job's number");
    SlurmJob job;
    job.label = fields[SacctColumn::job_id];
    const std::string_view state = fields[SacctColumn::state];
    job.states.emplace_back(state.substr(0, state.find(' ')));  // "CANCELLED by 1000" is CANCELLED
    if (!is_slurm_state(job.states[0])) return refuse(SacctColumn::state, "a state of Slurm");
    GRANARY_TRY(times(line, fields, job));
    if (!job.tres.add_text(fields[SacctColumn::alloc_tres])) {
      return refuse(SacctColumn::alloc_tres, "resources such as cpu=4,gres/gpu:a100=1,mem=16G,node=1");
    }
    // A job that was cancelled before it began shows the CPUs that it asked for, and one instant as start and end.
    const bool may_have_run = fields[SacctColumn::start] != fields[SacctColumn::end];
    if (may_have_run && fields[SacctColumn::alloc_tres].empty() && !fields[SacctColumn::alloc_cpus].empty()) {
      const auto cpus = parse_integer(fields[SacctColumn::alloc_cpus]);
      if (!cpus) return refuse(SacctColumn::alloc_cpus, "an integer");
      job.tres.add("cpu", "", *cpus);
    }
    job.row.line = line.number;
    job.row.group = fields[SacctColumn::group];
    job.row.user = fields[SacctColumn::user];
    job.row.account = fields[SacctColumn::account];
    job.row.cluster = fields[SacctColumn::cluster];
    job.row.qos = fields[SacctColumn::qos];
    job.row.partition = fields[SacctColumn::partition];
    job.row.reservation = fields[SacctColumn::reservation];
    return emit_job(emitter_, options_, job);
  }

  // The instants that a column can mean; both empty where the time is not known.
  Result<Instants> instants(const Line& line, const SacctFields& fields, SacctColumn column) {
    const std::string_view text = fields[column];
    if (is_unknown_time(text)) return Instants{};
    const auto local = parse_local_time(text);
    if (!local) return row_error(line.number, name_of(column), text, "a time such as 2026-10-31T23:30:00", kHint);
    const Instants instants = zone_.instants(*local);
    if (!instants.earliest) {
      return row_error(line.number, name_of(column), text, "a time that " + options_.time_zone + " has",
                       "its clocks jumped over this one: name the cluster's zone with --time-zone");
    }
    if (instants.is_ambiguous()) ++emitter_.summary.ambiguous_times;
    return instants;
  }

  Result<void> times(const Line& line, const SacctFields& fields, SlurmJob& job) {
    const auto starts = instants(line, fields, SacctColumn::start);
    if (!starts.ok()) return starts.error();
    const auto ends = instants(line, fields, SacctColumn::end);
    if (!ends.ok()) return ends.error();
    job.start_s = starts->earliest.value_or(0);
    job.end_s = ends->earliest.value_or(0);
    const auto submit = parse_local_time(fields[SacctColumn::submit]);
    job.submit_s = submit ? zone_.instants(*submit).earliest.value_or(0) : 0;
    if (!starts->earliest || !ends->earliest || (!starts->is_ambiguous() && !ends->is_ambiguous())) return {};
    const auto raw = parse_integer(fields[SacctColumn::elapsed_raw]);
    const auto elapsed = raw ? raw : parse_elapsed(fields[SacctColumn::elapsed]);
    if (job.end_s < job.start_s) job.end_s = *ends->latest;
    for (const std::int64_t start : {*starts->earliest, *starts->latest}) {
      for (const std::int64_t end : {*ends->earliest, *ends->latest}) {
        if (end - start != elapsed) continue;
        job.start_s = start;
        job.end_s = end;
        return {};
      }
    }
    return {};
  }

  const Options& options_;
  Emitter emitter_;
  const TimeZone& zone_;
  std::optional<SacctColumns> columns_;
};

}  // namespace

Result<Summary> read_sacct_text(Input& input, const Options& options, RowSink& sink) {
  const auto zone = TimeZone::find(options.time_zone);
  if (!zone.ok()) return zone.error();
  return SacctTextReader(options, sink, *zone).read(input);
}

}  // namespace granary::import
