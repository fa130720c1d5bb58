#include "shared/journal/embedded_journal.h"
#include "shared/journal/memory_journal.h"
#include "tests/conformance/journal_suite.h"
#include "tests/support/temp_directory.h"

namespace granary::journal {
namespace {

class MemoryUnderTest final : public JournalUnderTest {
 public:
  Journal& journal() override { return journal_; }
  void reopen() override { journal_.crash(); }

 private:
  MemoryJournal journal_;
};

class EmbeddedUnderTest final : public JournalUnderTest {
 public:
  EmbeddedUnderTest() { open(); }
  Journal& journal() override { return *journal_; }
  void reopen() override {
    journal_.reset();
    open();
  }

 private:
  void open() {
    auto opened = open_embedded_journal(directory_.path());
    GRANARY_CHECK(opened.ok(), opened.error().message);
    journal_ = std::move(*opened);
  }
  testing_support::TempDirectory directory_;
  std::unique_ptr<Journal> journal_;
};

INSTANTIATE_TEST_SUITE_P(Doors, JournalConformance,
                         testing::Values(JournalDoor{"Memory", [] { return std::make_unique<MemoryUnderTest>(); }},
                                         JournalDoor{"Embedded", [] { return std::make_unique<EmbeddedUnderTest>(); }}),
                         [](const auto& door) { return door.param.name; });

}  // namespace
}  // namespace granary::journal
