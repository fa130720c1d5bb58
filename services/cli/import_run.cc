#include "services/cli/import_run.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "services/cli/import_passes.h"
#include "services/cli/import_posting.h"
#include "services/cli/import_rules.h"
#include "services/cli/import_sources.h"
#include "services/cli/import_summary.h"
#include "services/import/input.h"
#include "services/import/time_zone.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

using units::Instant;

constexpr int kDone = 0, kStopped = 1, kUsage = 2, kNothingPosted = 3, kSomeRefused = 4, kTruncated = 5;

int complain(int code, const std::string& message) {
  service::complain(message);
  return code;
}

// Each step that ends the import gives the exit code.
class Import {
 public:
  explicit Import(const ImportArguments& arguments) : arguments_(arguments) {}

  int run() {
    auto plan = plan_of(arguments_);
    if (!plan.ok()) return complain(kUsage, plan.error().message);
    options_ = std::move(plan->options);
    complete_through_ms_ = plan->complete_through_ms;
    if (const auto code = survey_file()) return *code;
    auto api = Api::connect(arguments_.client.url);
    if (!api.ok()) return complain(kUsage, api.error().message);
    if (const auto code = judge(*api)) return *code;
    if (!arguments_.dry_run) return post(*api);
    print(arguments_.client.json ? dry_run_json(summary_, *judge_) : dry_run_text(summary_, *judge_));
    return kDone;
  }

 private:
  using Code = std::optional<int>;

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
    judge_.emplace(rules_, options_, arguments_.client.json && arguments_.dry_run);
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

  int post(Api& api) {
    const CheckedImport checked{arguments_, options_, summary_, *judge_, to_remember_, complete_through_ms_};
    const auto after = post_before(api, checked, rules_.after);
    if (!after.ok()) return complain(kNothingPosted, after.error().message);
    const auto posted = post_usage(api, checked, *after);
    if (!posted.ok()) return complain(kStopped, posted.error().message);
    const bool has_refused = posted->remarks.count(import::Fate::refused) > 0;
    int code = arguments_.strict && has_refused ? kSomeRefused : kDone;
    if (posted->sent.truncated)
      code = complain(kTruncated, fmt::format("{} is cut short; its whole rows are posted, the source is not stated "
                                              "complete",
                                              arguments_.file));
    print(arguments_.client.json ? posted_json(*posted) : posted_text(*posted));
    return code;
  }

  // Whoever runs the command checks that all of it is written.
  static void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

  const ImportArguments& arguments_;
  import::Options options_;
  std::optional<std::int64_t> complete_through_ms_;
  Survey survey_;
  import::Resizes resizes_;
  std::optional<units::Interval> starts_;  // holds the start of every usage
  LedgerRules rules_;
  std::optional<Judge> judge_;
  import::Summary summary_;
  std::vector<std::string> to_remember_;  // events
};

}  // namespace

int run_import(const ImportArguments& arguments) {
  return Import(arguments).run();
}

}  // namespace granary::cli
