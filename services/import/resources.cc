#include "services/import/resources.h"

#include <algorithm>
#include <utility>

#include "services/import/text.h"

namespace granary::import {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::string_view kTypedGpu = "gpu:";

__extension__ using Wide = __int128;

// The class of a TRES; nullopt: none.
std::optional<std::string> class_of(std::string_view type, std::string_view name) {
  if (type == "cpu" || type == "node") return std::string(type);
  if (type == "mem") return "memory";
  const bool is_gpu = type == "gres" && (name == "gpu" || (name.starts_with(kTypedGpu) && name.size() > 4));
  return is_gpu ? std::optional<std::string>(name) : std::nullopt;
}

// Figures of Slurm about an allocation, not things that it holds.
bool is_figure(std::string_view type) {
  return type == "billing" || type == "energy";
}

std::string tres_name(std::string_view type, std::string_view name) {
  return std::string(type) + (name.empty() ? "" : "/" + std::string(name));
}

// Without what is in brackets: "gpu:2(IDX:0,1)" is "gpu:2".
std::string without_brackets(std::string_view text) {
  std::string out;
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (depth == 0) out.push_back(c);
    if (c == ')' && depth > 0) --depth;
  }
  return out;
}

}  // namespace

std::optional<Count> parse_count(std::string_view text, std::int64_t unit) {
  constexpr std::string_view kUnits = "KMGTP";
  if (const std::size_t at = text.empty() ? kUnits.npos : kUnits.find(text.back()); at != kUnits.npos) {
    unit = std::int64_t{1} << (10 * (at + 1));
    text.remove_suffix(1);
  }
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::int64_t scale = 1;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty() || decimals.size() > 6) return std::nullopt;
    digits += decimals;
    for (std::size_t i = 0; i < decimals.size(); ++i) scale *= 10;
  }
  const auto number = parse_integer(digits);
  if (!number || *number < 0) return std::nullopt;
  const Wide product = static_cast<Wide>(*number) * unit;
  const Wide whole = (product + scale / 2) / scale;
  if (whole > INT64_MAX) return std::nullopt;
  return Count{static_cast<std::int64_t>(whole), product % scale != 0};
}

bool AllocatedTres::is_sent(std::string_view type, std::string_view name) {
  return class_of(type, name).has_value();
}

bool AllocatedTres::add(std::string_view type, std::string_view name, std::int64_t count) {
  const auto class_name = class_of(type, name);
  if (!class_name) {
    if (count > 0 && !is_figure(type)) unmapped_.insert(tres_name(type, name));
    return true;
  }
  if (*class_name != "memory") return put(*class_name, count);
  return count <= INT64_MAX / kMiB && put(*class_name, std::max<std::int64_t>(0, count) * kMiB);
}

bool AllocatedTres::add_text(std::string_view text) {
  if (text.empty()) return true;
  for (const std::string_view part : split(text, ",")) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    const std::string_view value = part.substr(equals + 1);
    const std::string_view key = part.substr(0, equals);
    const std::size_t slash = key.find('/');
    const std::string_view type = key.substr(0, slash);
    const std::string_view name = slash == std::string_view::npos ? "" : key.substr(slash + 1);
    const auto class_name = class_of(type, name);
    if (!class_name) {
      // What it counts is not known, so that any value but 0 is one.
      if (value != "0" && !is_figure(type)) unmapped_.insert(tres_name(type, name));
      continue;
    }
    const auto count = parse_count(value, type == "mem" ? kMiB : 1);
    if (!count || !put(*class_name, count->value)) return false;
    if (count->is_rounded) rounded_ = part;
  }
  return true;
}

bool AllocatedTres::add_gres_text(std::string_view text) {
  const std::string plain = without_brackets(text);
  if (plain.empty()) return true;
  std::int64_t gpus = 0;
  for (const std::string_view part : split(plain, ",")) {
    const auto words = split(part, ":");
    if (words[0].empty() || words.size() > 3) return false;
    if (words[0] != "gpu") {
      unmapped_.insert(tres_name("gres", words[0]));
      continue;
    }
    // The last word is the number, or one is meant.
    const auto last = words.size() > 1 ? parse_count(words.back()) : std::nullopt;
    if (!last && words.size() == 3) return false;
    const std::int64_t count = last ? last->value : 1;
    const bool is_typed = words.size() == 3 || (words.size() == 2 && !last);
    if (count > INT64_MAX - gpus) return false;
    gpus += count;
    if (is_typed && !put(std::string(kTypedGpu) + std::string(words[1]), count)) return false;
  }
  return put("gpu", gpus);
}

bool AllocatedTres::has_gpus() const {
  return std::any_of(counts_.begin(), counts_.end(), [](const auto& one) { return one.first.starts_with("gpu"); });
}

bool AllocatedTres::put(const std::string& class_name, std::int64_t quantity) {
  return quantity <= 0 || counts_.emplace(class_name, quantity).second;
}

std::vector<ResourceQuantity> AllocatedTres::take() {
  if (const auto total = counts_.find("gpu"); total != counts_.end()) {
    for (const auto& [class_name, count] : counts_) {
      if (class_name.starts_with(kTypedGpu)) total->second -= std::min(count, total->second);
    }
    if (total->second == 0) counts_.erase(total);
  }
  std::vector<ResourceQuantity> resources;
  for (const auto& [class_name, count] : std::exchange(counts_, {})) {
    resources.push_back({class_name, std::to_string(count)});
  }
  return resources;
}

}  // namespace granary::import
