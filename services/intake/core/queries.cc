// What the routes ask, over rows that are shown (Machine::show).
#include "services/intake/core/machine.h"

namespace granary::intake {

const RefRow* IntakeMachine::named_by(const events::Ref& ref) {
  return refs_.find(key_of(ref.system, ref.id));
}

}  // namespace granary::intake
