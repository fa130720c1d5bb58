#include "shared/codec/object_reader.h"

namespace granary::codec {

using json::Kind;
using json::Value;
using units::Amount;
using units::DecimalTrouble;
using units::Instant;
using units::Price;
using units::Quantity;
using units::TimeTrouble;

namespace {

std::string shown(const Value& value) {
  std::string text;
  if (value.is(Kind::string)) text = value.string();
  if (value.is(Kind::number)) text = value.number_text();
  if (value.is(Kind::boolean)) text = value.boolean() ? "true" : "false";
  if (text.size() > 100) text.resize(100);
  return text;
}

}  // namespace

std::optional<FormError> ObjectReader::finish() {
  if (error_) return error_;
  for (const json::Member& member : object_.members())
    if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
      std::string names;
      for (const auto name : known_) names += (names.empty() ? "" : ", ") + std::string(name);
      fail("unknown_field", at(member.name), member.value, "leave it out; known here are: " + names);
      break;
    }
  return error_;
}

std::string ObjectReader::at(std::string_view name) const {
  std::string pointer = pointer_;
  json::append_pointer_token(pointer, name);
  return pointer;
}

void ObjectReader::fail(std::string reason, std::string field, const Value& value, std::string hint) {
  if (!error_) error_ = FormError{std::move(reason), std::move(field), shown(value), std::move(hint)};
}

void ObjectReader::read(const Value& value, const std::string& pointer, std::string& out) {
  if (!value.is(Kind::string)) return fail("malformed", pointer, value, "send a string here");
  const std::string& text = value.string();
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (text.empty() || text.size() > kTextBytesMax || control)
    return fail("malformed", pointer, value,
                "send 1 to 256 bytes without control characters, or leave an optional field out");
  out = text;
}

void ObjectReader::read(const Value& value, const std::string& pointer, Instant& out) {
  if (!value.is(Kind::string))
    return fail("malformed", pointer, value, "send a time as a string: 2026-10-31T23:30:00Z");
  const auto parsed = units::parse_time(value.string());
  switch (parsed.trouble) {
    case TimeTrouble::none:
      out = parsed.at;
      return;
    case TimeTrouble::no_zone:
      return fail("time_without_zone", pointer, value, "add Z or an offset such as +01:00");
    case TimeTrouble::too_precise:
      return fail("time_too_precise", pointer, value, "send at most milliseconds");
    case TimeTrouble::out_of_range:
      return fail("time_out_of_range", pointer, value, "send a time of the years 1970 to 9999");
    case TimeTrouble::malformed:
      return fail("malformed", pointer, value, "send RFC 3339 with a zone: 2026-10-31T23:30:00Z");
  }
}

void ObjectReader::read(const Value& value, const std::string& pointer, std::uint64_t& out) {
  const auto number = value.integer();
  if (!number || *number < 0)
    return fail("malformed", pointer, value, "send a JSON integer of 0 or more, without point and exponent");
  out = static_cast<std::uint64_t>(*number);
}

void ObjectReader::read_decimal(const Value& value, const std::string& pointer, int decimals, units::Int128& out) {
  const std::string example = decimals == 0 ? "\"7200000000\"" : "\"2.5\"";
  if (!value.is(Kind::string)) return fail("malformed", pointer, value, "send a decimal string: " + example);
  const auto parsed = units::parse_decimal(value.string(), decimals);
  switch (parsed.trouble) {
    case DecimalTrouble::none:
      out = parsed.scaled;
      return;
    case DecimalTrouble::malformed:
      return fail("malformed", pointer, value, "send a decimal string: " + example);
    case DecimalTrouble::too_precise:
      return fail("quantity_too_precise", pointer, value, "send at most " + std::to_string(decimals) + " decimals");
    case DecimalTrouble::overflow:
      return fail("quantity_overflow", pointer, value, "send at most 2^96 of the smallest unit");
  }
}

void ObjectReader::read_positive(const Value& value, const std::string& pointer, int decimals, units::Int128& out) {
  read_decimal(value, pointer, decimals, out);
  if (!error_ && out <= 0) fail("quantity_not_positive", pointer, value, "send more than 0");
}

void ObjectReader::read(const Value& value, const std::string& pointer, Quantity& out) {
  units::Int128 number = 0;
  read_positive(value, pointer, 3, number);
  out = Quantity(number);
}

void ObjectReader::read(const Value& value, const std::string& pointer, Amount& out) {
  units::Int128 number = 0;
  read_positive(value, pointer, 0, number);
  out = Amount(number);
}

void ObjectReader::read(const Value& value, const std::string& pointer, Price& out) {
  units::Int128 number = 0;
  read_decimal(value, pointer, 9, number);
  if (!error_ && number < 0) fail("price_negative", pointer, value, "send 0 or more");
  out = Price(number);
}

}  // namespace granary::codec
