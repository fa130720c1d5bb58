// What the rows of a file become: CloudEvents as JSON, each of which names this importer, with its version, as the
// collector. Pure: any thread.
#pragma once

#include <string>
#include <string_view>

#include "services/import/options.h"
#include "services/import/row.h"
#include "shared/units/instant.h"

namespace granary::import {

// `data` is a JSON object.
std::string cloud_event(std::string_view type, std::string_view source, std::string_view id, units::Instant time,
                        std::string_view data);

// What a row used. A job that was suspended holds its resources for less than its interval, which stays as it is: then
// each resource is an amount in place of a quantity.
std::string usage_event(const UsageRow& row, const Options& options);

// That all usage of a source through this instant has been sent, in that number of records.
std::string stated_event(std::string_view source, std::string_view id, units::Instant through, std::uint64_t records);

}  // namespace granary::import
