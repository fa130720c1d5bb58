#include "tests/bench/at_rate.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "tests/bench/measuring.h"
#include "tests/support/forwarding_journal.h"

namespace granary::bench {
namespace {

using machine::Topic;

constexpr double kStepS = 0.005;
constexpr std::size_t kReadBytes = 4U << 20;

struct Acknowledged {
  journal::Partition partition;
  journal::Offset first = 0, last = 0;
  double at = 0;
};

struct Acknowledgements {
  std::mutex mutex;
  std::vector<Acknowledged> all;
};

}  // namespace

class BillingTap final : public testing_support::ForwardingJournal {
 public:
  BillingTap(journal::Journal& behind, std::shared_ptr<Acknowledgements> noted)
      : ForwardingJournal(behind), noted_(std::move(noted)) {}

  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    if (partition.topic != machine::topic_name(Topic::billing))
      return behind().append(partition, std::move(records), std::move(done));
    behind().append(partition, std::move(records),
                    [noted = noted_, partition, done = std::move(done)](Result<journal::Offsets> offsets) {
                      if (offsets.ok()) {
                        const std::lock_guard lock(noted->mutex);
                        noted->all.push_back({partition, offsets->front(), offsets->back(), seconds_now()});
                      }
                      done(std::move(offsets));
                    });
  }

 private:
  std::shared_ptr<Acknowledgements> noted_;
};

namespace {

// When the jobs were appended: those from `place` on, up to the next step's.
struct Step {
  std::uint64_t place = 0;
  double at = 0;
};

std::vector<Step> append_at_rate(BenchLedger& ledger, const Jobs& jobs, std::uint64_t from, double events_per_s,
                                 int seconds, std::uint64_t& next) {
  std::vector<Step> steps;
  const auto started = std::chrono::steady_clock::now();
  const auto count = static_cast<int>(seconds / kStepS);
  next = from;
  for (int i = 1; i <= count; ++i) {
    std::this_thread::sleep_until(started + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                std::chrono::duration<double>(i * kStepS)));
    const auto to = from + static_cast<std::uint64_t>(i * kStepS * events_per_s);
    std::vector<std::vector<journal::Record>> records(kPartitions);
    const std::uint64_t first = next;
    for (; next < to; ++next) {
      auto [partition, record] = jobs.record_of(jobs.number_at(next), kPartitions);
      records[partition].emplace_back().value = std::move(record);
    }
    if (first == next) continue;
    steps.push_back({first, seconds_now()});
    for (std::uint16_t partition = 0; partition < kPartitions; ++partition)
      if (!records[partition].empty())
        ledger.journal().append({std::string(machine::topic_name(Topic::usage)), partition},
                                std::move(records[partition]), [](const Result<journal::Offsets>&) {});
  }
  return steps;
}

// The number of the job that a billing record names.
std::uint64_t job_of(const Bytes& record) {
  constexpr std::string_view kMember = "\"id\":\"";
  const auto at = record.find(kMember);
  if (at == Bytes::npos) throw CannotMeasure("a billing record names no usage: " + record.substr(0, 300));
  return Jobs::number_of(std::string_view(record).substr(at + kMember.size()));
}

// Reads each partition once, from the first record that was noted to the last.
void collect(BenchLedger& ledger, std::vector<Acknowledged> acknowledged, const std::vector<Step>& steps,
             std::vector<double>& latencies_ms) {
  std::sort(acknowledged.begin(), acknowledged.end(), [](const Acknowledged& a, const Acknowledged& b) {
    return std::pair(a.partition, a.first) < std::pair(b.partition, b.first);
  });
  journal::ReadBatch batch;
  const journal::Partition* partition = nullptr;
  journal::Offset end_of_batch = 0;
  for (const Acknowledged& one : acknowledged) {
    for (journal::Offset at = one.first; at <= one.last; ++at) {
      if (partition == nullptr || *partition != one.partition || at >= end_of_batch) {
        must(ledger.journal().read(one.partition, at, kReadBytes, batch));
        partition = &one.partition;
        end_of_batch = at + batch.records.size();
      }
      const std::uint64_t job = job_of(batch.records[batch.records.size() - (end_of_batch - at)].value);
      const auto step = std::upper_bound(steps.begin(), steps.end(), job,
                                         [](std::uint64_t place, const Step& other) { return place < other.place; });
      // A job from before the first step is not of this run.
      if (step != steps.begin()) latencies_ms.push_back((one.at - std::prev(step)->at) * 1000);
    }
  }
}

}  // namespace

std::uint64_t measure_at_rate(BenchLedger& ledger, const Jobs& jobs, std::uint64_t from, double events_per_s,
                              int seconds, AtRate& measured) {
  const auto noted = std::make_shared<Acknowledgements>();
  ledger.wrap_journal([&noted](journal::Journal& behind) { return std::make_unique<BillingTap>(behind, noted); });
  ledger.start();
  std::uint64_t next = from;
  const std::vector<Step> steps = append_at_rate(ledger, jobs, from, events_per_s, seconds, next);
  ledger.settle(ledger.all_usage());
  ledger.stop();
  std::vector<double> latencies_ms;
  collect(ledger, noted->all, steps, latencies_ms);
  measured = {static_cast<double>(next - from) / seconds, latencies_ms.size(), percentile(latencies_ms, 0.5),
              percentile(latencies_ms, 0.99), percentile(latencies_ms, 1)};
  return next;
}

}  // namespace granary::bench
