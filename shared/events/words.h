// The types that the fields of events are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/codec/field.h"
#include "shared/units/amount.h"
#include "shared/units/instant.h"

namespace granary::events {

using codec::enum_from_name;
using codec::enum_name;
using codec::FormError;
using codec::kOptional;
using codec::kRequired;
using units::Amount;
using units::Instant;
using units::Price;
using units::Quantity;
using units::UnitKind;

// What a check of form comes to: the first trouble, or none.
using Trouble = std::optional<FormError>;

}  // namespace granary::events

GRANARY_ENUM_NAMES(granary::units::UnitKind, "resource-us", "byte-ms", "item");
