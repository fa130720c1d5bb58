// `granary rules`: which rules versions there are and by which one each shard folds; `granary rules activate N`: the
// event by which a version comes into force.
#pragma once

#include <cstdint>

#include "services/cli/commands.h"

namespace granary::cli {

struct RulesArguments {
  std::uint64_t version = 0;
  bool force = false;  // activate although an instance does not know the version, or does not answer
};

// The exit code: 0 shown, 1 an instance does not answer, 3 no server.
int list_rules(const ClientOptions& options);

// Asks every instance first. The exit code: 0 the event was taken, 1 refused, or an instance does not know the version
// (without --force), 3 no server.
int activate_rules(const ClientOptions& options, const RulesArguments& arguments);

}  // namespace granary::cli
