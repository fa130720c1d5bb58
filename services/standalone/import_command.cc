#include "services/standalone/import_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "services/standalone/api.h"
#include "services/standalone/import/input.h"
#include "services/standalone/import/reader.h"
#include "services/standalone/import/time_zone.h"
#include "services/standalone/poster.h"
#include "shared/base/clock.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::standalone {
namespace {

using units::Instant;

constexpr int kDone = 0, kStopped = 1, kUsage = 2, kNothingPosted = 3, kSomeRefused = 4, kTruncated = 5;

int complain(int code, const std::string& message) {
  service::complain(message);
  return code;
}

// What the first pass learns: the period, the projects and classes, and that every row is a row.
class Survey final : public import::RowSink {
 public:
  explicit Survey(const import::Options& options) : options_(options) {}
  Result<void> on_row(const import::UsageRow& row) override {
    if (const auto project = import::project_of(row, options_)) projects.insert(*project);
    for (const auto& resource : row.resources) classes.insert(resource.class_name);
    end_ms_min = std::min(end_ms_min.value_or(row.end_ms), row.end_ms);
    return {};
  }
  Result<void> on_skipped(const import::Skipped&) override { return {}; }

  std::set<std::string> projects, classes;
  std::optional<std::int64_t> end_ms_min;

 private:
  const import::Options& options_;
};

void member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out += ',';
  json::append_json_string(out, name);
  out += ':';
  json::append_json_string(out, value);
}

std::string cloud_event(std::string_view type, const std::string& source, const std::string& id, Instant time,
                        const std::string& data) {
  std::string out = R"({"specversion":"1.0","datacontenttype":"application/json","actor":"granary-import")";
  member(out, "type", type);
  member(out, "source", source);
  member(out, "id", id);
  member(out, "time", units::format_time(time));
  return out + ",\"data\":" + data + "}";
}

std::string usage_event(const import::UsageRow& row, const import::Options& options) {
  std::string data = "{";
  if (const auto project = import::project_of(row, options)) {
    member(data, "project", *project);
  } else {
    member(data, "cluster", row.cluster);
    member(data, "account", row.account);
  }
  data += ",\"resources\":[";
  for (std::size_t i = 0; i < row.resources.size(); ++i) {
    data += i > 0 ? ",{" : "{";
    member(data, "class", row.resources[i].class_name);
    member(data, "quantity", row.resources[i].quantity);
    data += '}';
  }
  data += ']';
  member(data, "start", units::format_time(Instant(row.start_ms)));
  member(data, "end", units::format_time(Instant(row.end_ms)));
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"state", row.state},
                                    {"partition", row.partition},
                                    {"qos", row.qos},
                                    {"reservation", row.reservation}})
    if (!value.empty()) member(data, name, value);
  return cloud_event("granary.usage.reported.v1", row.source, row.id, Instant(row.end_ms), data + "}");
}

// A bar on a terminal, nothing elsewhere.
class Progress {
 public:
  explicit Progress(std::uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1 && total > 0) {}
  ~Progress() {
    if (shown_) std::fputc('\n', stderr);
  }
  void show(std::uint64_t done) const {
    if (!shown_) return;
    const int filled = static_cast<int>(40 * done / total_);
    std::fprintf(stderr, "\r[%s%s] %llu of %llu", std::string(static_cast<std::size_t>(filled), '#').c_str(),
                 std::string(static_cast<std::size_t>(40 - filled), ' ').c_str(), static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(total_));
  }

 private:
  std::uint64_t total_;
  bool shown_;
};

// The second pass.
class Sender final : public import::RowSink {
 public:
  Sender(Poster& poster, const import::Options& options, std::uint64_t total)
      : poster_(poster), options_(options), progress_(total) {}
  Result<void> on_row(const import::UsageRow& row) override {
    ++sources[row.source];
    progress_.show(++sent_);
    return poster_.add(row.line, usage_event(row, options_));
  }
  Result<void> on_skipped(const import::Skipped& row) override {
    skipped.push_back({row.line, row.reason, row.detail});
    return {};
  }
  std::map<std::string, std::uint64_t> sources;  // and their rows
  std::vector<Answered> skipped;

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

// What the server's policies say to the file: the classes that are charged to lots with the unit to award in, the
// window.
struct Policies {
  std::map<std::string, std::string> lot_units;  // class, unit of an award
  std::set<std::string> classes;
  std::optional<std::int64_t> window_days;
  std::string after;
};

Result<Policies> read_policies(Api& api) {
  const auto answer = api.get("/v1/policies");
  if (!answer.ok()) return answer.error();
  Policies policies;
  policies.after = text_of(*answer, "after");
  const auto list = member_of(*answer, "policies", json::Kind::array);
  if (!list.ok()) return list.error();
  for (const json::Value& policy : (*list)->items()) {
    const auto content = member_of(policy, "content", json::Kind::object);
    if (!content.ok()) return content.error();
    if (const json::Value* days = (*content)->find("window_days")) policies.window_days = days->integer();
    const json::Value* classes = (*content)->find("classes");
    if (classes == nullptr || !classes->is(json::Kind::array)) continue;
    policies.lot_units.clear();
    policies.classes.clear();
    for (const json::Value& one : classes->items()) {
      const std::string unit = text_of(one, "unit");
      policies.classes.insert(text_of(one, "class"));
      if (text_of(one, "charging") == "lots")
        policies.lot_units[text_of(one, "class")] = unit == "resource-us" ? "resource-hour"
                                                    : unit == "byte-ms"   ? "gib-hour"
                                                                          : "item";
    }
  }
  return policies;
}

std::optional<std::string> refuse_by_policies(const Policies& policies, const Survey& survey,
                                              const import::Summary& summary, Instant now) {
  const std::string period = summary.end_ms_max
                                 ? "the jobs end from " + units::format_time(Instant(*survey.end_ms_min)) + " to " +
                                       units::format_time(Instant(*summary.end_ms_max))
                                 : "the file has no usage";
  if (policies.classes.empty())
    return "no resource class is published, so nothing can be metered; " + period +
           "; hint: publish them by granary.policy.published.v1 (resource_classes): granary post "
           "deploy/example/1-policies.json";
  if (summary.end_ms_max && Instant(*summary.end_ms_max) > now.plus_ms(units::kHourMs))
    return "usage lies in the future; " + period + ", the ledger's time is " + units::format_time(now) +
           "; hint: move it with --shift-end-to";
  if (policies.window_days && survey.end_ms_min &&
      *survey.end_ms_min < now.ms() - *policies.window_days * units::kDayMs)
    return "usage lies outside the acceptance window; " + period + ", the ledger takes what ended since " +
           units::format_time(now.plus_ms(-*policies.window_days * units::kDayMs)) +
           "; hint: move the file with --shift-end-to, or publish a longer acceptance_window before the first usage";
  return std::nullopt;
}

// For trials: each project of the file gets an organisation, an application cleared on basis `trial`, and HOURS of each
// class.
Result<std::string> award_all(Api& api, const std::string& hours, const Policies& policies, const Survey& survey,
                              const import::Summary& summary, const std::string& sha256, std::int64_t retry_for_ms) {
  const Instant from(*summary.start_ms_min);
  const Instant to(std::max(*summary.end_ms_max, *summary.start_ms_min + 1));
  const std::string source = "urn:granary:import:" + sha256 + ":award";
  Poster poster(api, policies.after, retry_for_ms);
  std::string lots;
  std::string asked;
  for (const auto& [name, unit] : policies.lot_units) {
    if (!survey.classes.contains(name)) continue;
    std::string lot = "{";
    member(lot, "class", name);
    member(lot, "quantity", hours);
    member(lot, "unit", unit);
    asked += (asked.empty() ? "" : ",") + lot + "}";
    member(lot, "from", units::format_time(from));
    member(lot, "to", units::format_time(to));
    lots += (lots.empty() ? "" : ",") + lot + "}";
  }
  if (lots.empty())
    return Error{ErrorCode::invalid_input,
                 "--award-all: none of the file's classes is charged to lots; hint: publish them with charging lots"};
  for (const std::string& project : survey.projects) {
    const std::string application = "trial-" + sha256.substr(0, 12) + "-" + project;
    const auto send = [&](const char* type, const char* step, const std::string& data) {
      return poster.add(0, cloud_event(type, source, project + "/" + step + "/" + hours, from, data));
    };
    std::string organisation = "{";
    member(organisation, "organisation", "trial-" + project);
    member(organisation, "name", "Trial of " + project);
    member(organisation, "kind", "research");
    member(organisation, "country", "EU");
    GRANARY_TRY(send("granary.organisation.registered.v1", "organisation", organisation + "}"));
    std::string registered = "{";
    member(registered, "project", project);
    member(registered, "organisation", "trial-" + project);
    GRANARY_TRY(send("granary.project.registered.v1", "project", registered + "}"));
    std::string submitted = "{";
    member(submitted, "application", application);
    member(submitted, "project", project);
    member(submitted, "access_mode", "trial");
    member(submitted, "period_from", units::format_time(from));
    member(submitted, "period_to", units::format_time(to));
    GRANARY_TRY(send("granary.application.submitted.v1", "application", submitted + ",\"resources\":[" + asked + "]}"));
    std::string screened = "{";
    member(screened, "application", application);
    member(screened, "basis", "trial");
    member(screened, "outcome", "cleared");
    GRANARY_TRY(send("granary.screening.decided.v1", "screening", screened + "}"));
    std::string grant = "{";
    for (const auto& [name, value] :
         {std::pair{"machine", "trial"}, {"seller", "trial"}, {"legal_basis", "trial"}, {"member_state", "EU"}})
      member(grant, name, value);
    grant += R"(,"funding":{"kind":"covered"},"lots":[)" + lots + "]}";
    std::string decided = "{";
    member(decided, "application", application);
    member(decided, "project", project);
    member(decided, "outcome", "awarded");
    GRANARY_TRY(send("granary.application.decided.v1", "decision", decided + ",\"grant\":" + grant + "}"));
  }
  GRANARY_TRY(poster.flush());
  for (const Answered& refused : poster.refused)
    if (refused.reason != "organisation_exists" && refused.reason != "project_exists")
      return Error{ErrorCode::invalid_input,
                   "--award-all was refused: " + refused.reason + ": " + refused.hint +
                       "; hint: this file was awarded before with other hours or another period: leave --award-all "
                       "out, or repeat its options"};
  return poster.token();
}

std::string counts_json(const std::vector<Answered>& rows) {
  std::string out = "[";
  for (const Answered& row : rows) {
    out += out.size() > 1 ? ",{" : "{";
    out += "\"line\":" + std::to_string(row.line);
    member(out, "reason", row.reason);
    member(out, "hint", row.hint);
    out += '}';
  }
  return out + "]";
}

std::string by_reason(const std::vector<Answered>& rows) {
  std::map<std::string, std::uint64_t> counts;
  for (const Answered& row : rows) ++counts[row.reason];
  std::string out;
  for (const auto& [reason, count] : counts) out += (out.empty() ? " (" : ", ") + reason + " " + std::to_string(count);
  return out.empty() ? out : out + ")";
}

std::string dry_run_json(const import::Summary& summary, const Survey& survey) {
  std::string out = "{\"rows\":" + std::to_string(summary.rows()) + ",\"usages\":" + std::to_string(summary.usages) +
                    ",\"steps\":" + std::to_string(summary.steps) +
                    ",\"projects\":" + std::to_string(survey.projects.size()) + ",\"skipped\":{";
  for (const auto& [reason, count] : summary.skipped) {
    if (out.back() != '{') out += ',';
    json::append_json_string(out, reason);
    out += ':' + std::to_string(count);
  }
  return out + "},\"truncated\":" + (summary.truncated ? "true" : "false") + "}";
}

// Says of each source that all that it has through `through` is here. A statement that the ledger refuses is told, but
// the usage stands.
Result<void> state_complete(Api& api, const std::string& after, const std::map<std::string, std::uint64_t>& sources,
                            Instant through, const std::string& sha256, std::int64_t retry_for_ms) {
  Poster statements(api, after, retry_for_ms);
  for (const auto& [source, records] : sources) {
    std::string data = "{";
    member(data, "source", source);
    member(data, "complete_through", units::format_time(through));
    data += ",\"records\":" + std::to_string(records) + "}";
    GRANARY_TRY(
        statements.add(0, cloud_event("granary.source.stated.v1", source,
                                      "complete/" + units::format_time(through) + "/" + sha256, through, data)));
  }
  GRANARY_TRY(statements.flush());
  for (const Answered& refused : statements.refused)
    std::fprintf(stderr, "granary: a source could not be stated complete: %s; hint: %s\n", refused.reason.c_str(),
                 refused.hint.c_str());
  return {};
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

}  // namespace

int import_file(const ClientOptions& client, const ImportArguments& arguments) {
  auto checked = options_of(arguments);
  if (!checked.ok()) return complain(kUsage, checked.error().message);
  import::Options options = std::move(*checked);
  if (!arguments.award_all.empty()) {
    const auto hours = units::parse_decimal(arguments.award_all, 3);
    if (hours.trouble != units::DecimalTrouble::none || hours.scaled <= 0)
      return complain(
          kUsage, "--award-all: expected hours above 0 with at most 3 decimals, got \"" + arguments.award_all + "\"");
  }
  std::optional<std::int64_t> complete_through;
  if (!arguments.complete_through.empty()) {
    const auto at = parse_flag("--complete-through", arguments.complete_through);
    if (!at.ok()) return complain(kUsage, at.error().message);
    complete_through = *at;
  }

  const std::int64_t retry_for_ms = std::int64_t{arguments.retry_for_s} * 1000;
  const auto sha256 = import::sha256_of_file(arguments.file);
  if (!sha256.ok()) return complain(kNothingPosted, sha256.error().message);
  options.file_sha256 = *sha256;
  auto survey = std::make_unique<Survey>(options);
  auto summary = read_file(arguments.file, options, *survey);
  if (summary.ok() && options.shift_end_to_ms && summary->end_ms_max) {
    options.shift_ms = *options.shift_end_to_ms - *summary->end_ms_max;
    survey = std::make_unique<Survey>(options);
    summary = read_file(arguments.file, options, *survey);
  }
  if (!summary.ok()) return complain(kNothingPosted, arguments.file + ": " + summary.error().message);

  auto api = Api::connect(client.url);
  if (!api.ok()) return complain(kUsage, api.error().message);
  auto policies = read_policies(*api);
  if (!policies.ok()) return complain(kNothingPosted, policies.error().message);
  const auto clock = api->get("/v1/clock");
  if (!clock.ok()) return complain(kNothingPosted, clock.error().message);
  const Instant now = units::parse_time(text_of(*clock, "now")).at;
  if (const auto refused = refuse_by_policies(*policies, *survey, *summary, now))
    return complain(kNothingPosted, *refused);
  const std::string prefix = import::source_prefix(options);
  const std::string own_source = import::source_of(options, "");
  if (!prefix.empty() && !arguments.again) {
    std::string other;
    const auto listed = api->each_row("/v1/sources", [&](const json::Value& row) {
      const std::string source = text_of(row, "source");
      if (source.starts_with(prefix) && source != own_source && !source.ends_with(":award") &&
          text_of(row, "metered") != "0")
        other = source;
    });
    if (!listed.ok()) return complain(kNothingPosted, listed.error().message);
    if (!other.empty())
      return complain(kNothingPosted,
                      "this file was imported under other options (" + other +
                          "); under these it would count twice; hint: repeat the options, or say --again");
  }
  if (arguments.dry_run) {
    if (client.json) {
      std::puts(dry_run_json(*summary, *survey).c_str());
      return kDone;
    }
    std::printf("%llu rows: %llu usages of %zu projects in %zu classes; nothing was posted\n",
                static_cast<unsigned long long>(summary->rows()), static_cast<unsigned long long>(summary->usages),
                survey->projects.size(), survey->classes.size());
    return kDone;
  }

  std::string after = policies->after;
  if (!arguments.award_all.empty() && summary->usages > 0) {
    auto awarded = award_all(*api, arguments.award_all, *policies, *survey, *summary, *sha256, retry_for_ms);
    if (!awarded.ok()) return complain(kNothingPosted, awarded.error().message);
    if (!awarded->empty()) after = *awarded;
  }
  Poster poster(*api, after, retry_for_ms);
  Sender sender(poster, options, summary->usages);
  const auto sent = read_file(arguments.file, options, sender);
  auto posted = sent.ok() ? poster.flush() : Result<void>(sent.error());
  // The file's own source is complete with the file; a cluster only where somebody says so.
  if (posted.ok() && !sent->truncated && sent->end_ms_max && (!prefix.empty() || complete_through))
    posted = state_complete(*api, poster.token(), sender.sources, Instant(complete_through.value_or(*sent->end_ms_max)),
                            *sha256, retry_for_ms);
  if (!posted.ok())
    return complain(kStopped, posted.error().message + "; stopped after " + std::to_string(poster.answered) + " of " +
                                  std::to_string(summary->usages) +
                                  " usages; hint: run the same command again, what stands counts once");

  if (client.json) {
    std::string out =
        "{\"rows\":" + std::to_string(sent->rows()) + ",\"steps\":" + std::to_string(sent->steps) +
        ",\"accepted\":" + std::to_string(poster.accepted) + ",\"repeats\":" + std::to_string(poster.repeats) +
        ",\"waiting\":" + std::to_string(poster.waiting) + ",\"truncated\":" + (sent->truncated ? "true" : "false");
    out += ",\"refused\":" + counts_json(poster.refused) + ",\"skipped\":" + counts_json(sender.skipped);
    if (const std::string token = poster.token(); !token.empty()) member(out, "after", token);
    std::puts((out + "}").c_str());
  } else {
    std::printf("%llu rows: %llu accepted, %llu repeats, %llu waiting, %zu refused%s, %zu skipped%s\n",
                static_cast<unsigned long long>(sent->rows()), static_cast<unsigned long long>(poster.accepted),
                static_cast<unsigned long long>(poster.repeats), static_cast<unsigned long long>(poster.waiting),
                poster.refused.size(), by_reason(poster.refused).c_str(), sender.skipped.size(),
                by_reason(sender.skipped).c_str());
  }
  if (sent->truncated)
    return complain(kTruncated,
                    arguments.file + " is cut short; its whole rows are posted, the source is not stated complete");
  return arguments.strict && !poster.refused.empty() ? kSomeRefused : kDone;
}

}  // namespace granary::standalone
