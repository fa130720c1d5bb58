// The metering service: its machine and its questions, for whoever runs them. Any thread.
#pragma once

#include "shared/service/server.h"

namespace granary::metering {

service::Hosted hosted();

}  // namespace granary::metering
