// What happens to an embedded journal's files while it is closed: it opens whole or not at all.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "shared/journal/embedded_head.h"
#include "shared/journal/embedded_journal.h"
#include "shared/proof/hash.h"
#include "tests/support/temp_directory.h"

namespace granary::journal {
namespace {

namespace fs = std::filesystem;

const Partition kPartition{"usage", 1};

Bytes read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const Bytes& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
}

void flip_bit(const fs::path& path, std::size_t byte, int bit) {
  Bytes content = read_file(path);
  ASSERT_LT(byte, content.size()) << path;
  content[byte] = static_cast<char>(content[byte] ^ (1 << bit));
  write_file(path, content);
}

void replace_directory(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// The largest file of the database with this extension.
fs::path database_file(const std::string& journal, const std::string& extension) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(journal + "/log"))
    if (entry.path().extension() == extension && (found.empty() || entry.file_size() > fs::file_size(found)))
      found = entry.path();
  return found;
}

class EmbeddedDamage : public testing::Test {
 protected:
  static Bytes value_of(Offset offset) { return "record " + std::to_string(offset) + Bytes(40, 'x'); }

  // Opens the journal at `path`, appends until `records` stand, one group each, and closes it.
  static void fill(const std::string& path, Offset records, const Bytes& mark = "") {
    auto opened = open_embedded_journal(path);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Journal& journal = **opened;
    ASSERT_TRUE(journal.create_topic({kPartition.topic, 2}).ok());
    for (Offset at = *journal.end(kPartition); at < records; ++at)
      ASSERT_TRUE(append_and_wait(journal, kPartition, {{value_of(at) + mark, "", {}}}).ok());
  }

  static void expect_corrupt(const std::string& path, const std::string& words) {
    const auto opened = open_embedded_journal(path);
    ASSERT_FALSE(opened.ok()) << "opened, though: " << words;
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
    EXPECT_NE(opened.error().message.find(words), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("hint: restore"), std::string::npos) << opened.error().message;
  }

  // True: all records are there. False: it was found to be corrupt, when it was opened or read. Never in between.
  static bool whole_or_corrupt(const std::string& path, Offset records) {
    const auto opened = open_embedded_journal(path);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
      return false;
    }
    const auto end = (*opened)->end(kPartition);
    EXPECT_TRUE(end.ok()) << end.error().message;
    EXPECT_EQ(*end, records);
    ReadBatch batch;
    const auto read = (*opened)->read(kPartition, 0, 1 << 30, batch);
    if (!read.ok()) {
      EXPECT_EQ(read.error().code, ErrorCode::corrupt) << read.error().message;
      return false;
    }
    EXPECT_EQ(batch.records.size(), records);
    for (Offset at = 0; at < batch.records.size(); ++at) EXPECT_EQ(batch.records[at].value, value_of(at));
    return true;
  }

  // Runs `damage` on a fresh copy of the journal, and says what whole_or_corrupt does of it.
  bool whole_after(const std::function<void(const std::string& copy)>& damage, Offset records) {
    replace_directory(journal_, copy_);
    damage(copy_);
    return whole_or_corrupt(copy_, records);
  }

  testing_support::TempDirectory directory_;
  const std::string journal_ = directory_ / "journal";
  const std::string copy_ = directory_ / "copy";
};

TEST_F(EmbeddedDamage, AnOlderLogUnderANewerHeadIsRefusedWithBothNumbers) {
  fill(journal_, 3);
  replace_directory(journal_, copy_);
  fill(journal_, 7);
  ASSERT_EQ(read_head(copy_)->group, 4U);  // the topic and three records
  ASSERT_EQ(read_head(journal_)->group, 8U);
  replace_directory(copy_ + "/log", journal_ + "/log");
  expect_corrupt(journal_, "the journal is shorter than its HEAD: HEAD speaks of group 8, the log ends at group 4");
  expect_corrupt(journal_, "shorter than its HEAD");  // and again: refusing mended nothing
}

TEST_F(EmbeddedDamage, AnotherLogOfTheSameLengthIsRefused) {
  fill(journal_, 3);
  fill(copy_, 3, "other");
  replace_directory(copy_ + "/log", journal_ + "/log");
  expect_corrupt(journal_, "their hashes differ");
}

TEST_F(EmbeddedDamage, ALogOneGroupAheadOfHeadIsWhatACrashLeavesAndHeadFollows) {
  fill(journal_, 3);
  const Bytes old_head = read_file(journal_ + "/HEAD");
  fill(journal_, 4);
  const auto newest = *read_head(journal_);
  write_file(journal_ + "/HEAD", old_head);
  ASSERT_EQ(read_head(journal_)->group + 1, newest.group);
  EXPECT_TRUE(whole_or_corrupt(journal_, 4));
  EXPECT_EQ(*read_head(journal_), newest);
}

TEST_F(EmbeddedDamage, ALogOneGroupAheadOfAnotherHeadIsRefused) {
  fill(journal_, 4);
  fill(copy_, 3, "other");
  fs::copy_file(copy_ + "/HEAD", journal_ + "/HEAD", fs::copy_options::overwrite_existing);
  expect_corrupt(journal_, "follows another one");
}

TEST_F(EmbeddedDamage, ALogTwoGroupsAheadOfHeadIsRefused) {
  fill(journal_, 3);
  const Bytes old_head = read_file(journal_ + "/HEAD");
  fill(journal_, 5);
  write_file(journal_ + "/HEAD", old_head);
  expect_corrupt(journal_, "more than one group longer than its HEAD: HEAD speaks of group 4, the log ends at group 6");
}

TEST_F(EmbeddedDamage, ADeletedLogIsRefusedAndNotMadeAnew) {
  fill(journal_, 3);
  fs::remove_all(journal_ + "/log");
  expect_corrupt(journal_, "the log is missing while HEAD speaks of group 4");
  EXPECT_FALSE(fs::exists(journal_ + "/log"));
}

TEST_F(EmbeddedDamage, ADeletedWriteAheadLogIsRefused) {
  fill(journal_, 3);
  fs::remove(database_file(journal_, ".log"));
  expect_corrupt(journal_, "shorter than its HEAD");
}

TEST_F(EmbeddedDamage, ADeletedTableFileIsRefused) {
  fill(journal_, 3);
  fill(journal_, 4);  // opening wrote the first three into a table file
  fs::remove(database_file(journal_, ".sst"));
  const auto opened = open_embedded_journal(journal_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
}

TEST_F(EmbeddedDamage, ADeletedHeadIsRefused) {
  fill(journal_, 3);
  fs::remove(journal_ + "/HEAD");
  expect_corrupt(journal_, "HEAD is missing while the log holds group 4");
  EXPECT_EQ(read_head(journal_).error().code, ErrorCode::not_found);
}

TEST_F(EmbeddedDamage, AFlippedBitInOneSlotOfHeadIsHarmless) {
  fill(journal_, 4);
  for (const std::size_t slot : {0, 4096})
    for (const std::size_t byte : {0, 7, 8, 11, 12, 19, 20, 51, 52, 83})
      EXPECT_TRUE(whole_after([&](const auto& copy) { flip_bit(copy + "/HEAD", slot + byte, 3); }, 4))
          << slot << " + " << byte;
}

TEST_F(EmbeddedDamage, FlippedBitsInBothSlotsOfHeadAreRefused) {
  fill(journal_, 4);
  flip_bit(journal_ + "/HEAD", 19, 0);
  flip_bit(journal_ + "/HEAD", 4096 + 60, 7);
  expect_corrupt(journal_, "both are broken");
  EXPECT_EQ(read_head(journal_).error().code, ErrorCode::corrupt);
}

TEST_F(EmbeddedDamage, AMendedSlotOfHeadServesAgain) {
  fill(journal_, 4);  // group 5, in the second slot
  flip_bit(journal_ + "/HEAD", 4096 + 19, 0);
  fill(journal_, 6);
  flip_bit(journal_ + "/HEAD", 4096 + 19, 0);  // group 7 is there again
  EXPECT_TRUE(whole_or_corrupt(journal_, 6));
}

TEST_F(EmbeddedDamage, AHeadOfAnotherVersionIsLeftToTheBuildThatWroteIt) {
  fill(journal_, 1);
  Bytes head = read_file(journal_ + "/HEAD");
  head[11] = 2;  // the last byte of the version; the checksum stands over the first 52 bytes
  const Hash32 checksum = proof::sha256(BytesView(head).substr(0, 52));
  head.replace(52, 32, view_of(checksum));
  write_file(journal_ + "/HEAD", head);
  const auto opened = open_embedded_journal(journal_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::conflict) << opened.error().message;
}

TEST_F(EmbeddedDamage, ATruncatedWriteAheadLogIsRefusedWhereverItIsCut) {
  fill(journal_, 40);
  const auto size = fs::file_size(database_file(journal_, ".log"));
  ASSERT_GT(size, 40U * 40);
  for (std::uintmax_t left = 0; left < size; left += left + 60 < size ? 53 : 1)
    EXPECT_FALSE(whole_after([&](const auto& copy) { fs::resize_file(database_file(copy, ".log"), left); }, 40))
        << left << " of " << size;
}

TEST_F(EmbeddedDamage, ARefusedLogStaysAsItWasFound) {
  fill(journal_, 40);
  const auto rows = database_file(journal_, ".log");
  const Bytes whole = read_file(rows);
  const Bytes cut = whole.substr(0, whole.size() - 10);
  write_file(rows, cut);
  expect_corrupt(journal_, "shorter than its HEAD");
  ASSERT_TRUE(fs::exists(rows));
  EXPECT_EQ(read_file(rows), cut);
  write_file(rows, whole);  // mended by hand, it serves again
  EXPECT_TRUE(whole_or_corrupt(journal_, 40));
}

TEST_F(EmbeddedDamage, AFlippedBitInTheWriteAheadLogIsFoundOrHarmless) {
  fill(journal_, 40);
  const auto size = fs::file_size(database_file(journal_, ".log"));
  int found = 0;
  for (std::size_t byte = 0; byte < size; byte += 31)
    found += !whole_after([&](const auto& copy) { flip_bit(database_file(copy, ".log"), byte, byte % 8); }, 40);
  EXPECT_EQ(found, static_cast<int>((size + 30) / 31));  // every byte of it counts
}

TEST_F(EmbeddedDamage, AFlippedBitInATableFileIsFoundOrHarmless) {
  fill(journal_, 40);
  fill(journal_, 41);  // opening wrote the first forty into a table file
  const auto size = fs::file_size(database_file(journal_, ".sst"));
  int found = 0;
  for (std::size_t byte = 0; byte < size; byte += 31)
    found += !whole_after([&](const auto& copy) { flip_bit(database_file(copy, ".sst"), byte, byte % 8); }, 41);
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace granary::journal
