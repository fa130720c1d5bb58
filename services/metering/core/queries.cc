// What the routes ask, over rows that are shown (Machine::show).
#include "services/metering/core/machine.h"

namespace granary::metering {

std::vector<machine::Figure> MeteringMachine::figures() {
  return {{"unbound", "unbound_usage", "Usage that waits for its account to be bound to a project", unbound_},
          {"unmeasured", "unmeasured_usage", "Usage of bound accounts that waits for a class list that measures it",
           unmeasured_}};
}

void MeteringMachine::each_source(const std::function<void(std::string_view, const SourceRow&)>& visit) const {
  sources_.scan("", [&visit](BytesView source, const SourceRow& row) { return visit(source, row), true; });
}

void MeteringMachine::each_waiting(
    const std::function<void(std::string_view, std::string_view, const WaitingHead&)>& visit) const {
  waiting_heads_.scan("", [&visit](BytesView key, const WaitingHead& head) {
    const auto cluster = take_part(key);
    const auto account = take_part(key);
    GRANARY_CHECK(cluster && account, "a key of waiting usage is malformed");
    visit(*cluster, *account, head);
    return true;
  });
}

}  // namespace granary::metering
