// Released behaviour is frozen: journals that were recorded once fold to the digests that were recorded with them, and
// emit the same lanes. A difference means that old history would be judged anew; a change of the rules is a new rules
// version, never another digest here. (Until the first release, what must change may: delete both files of a NAME,
// record again, and say why.)
//
// journals/NAME.journal: the inboxes, a line a record: topic, partition, base16. journals/NAME.digests: a line a shard:
// machine, shard, records, digest of its rows, hash over its lanes' counters. GRANARY_RECORD=1 golden_test writes those
// that do not stand yet, from the scenario of that name; it never writes over one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "services/standalone/machines.h"
#include "shared/journal/memory_journal.h"
#include "shared/proof/hash.h"
#include "tests/scenario/scenario.h"

namespace granary::golden {
namespace {

using machine::MachineKind;
using machine::Topic;
using std::filesystem::path;

const std::string kTests = std::string(GRANARY_SOURCE_DIR) + "/tests/";

std::string content(const path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<path> files(const std::string& folder, const std::string& extension) {
  std::set<path> all;
  for (const auto& entry : std::filesystem::directory_iterator(kTests + folder))
    if (entry.path().extension() == extension) all.insert(entry.path());
  return all;
}

std::string hash_of(const runtime::LaneCounters& lanes) {
  Bytes all;
  for (const auto& [target, counter] : lanes) {
    append_u8(all, static_cast<std::uint8_t>(target.topic));
    append_u16(all, target.partition);
    append_u64(all, counter.number);
    all += view_of(counter.hash);
  }
  return to_hex(view_of(proof::sha256(all)));
}

// The digests of every shard after all of the journal in `text`.
std::string digests(const std::string& text) {
  journal::MemoryJournal journal;
  std::map<std::string, std::uint16_t> topics;
  std::istringstream lines(text);
  std::string topic;
  std::string hex;
  for (int number = 0; lines >> topic >> number >> hex;)
    topics[topic] = std::max(topics[topic], static_cast<std::uint16_t>(number + 1));
  for (const auto& [name, partitions] : topics) EXPECT_TRUE(journal.create_topic({name, partitions}).ok());
  lines = std::istringstream(text);
  for (int number = 0; lines >> topic >> number >> hex;) {
    const auto bytes = from_hex(hex);
    EXPECT_TRUE(bytes.has_value());
    std::vector<journal::Record> records(1);
    records.front().value = *bytes;
    EXPECT_TRUE(
        journal::append_and_wait(journal, {topic, static_cast<std::uint16_t>(number)}, std::move(records)).ok());
  }
  const std::uint16_t partitions = topics["granary.usage.v1"];
  const auto ledger = runtime::read_ledger(journal);
  EXPECT_TRUE(ledger.ok());
  if (!ledger.ok()) return {};
  std::string out;
  for (const MachineKind kind : machine::kMachines) {
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, partitions); ++shard) {
      const auto end = journal.end({std::string(machine::topic_name(machine::inbox_of(kind))), shard});
      EXPECT_TRUE(end.ok());
      store::MemoryStore scratch;
      const auto folded = runtime::replay_shard(journal, *ledger, kind, shard, end.ok() ? *end : 0,
                                                standalone::make_machine(kind, shard), scratch, 7, [](std::size_t) {});
      EXPECT_TRUE(folded.ok()) << folded.error().message;
      if (!folded.ok()) continue;
      out += std::string(machine::machine_name(kind)) + " " + std::to_string(shard) + " " +
             std::to_string(folded->position) + " " + to_hex(view_of(folded->digest)) + " " + hash_of(folded->lanes) +
             "\n";
    }
  }
  return out;
}

TEST(Golden, RecordedJournalsFoldToTheirDigests) {
  if (std::getenv("GRANARY_RECORD") != nullptr) {
    for (const path& scenario : files("scenario/testdata", ".txt")) {
      const path journal = kTests + "golden/journals/" + scenario.stem().string() + ".journal";
      if (std::filesystem::exists(journal)) continue;
      scenario::Ledger ledger({});
      scenario::run(content(scenario), ledger);
      std::ofstream(journal, std::ios::binary) << ledger.inboxes();
      std::ofstream(path(journal).replace_extension(".digests"), std::ios::binary) << digests(ledger.inboxes());
    }
  }
  const auto journals = files("golden/journals", ".journal");
  EXPECT_GE(journals.size(), 9U);
  for (const path& journal : journals)
    EXPECT_EQ(digests(content(journal)), content(path(journal).replace_extension(".digests"))) << journal;
}

// So that the test above can fail: another job is another history.
TEST(Golden, AnotherJournalHasOtherDigests) {
  const path journal = *files("golden/journals", ".journal").begin();
  std::string text = content(journal);
  const std::string job = to_hex("81234");
  ASSERT_NE(text.find(job), std::string::npos);
  for (auto at = text.find(job); at != std::string::npos; at = text.find(job, at))
    text.replace(at, job.size(), to_hex("81235"));
  EXPECT_NE(digests(text), content(path(journal).replace_extension(".digests")));
}

}  // namespace
}  // namespace granary::golden
