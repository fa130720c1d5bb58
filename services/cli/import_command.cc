// `granary import`: reads a workload file twice to check all of it, first on its own, then by the ledger's rules, and a
// third time to post it as CloudEvents through the server's door. Exit codes: 0 every row answered, 1 stopped in the
// middle (the server stayed away; run it again), 2 usage, 3 refused before any usage was posted, or the summary could
// not be written, 4 with --strict: a row was refused, 5 the input is cut short (its whole rows are posted, the source
// is not stated complete).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include "services/cli/command.h"
#include "services/cli/import_award.h"
#include "services/cli/import_events.h"
#include "services/cli/import_report.h"
#include "services/cli/import_rules.h"
#include "services/cli/import_sources.h"
#include "services/cli/poster.h"
#include "services/cli/question.h"
#include "services/import/input.h"
#include "services/import/reader.h"
#include "services/import/time_zone.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::cli {
namespace {

struct ImportArguments {
  ClientOptions client;
  std::string file, format, cluster, project_from, project_prefix, shift_end_to, epoch, time_zone, columns,
      complete_through, award_all;
  std::string delimiter = "|";
  int retry_for_s = 600;
  bool trust_text = false;
  bool dry_run = false;
  bool strict = false;
  bool again = false;
  bool whole_jobs = false;
};

using import::Fate;
using units::Instant;

constexpr int kStopped = 1, kUsage = 2, kNothingPosted = 3, kSomeRefused = 4, kTruncated = 5;

int complain(int code, const std::string& message) {
  service::complain(message);
  return code;
}

// What the first pass learns beside the summary; that it ends says that every row is a row.
class Survey final : public import::RowSink {
 public:
  Result<void> on_row(const import::UsageRow& row) override {
    if (!row.cluster.empty()) clusters.insert({row.recorded_cluster, row.cluster});
    instants = (instants * 31 + static_cast<std::uint64_t>(row.start_ms)) * 31 + static_cast<std::uint64_t>(row.end_ms);
    return {};
  }
  Result<void> on_remark(Fate, const import::Remark&) override { return {}; }

  std::set<ClusterNames> clusters;
  std::uint64_t instants = 0;  // of all usages in one number: two ways to read the file that agree on it are one
};

// A bar on a terminal, nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1 && total > 0) {}
  ~Progress() {
    if (shown_) std::fputc('\n', stderr);
  }
  void show(std::uint64_t done) const {
    if (!shown_) return;
    // A file that has grown since it was surveyed has more rows.
    const auto filled = static_cast<std::size_t>(std::min<std::uint64_t>(40, 40 * done / total_));
    std::fprintf(stderr, "\r[%s%s] %llu of %llu", std::string(filled, '#').c_str(),
                 std::string(40 - filled, ' ').c_str(), static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(total_));
  }

 private:
  std::uint64_t total_;
  bool shown_;
};

// The third pass.
class Sender final : public import::RowSink {
 public:
  Sender(Poster& poster, const import::Options& options, std::uint64_t total, bool keeps_all)
      : remarks(keeps_all), poster_(poster), options_(options), progress_(total) {}
  Result<void> on_row(const import::UsageRow& row) override {
    ++sources[row.source];
    progress_.show(++sent_);
    return poster_.add({row.line, row.job}, usage_event(row, options_));
  }
  Result<void> on_remark(Fate fate, const import::Remark& remark) override {
    remarks.add(fate, remark);
    return {};
  }
  std::map<std::string, std::uint64_t> sources;  // and their rows
  Remarks remarks;

 private:
  Poster& poster_;
  const import::Options& options_;
  Progress progress_;
  std::uint64_t sent_ = 0;
};

Result<import::Summary> read_file(const std::string& path, const import::Options& options, import::RowSink& sink) {
  auto input = import::Input::open(path);
  if (!input.ok()) return input.error();
  return import::read(*input, options, sink);
}

Result<std::int64_t> parse_flag(const char* flag, const std::string& text) {
  const auto parsed = units::parse_time(text);
  if (parsed.trouble != units::TimeTrouble::none)
    return Error{ErrorCode::invalid_input,
                 std::string(flag) + ": expected a time with a zone, got \"" + text + "\"; hint: 2026-10-31T23:30:00Z"};
  return parsed.at.ms();
}

Result<import::Options> options_of(const ImportArguments& arguments) {
  import::Options options;
  options.format = *import::format_named(arguments.format);
  if (!arguments.project_from.empty()) options.project_from = import::project_from_named(arguments.project_from);
  options.project_prefix = arguments.project_prefix;
  options.cluster = arguments.cluster;
  options.time_zone = arguments.time_zone;
  options.delimiter = arguments.delimiter == "\\t" ? "\t" : arguments.delimiter;
  options.columns = arguments.columns;
  options.trusts_text = arguments.trust_text;
  for (const auto& [flag, text, target] :
       {std::tuple{"--epoch", &arguments.epoch, &options.epoch_ms},
        std::tuple{"--shift-end-to", &arguments.shift_end_to, &options.shift_end_to_ms}}) {
    if (text->empty()) continue;
    const auto at = parse_flag(flag, *text);
    if (!at.ok()) return at.error();
    *target = *at;
  }
  GRANARY_TRY(import::check(options));
  if (!options.time_zone.empty())
    if (const auto zone = import::TimeZone::find(options.time_zone); !zone.ok()) return zone.error();
  return options;
}

// An import, step by step. Each step that ends it gives the exit code.
class Import {
 public:
  Import(const ClientOptions& client, const ImportArguments& arguments) : client_(client), arguments_(arguments) {}

  int run() {
    if (const auto code = check_arguments()) return *code;
    if (const auto code = survey_file()) return *code;
    auto api = Api::connect(client_.url);
    if (!api.ok()) return complain(kUsage, api.error().message);
    if (const auto code = judge(*api)) return *code;
    if (arguments_.dry_run) return tell_dry_run();
    return post(*api);
  }

 private:
  using Code = std::optional<int>;

  Code check_arguments() {
    auto options = options_of(arguments_);
    if (!options.ok()) return complain(kUsage, options.error().message);
    options_ = std::move(*options);
    if (!arguments_.award_all.empty()) {
      const auto hours = units::parse_decimal(arguments_.award_all, 3);
      if (hours.trouble != units::DecimalTrouble::none || hours.scaled <= 0)
        return complain(kUsage, "--award-all: expected hours above 0 with at most 3 decimals, got \"" +
                                    arguments_.award_all + "\"");
    }
    if (!arguments_.complete_through.empty()) {
      const auto at = parse_flag("--complete-through", arguments_.complete_through);
      if (!at.ok()) return complain(kUsage, at.error().message);
      complete_through_ = *at;
    }
    return std::nullopt;
  }

  Code survey_file() {
    const auto sha256 = import::sha256_of_content(arguments_.file);
    if (!sha256.ok()) return complain(kNothingPosted, sha256.error().message);
    options_.file_sha256 = *sha256;
    auto summary = read_file(arguments_.file, options_, survey_);
    if (!summary.ok()) return complain(kNothingPosted, arguments_.file + ": " + summary.error().message);
    if (const auto refused = refusal_of_clusters()) return complain(kNothingPosted, *refused);
    resizes_ = std::move(summary->resizes);
    options_.resizes = &resizes_;
    if (options_.shift_end_to_ms && summary->end_ms_max)
      options_.shift_ms = *options_.shift_end_to_ms - *summary->end_ms_max;
    if (summary->start_ms_min)
      starts_ = {Instant(*summary->start_ms_min + options_.shift_ms),
                 Instant(*summary->end_ms_max + options_.shift_ms)};
    if (summary->cut && !arguments_.whole_jobs)
      return complain(
          kNothingPosted,
          fmt::format("{}: line {}, job {}, field {}: expected whole jobs, got what sacct --truncate (-T) writes: {}. "
                      "Parts of jobs would count beside the whole ones; hint: export without --truncate, so that each "
                      "job has its own start and end; if these times are the jobs' own, say --whole-jobs",
                      arguments_.file, summary->cut->line, summary->cut->job, summary->cut->field,
                      summary->cut->detail));
    return std::nullopt;
  }

  // Two clusters' jobs of one number and start would be one under one name.
  [[nodiscard]] std::optional<std::string> refusal_of_clusters() const {
    if (options_.cluster.empty()) return std::nullopt;
    std::string names;
    std::size_t count = 0;
    for (const auto& [recorded, name] : survey_.clusters) {
      if (recorded.empty()) continue;
      names += (count++ == 0 ? "" : ", ") + recorded;
    }
    if (count < 2) return std::nullopt;
    return fmt::format(
        "{}: expected jobs of one cluster with --cluster {}, got those of {} ({}): their jobs of one number and start "
        "would count once; hint: import each cluster's export by itself (sacct --clusters NAME), or leave --cluster "
        "out",
        arguments_.file, options_.cluster, count, names);
  }

  Code judge(Api& api) {
    auto rules = LedgerRules::ask(api, starts_);
    if (!rules.ok()) return complain(kNothingPosted, rules.error().message);
    rules_ = std::move(*rules);
    judge_.emplace(rules_, options_, client_.json && arguments_.dry_run);
    auto summary = read_file(arguments_.file, options_, *judge_);
    if (!summary.ok()) return complain(kNothingPosted, arguments_.file + ": " + summary.error().message);
    summary_ = std::move(*summary);
    if (const auto refused = judge_->refusal(summary_)) return complain(kNothingPosted, *refused);
    return compare_with_earlier(api);
  }

  // Whether the file, or its cluster, was read in another way before, so that it would count twice.
  Code compare_with_earlier(Api& api) {
    auto earlier = EarlierImports::ask(api, options_, survey_.clusters, summary_.local_times > 0);
    if (!earlier.ok()) return complain(kNothingPosted, earlier.error().message);
    const auto refused = earlier->refusal([this](const std::string& zone) { return reads_the_same_in(zone); });
    if (!refused.ok()) return complain(kNothingPosted, refused.error().message);
    if (*refused && !arguments_.again) return complain(kNothingPosted, **refused);
    to_remember_ = earlier->to_remember();
    return std::nullopt;
  }

  // Whether the file comes to the same instants in another zone, as in UTC and Etc/UTC.
  Result<bool> reads_the_same_in(const std::string& zone) {
    import::Options options = options_;
    options.time_zone = zone;
    options.shift_ms = 0;
    options.resizes = nullptr;
    if (!import::TimeZone::find(zone).ok()) return false;
    Survey survey;
    const auto summary = read_file(arguments_.file, options, survey);
    return summary.ok() && survey.instants == survey_.instants;
  }

  int print(const std::string& text, int code) {
    std::fputs(text.c_str(), stdout);  // whoever runs the command checks that all of it is written
    return code;
  }

  int tell_dry_run() {
    const Remarks& remarks = judge_->remarks;
    if (client_.json)
      return print(fmt::format("{{\"rows\":{},\"usages\":{},\"steps\":{},\"projects\":{},\"truncated\":{},{}}}\n",
                               summary_.rows(), summary_.usages, summary_.steps, judge_->projects.size(),
                               summary_.truncated, remarks.json()),
                   kDone);
    return print(fmt::format("{} rows: {} usages of {} projects in {} classes; nothing was posted\n{}", summary_.rows(),
                             summary_.usages, judge_->projects.size(), judge_->classes.size(), remarks.lines()),
                 kDone);
  }

  int post(Api& api) {
    const std::int64_t retry_for_ms = std::int64_t{arguments_.retry_for_s} * 1000;
    std::string after = rules_.after;
    if (!arguments_.award_all.empty() && summary_.usages > 0) {
      auto awarded =
          award_all(api, {arguments_.award_all, options_.file_sha256, retry_for_ms}, after, *judge_, summary_);
      if (!awarded.ok()) return complain(kNothingPosted, awarded.error().message);
      if (!awarded->empty()) after = *awarded;
    }
    if (summary_.usages > 0)
      if (const auto remembered = remember(api, after, retry_for_ms); !remembered.ok())
        return complain(kNothingPosted, remembered.error().message);
    Poster poster(api, after, retry_for_ms);
    Sender sender(poster, options_, summary_.usages, client_.json);
    const auto sent = read_file(arguments_.file, options_, sender);
    auto posted = sent.ok() ? poster.flush() : Result<void>(sent.error());
    // The file's own source is complete with the file; a cluster only if somebody says so.
    const bool is_of_file = !import::source_prefix(options_).empty();
    if (posted.ok() && !sent->truncated && sent->end_ms_max && (is_of_file || complete_through_))
      posted = state_complete(api, poster, sender.sources, Instant(complete_through_.value_or(*sent->end_ms_max)),
                              retry_for_ms);
    if (!posted.ok())
      return complain(kStopped, posted.error().message + "; stopped after " + std::to_string(poster.answered) + " of " +
                                    std::to_string(summary_.usages) +
                                    " usages; hint: run the same command again, what stands counts once");
    for (const Refused& refused : poster.refused)
      sender.remarks.add(Fate::refused,
                         {refused.origin.line, refused.origin.job, refused.field, refused.reason, refused.hint});
    return tell(poster, sender.remarks, *sent);
  }

  int tell(const Poster& poster, const Remarks& remarks, const import::Summary& sent) {
    std::string text;
    if (client_.json) {
      text = fmt::format("{{\"rows\":{},\"steps\":{},\"accepted\":{},\"repeats\":{},\"waiting\":{},\"truncated\":{},{}",
                         sent.rows(), sent.steps, poster.accepted, poster.repeats, poster.waiting, sent.truncated,
                         remarks.json());
      if (const std::string token = poster.token(); !token.empty()) add_member(text, "after", token);
      text += "}\n";
    } else {
      const auto reasons = [&](Fate fate) {
        const std::string counts = remarks.by_reason(fate);
        return counts.empty() ? counts : " (" + counts + ")";
      };
      text = fmt::format("{} rows: {} accepted, {} repeats, {} waiting, {} refused{}, {} skipped{}\n{}", sent.rows(),
                         poster.accepted, poster.repeats, poster.waiting, remarks.count(Fate::refused),
                         reasons(Fate::refused), remarks.count(Fate::skipped), reasons(Fate::skipped), remarks.lines());
    }
    int code = arguments_.strict && remarks.count(Fate::refused) > 0 ? kSomeRefused : kDone;
    if (sent.truncated)
      code = complain(kTruncated,
                      arguments_.file + " is cut short; its whole rows are posted, the source is not stated complete");
    return print(text, code);
  }

  // Has the ledger remember how the file is read, before any of it counts.
  Result<void> remember(Api& api, const std::string& after, std::int64_t retry_for_ms) {
    Poster statements(api, after, retry_for_ms);
    for (const std::string& event : to_remember_) GRANARY_TRY(statements.add({}, event));
    GRANARY_TRY(statements.flush());
    tell_refused(statements, "how the file is read could not be remembered");
    return {};
  }

  // Says of each source that all that it has through `through` is here, once what was posted is folded. A statement
  // that the ledger refuses is told, but the usage stays.
  Result<void> state_complete(Api& api, Poster& posted, const std::map<std::string, std::uint64_t>& sources,
                              Instant through, std::int64_t retry_for_ms) {
    Poster statements(api, posted.token(), retry_for_ms);
    for (const auto& [source, records] : sources) {
      const std::string id = "complete/" + units::format_time(through) + "/" + options_.file_sha256;
      GRANARY_TRY(statements.add({}, stated_event(source, id, through, records)));
    }
    GRANARY_TRY(statements.flush());
    GRANARY_TRY(posted.cover(statements));
    tell_refused(statements, "a source could not be stated complete");
    return {};
  }

  static void tell_refused(const Poster& statements, const char* what) {
    for (const Refused& refused : statements.refused)
      service::complain(what + (": " + refused.reason) + "; hint: " + refused.hint);
  }

  const ClientOptions& client_;
  const ImportArguments& arguments_;
  import::Options options_;
  std::optional<std::int64_t> complete_through_;
  Survey survey_;
  import::Resizes resizes_;
  std::optional<units::Interval> starts_;  // holds the start of every usage
  LedgerRules rules_;
  std::optional<Judge> judge_;
  import::Summary summary_;
  std::vector<std::string> to_remember_;  // events
};

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<ImportArguments>();
  add_client_options(command, arguments->client);
  command.add_option("FILE", arguments->file, "Plain, gzip, or a zip of one member")->required();
  command.add_option("--format", arguments->format)
      ->required()
      ->check(CLI::IsMember({"swf", "openb", "sacct-json", "sacct"}));
  command.add_option("--cluster", arguments->cluster, "Slurm: the cluster's name");
  command.add_option("--project-from", arguments->project_from, "What names the project")
      ->check(CLI::IsMember({"group", "user", "account", "binding"}));
  command.add_option("--project-prefix", arguments->project_prefix, "Project names begin with it");
  command.add_option("--shift-end-to", arguments->shift_end_to, "Move the file so that its last job ends then");
  command.add_option("--epoch", arguments->epoch, "openb: the time of the file's second 0");
  command.add_option("--time-zone", arguments->time_zone,
                     "sacct text: the zone of its local times, an IANA name or UTC");
  command
      .add_option("--delimiter", arguments->delimiter,
                  "sacct text: what separates the fields, as sacct --delimiter; \\t is a tab")
      ->capture_default_str();
  command.add_option("--columns", arguments->columns,
                     "sacct text without a header: the names of its columns, separated by commas");
  command.add_flag(
      "--trust-text", arguments->trust_text,
      "sacct text: take columns that users write (JobName, SubmitLine, ...), in which a line end makes rows");
  command.add_option("--complete-through", arguments->complete_through, "State the sources complete through this time");
  command.add_option("--award-all", arguments->award_all,
                     "For trials: give each project HOURS of each class (bytes: GiB-hours)");
  command
      .add_option("--retry-for", arguments->retry_for_s,
                  "While the server is away: try again for SECONDS, with the same ids")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_flag("--dry-run", arguments->dry_run, "Check and count, post nothing");
  command.add_flag("--strict", arguments->strict, "Exit 4 if any row was refused");
  command.add_flag(
      "--again", arguments->again,
      "Import although it may count twice: the jobs came in under other options, in another time zone or as "
      "another cluster's");
  command.add_flag("--whole-jobs", arguments->whole_jobs,
                   "sacct: the file holds whole jobs, although some begin or end at midnight, as sacct --truncate "
                   "makes them");
  command.footer(
      "Examples:\n"
      "  granary import jobs.json --format sacct-json --project-prefix hpc\n"
      "  granary import jobs.psv --format sacct --time-zone Europe/Helsinki --cluster aif1\n"
      "  granary import NASA.swf.zip --format swf --project-prefix nasa --shift-end-to 2026-11-01T00:00:00Z "
      "--award-all 1000\n\n"
      "Slurm's text is best written by sacct --parsable2 --noconvert --duplicates --allusers --format=JobID,Cluster,\n"
      "Account,User,QOS,Partition,Reservation,State,Submit,Eligible,Start,End,ElapsedRaw,Suspended,AllocTRES: whole "
      "jobs,\n"
      "exact numbers, no text of users.\n\n"
      "Exit codes: 0 every row answered, 1 stopped in the middle (run it again), 2 usage, 3 refused before anything "
      "was posted, or the summary could not be written (run it again), 4 --strict and a row was refused, 5 the file is "
      "cut short.");
  return [arguments] { return Import(arguments->client, *arguments).run(); };
}

const Registered registered({Users::portals, "import",
                             "Read a workload file and post it as usage: checked as a whole first, repeatable",
                             declare});

}  // namespace
}  // namespace granary::cli
