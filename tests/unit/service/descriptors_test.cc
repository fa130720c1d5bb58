// Who may have how many open files.
#include "shared/service/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace granary::service {
namespace {

TEST(Descriptors, ConnectionsGetWhatStoresLeave) {
  const auto few = share_out(1'200, 25, 1024);
  ASSERT_TRUE(few.ok());
  EXPECT_EQ(few->reserved, kDescriptorsOfProcess + 25 * kStoresOfShard * kDescriptorsOfStore);
  EXPECT_EQ(few->connections, 1'200 - few->reserved);
  EXPECT_EQ(few->per_store, kDescriptorsOfStore);
  const auto many = share_out(1'000'000, 25, 1024);
  ASSERT_TRUE(many.ok());
  EXPECT_EQ(many->connections, 1024u);
  EXPECT_EQ(many->per_store, 0u) << "all that they like";
  const auto endless = share_out(UINT64_MAX, 770, 1024);
  ASSERT_TRUE(endless.ok());
  EXPECT_EQ(endless->connections, 1024u);
}

TEST(Descriptors, TooFewForTheStoresAreRefusedWithTheNumber) {
  const auto refused = share_out(700, 25, 1024);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
  EXPECT_NE(refused.error().message.find("expected at least 960 open files"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("ulimit -n 960"), std::string::npos);
  EXPECT_TRUE(share_out(960, 25, 1024).ok());
}

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = std::min<rlim_t>(before.rlim_max, 600);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  const auto taken = take_descriptors(1, 10);
  ASSERT_TRUE(taken.ok());
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace granary::service
