#include "shared/events/usage.h"

#include <fmt/format.h>

namespace granary::events {

namespace {

// Lists are short; 256 classes are the most.
bool is_named_before(const std::vector<ResourceUsed>& resources, std::size_t index) {
  for (std::size_t i = 0; i < index; ++i)
    if (resources[i].class_name == resources[index].class_name) return true;
  return false;
}

template <class Usage>
Trouble check_usage(const Usage& usage, Instant end, const char* end_name, const std::string& at) {
  const bool by_account = !usage.cluster.empty() || !usage.account.empty();
  if (usage.project.empty() != by_account || (by_account && (usage.cluster.empty() || usage.account.empty())))
    return FormError{"malformed", at + "/project", usage.project, "name either the project, or cluster and account"};
  if (end < usage.start)
    return FormError{"end_before_start", fmt::format("{}/{}", at, end_name), units::format_time(end),
                     "send an end that is not before the start"};
  for (std::size_t i = 0; i < usage.resources.size(); ++i) {
    const ResourceUsed& used = usage.resources[i];
    const auto here = [&] { return fmt::format("{}/resources/{}", at, i); };
    if (is_named_before(usage.resources, i))
      return FormError{"malformed", here() + "/class", used.class_name, "name each class once"};
    if (used.quantity.is_zero() == used.amount.is_zero() || used.amount.is_zero() != used.unit.empty())
      return FormError{"malformed", here(), "", "send either quantity, or amount and unit"};
    if (!used.unit.empty() && !units::unit_from_name(used.unit))
      return FormError{"malformed", here() + "/unit", used.unit, "send one of: resource-us, byte-ms, item"};
    if (units::over_time(used.quantity, end.ms() - usage.start.ms(), UnitKind::resource_us).trouble ==
        units::OverTimeTrouble::overflow)
      return FormError{"quantity_overflow", here() + "/quantity", units::format_decimal(used.quantity.value(), 3),
                       "send at most 2^96 resource-us in one usage"};
  }
  return std::nullopt;
}

}  // namespace

Trouble check(const UsageReported& usage, const std::string& at) {
  return check_usage(usage, usage.end, "end", at);
}
Trouble check(const UsageInterim& usage, const std::string& at) {
  return check_usage(usage, usage.measured_at, "measured_at", at);
}

}  // namespace granary::events
