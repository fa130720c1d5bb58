#include "shared/machine/charge_basis.h"

#include <gtest/gtest.h>

namespace granary::machine {
namespace {

using units::Amount;
using units::Instant;
using units::Quantity;

events::UsageReported job() {
  events::UsageReported usage;
  usage.project = "p";
  usage.resources = {{"gpu", Quantity(2000), {}, ""}, {"memory", Quantity(5'000'000), {}, ""}};
  usage.start = Instant(units::kHourMs);
  usage.end = Instant(2 * units::kHourMs);
  return usage;
}

template <class Change>
BasisDifference after(Change change) {
  ChargeBasis basis;
  events::UsageReported other = job();
  change(other);
  return ChargeBasis::compare(basis.of(job()), basis.of(other));
}

TEST(ChargeBasis, WhatNoChargeDependsOnMakesNoDifference) {
  EXPECT_EQ(after([](auto& u) { std::swap(u.resources[0], u.resources[1]); }), BasisDifference::none);
  EXPECT_EQ(after([](auto& u) {
              u.state = "FAILED", u.partition = "p", u.qos = "q", u.advance_reservation = "block";
              u.job = events::Job{"slurm://a", "7"}, u.reservation = events::Reservation{"p", "r"};
            }),
            BasisDifference::none);
}

TEST(ChargeBasis, AQuantityHeldIsTheAmountThatItComesTo) {
  EXPECT_EQ(after([](auto& u) {
              u.resources[0] = {"gpu", {}, Amount(7'200'000'000), "resource-us"};
              u.resources[1] = {"memory", {}, Amount(5'000 * units::kHourMs), "byte-ms"};
            }),
            BasisDifference::none);
  EXPECT_EQ(after([](auto& u) {
              u.resources[0] = {"gpu", {}, Amount(7'200'000'001), "resource-us"};
            }),
            BasisDifference::resources);
}

TEST(ChargeBasis, TheFirstDifferenceIsNamed) {
  EXPECT_EQ(after([](auto& u) { u.project = "q", u.start = Instant(), u.resources.clear(); }), BasisDifference::payer);
  EXPECT_EQ(after([](auto& u) { u.project = "", u.cluster = "p"; }), BasisDifference::payer);
  EXPECT_EQ(after([](auto& u) { u.start = Instant(), u.end = Instant(9 * units::kHourMs); }), BasisDifference::start);
  EXPECT_EQ(after([](auto& u) { u.end = Instant(9 * units::kHourMs); }), BasisDifference::end);
  EXPECT_EQ(after([](auto& u) { u.resources.pop_back(); }), BasisDifference::resources);
  EXPECT_EQ(after([](auto& u) { u.resources[0].class_name = "gpu:a100"; }), BasisDifference::resources);
}

// Items at an instant: without a duration the quantity itself counts.
TEST(ChargeBasis, AnInstantHasItsQuantities) {
  events::UsageReported one = job(), two = job();
  one.end = two.end = one.start;
  two.resources[0].quantity = Quantity(3000);
  ChargeBasis basis;
  EXPECT_EQ(ChargeBasis::compare(basis.of(one), basis.of(two)), BasisDifference::resources);
  EXPECT_EQ(ChargeBasis::compare(basis.of(one), basis.of(one)), BasisDifference::none);
}

}  // namespace
}  // namespace granary::machine
