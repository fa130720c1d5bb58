// Damage to the files of an embedded ledger: which kinds of files there are, and one thing wrong with one of them.
// Everything follows from the random numbers given. One thread.
#pragma once

#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace granary::test {

enum class Where : std::uint8_t { log, state };

struct Kind {
  const char* name;
  Where where;
  // What the name of a file of this kind contains, of its directory.
  const char* directory;
  const char* file;
  int weight;
};
// HEAD and the rows of checkpoints among them.
const std::vector<Kind>& kinds();
inline constexpr const char* kCheckpointRow = "checkpoint";

// Damages one file of that kind under `data`; what was done, in words. nullopt: there is no such file, or it is empty.
std::optional<std::string> damage(const std::string& data, const Kind& kind, std::mt19937_64& random);

}  // namespace granary::test
