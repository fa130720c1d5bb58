// The CloudEvents that `granary import` posts; each names it, with its version, as the collector. Pure: any thread.
#pragma once

#include <string>
#include <string_view>

#include "services/import/options.h"
#include "services/import/row.h"
#include "shared/units/instant.h"

namespace granary::cli {

// Appends a member of an object whose opening brace is there.
void add_member(std::string& out, std::string_view name, std::string_view value);

// `data` is a JSON object.
std::string cloud_event(std::string_view type, const std::string& source, const std::string& id, units::Instant time,
                        const std::string& data);

// What a row used. A job that was suspended holds its resources for less than its interval, which stays as it is: then
// each resource is an amount in place of a quantity.
std::string usage_event(const import::UsageRow& row, const import::Options& options);

// That all usage of a source through this instant is there.
std::string stated_event(const std::string& source, const std::string& id, units::Instant through,
                         std::uint64_t records);

}  // namespace granary::cli
