// CloudEvents on their way to a server, in their order. One thread.
#pragma once

#include <string>

#include "services/cli/options.h"

namespace granary::cli {

// Sends the CloudEvents of a text; `name` is what messages call it. Each run of decisions or of usage is sent once the
// effect of all before it is folded, so that a text may hold decisions and the usage that needs them. Prints what
// became of them. The exit code: 0 every event was taken, 1 one was refused, 2 no CloudEvents, 3 cannot run.
int send_text(const ClientOptions& options, const std::string& text, const std::string& name);

}  // namespace granary::cli
