// What the two stores do beyond the port's common laws.
#include <gtest/gtest.h>

#include <filesystem>
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

TEST(RocksStoreDeathTest, ARowThatCannotBeReadStopsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const testing_support::TempDirectory directory;
  const RocksEnvironment environment;
  const auto open = [&] { return open_rocks_store(environment, directory.path()).value(); };
  {
    auto store = open();
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(store->commit(put("key " + std::to_string(i), "value")).ok());
  }
  open();  // writes the rows into a table file
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().extension() != ".sst") continue;
    std::FILE* file = std::fopen(entry.path().c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    std::fseek(file, 100, SEEK_SET);  // in the first block of rows
    std::fputs("broken", file);
    std::fclose(file);
  }
  EXPECT_DEATH(open()->get("key 0"), "derived state cannot be read");
}

}  // namespace
}  // namespace granary::store
