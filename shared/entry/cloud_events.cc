#include "shared/entry/cloud_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/entry/cloud_attributes.h"
#include "shared/events/rules.h"
#include "shared/http/uri.h"

namespace granary::entry {
namespace {

using codec::FormError;
using http::Problem;
using json::Kind;
using json::Value;
using units::Instant;

constexpr std::string_view kHeaderPrefix = "ce-";
constexpr std::string_view kStructured = "application/cloudevents+json";
constexpr std::string_view kBatch = "application/cloudevents-batch+json";
constexpr std::string_view kBinary = "application/json";

Problem wrong_content_type(std::string detail) {
  return {.status = 415,
          .type = "unsupported_content_type",
          .title = "This content type is not taken here",
          .detail = std::move(detail),
          .hint = fmt::format("send {}, {}, or {} with ce- headers; UTF-8", kStructured, kBatch, kBinary)};
}

Problem malformed(std::string detail, std::string field, std::string hint) {
  return {.status = 400,
          .type = "malformed",
          .title = "The body is not what it has to be",
          .detail = std::move(detail),
          .field = std::move(field),
          .hint = std::move(hint)};
}

// The parser's message is one sentence with place and hint; a problem has members for both.
Problem not_json(const Error& error) {
  constexpr std::string_view kAt = " at '";
  constexpr std::string_view kByte = "', byte ";
  auto [detail, hint] = http::split_hint(error.message);
  std::string field;
  const auto from = detail.find(kAt);
  const auto to = detail.rfind(kByte);
  if (from != std::string::npos && to != std::string::npos && from + kAt.size() <= to)
    field = detail.substr(from + kAt.size(), to - from - kAt.size());
  return malformed(std::move(detail), std::move(field), std::move(hint));
}

std::string text_of(const Value& value) {
  if (value.is(Kind::string)) return value.string();
  if (value.is(Kind::number)) return value.number_text();
  if (value.is(Kind::boolean)) return value.boolean() ? "true" : "false";
  return {};
}

// The rest of an event, once its attributes are taken.
Received finish(Attributes& attributes, const Value* data, Instant recorded_at) {
  Received received;
  CloudEvent event;
  if (attributes.finish(event)) {
    if (data == nullptr) {
      attributes.fail("malformed", "/data", "", "add the event's data as a JSON object");
    } else if (!data->is(Kind::object)) {
      attributes.fail("malformed", "/data", text_of(*data), "send a JSON object as data");
    } else if (auto error = events::read_raw_event(attributes.type(), *data, "/data", event.event, event.notes)) {
      attributes.error() = std::move(error);
    } else if (const auto* activated = std::get_if<events::RulesActivated>(&event.event);
               activated != nullptr && activated->version > events::kRulesNewest) {
      attributes.fail("rules_version_unknown", "/data/version", std::to_string(activated->version),
                      fmt::format("this build knows the versions up to {}; start a newer build everywhere first",
                                  events::kRulesNewest));
    } else if (is_personal(event.notes.member)) {
      attributes.fail("personal_data", "/data/member", event.notes.member, std::string(kOpaqueHint));
    } else if (const auto entry = events::entry_of(event.event);
               entry->end != nullptr && *entry->end > recorded_at.plus_ms(kFutureMsMax)) {
      attributes.fail("usage_in_future", "/data/" + std::string(entry->end_name), units::format_time(*entry->end),
                      "report usage once it has ended; this door's time is " + units::format_time(recorded_at));
    }
  }
  received.id = std::move(attributes.id());
  if (attributes.error())
    received.outcome = std::move(*attributes.error());
  else
    received.outcome = std::move(event);
  return received;
}

Received read_structured(const Value& document, Instant recorded_at) {
  Attributes attributes;
  const Value* data = nullptr;
  if (!document.is(Kind::object)) {
    attributes.fail("malformed", "", text_of(document), "send each event as a JSON object");
    return {"", std::move(*attributes.error())};
  }
  // The id first, so that the answer can name the event whatever else is wrong with it.
  if (const Value* id = document.find("id"); id != nullptr && id->is(Kind::string)) attributes.take("id", id->string());
  for (const json::Member& member : document.members()) {
    const Value& value = member.value;
    if (member.name == "data") {
      data = &value;
    } else if (member.name == "data_base64") {
      attributes.fail("malformed", "/data_base64", "", "send the event's data as a JSON object in `data`");
    } else if (value.is(Kind::null)) {
      continue;  // an attribute that is null is absent (JSON event format, section 2.2)
    } else if (value.is(Kind::string)) {
      if (member.name != "id") attributes.take(member.name, value.string());
    } else if (value.is(Kind::boolean) || value.integer()) {
      attributes.take_other(member.name, text_of(value));
    } else {
      std::string pointer;
      json::append_pointer_token(pointer, member.name);
      attributes.fail("malformed", std::move(pointer), text_of(value),
                      "an attribute is a string, and an extension may be true, false or a whole number");
    }
  }
  return finish(attributes, data, recorded_at);
}

// A header's value as an attribute (HTTP protocol binding, section 3.1.3.2): unquoted, then percent-decoded once.
std::optional<std::string> attribute_of_header(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return http::percent_decode(value);
  std::string text;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '"') return std::nullopt;
    if (value[i] == '\\' && ++i + 1 >= value.size()) return std::nullopt;
    text += value[i];
  }
  return http::percent_decode(text);
}

Received read_binary(const http::Fields& headers, const Value& data, Instant recorded_at) {
  Attributes attributes;
  std::vector<std::string_view> seen;
  for (const http::Field& field : headers) {
    if (field.name.compare(0, kHeaderPrefix.size(), kHeaderPrefix) != 0) continue;
    const std::string_view name = std::string_view(field.name).substr(kHeaderPrefix.size());
    std::string pointer;
    json::append_pointer_token(pointer, name);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      attributes.fail("malformed", pointer, field.value, "send the header once");
    } else if (name == "datacontenttype") {
      attributes.fail("unknown_field", pointer, field.value, "leave it out: in binary mode Content-Type says it");
    } else if (const auto text = attribute_of_header(field.value)) {
      attributes.take(name, *text);
    } else {
      attributes.fail("malformed", pointer, field.value,
                      "percent-encode the value (CloudEvents HTTP binding, section 3.1.3.2)");
    }
    seen.push_back(name);
  }
  return finish(attributes, &data, recorded_at);
}

bool has_attributes(const http::Fields& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const http::Field& field) {
    return field.name.compare(0, kHeaderPrefix.size(), kHeaderPrefix) == 0;
  });
}

}  // namespace

std::variant<std::vector<Received>, Problem> read_cloud_events(const http::Fields& headers, std::string_view body,
                                                               Instant recorded_at, const json::Limits& limits) {
  const auto content_type = http::find_field(headers, "content-type");
  const auto [type, charset] = parse_content_type(content_type.value_or(kBinary));
  const bool in_attributes = type != kStructured && type != kBatch;
  if (in_attributes && type != kBinary) return wrong_content_type("got " + std::string(content_type->substr(0, 100)));
  if (!content_type && !has_attributes(headers)) return wrong_content_type("no Content-Type was sent");
  if (charset != kUtf8)
    return wrong_content_type(fmt::format("expected charset {}, got {}", kUtf8, charset.substr(0, 100)));
  if (body.size() > limits.bytes)
    return Problem{.status = 413,
                   .type = "body_too_large",
                   .title = "The body is too large",
                   .detail = fmt::format("expected at most {} bytes, got {}", limits.bytes, body.size()),
                   .hint = "send it in smaller parts"};
  const auto document = json::parse(body, limits);
  if (!document.ok()) return not_json(document.error());

  std::vector<Received> all;
  if (in_attributes) {
    all.push_back(read_binary(headers, *document, recorded_at));
  } else if (type == kStructured) {
    if (!document->is(Kind::object))
      return malformed(std::string("expected one event as a JSON object, got: ") + kind_name(document->kind()), "",
                       "send several events as " + std::string(kBatch));
    all.push_back(read_structured(*document, recorded_at));
  } else {
    if (!document->is(Kind::array))
      return malformed(std::string("expected a JSON array of events, got: ") + kind_name(document->kind()), "",
                       "send one event as " + std::string(kStructured));
    if (document->items().size() > kBatchEventsMax)
      return Problem{
          .status = 413,
          .type = "batch_too_large",
          .title = "The batch holds too many events",
          .detail = fmt::format("expected at most {} events, got {}", kBatchEventsMax, document->items().size()),
          .hint = "send several batches"};
    all.reserve(document->items().size());
    for (const Value& item : document->items()) all.push_back(read_structured(item, recorded_at));
  }
  return all;
}

}  // namespace granary::entry
