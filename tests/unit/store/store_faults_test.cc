// What the two stores do beyond the port's common laws.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "shared/store/memory_store.h"
#include "shared/store/rocks_store.h"
#include "tests/support/temp_directory.h"

namespace granary::store {
namespace {

WriteSet put(Bytes key, Bytes value) {
  WriteSet changes;
  changes.put(std::move(key), std::move(value));
  return changes;
}

TEST(MemoryStore, AFailedCommitChangesNothingAndTheStoreStaysFailed) {
  MemoryStore store;
  ASSERT_TRUE(store.commit(put("a", "1")).ok());
  store.fail_next_commit({ErrorCode::out_of_space, "ordered by the test"});
  EXPECT_EQ(store.commit(put("a", "2")).error().code, ErrorCode::out_of_space);
  EXPECT_EQ(store.commit(put("a", "3")).error().code, ErrorCode::out_of_space);
  EXPECT_EQ(store.get("a"), "1");
  store.power_cut(0);
  EXPECT_TRUE(store.commit(put("a", "4")).ok());
}

TEST(MemoryStore, APowerCutTakesTheNewestCommitsOnly) {
  MemoryStore store;
  ASSERT_TRUE(store.commit(put("a", "1")).ok());
  WriteSet changes;
  changes.erase("a");
  changes.put("b", "2");
  changes.put("b", "3");
  ASSERT_TRUE(store.commit(changes).ok());
  ASSERT_TRUE(store.commit(put("c", "4")).ok());
  store.power_cut(2);
  EXPECT_EQ(store.get("a"), "1");
  EXPECT_EQ(store.get("b"), std::nullopt);
  EXPECT_EQ(store.get("c"), std::nullopt);
  store.power_cut(1);
  EXPECT_EQ(store.get("a"), "1") << "what survived one power cut stands";
}

TEST(RocksStore, ASecondOpenerIsToldSo) {
  const testing_support::TempDirectory directory;
  const RocksEnvironment environment;
  auto first = open_rocks_store(environment, directory.path());
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto second = open_rocks_store(environment, directory.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::conflict) << second.error().message;
}

TEST(RocksStore, ManyStoresShareOneEnvironment) {
  const testing_support::TempDirectory directory;
  const RocksEnvironment environment(RocksOptions{1 << 20, 1 << 20, 0});
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < 8; ++i) {
    auto opened = open_rocks_store(environment, directory / std::to_string(i));
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    stores.push_back(std::move(*opened));
  }
  // Far more than the buffers hold together.
  for (int round = 0; round < 20; ++round)
    for (std::size_t i = 0; i < stores.size(); ++i)
      ASSERT_TRUE(stores[i]->commit(put(std::to_string(round), Bytes(100'000, static_cast<char>('a' + i)))).ok());
  for (std::size_t i = 0; i < stores.size(); ++i)
    for (int round = 0; round < 20; ++round)
      EXPECT_EQ(stores[i]->get(std::to_string(round)), Bytes(100'000, static_cast<char>('a' + i)));
}

TEST(RocksStore, BelowTheReserveTheStoreFailsAndStaysFailed) {
  const testing_support::TempDirectory directory;
  RocksOptions options;
  options.reserve_bytes = std::numeric_limits<std::uint64_t>::max();
  const RocksEnvironment environment(options);
  auto store = open_rocks_store(environment, directory.path());
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ((*store)->commit(put("a", "1")).error().code, ErrorCode::out_of_space);
  EXPECT_EQ((*store)->commit(put("a", "1")).error().code, ErrorCode::out_of_space);
  EXPECT_EQ((*store)->get("a"), std::nullopt);
}

namespace fs = std::filesystem;

TEST(RocksStore, WordsInItsPathSayNothingOfAnError) {
  const testing_support::TempDirectory directory;
  const RocksEnvironment environment;
  const std::string store = directory / "block1/No such file/Corruption/store";
  ASSERT_TRUE(open_rocks_store(environment, store).ok());
  fs::remove(store + "/CURRENT");
  fs::create_directory(store + "/CURRENT");  // cannot be read: an error of input and output
  const auto opened = open_rocks_store(environment, store);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::io_error) << opened.error().message;
  EXPECT_EQ(opened.error().message.find("other process"), std::string::npos) << opened.error().message;
  EXPECT_TRUE(fs::exists(store));
}

// A store on the disk, to be damaged while it is closed.
class DamagedRocksStore : public testing::Test {
 protected:
  static constexpr int kRows = 300;

  auto open() { return open_rocks_store(environment_, store_); }

  // Some rows in each of several tables; the last row counts the commits.
  void fill() {
    for (int i = 0; i < kRows; ++i) {
      if (i % 60 == 0) open_.reset(), open_ = open().value();  // closing writes a table file
      WriteSet changes = put("key " + std::to_string(i), "value " + std::to_string(i));
      changes.put("last", std::to_string(i));
      ASSERT_TRUE(open_->commit(changes).ok());
    }
    open_.reset();
  }

  // The rows up to some commit, all of them and none behind it; else the store has to be corrupt.
  void expect_whole_prefix_or_corrupt(const std::string& what) {
    auto opened = open();
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << what << ": " << opened.error().message;
      return;
    }
    const auto last = (*opened)->get("last");
    const int rows = last ? std::stoi(*last) + 1 : 0;
    for (int i = 0; i < kRows; ++i)
      ASSERT_EQ((*opened)->get("key " + std::to_string(i)).has_value(), i < rows) << what << ", row " << i;
  }

  [[nodiscard]] std::vector<fs::path> files(const std::string& part) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(store_))
      if (entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path());
    return found;
  }

  static Bytes read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write_file(const fs::path& path, const Bytes& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  }

  const testing_support::TempDirectory directory_;
  const std::string store_ = directory_ / "store";
  const RocksEnvironment environment_{RocksOptions{1 << 20, 1 << 20, 0}};
  std::unique_ptr<Store> open_;
};

// A record's header that reads as the end of the file: RocksDB opens without what follows, and with all that stands in
// the next file.
TEST_F(DamagedRocksStore, AHeaderThatReadsAsTheEndLeavesNoHole) {
  fill();
  fs::rename(store_, directory_ / "whole");
  fs::copy(directory_ / "whole", store_, fs::copy_options::recursive);
  const Bytes content = read_file(files("MANIFEST-").front());
  fs::remove_all(store_);
  std::size_t headers = 0;
  // u32 checksum, u16 length, u8 type; all within one block of 32 KiB.
  for (std::size_t at = 0; at + 7 <= content.size() && at < 30'000; ++headers) {
    for (const bool zeroed : {false, true}) {
      Bytes damaged = content;
      if (zeroed)
        damaged.replace(at, 7, Bytes(7, '\0'));
      else
        damaged[at + 6] = static_cast<char>(damaged[at + 6] ^ 4);  // "of a recycled file"
      fs::copy(directory_ / "whole", store_, fs::copy_options::recursive);
      write_file(files("MANIFEST-").front(), damaged);
      expect_whole_prefix_or_corrupt(std::to_string(at) + (zeroed ? " zeroed" : " flipped"));
      fs::remove_all(store_);
    }
    at += 7 + static_cast<unsigned char>(content[at + 4]) + 256U * static_cast<unsigned char>(content[at + 5]);
  }
  EXPECT_GT(headers, 5U);
}

TEST_F(DamagedRocksStore, WithoutItsCurrentItIsNotMadeAnew) {
  fill();
  fs::remove(store_ + "/CURRENT");
  const auto opened = open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
}

TEST_F(DamagedRocksStore, AFileThatIsMissingIsDamage) {
  fill();
  write_file(store_ + "/CURRENT", "MANIFEST-999999\n");
  const auto opened = open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
}

TEST_F(DamagedRocksStore, LookingForDamageLeavesAnOpenStoreAlone) {
  fill();
  const auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::conflict) << second.error().message;
}

using DamagedRocksStoreDeathTest = DamagedRocksStore;

TEST_F(DamagedRocksStoreDeathTest, ARowThatCannotBeReadStopsTheProcessAndTheStoreIsCorruptFromThenOn) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The child runs this test from its start, but leaves its mark in the parent's store.
  constexpr const char* kParentsStore = "GRANARY_TEST_STORE";
  if (std::getenv(kParentsStore) == nullptr) {
    fill();
    for (const fs::path& table : files(".sst")) {
      Bytes content = read_file(table);
      content.replace(30, 6, "broken");  // in the first block of rows
      write_file(table, content);
    }
    ::setenv(kParentsStore, store_.c_str(), 1);
  }
  const std::string store = std::getenv(kParentsStore);
  EXPECT_DEATH((void)open_rocks_store(environment_, store).value()->get("key 0"),
               "expected to read a row of the state");
  ::unsetenv(kParentsStore);
  const auto opened = open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << opened.error().message;
  EXPECT_NE(opened.error().message.find("marked as damaged"), std::string::npos) << opened.error().message;
  fs::remove_all(store_);
  EXPECT_TRUE(open().ok());
}

}  // namespace
}  // namespace granary::store
