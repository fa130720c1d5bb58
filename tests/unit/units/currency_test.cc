#include "shared/units/currency.h"

#include <gtest/gtest.h>

namespace granary::units {
namespace {

TEST(Currency, DecimalsAreThoseOfIso4217AndTwoElsewhere) {
  EXPECT_EQ(currency_decimals("EUR"), 2);
  EXPECT_EQ(currency_decimals("JPY"), 0);
  EXPECT_EQ(currency_decimals("BHD"), 3);
  EXPECT_EQ(currency_decimals("UYW"), 4);
  EXPECT_EQ(currency_decimals("credits"), 2);
  EXPECT_EQ(currency_decimals(""), 2);
}

TEST(Currency, MoneyForPeopleIsRoundedHalfToEven) {
  EXPECT_EQ(people_money("2.400000000", "EUR"), "2.40");
  EXPECT_EQ(people_money("0.005000000", "EUR"), "0.00");
  EXPECT_EQ(people_money("0.015000000", "EUR"), "0.02");
  EXPECT_EQ(people_money("0.005000001", "EUR"), "0.01");
  EXPECT_EQ(people_money("-0.015000000", "EUR"), "-0.02");
  EXPECT_EQ(people_money("-0.004000000", "EUR"), "0.00");
  EXPECT_EQ(people_money("2.500000000", "JPY"), "2");
  EXPECT_EQ(people_money("3.500000000", "JPY"), "4");
  EXPECT_EQ(people_money("1.234500000", "BHD"), "1.234");
  EXPECT_EQ(people_money("7", "EUR"), "7.00");
  EXPECT_EQ(people_money("79228162514264337593.543950336", "EUR"), "79228162514264337593.54");
}

TEST(Currency, WhatIsNoAmountOfMoneyStaysAsItIs) {
  EXPECT_EQ(people_money("", "EUR"), "");
  EXPECT_EQ(people_money("unknown", "EUR"), "unknown");
  EXPECT_EQ(people_money("1.0000000000", "EUR"), "1.0000000000");
}

}  // namespace
}  // namespace granary::units
