#include "services/cli/progress_bar.h"

#include <gtest/gtest.h>

namespace granary::cli {
namespace {

TEST(ProgressBar, ShowsThePartThatIsDone) {
  EXPECT_EQ(bar_text(0, 20), "[" + std::string(40, ' ') + "] 0 of 20");
  EXPECT_EQ(bar_text(10, 20), "[" + std::string(20, '#') + std::string(20, ' ') + "] 10 of 20");
  EXPECT_EQ(bar_text(20, 20), "[" + std::string(40, '#') + "] 20 of 20");
}

TEST(ProgressBar, IsFullIfAFileGrewBetweenThePasses) {
  EXPECT_EQ(bar_text(30, 20), "[" + std::string(40, '#') + "] 30 of 20");
  EXPECT_EQ(bar_text(UINT64_MAX, 1), "[" + std::string(40, '#') + "] 18446744073709551615 of 1");
  EXPECT_EQ(bar_text(1, 0), "[" + std::string(40, '#') + "] 1 of 0");
}

}  // namespace
}  // namespace granary::cli
