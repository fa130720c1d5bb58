// Events as JSON: read strictly at the doors, written on the outward streams and in answers. Names are those of the
// fields; times RFC 3339, quantities, amounts and money decimal strings, ids lower-case hex, enums their names. Any
// thread.
#pragma once

#include <optional>
#include <string>

#include "shared/events/catalogue.h"
#include "shared/json/strict_json.h"

namespace granary::events {

// Reads the data of a raw event of that type (one that enters by a door) and tests what the event alone shows: form,
// sign, decimals, order of times, overflow, unknown fields. `pointer` is the place of `data` in its document. `notes`
// receives what stands beside a usage's substance.
std::optional<FormError> read_raw_event(EventType type, const json::Value& data, const std::string& pointer,
                                        Event& event, UsageNotes& notes);

// Writes any event's fields as one JSON object. Defaults of optional fields are left out.
void write_json(const Event& event, std::string& out);

}  // namespace granary::events
