#include "shared/events/policy.h"

#include <fmt/format.h>

#include <set>

namespace granary::events {

namespace {

constexpr std::uint64_t kWindowDaysMax = 36500;  // a century: longer than any ledger
// Three years: a usage is cut at each month's edge and charged by class, some 10,000 pieces of 256 classes.
constexpr std::uint64_t kUsageDaysMaxMost = 1100;
constexpr std::uint64_t kSilentHoursMax = 8760;  // a year: no job is silent for longer and still runs

}  // namespace

Trouble check(const PolicyPublished& policy, const std::string& at) {
  const PolicyContent& content = policy.content;
  const bool overdraft = content.mode != OverdraftMode{} || !content.seller.empty() || !content.project.empty();
  const auto fits = [&](PolicyKind kind, bool filled) { return (policy.kind == kind) == filled; };
  if (!fits(PolicyKind::resource_classes, !content.classes.empty()) ||
      !fits(PolicyKind::acceptance_window, content.window_days != 0) ||
      !fits(PolicyKind::burn_order, !content.order.empty()) || !fits(PolicyKind::overdraft, overdraft) ||
      !fits(PolicyKind::holds, content.silent_hours_max != 0) ||
      (content.usage_days_max != 0 && policy.kind != PolicyKind::acceptance_window))
    return FormError{"malformed", at + "/content", std::string(enum_name(policy.kind)),
                     "send what belongs to the kind, and only that: classes, window_days with usage_days_max, order, "
                     "silent_hours_max, or mode with seller and project"};
  if (content.window_days > kWindowDaysMax)
    return FormError{"malformed", at + "/content/window_days", std::to_string(content.window_days),
                     fmt::format("send at most {} days", kWindowDaysMax)};
  if (content.usage_days_max > kUsageDaysMaxMost)
    return FormError{"malformed", at + "/content/usage_days_max", std::to_string(content.usage_days_max),
                     fmt::format("send at most {} days", kUsageDaysMaxMost)};
  if (content.silent_hours_max > kSilentHoursMax)
    return FormError{"malformed", at + "/content/silent_hours_max", std::to_string(content.silent_hours_max),
                     fmt::format("send at most {} hours", kSilentHoursMax)};
  if (overdraft && (content.mode == OverdraftMode{} || (content.mode == OverdraftMode::bill && content.seller.empty())))
    return FormError{"malformed", at + "/content/mode", "", "send a mode; with bill the seller too, whose prices hold"};
  std::set<std::string> seen;
  for (const ResourceClass& published : content.classes)
    if (!seen.insert(published.class_name).second)
      return FormError{"malformed", at + "/content/classes", published.class_name, "name each class once"};
  return std::nullopt;
}

}  // namespace granary::events
