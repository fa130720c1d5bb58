#include "shared/entry/cloud_attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "shared/events/record.h"
#include "shared/http/uri.h"

namespace granary::entry {
namespace {

using codec::FormError;
using units::TimeTrouble;

constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kShownBytesMax = 100;
constexpr std::string_view kCaller = "caller";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string pointer_to(std::string_view name) {
  std::string pointer;
  json::append_pointer_token(pointer, name);
  return pointer;
}

bool is_core(std::string_view name) {
  static constexpr std::array<std::string_view, 11> kNames{
      "specversion", "id",      "source", "type",      "time",       "datacontenttype",
      "dataschema",  "subject", "actor",  "collector", "traceparent"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// Whether an extension attribute may be called that: `data` is the event's own, `caller` the door's.
bool is_extension_name(std::string_view name) {
  return !name.empty() && name != "data" && name != kCaller &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); });
}

std::string unknown_type_hint(const events::TypeInfo* info) {
  if (info == nullptr) return "send a type of the vocabulary, such as granary.usage.reported.v1";
  if (info->status == events::Status::reserved) return "this type is reserved: this build has no rule for it yet";
  return "this type is derived: Granary's machines write it, a door does not take it";
}

// A sender says the same source in each of its events, so the last one that was good is not read again.
bool is_source(const std::string& text) {
  thread_local std::string last_good;
  if (text == last_good) return true;
  if (!http::is_uri_reference(text)) return false;
  last_good = text;
  return true;
}

}  // namespace

bool is_personal(std::string_view id) {
  return id.find('@') != std::string_view::npos;
}

void Attributes::fail(std::string reason, std::string field, std::string_view value, std::string hint) {
  if (!error_)
    error_ =
        FormError{std::move(reason), std::move(field), std::string(value.substr(0, kShownBytesMax)), std::move(hint)};
}

void Attributes::take(std::string_view name, std::string_view text) {
  if (!is_core(name)) return take_extension(name, text);
  if (name == "collector") return take_collector(text);
  if (text.empty() || text.size() > kTextBytesMax || std::any_of(text.begin(), text.end(), is_control)) {
    // What nobody here reads may be long.
    if (!text.empty() && (name == "dataschema" || name == "subject")) return;
    return fail("malformed", pointer_to(name), text, "send 1 to 256 bytes without control characters");
  }
  if (name == "specversion") specversion_ = text;
  if (name == "id") id_ = text;
  if (name == "source") source_ = text;
  if (name == "type") type_name_ = text;
  if (name == "time") time_ = text;
  if (name == "actor") {
    if (is_personal(text)) return fail("personal_data", pointer_to(name), text, std::string(kOpaqueHint));
    actor_ = text;
  }
  if (name == "traceparent") trace_ = text;
  if (name == "datacontenttype")
    if (const ContentType type = parse_content_type(text);
        type.media_type != "application/json" || type.charset != kUtf8)
      fail("unsupported_content_type", "/datacontenttype", text, "send data as application/json in UTF-8");
}

void Attributes::take_collector(std::string_view text) {
  if (text.empty() || text.size() > events::kCollectorBytesMax || std::any_of(text.begin(), text.end(), is_control))
    return fail(
        "malformed", "/collector", text,
        fmt::format(
            "send the collector's name and version in 1 to {} bytes without control characters: slurm-agent/0.4.1",
            events::kCollectorBytesMax));
  collector_ = text;
}

void Attributes::take_other(std::string_view name, std::string_view text) {
  if (!is_core(name)) return take_extension(name, text);
  fail("malformed", pointer_to(name), text, "send a string here");
}

// Of an extension that says nothing to a ledger only the name is looked at.
void Attributes::take_extension(std::string_view name, std::string_view text) {
  if (is_extension_name(name)) return;
  if (name == kCaller)
    return fail("unknown_field", pointer_to(name), text,
                "leave it out: the door itself writes who called; who decided or sent the event is its `actor`");
  fail("unknown_field", pointer_to(name), text,
       "names of attributes are lower-case letters and digits, and none is called data");
}

void Attributes::need(const std::string& value, std::string_view name) {
  if (value.empty())
    fail("malformed", pointer_to(name), "",
         fmt::format("add the attribute: it is required (in binary mode as the header ce-{})", name));
}

bool Attributes::finish(CloudEvent& event) {
  need(specversion_, "specversion");
  if (!specversion_.empty() && specversion_ != "1.0")
    fail("unsupported_version", "/specversion", specversion_, "send CloudEvents of specversion 1.0");
  need(id_, "id");
  need(source_, "source");
  if (!source_.empty() && !is_source(source_))
    fail("malformed", "/source", source_, "send a URI-reference: slurm://aif1");
  need(type_name_, "type");
  if (!type_name_.empty()) {
    const events::TypeInfo* info = events::type_by_name(type_name_);
    if (info == nullptr || info->status != events::Status::enters) {
      fail("unknown_type", "/type", type_name_, unknown_type_hint(info));
    } else {
      type_ = info->type;
      if (info->enters != events::Topic::usage) collector_.clear();  // nobody collects a decision
    }
  }
  need(time_, "time");
  if (!time_.empty()) {
    const auto parsed = units::parse_time(time_);
    event.time = parsed.at;
    if (parsed.trouble == TimeTrouble::no_zone)
      fail("time_without_zone", "/time", time_, "add Z or an offset such as +01:00");
    else if (parsed.trouble == TimeTrouble::out_of_range)
      fail("time_out_of_range", "/time", time_, "send a time of the years 1970 to 9999");
    else if (parsed.trouble == TimeTrouble::malformed)
      fail("malformed", "/time", time_, "send RFC 3339 with a zone: 2026-10-31T23:30:00Z");
  }
  if (error_) return false;
  event.source = std::move(source_);
  event.id = id_;
  event.actor = std::move(actor_);
  event.collector = std::move(collector_);
  event.trace = std::move(trace_);
  return true;
}

ContentType parse_content_type(std::string_view text) {
  const std::size_t end = text.find(';');
  ContentType parsed;
  parsed.media_type = text.substr(0, end);
  while (!parsed.media_type.empty() && (parsed.media_type.back() == ' ' || parsed.media_type.back() == '\t'))
    parsed.media_type.pop_back();
  std::transform(parsed.media_type.begin(), parsed.media_type.end(), parsed.media_type.begin(), lower);
  if (end == std::string_view::npos) return parsed;
  std::string parameters;
  for (const char c : text.substr(end))
    if (c != ' ' && c != '\t' && c != '"') parameters += lower(c);
  constexpr std::string_view kCharset = ";charset=";
  const std::size_t charset = parameters.find(kCharset);
  if (charset == std::string::npos) return parsed;
  const std::size_t from = charset + kCharset.size();
  parsed.charset = parameters.substr(from, parameters.find(';', from) - from);
  return parsed;
}

}  // namespace granary::entry
