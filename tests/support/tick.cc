// granary-tick DATA TIME: makes the clock of a ledger that no server runs say TIME, by a tick in every inbox, so that a
// test can let a server start a month later, or with a clock that is behind. Makes the ledger where there is none.
#include <cstdio>
#include <filesystem>
#include <string>

#include "shared/events/record.h"
#include "shared/journal/embedded_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/units/instant.h"

namespace {

using namespace granary;

class Then final : public Clock {
 public:
  explicit Then(std::int64_t ms) : ms_(ms) {}
  [[nodiscard]] std::int64_t wall_ms() const override { return ms_; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }

 private:
  std::int64_t ms_;
};

Result<void> tick(const std::string& data, units::Instant at) {
  std::filesystem::create_directories(data);
  const auto journal = journal::open_embedded_journal(data + "/journal");
  if (!journal.ok()) return journal.error();
  const auto ledger = runtime::open_ledger(**journal, {}, Then(at.ms()));
  if (!ledger.ok()) return ledger.error();
  for (const machine::Topic topic : machine::kTopics) {
    if (!machine::is_inbox(topic)) continue;
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, ledger->partitions); ++p) {
      std::vector<journal::Record> records(1);
      records.front().value = events::encode_record(ledger->id, events::Tick{at});
      const auto done =
          journal::append_and_wait(**journal, {std::string(machine::topic_name(topic)), p}, std::move(records));
      if (!done.ok()) return done.error();
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto at = units::parse_time(argc == 3 ? argv[2] : "");
  if (at.trouble != units::TimeTrouble::none) {
    std::fprintf(stderr, "expected DATA and a time with a zone\n");
    return 2;
  }
  const auto done = tick(argv[1], at.at);
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done.ok() ? 0 : 1;
}
