#include "shared/events/topic.h"

namespace granary::events {

std::string_view topic_name(Topic topic) {
  switch (topic) {
    case Topic::applications:
      return "granary.applications.v1";
    case Topic::usage:
      return "granary.usage.v1";
    case Topic::allocations:
      return "granary.allocations.v1";
    case Topic::ledger:
      return "granary.ledger.v1";
    case Topic::billing:
      return "granary.billing.v1";
    case Topic::notices:
      return "granary.notices.v1";
    case Topic::rejected:
      return "granary.rejected.v1";
    case Topic::checkpoints:
      return "granary.checkpoints.v1";
  }
  return "unknown";
}

}  // namespace granary::events
