#include "tests/golden/rows_record.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace granary::golden {
namespace {

// How rows differ from what is recorded, the worse the later.
enum class Change { none, grown, other };

struct Difference {
  Change change = Change::none;
  std::string where;  // the first line of that kind

  void note(Change found, const std::string& at) {
    if (found <= change) return;
    change = found;
    where = at;
  }
};

// A message that is always written is missing in rows of before, so they would not decode.
bool may_be_absent(const Lines& field) {
  return !field.text.ends_with(": message");
}

// What stood must stand in its place; more may follow.
void compare(const std::vector<Lines>& recorded, const std::vector<Lines>& now, const std::string& at,
             Difference& difference) {
  for (std::size_t i = 0; i < std::max(recorded.size(), now.size()); ++i) {
    if (i >= recorded.size())
      difference.note(may_be_absent(now[i]) ? Change::grown : Change::other, at + " / " + now[i].text);
    else if (i >= now.size() || recorded[i].text != now[i].text)
      difference.note(Change::other, at + " / " + recorded[i].text);
    else
      compare(recorded[i].below, now[i].below, at + " / " + now[i].text, difference);
  }
}

Difference difference_of(const RowsRecord& recorded, const RowsRecord& now) {
  Difference difference;
  for (const Lines& table : recorded.tables) {
    const auto found = std::find_if(now.tables.begin(), now.tables.end(),
                                    [&](const Lines& other) { return other.text == table.text; });
    if (found == now.tables.end())
      difference.note(Change::other, table.text);
    else
      compare(table.below, found->below, table.text, difference);
  }
  for (const Lines& table : now.tables) {
    const bool is_new = std::none_of(recorded.tables.begin(), recorded.tables.end(),
                                     [&](const Lines& other) { return other.text == table.text; });
    if (is_new) difference.note(Change::grown, table.text);
  }
  return difference;
}

void append(std::string& out, const std::vector<Lines>& lines, std::size_t depth) {
  for (const Lines& line : lines) {
    out.append(2 * depth, ' ') += line.text + '\n';
    append(out, line.below, depth + 1);
  }
}

constexpr std::string_view kForm = ": format ";
constexpr std::string_view kRevision = ", revision ";
constexpr std::string_view kReadable = ", readable from ";

}  // namespace

std::string to_text(const std::vector<RowsRecord>& records) {
  std::string out;
  for (const RowsRecord& record : records) {
    out += record.owner + std::string(kForm) + std::to_string(record.form.format) + std::string(kRevision) +
           std::to_string(record.form.revision) + std::string(kReadable) + std::to_string(record.form.readable_from) +
           '\n';
    append(out, record.tables, 1);
  }
  return out;
}

std::optional<std::vector<RowsRecord>> parse(std::string_view text) {
  std::vector<RowsRecord> records;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || indent % 2 != 0) return std::nullopt;
    if (indent == 0) {
      RowsRecord& record = records.emplace_back();
      const std::size_t at = line.find(kForm);
      record.owner = line.substr(0, at);
      const char* next = line.data() + std::min(at, line.size());
      const char* end = line.data() + line.size();
      for (const auto& [words, number] :
           {std::pair(kForm, &record.form.format), std::pair(kRevision, &record.form.revision),
            std::pair(kReadable, &record.form.readable_from)}) {
        if (!std::string_view(next, static_cast<std::size_t>(end - next)).starts_with(words)) return std::nullopt;
        const auto [behind, error] = std::from_chars(next + words.size(), end, *number);
        if (error != std::errc()) return std::nullopt;
        next = behind;
      }
      continue;
    }
    if (records.empty()) return std::nullopt;
    std::vector<Lines>* level = &records.back().tables;
    for (std::size_t depth = 1; depth < indent / 2; ++depth) {
      if (level->empty()) return std::nullopt;
      level = &level->back().below;
    }
    level->push_back({line.substr(indent), {}});
  }
  return records;
}

std::string what_to_raise(const RowsRecord& recorded, const RowsRecord& now, const std::string& where) {
  if (now.form.revision < recorded.form.revision || now.form.format < recorded.form.format)
    return where + ": format and revision never go back; they are recorded as " + std::to_string(recorded.form.format) +
           " and " + std::to_string(recorded.form.revision);
  const Difference difference = difference_of(recorded, now);
  const bool format_raised = now.form.format > recorded.form.format;
  const std::string format = "`format` to " + std::to_string(recorded.form.format + 1) +
                             ", and each server folds its state again from the log";
  if (difference.change == Change::other && !format_raised)
    return where + ": the rows of " + now.owner + " are others (" + difference.where + "): raise " + format;
  if (difference.change == Change::grown && !format_raised && now.form.revision == recorded.form.revision)
    return where + ": the rows of " + now.owner + " have grown (" + difference.where + "): raise `revision` to " +
           std::to_string(recorded.form.revision + 1) +
           " if what is new is empty for all that was folded before; else " + format;
  return {};
}

}  // namespace granary::golden
