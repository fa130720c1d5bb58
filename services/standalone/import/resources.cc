#include "services/standalone/import/resources.h"

#include <algorithm>
#include <utility>

#include "services/standalone/import/text.h"

namespace granary::import {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::string_view kTypedGpu = "gpu:";

// The class of a TRES; nullopt: none.
std::optional<std::string> class_of(std::string_view type, std::string_view name) {
  if (type == "cpu" || type == "node") return std::string(type);
  if (type == "mem") return "memory";
  const bool is_gpu = type == "gres" && (name == "gpu" || (name.starts_with(kTypedGpu) && name.size() > 4));
  return is_gpu ? std::optional<std::string>(name) : std::nullopt;
}

// Bytes of "16G", "2252800K", "1.5T", "500" (MiB); nullopt where it is none, not whole, or beyond 2^63.
std::optional<std::int64_t> memory_bytes(std::string_view text) {
  constexpr std::string_view kUnits = "KMGTP";
  std::int64_t unit = kMiB;
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
  __extension__ using Wide = __int128;
  const Wide product = static_cast<Wide>(*number) * unit;
  if (product % scale != 0 || product / scale > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(product / scale);
}

}  // namespace

bool AllocatedTres::is_sent(std::string_view type, std::string_view name) {
  return class_of(type, name).has_value();
}

bool AllocatedTres::add(std::string_view type, std::string_view name, std::int64_t count) {
  const auto class_name = class_of(type, name);
  if (!class_name) return true;
  if (*class_name != "memory") return put(*class_name, count);
  return count <= INT64_MAX / kMiB && put(*class_name, std::max<std::int64_t>(0, count) * kMiB);
}

bool AllocatedTres::add_text(std::string_view text) {
  if (text.empty()) return true;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    const std::string_view value = part.substr(equals + 1);
    const std::string_view key = part.substr(0, equals);
    const std::size_t slash = key.find('/');
    const std::string_view type = key.substr(0, slash);
    const auto class_name = class_of(type, slash == std::string_view::npos ? "" : key.substr(slash + 1));
    if (!class_name) continue;
    const auto count = type == "mem" ? memory_bytes(value) : parse_integer(value);
    if (!count || !put(*class_name, *count)) return false;
  }
  return true;
}

bool AllocatedTres::put(std::string class_name, std::int64_t quantity) {
  if (quantity <= 0) return true;
  const auto is_same = [&](const ResourceQuantity& resource) { return resource.class_name == class_name; };
  if (std::any_of(resources_.begin(), resources_.end(), is_same)) return false;
  resources_.push_back({std::move(class_name), std::to_string(quantity)});
  return true;
}

std::vector<ResourceQuantity> AllocatedTres::take() {
  const auto is_typed = [](const ResourceQuantity& resource) { return resource.class_name.starts_with(kTypedGpu); };
  if (std::any_of(resources_.begin(), resources_.end(), is_typed)) {
    std::erase_if(resources_, [](const ResourceQuantity& resource) { return resource.class_name == "gpu"; });
  }
  std::sort(resources_.begin(), resources_.end(),
            [](const ResourceQuantity& a, const ResourceQuantity& b) { return a.class_name < b.class_name; });
  return std::exchange(resources_, {});
}

}  // namespace granary::import
