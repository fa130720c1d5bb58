// The job of the worked example, as values: one hour of 2 GPUs and 32 cores over the edge of October 2026. Tests only.
#pragma once

#include <fstream>
#include <iterator>

#include "shared/base/check.h"
#include "shared/events/record.h"
#include "shared/proof/hash.h"

namespace granary::events::testing {

inline const std::string kSlurm = "slurm://aif1";
inline const std::string kJob = "81234/2026-10-31T23:30:00Z";
inline const std::string kDecisions = "https://portal.aif1.example/decisions";
inline const std::string kDecision = "decision/2026-0117";
inline constexpr std::uint16_t kPartitions = 8;

inline Instant at(std::string_view text) {
  const auto parsed = units::parse_time(text);
  GRANARY_CHECK(parsed.trouble == units::TimeTrouble::none, "no time: " + std::string(text));
  return parsed.at;
}

inline Id16 grant_id() {
  return id_of(proof::sha256_of_parts({kDecisions, kDecision}));
}

inline UsageReported job_usage() {
  UsageReported usage;
  usage.project = "aurora-llm";
  usage.resources = {{"gpu:h200", Quantity(2000), {}, {}}, {"cpu", Quantity(32000), {}, {}}};
  usage.start = at("2026-10-31T23:30:00Z");
  usage.end = at("2026-11-01T00:30:00Z");
  usage.state = "COMPLETED";
  usage.job = {kSlurm, "81234"};
  return usage;
}

// The file's whole text, by its path in the tree.
inline std::string file_text(const std::string& path) {
  std::ifstream file(std::string(GRANARY_SOURCE_DIR) + "/" + path, std::ios::binary);
  GRANARY_CHECK(file.good(), "cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace granary::events::testing
