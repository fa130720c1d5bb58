#include "services/intake/core/policies.h"

#include <algorithm>

namespace granary::intake {
namespace {

const events::PolicyPublished* in_force(const std::vector<events::PolicyPublished>& published, units::Instant at) {
  const auto found = std::find_if(published.rbegin(), published.rend(),
                                  [at](const events::PolicyPublished& policy) { return policy.effective <= at; });
  return found == published.rend() ? nullptr : &*found;
}

}  // namespace

void Policies::learn(const events::PolicyPublished& policy) {
  if (policy.kind == events::PolicyKind::resource_classes) classes_.push_back(policy);
  if (policy.kind == events::PolicyKind::acceptance_window) windows_.push_back(policy);
}

const events::ResourceClass* Policies::find_class(std::string_view name, units::Instant at) const {
  const events::PolicyPublished* list = in_force(classes_, at);
  if (list == nullptr) return nullptr;
  const auto& classes = list->content.classes;
  const auto found = std::find_if(classes.begin(), classes.end(),
                                  [name](const events::ResourceClass& one) { return one.class_name == name; });
  return found == classes.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> Policies::window_days(units::Instant at) const {
  const events::PolicyPublished* window = in_force(windows_, at);
  if (window == nullptr) return std::nullopt;
  return window->content.window_days;
}

}  // namespace granary::intake
