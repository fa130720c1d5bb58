#include "services/intake/core/lots.h"

#include <fmt/format.h>

#include "services/intake/core/refusals.h"

namespace granary::intake {
namespace {

using machine::Outcome;

// The quantity, which is in thousandths, times the unit's size; exact or refused.
Outcome to_base_units(const events::LotAwarded& lot, const units::NamedUnit& unit, const std::string& pointer,
                      units::Amount& amount) {
  const units::Int128 quantity = lot.quantity.value();
  if (quantity % 1000 * (unit.base_units % 1000) % 1000 != 0)
    return refuse(Refusal::quantity_too_precise, pointer + "/quantity",
                  fmt::format("award a whole number of base units ({})", units::unit_name(unit.kind)));
  const auto base_units = units::mul_div_half_even(quantity, unit.base_units, 1000);
  if (!base_units)
    return refuse(Refusal::quantity_overflow, pointer + "/quantity", "award less than 2^96 base units in one lot");
  amount = units::Amount(*base_units);
  return {};
}

Outcome open_lot(const events::LotAwarded& lot, const ClassesAndWindows& policies, units::Instant at,
                 const std::string& pointer, events::LotOpened& opened) {
  const events::ResourceClass* published = policies.find_class(lot.class_name, at);
  if (published == nullptr)
    return refuse(
        Refusal::unknown_resource_class, pointer + "/class",
        fmt::format("publish a policy resource_classes that lists '{}', or award a class of the list", lot.class_name));
  if (published->charging != events::Charging::lots)
    return refuse(Refusal::class_is_metered_only, pointer + "/class",
                  fmt::format("leave it out: use of '{}' is shown and never charged to lots", lot.class_name));
  const auto unit = units::named_unit(lot.unit);
  if (!unit || unit->kind != published->unit)
    return refuse(Refusal::unit_differs, pointer + "/unit",
                  fmt::format("award '{}' in a unit made of {}", lot.class_name, units::unit_name(published->unit)));
  if (Outcome outcome = to_base_units(lot, *unit, pointer, opened.amount);
      outcome.judgement != machine::Judgement::accepted)
    return outcome;
  if (lot.from >= lot.to) return refuse(Refusal::lot_period_empty, pointer + "/to", "send a `to` after `from`");
  opened.class_name = lot.class_name;
  opened.unit = published->unit;
  opened.from = lot.from;
  opened.to = lot.to;
  opened.priority = lot.priority;
  return {};
}

}  // namespace

Outcome open_lots(const std::vector<events::LotAwarded>& awarded, const ClassesAndWindows& policies, units::Instant at,
                  std::vector<events::LotOpened>& lots) {
  if (awarded.size() > kLotsMax)
    return refuse(Refusal::too_many_lots, "/grant/lots",
                  fmt::format("award at most {} lots in one decision", kLotsMax));
  for (std::size_t i = 0; i < awarded.size(); ++i) {
    events::LotOpened& opened = lots.emplace_back();
    opened.ordinal = i + 1;
    Outcome outcome = open_lot(awarded[i], policies, at, "/grant/lots/" + std::to_string(i), opened);
    if (outcome.judgement != machine::Judgement::accepted) return outcome;
  }
  return {};
}

}  // namespace granary::intake
