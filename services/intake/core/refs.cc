// Refs: what other systems call organisations, projects, applications, grants and accounts. One thing has a ref.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

namespace {

std::string shown(const RefRow& owner) {
  const std::string name = fmt::format("'{}'", owner.name);
  if (owner.kind == RefKind::account) return fmt::format("the account {} of the cluster '{}'", name, owner.cluster);
  if (owner.kind == RefKind::grant) return "the grant of the application " + name;
  return fmt::format("the {} {}", codec::enum_name(owner.kind), name);
}

}  // namespace

Outcome IntakeMachine::check_refs(const std::vector<events::Ref>& refs, const std::string& at, const RefRow& owner) {
  for (std::size_t i = 0; i < refs.size(); ++i)
    if (const RefRow* known = named_by(refs[i]); known != nullptr && *known != owner)
      return refuse(
          Refusal::ref_taken, fmt::format("{}/{}", at, i),
          fmt::format("leave it out, or give this one's own: {} has {}:{}", shown(*known), refs[i].system, refs[i].id));
  return {};
}

void IntakeMachine::take_refs(const std::vector<events::Ref>& refs, const RefRow& owner) {
  for (const events::Ref& ref : refs) refs_.edit(key_of(ref.system, ref.id)) = owner;
}

}  // namespace granary::intake
