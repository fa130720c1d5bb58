// The context attributes of CloudEvents 1.0.2, as a door takes them: one set of rules for headers and JSON. Inside
// shared/entry only. One thread an object.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/entry/cloud_events.h"

namespace granary::entry {

inline constexpr std::string_view kUtf8 = "utf-8";

// Whether what should be an opaque id is an address of a person, or of their account: the log keeps none.
bool is_personal(std::string_view id);
inline constexpr std::string_view kOpaqueHint =
    "send an opaque id without \"@\": the log is for ever, so names and addresses are kept elsewhere";

// Takes an event's attributes one by one and keeps the first trouble.
class Attributes {
 public:
  // An attribute whose text was sent as a string (or header).
  void take(std::string_view name, std::string_view text);
  // One that was sent as a JSON boolean or integer: an extension.
  void take_other(std::string_view name, std::string_view text);
  void fail(std::string reason, std::string field, std::string_view value, std::string hint);

  // After the last attribute: what is missing, what does not fit. True: `event` holds source, id, time, actor, trace
  // and, of a usage, collector, and `type` the event's.
  bool finish(CloudEvent& event);

  [[nodiscard]] std::string& id() { return id_; }
  [[nodiscard]] events::EventType type() const { return type_; }
  [[nodiscard]] std::optional<codec::FormError>& error() { return error_; }

 private:
  void take_collector(std::string_view text);
  void take_extension(std::string_view name, std::string_view text);
  void need(const std::string& value, std::string_view name);

  std::string specversion_, id_, source_, type_name_, time_, actor_, collector_, trace_;
  events::EventType type_{};
  std::optional<codec::FormError> error_;
};

// "Application/JSON; Charset=UTF-8" in its parts, in lower case.
struct ContentType {
  std::string media_type;      // "application/json"
  std::string charset{kUtf8};  // as JSON is, unless it says otherwise
};
ContentType parse_content_type(std::string_view text);

}  // namespace granary::entry
