#include "services/cli/import_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/http/uri.h"

namespace granary::cli {
namespace {

using units::Instant;

constexpr std::int64_t kWindowDaysMax = 36'500;  // as the door takes it; its milliseconds fit

Result<Instant> time_in(const json::Value& value, const char* name) {
  const units::ParsedTime time = units::parse_time(text_of(value, name));
  if (time.trouble != units::TimeTrouble::none)
    return strange_answer(fmt::format("a time as `{}`", name), "another value");
  return time.at;
}

// The content of the policy of that kind that is in force at `at`; nullopt: none is.
Result<std::optional<json::Value>> content_at(Api& api, const char* kind, Instant at) {
  const auto answer = api.get("/v1/policies?at=" + http::percent_encode(units::format_time(at)));
  if (!answer.ok()) return answer.error();
  const auto in_force = objects_of(*answer, "in_force");
  if (!in_force.ok()) return in_force.error();
  for (const json::Value& policy : **in_force) {
    const json::Value* content = policy.find("content");
    if (text_of(policy, "kind") == kind && content != nullptr) return std::optional(*content);
  }
  return std::optional<json::Value>();
}

Result<LedgerRules::Classes> classes_in_force(Api& api, Instant at) {
  const auto content = content_at(api, "resource_classes", at);
  if (!content.ok()) return content.error();
  LedgerRules::Classes classes;
  if (!*content) return classes;
  const auto list = objects_of(**content, "classes");
  if (!list.ok()) return list.error();
  for (const json::Value& one : **list)
    classes[text_of(one, "class")] = {text_of(one, "unit"), text_of(one, "charging") == "lots"};
  return classes;
}

std::string days_text(std::int64_t days) {
  return fmt::format("{} {}", days, days == 1 ? "day" : "days");
}

}  // namespace

Result<LedgerRules> LedgerRules::ask(Api& api, std::optional<units::Interval> starts) {
  LedgerRules rules;
  const auto clock = api.get("/v1/clock");
  if (!clock.ok()) return clock.error();
  const auto now = time_in(*clock, "now");
  if (!now.ok()) return now.error();
  rules.now = *now;
  const auto published = api.get("/v1/policies");
  if (!published.ok()) return published.error();
  const auto policies = objects_of(*published, "policies");
  if (!policies.ok()) return policies.error();
  rules.after = text_of(*published, "after");
  const auto window = content_at(api, "acceptance_window", rules.now);
  if (!window.ok()) return window.error();
  if (*window) {
    const auto days = integer_of(**window, "window_days");
    if (!days.ok()) return days.error();
    if (*days < 0 || *days > kWindowDaysMax)
      return strange_answer(fmt::format("0 to {} as `window_days`", kWindowDaysMax), std::to_string(*days));
    rules.window_days = *days;
    if ((*window)->find("usage_days_max") != nullptr) {
      const auto longest = integer_of(**window, "usage_days_max");
      if (!longest.ok()) return longest.error();
      rules.usage_days_max = *longest;
    }
  }
  if (!starts) return rules;
  std::set<Instant> changes{starts->from};
  for (const json::Value& policy : **policies) {
    const auto effective = time_in(policy, "effective");
    if (!effective.ok()) return effective.error();
    if (starts->from < *effective && *effective <= starts->to) changes.insert(*effective);
  }
  for (const Instant at : changes) {
    auto classes = classes_in_force(api, at);
    if (!classes.ok()) return classes.error();
    rules.classes_.emplace_back(at, std::move(*classes));
  }
  return rules;
}

const LedgerRules::Classes& LedgerRules::classes_at(Instant start) const {
  static const Classes kNone;
  const auto later = std::upper_bound(classes_.begin(), classes_.end(), start,
                                      [](Instant at, const auto& classes) { return at < classes.first; });
  return later == classes_.begin() ? kNone : std::prev(later)->second;
}

Result<void> Judge::on_row(const import::UsageRow& row) {
  if (const auto project = import::project_of(row, options_)) projects.insert(*project);
  end_ms_min_ = std::min(end_ms_min_.value_or(row.end_ms), row.end_ms);
  ++usages_;
  if (rules_.window_days && row.end_ms < rules_.now.ms() - *rules_.window_days * units::kDayMs) {
    ++too_old_;
    remarks.add(import::Fate::refused,
                {row.line, row.job, "end", "usage_too_old",
                 fmt::format("usage is taken for {} after its end", days_text(*rules_.window_days))});
    return {};
  }
  if (row.end_ms - row.start_ms > rules_.usage_days_max * units::kDayMs) {
    remarks.add(import::Fate::refused, {row.line, row.job, "start", "usage_too_long",
                                        fmt::format("one usage lasts at most {}", days_text(rules_.usage_days_max))});
    return {};
  }
  const LedgerRules::Classes& in_force = rules_.classes_at(Instant(row.start_ms));
  has_classes_ |= !in_force.empty();
  for (const auto& resource : row.resources) {
    classes.insert(resource.class_name);
    const auto found = in_force.find(resource.class_name);
    if (found == in_force.end()) {
      remarks.add(import::Fate::refused, {row.line, row.job, resource.class_name, "unknown_resource_class",
                                          "the class is not in force at the usage's start"});
      break;  // the ledger refuses the usage for its first one
    }
    if (found->second.is_charged_to_lots) lots.insert({resource.class_name, found->second.unit});
  }
  return {};
}

Result<void> Judge::on_remark(import::Fate fate, const import::Remark& remark) {
  remarks.add(fate, remark);
  return {};
}

std::optional<std::string> Judge::refusal(const import::Summary& summary) const {
  if (!summary.end_ms_max || !end_ms_min_) return std::nullopt;
  const std::string period = fmt::format("the jobs end from {} to {}", units::format_time(Instant(*end_ms_min_)),
                                         units::format_time(Instant(*summary.end_ms_max)));
  const std::string zone = summary.local_times == 0
                               ? ""
                               : fmt::format(
                                     "the file's local times were read in {}: name the zone of the cluster's "
                                     "clock with --time-zone; if that is right, ",
                                     options_.time_zone);
  // A job that ended in the future says that all times of the file are wrong, so none of it is taken.
  if (Instant(*summary.end_ms_max) > rules_.now.plus_ms(units::kHourMs))
    return fmt::format(
        "usage lies in the future; {}, the ledger's time is {}; hint: {}move the file with --shift-end-to", period,
        units::format_time(rules_.now), zone);
  if (!has_classes_ && too_old_ < usages_)
    return fmt::format(
        "no resource class is in force at the start of any job, so nothing can be metered; {}; hint: publish classes "
        "that are effective by then, by granary.policy.published.v1 (resource_classes): granary post "
        "deploy/example/1-policies.json",
        period);
  if (too_old_ == usages_)
    return fmt::format(
        "all usage lies outside the acceptance window of {}; {}, the ledger takes what ended since {}; hint: {}move "
        "the file with --shift-end-to, or publish a longer acceptance_window before the first usage",
        days_text(*rules_.window_days), period,
        units::format_time(rules_.now.plus_ms(-*rules_.window_days * units::kDayMs)), zone);
  return std::nullopt;
}

}  // namespace granary::cli
