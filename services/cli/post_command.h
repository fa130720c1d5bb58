// `granary post`: CloudEvents from a file, or from standard input, in their order.
#pragma once

#include <string>

#include "services/cli/commands.h"

namespace granary::cli {

// "-" for standard input. Each run of decisions or of usage is posted once the effect of all before it is folded, so
// that a file may hold decisions and the usage that needs them. The exit code: 0 every event was taken, 1 one was
// refused, 2 no CloudEvents, 3 cannot run.
int post(const ClientOptions& options, const std::string& file);

// The same of a text; `name` stands for it in messages.
int post_text(const ClientOptions& options, const std::string& text, const std::string& name);

}  // namespace granary::cli
