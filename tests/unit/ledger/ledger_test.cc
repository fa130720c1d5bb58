// The ledger that stands in a journal: made once, found again, never mixed with another.
#include "shared/ledger/ledger.h"

#include <gtest/gtest.h>

#include "shared/events/record.h"
#include "shared/journal/memory_journal.h"
#include "tests/support/forwarding_journal.h"

namespace granary::test {
namespace {

using journal::MemoryJournal;
using machine::Topic;
using runtime::open_ledger;
using runtime::read_ledger;

journal::Partition partition(Topic topic, std::uint16_t number) {
  return {std::string(machine::topic_name(topic)), number};
}

journal::Record genesis(const events::Genesis& body) {
  journal::Record record;
  record.value = events::encode_record(body.ledger, body);
  return record;
}

TEST(Ledger, IsMadeOnceAndFoundAgain) {
  MemoryJournal journal;
  EXPECT_EQ(read_ledger(journal).error().code, ErrorCode::not_found);
  const auto made = open_ledger(journal, {3}, system_clock());
  ASSERT_TRUE(made.ok());
  for (const std::optional<std::uint16_t> asked : {std::optional<std::uint16_t>(3), std::optional<std::uint16_t>()}) {
    const auto again = open_ledger(journal, {asked}, system_clock());
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->id, made->id);
    EXPECT_EQ(again->partitions, 3);
  }
  for (const Topic topic : machine::kTopics)
    for (std::uint16_t p = 0; p < machine::partitions_of(topic, 3); ++p)
      EXPECT_EQ(*journal.end(partition(topic, p)), machine::is_inbox(topic) ? 1U : 0U);
}

TEST(Ledger, HasThePartitionsThatItWasMadeWith) {
  MemoryJournal journal;
  for (const std::uint16_t wrong : {0, 257})
    EXPECT_EQ(open_ledger(journal, {wrong}, system_clock()).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE(open_ledger(journal, {}, system_clock()).ok());
  EXPECT_EQ(read_ledger(journal)->partitions, runtime::kPartitionsDefault);
  const auto other = open_ledger(journal, {4}, system_clock());
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::conflict);
}

TEST(Ledger, ACreationThatWasCutShortIsFinished) {
  MemoryJournal journal;
  const auto cut = partition(Topic::allocations, 1);
  ASSERT_TRUE(journal.create_topic({cut.topic, 2}).ok());
  journal.fail_next_append(cut, MemoryJournal::Fault::before_write, {ErrorCode::io_error, "cut"});
  EXPECT_EQ(open_ledger(journal, {2}, system_clock()).error().code, ErrorCode::io_error);
  const auto begun = read_ledger(journal);
  ASSERT_TRUE(begun.ok());
  const auto finished = open_ledger(journal, {2}, system_clock());
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->id, begun->id);
  EXPECT_EQ(*journal.end(partition(Topic::ledger, 1)), 1U);
}

TEST(Ledger, APartitionOfAnotherLedgerOrOfNoneIsRefused) {
  const auto refused = [](const Topic topic, const journal::Record& first) {
    MemoryJournal journal;
    const auto place = partition(topic, 0);
    EXPECT_TRUE(journal.create_topic({place.topic, machine::partitions_of(topic, 2)}).ok());
    EXPECT_TRUE(append_and_wait(journal, place, {first}).ok());
    const auto opened = open_ledger(journal, {2}, system_clock());
    return opened.ok() ? std::string("opened") : std::string(error_code_name(opened.error().code));
  };
  Id16 other{};
  other.fill(7);
  const std::string usage(machine::topic_name(Topic::usage));
  const units::Instant at(1);
  EXPECT_EQ(refused(Topic::usage, genesis({other, 2, usage, 0, at, 1})), "corrupt");
  journal::Record tick;
  tick.value = events::encode_record(other, events::Tick{at});
  EXPECT_EQ(refused(Topic::usage, tick), "corrupt");
  EXPECT_EQ(refused(Topic::applications, tick), "corrupt");
  const std::string applications(machine::topic_name(Topic::applications));
  EXPECT_EQ(refused(Topic::applications, genesis({other, 2000, applications, 0, at, 1})), "corrupt");
  EXPECT_EQ(refused(Topic::applications, genesis({other, 3, applications, 0, at, 1})), "conflict");
  EXPECT_EQ(refused(Topic::applications, genesis({other, 2, usage, 0, at, 1})), "corrupt");
  EXPECT_EQ(refused(Topic::applications, genesis({other, 2, applications, 0, at, 1})), "opened");
}

// Another process makes a ledger after this one has looked and before its first record arrives.
class AnotherIsFaster final : public testing_support::ForwardingJournal {
 public:
  AnotherIsFaster(journal::Journal& behind, runtime::NewLedger theirs) : ForwardingJournal(behind), theirs_(theirs) {}
  void append(const journal::Partition& partition, std::vector<journal::Record> records, AppendDone done) override {
    if (!std::exchange(has_made_, true)) {
      EXPECT_TRUE(open_ledger(behind(), theirs_, system_clock()).ok());
    }
    ForwardingJournal::append(partition, std::move(records), std::move(done));
  }

 private:
  runtime::NewLedger theirs_;
  bool has_made_ = false;
};

TEST(Ledger, OfTwoThatAreMadeAtOnceTheFirstStands) {
  MemoryJournal journal;
  AnotherIsFaster door(journal, {3});
  const auto made = open_ledger(door, {}, system_clock());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made->id, read_ledger(journal)->id);
  EXPECT_EQ(made->partitions, 3);
  EXPECT_TRUE(check_ledger(journal, *made).ok());
}

TEST(Ledger, OfTwoThatAreMadeAtOnceTheSecondFailsIfItWantedAnother) {
  const Id16 id{9};
  for (const runtime::NewLedger& wanted : {runtime::NewLedger{2, {}}, runtime::NewLedger{{}, id}}) {
    MemoryJournal journal;
    AnotherIsFaster door(journal, {3});
    const auto made = open_ledger(door, wanted, system_clock());
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, ErrorCode::conflict) << made.error().message;
    EXPECT_TRUE(check_ledger(journal, *read_ledger(journal)).ok());
  }
}

}  // namespace
}  // namespace granary::test
