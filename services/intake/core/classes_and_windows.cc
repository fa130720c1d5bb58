#include "services/intake/core/classes_and_windows.h"

#include <algorithm>

#include "shared/machine/effective.h"

namespace granary::intake {
namespace {

const events::ResourceClass* class_in(const events::PolicyPublished& list, std::string_view name) {
  const auto& classes = list.content.classes;
  const auto found = std::find_if(classes.begin(), classes.end(),
                                  [name](const events::ResourceClass& one) { return one.class_name == name; });
  return found == classes.end() ? nullptr : &*found;
}

}  // namespace

void ClassesAndWindows::learn(const events::PolicyPublished& policy) {
  if (policy.kind == events::PolicyKind::resource_classes) machine::publish(classes_, policy);
  if (policy.kind == events::PolicyKind::acceptance_window) machine::publish(windows_, policy);
}

const events::PolicyPublished* ClassesAndWindows::in_force(events::PolicyKind kind, units::Instant at) const {
  if (kind == events::PolicyKind::resource_classes) return machine::in_force(classes_, at);
  return kind == events::PolicyKind::acceptance_window ? machine::in_force(windows_, at) : nullptr;
}

const events::ResourceClass* ClassesAndWindows::find_class(std::string_view name, units::Instant at) const {
  const events::PolicyPublished* list = in_force(events::PolicyKind::resource_classes, at);
  return list == nullptr ? nullptr : class_in(*list, name);
}

std::vector<const events::ResourceClass*> ClassesAndWindows::classes_from(std::string_view name,
                                                                          units::Instant from) const {
  std::vector<const events::ResourceClass*> found;
  const events::PolicyPublished* current = in_force(events::PolicyKind::resource_classes, from);
  for (const events::PolicyPublished& list : classes_)
    if (&list == current || list.effective > from)
      if (const events::ResourceClass* one = class_in(list, name)) found.push_back(one);
  return found;
}

std::optional<std::uint64_t> ClassesAndWindows::window_days(units::Instant at) const {
  const events::PolicyPublished* window = in_force(events::PolicyKind::acceptance_window, at);
  if (window == nullptr) return std::nullopt;
  return window->content.window_days;
}

}  // namespace granary::intake
