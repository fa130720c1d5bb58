// The allocation service: its machine and its questions, for whoever runs them. Any thread.
#pragma once

#include "shared/service/server.h"

namespace granary::allocation {

service::Hosted hosted();

}  // namespace granary::allocation
