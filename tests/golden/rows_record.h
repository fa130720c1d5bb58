// The form of rows as text that a person can read and a test can compare: each table with its fields, their numbers,
// names and kinds, messages and enums within them spelled out. And what a difference from a record of it asks for. One
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/codec/wire.h"
#include "shared/machine/row_form.h"

namespace granary::golden {

// One line, and what stands below it, indented.
struct Lines {
  std::string text;
  std::vector<Lines> below;
  bool operator==(const Lines&) const = default;
};

// The rows of a machine, or of the runtime.
struct RowsRecord {
  std::string owner;
  machine::RowForm form;
  std::vector<Lines> tables;
};

// Lists the fields of a message (events/field.h).
struct Describe {
  std::vector<Lines>& fields;

  template <class T>
  void operator()(int tag, std::string_view name, const T&, codec::Presence) {
    Lines& line = fields.emplace_back();
    line.text = std::to_string(tag) + " " + std::string(name) + ": ";
    add_kind<T>(line);
  }

  template <class T>
  static void add_kind(Lines& line) {
    if constexpr (codec::IsVector<T>::value) {
      line.text += "list of ";
      add_kind<typename T::value_type>(line);
    } else if constexpr (codec::IsOptional<T>::value) {
      line.text += "optional ";
      add_kind<typename T::value_type>(line);
    } else if constexpr (std::is_same_v<T, std::string>) {
      line.text += "text";
    } else if constexpr (std::is_same_v<T, units::Instant>) {
      line.text += "time";
    } else if constexpr (std::is_same_v<T, Id16>) {
      line.text += "id";
    } else if constexpr (std::is_same_v<T, units::Quantity>) {
      line.text += "quantity";
    } else if constexpr (std::is_same_v<T, units::Amount>) {
      line.text += "amount";
    } else if constexpr (std::is_same_v<T, units::Price>) {
      line.text += "price";
    } else if constexpr (std::is_same_v<T, units::Money>) {
      line.text += "money";
    } else if constexpr (std::is_enum_v<T>) {
      line.text += "one of";
      for (const std::string_view name : codec::EnumNames<T>::kNames) line.below.push_back({std::string(name), {}});
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      line.text += "count";
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      line.text += "number";
    } else {
      line.text += "message";
      T value{};
      Describe nested{line.below};
      T::fields(value, nested);
    }
  }
};

template <class Row>
Lines describe_row(std::string table) {
  Lines line{std::move(table), {}};
  Row row{};
  Describe fields{line.below};
  Row::fields(row, fields);
  return line;
}

std::string to_text(const std::vector<RowsRecord>& records);
// nullopt: no such text.
std::optional<std::vector<RowsRecord>> parse(std::string_view text);

// What is asked for before `now` may take the place of `recorded`: which number to raise, and when; empty: nothing.
std::string what_to_raise(const RowsRecord& recorded, const RowsRecord& now, const std::string& where);

}  // namespace granary::golden
