#include "services/cli/event_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "services/cli/api.h"
#include "shared/events/catalogue.h"
#include "shared/json/writer.h"

namespace granary::cli {
namespace {

using std::string_view_literals::operator""sv;

// Between values. U+001E begins each value of a JSON text sequence.
constexpr auto kBetween = " \t\r\n\x1E"sv;
constexpr std::size_t kDepthMax = 17;  // an event's, in an array

// Where the value ends that begins at `at`, by its brackets and strings; nullopt: it is not closed.
std::optional<std::size_t> value_end(std::string_view text, std::size_t at) {
  if (text[at] != '{' && text[at] != '[') return std::min(text.find_first_of(kBetween, at), text.size());
  std::size_t depth = 0;
  for (bool in_string = false; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return std::nullopt;
}

class EventCollector {
 public:
  Result<void> add_all(const json::Value& value) {
    if (!value.is(json::Kind::array)) return add(value);
    for (const json::Value& item : value.items()) GRANARY_TRY(add(item));
    return {};
  }
  std::vector<FileEvent> events;

 private:
  Result<void> add(const json::Value& value) {
    if (!value.is(json::Kind::object))
      return Error{ErrorCode::invalid_input,
                   fmt::format("expected event {} as a JSON object, got {}; hint: a file holds CloudEvents, one after "
                               "the other or in one array",
                               events.size() + 1, json::kind_name(value.kind()))};
    FileEvent event;
    json::append_json(event.json, value);
    const events::TypeInfo* type = events::type_by_name(text_of(value, "type"));
    event.is_usage = type != nullptr ? type->enters == events::Topic::usage : !events.empty() && events.back().is_usage;
    events.push_back(std::move(event));
    return {};
  }
};

}  // namespace

Result<std::vector<FileEvent>> events_of(std::string_view text) {
  EventCollector collected;
  std::size_t line = 1, counted = 0, values = 0;
  for (std::size_t at = 0; (at = text.find_first_not_of(kBetween, at)) != std::string_view::npos; ++values) {
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const std::size_t end = value_end(text, at).value_or(text.size());
    const auto value = json::parse(text.substr(at, end - at), {kEventFileBytesMax, kDepthMax});
    const auto added = value.ok() ? collected.add_all(*value) : Result<void>(value.error());
    if (!added.ok()) {
      const bool is_cut = !value_end(text, at);
      return Error{ErrorCode::invalid_input,
                   fmt::format("line {}: {}{}", line,
                               is_cut ? "what begins here is not closed before the end; is the file cut short? " : "",
                               added.error().message)};
    }
    at = end;
  }
  if (values == 0)
    return Error{ErrorCode::invalid_input,
                 "expected CloudEvents, got nothing; hint: write at least [] if there are none on purpose"};
  return std::move(collected.events);
}

}  // namespace granary::cli
