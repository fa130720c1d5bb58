#include "shared/events/account.h"

namespace granary::events {

Trouble check(const AccountBound& bound, const std::string& at) {
  if (!bound.from || !bound.to || *bound.from < *bound.to) return check(bound.refs, at + "/refs");
  return FormError{"end_before_start", at + "/to", units::format_time(*bound.to), "send a `to` after `from`"};
}

}  // namespace granary::events
