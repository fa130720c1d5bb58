#include "services/cli/import_report.h"

#include <fmt/format.h>

namespace granary::cli {
namespace {

using import::Fate;
using import::Remark;

constexpr std::size_t kShownRows = 10;  // of each reason; enough to find the others
constexpr std::array kFates{Fate::refused, Fate::skipped, Fate::noted};

const char* name_of(Fate fate) {
  return fate == Fate::refused ? "refused" : fate == Fate::skipped ? "skipped" : "noted";
}

// Whether it is about a column and not about a row.
bool is_of_file(const Remark& remark) {
  return remark.reason.starts_with("column_");
}

std::string place_of(const Remark& remark) {
  return remark.job.empty() ? fmt::format("line {}", remark.line)
                            : fmt::format("line {} job {}", remark.line, remark.job);
}

}  // namespace

void Remarks::add(Fate fate, const Remark& remark) {
  const bool is_of_field = remark.reason == "unmapped" || is_of_file(remark);
  Group& group = groups_[{fate, remark.reason, is_of_field ? remark.field : ""}];
  ++group.rows;
  if (group.first.size() < kShownRows) group.first.push_back(remark);
  if (keeps_all_) all_[fate].push_back(remark);
}

std::uint64_t Remarks::count(Fate fate) const {
  std::uint64_t rows = 0;
  for (const auto& [key, group] : groups_)
    if (std::get<Fate>(key) == fate) rows += group.rows;
  return rows;
}

std::string Remarks::by_reason(Fate fate) const {
  std::string out;
  for (const auto& [key, group] : groups_)
    if (std::get<Fate>(key) == fate)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", std::get<1>(key), group.rows);
  return out;
}

std::string Remarks::lines() const {
  std::string out;
  bool has_more = false;
  for (const auto& [key, group] : groups_) {
    const Remark& first = group.first.front();
    const std::string& about = std::get<2>(key);
    out += fmt::format("  {}, {}", name_of(std::get<Fate>(key)), first.reason);
    if (!about.empty()) out += " " + about;
    out += ": ";
    if (!is_of_file(first)) out += fmt::format("{} {}: ", group.rows, group.rows == 1 ? "row" : "rows");
    out += place_of(first);
    if (about.empty()) out += " " + first.field;
    out += ": " + first.detail;
    for (std::size_t i = 1; i < group.first.size(); ++i) {
      out += (i == 1 ? "; also " : ", ") + place_of(group.first[i]);
      if (about.empty() && group.first[i].field != first.field) out += " " + group.first[i].field;
    }
    if (group.rows > group.first.size()) {
      out += fmt::format(", and {} more", group.rows - group.first.size());
      has_more = true;
    }
    out += '\n';
  }
  return has_more ? out + "  --json names every row\n" : out;
}

void Remarks::write(json::Writer<std::string>& out) const {
  for (const Fate fate : kFates) {
    out.name(name_of(fate)).begin_array();
    if (const auto found = all_.find(fate); found != all_.end()) {
      for (const Remark& remark : found->second) {
        out.begin_object().member("line", remark.line).member("job", remark.job).member("field", remark.field);
        out.member("reason", remark.reason).member("hint", remark.detail).end_object();
      }
    }
    out.end_array();
  }
}

}  // namespace granary::cli
