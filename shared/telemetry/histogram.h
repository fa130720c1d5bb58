// Counts of values by size, for metrics: observed once per request, append or commit, never per event. A plain value;
// its owner guards it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace granary::telemetry {

// Upper bounds of the buckets.
inline constexpr std::array kSecondsBounds{0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                           0.1,    0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
inline constexpr std::array kEventsBounds{0.0,     1.0,      10.0,     100.0,    1'000.0,
                                          5'000.0, 10'000.0, 25'000.0, 50'000.0, 100'000.0};

class Histogram {
 public:
  // `bounds` lives for ever.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void observe(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    ++counts_[static_cast<std::size_t>(bucket)];
    sum_ += value;
  }
  // Of the same bounds.
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    sum_ += other.sum_;
  }
  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }
  // One more than bounds: the number of values up to that bound and above the one before; the last counts those above
  // all bounds.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return {counts_.data(), bounds_.size() + 1}; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t count : counts_) all += count;
    return all;
  }

 private:
  std::span<const double> bounds_;
  std::array<std::uint64_t, 16> counts_{};
  double sum_ = 0;
};
static_assert(kSecondsBounds.size() < 16 && kEventsBounds.size() < 16);

}  // namespace granary::telemetry
