// A price book is published.
#include "services/intake/core/machine.h"

#include <fmt/format.h>
#include "services/intake/core/refusals.h"

namespace granary::intake {

using machine::Judgement;
using machine::Outcome;
using machine::Topic;

Outcome IntakeMachine::publish_price_book(const events::PriceBookPublished& event, const Input& input,
                                          const Context& context, Out& out) {
  Bytes version(1, '\0');
  append_part(version, event.seller);
  version.append(event.version);
  if (is_published(version))
    return refuse(Refusal::version_exists, "/version",
                  fmt::format("choose a version that the seller '{}' does not have", event.seller));
  if (Outcome outcome = price_books_.check(event, policies_); outcome.judgement != Judgement::accepted) return outcome;
  publish(version, {std::nullopt, event, input.raw.recorded_at});
  price_books_.learn(event);
  out.broadcast(Topic::ledger, context.partitions, event);
  return {};
}

}  // namespace granary::intake
