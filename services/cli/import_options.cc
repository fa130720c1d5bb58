#include "services/cli/import_options.h"

#include <fmt/format.h>

#include <tuple>

#include "services/import/time_zone.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::cli {
namespace {

Result<std::int64_t> parse_flag(const char* flag, const std::string& text) {
  const auto parsed = units::parse_time(text);
  if (parsed.trouble != units::TimeTrouble::none)
    return Error{ErrorCode::invalid_input,
                 fmt::format("{}: expected a time with a zone, got \"{}\"; hint: 2026-10-31T23:30:00Z", flag, text)};
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

Result<void> check_hours(const std::string& text) {
  const auto hours = units::parse_decimal(text, 3);
  if (hours.trouble == units::DecimalTrouble::none && hours.scaled > 0) return {};
  return Error{ErrorCode::invalid_input,
               fmt::format("--award-all: expected hours above 0 with at most 3 decimals, got \"{}\"", text)};
}

}  // namespace

Result<ImportPlan> plan_of(const ImportArguments& arguments) {
  ImportPlan plan;
  auto options = options_of(arguments);
  if (!options.ok()) return options.error();
  plan.options = std::move(*options);
  if (!arguments.award_all.empty()) GRANARY_TRY(check_hours(arguments.award_all));
  if (!arguments.complete_through.empty()) {
    const auto at = parse_flag("--complete-through", arguments.complete_through);
    if (!at.ok()) return at.error();
    plan.complete_through_ms = *at;
  }
  return plan;
}

}  // namespace granary::cli
