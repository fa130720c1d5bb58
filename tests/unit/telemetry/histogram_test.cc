// Where values fall.
#include "shared/telemetry/histogram.h"

#include <gtest/gtest.h>

#include <vector>

namespace granary::telemetry {
namespace {

constexpr std::array kBounds{1.0, 10.0};

TEST(Histogram, ABoundBelongsToItsBucketAndTheRestToTheLast) {
  Histogram histogram(kBounds);
  for (const double value : {0.0, 1.0, 1.5, 10.0, 10.5, 1000.0}) histogram.observe(value);
  const auto counts = histogram.counts();
  EXPECT_EQ(std::vector(counts.begin(), counts.end()), (std::vector<std::uint64_t>{2, 2, 2}));
  EXPECT_EQ(histogram.count(), 6U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 1023.0);
}

TEST(Histogram, AddsAnother) {
  Histogram one(kBounds), other(kBounds);
  one.observe(1);
  other.observe(5);
  other.observe(50);
  one.add(other);
  EXPECT_EQ(one.counts()[0], 1U);
  EXPECT_EQ(one.counts()[1], 1U);
  EXPECT_EQ(one.counts()[2], 1U);
  EXPECT_DOUBLE_EQ(one.sum(), 56.0);
}

}  // namespace
}  // namespace granary::telemetry
