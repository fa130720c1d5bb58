// The workload of all benchmarks: what is decided for a number of projects, and jobs of theirs. Everything follows from
// the seed and the sizes; any job can be made at any time, so none is kept. Values; any thread.
//
// What is drawn: projects by Zipf (the first has about a tenth of the jobs of ten thousand projects); one class a job
// (gpu 70 %, cpu 20 %, storage 8 %, qpu 2 %); starts over 40 days, so that some jobs are cut at the end of a month or
// of a lot; 1 % repeats of one of the last 100,000 jobs (same source, id and substance); 1 % that start before any lot.
// Lots never run out: which lot a job takes follows from its time alone, so that what the machines hold in the end does
// not depend on the order in which lanes meet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/events/catalogue.h"
#include "shared/events/usage.h"

namespace granary::bench {

struct Workload {
  std::uint64_t seed = 1;
  std::uint64_t events = 2'000'000;
  std::uint64_t projects = 10'000;
};

// The ledger's time throughout, and the `recorded_at` of all that is appended.
inline constexpr Id16 kLedger{0xbe, 0x4c, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
inline constexpr units::Instant kNow{1'790'000'000'000};

inline std::string project_name(std::uint64_t project) {
  return "p" + std::to_string(project);
}

// As a door would append it.
Bytes raw_record(const events::Event& event, std::string source, std::string id);

// Calls `take` with the records of `applications`, in order: policies, prices, and for each project its registration
// (four projects an organisation) and an award of five lots. Returns how many.
std::uint64_t each_decision(std::uint64_t projects, const std::function<void(Bytes)>& take);

class Jobs {
 public:
  explicit Jobs(const Workload& workload);

  // Which job stands at a place of the stream: its own number, or that of an earlier one that it repeats.
  [[nodiscard]] std::uint64_t number_at(std::uint64_t place) const;

  [[nodiscard]] static std::string source_of(std::uint64_t number);
  [[nodiscard]] std::string id_of(std::uint64_t number) const;
  [[nodiscard]] events::UsageReported usage_of(std::uint64_t number) const;

  // The raw record as a door would append it, and where it goes.
  struct Placed {
    std::uint16_t partition = 0;
    Bytes record;
  };
  [[nodiscard]] Placed record_of(std::uint64_t number, std::uint16_t partitions) const;
  // The CloudEvent, as JSON.
  [[nodiscard]] std::string cloud_event(std::uint64_t number) const;

  // The number in an id that id_of made.
  [[nodiscard]] static std::uint64_t number_of(std::string_view id);

 private:
  [[nodiscard]] std::uint64_t draw(std::uint64_t number, std::uint64_t what) const;

  Workload workload_;
  std::vector<std::uint64_t> weights_;  // of the projects, summed up
};

}  // namespace granary::bench
