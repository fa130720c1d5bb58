#include "shared/store/memory_store.h"
#include "shared/store/rocks_store.h"
#include "tests/conformance/store_suite.h"
#include "tests/support/temp_directory.h"

namespace granary::store {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return store_; }
  void reopen() override { store_.power_cut(0); }

 private:
  MemoryStore store_;
};

class RocksUnderTest final : public StoreUnderTest {
 public:
  RocksUnderTest() { open(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    auto opened = open_rocks_store(environment_, directory_ / "state");
    GRANARY_CHECK(opened.ok(), opened.error().message);
    store_ = std::move(*opened);
  }
  testing_support::TempDirectory directory_;
  RocksEnvironment environment_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Doors, StoreConformance,
                         testing::Values(StoreDoor{"Memory", [] { return std::make_unique<MemoryUnderTest>(); }},
                                         StoreDoor{"Rocks", [] { return std::make_unique<RocksUnderTest>(); }}),
                         [](const auto& door) { return door.param.name; });

}  // namespace
}  // namespace granary::store
