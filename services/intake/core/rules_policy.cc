// A policy is published.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"

namespace granary::intake {

using events::PolicyKind;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::publish_policy(const events::PolicyPublished& event, const Input& input, const Context& context,
                                      Out& out) {
  Bytes version(1, static_cast<char>(event.kind));
  version.append(event.version);
  if (!event.content.project.empty() && projects_.find(event.content.project) == nullptr)
    return refuse(Refusal::unknown_project, "/content/project",
                  fmt::format("register the project '{}' first", event.content.project));
  if (is_published(version))
    return refuse(Refusal::version_exists, "/version",
                  fmt::format("choose a version that the kind {} does not have", codec::enum_name(event.kind)));
  publish(version, {event, std::nullopt, input.raw.recorded_at});
  policies_.learn(event);
  const bool for_usage = event.kind == PolicyKind::resource_classes || event.kind == PolicyKind::acceptance_window;
  out.broadcast(for_usage ? Topic::usage : Topic::allocations, context.partitions, event);
  return {};
}

void IntakeMachine::publish(const Bytes& version_key, PublicationRow row) {
  Bytes number;
  append_u64(number, ++published_);
  publications_.edit(number) = std::move(row);
  versions_.edit(version_key).publication = published_;
}

}  // namespace granary::intake
