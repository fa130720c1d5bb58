#include "shared/units/currency.h"

#include <algorithm>
#include <array>

#include "shared/units/amount.h"

namespace granary::units {
namespace {

constexpr int kMoneyDecimals = 9;
constexpr int kUsualDecimals = 2;

struct Currency {
  std::string_view code;
  int decimals;
};

// ISO 4217:2015, list one as published by SIX (edition of 1 January 2024): all current codes whose minor unit is not 2.
constexpr std::array kUnusual{Currency{"BHD", 3}, Currency{"BIF", 0}, Currency{"CLF", 4}, Currency{"CLP", 0},
                              Currency{"DJF", 0}, Currency{"GNF", 0}, Currency{"IQD", 3}, Currency{"ISK", 0},
                              Currency{"JOD", 3}, Currency{"JPY", 0}, Currency{"KMF", 0}, Currency{"KRW", 0},
                              Currency{"KWD", 3}, Currency{"LYD", 3}, Currency{"OMR", 3}, Currency{"PYG", 0},
                              Currency{"RWF", 0}, Currency{"TND", 3}, Currency{"UGX", 0}, Currency{"UYI", 0},
                              Currency{"UYW", 4}, Currency{"VND", 0}, Currency{"VUV", 0}, Currency{"XAF", 0},
                              Currency{"XOF", 0}, Currency{"XPF", 0}};

}  // namespace

int currency_decimals(std::string_view code) {
  const auto found =
      std::find_if(kUnusual.begin(), kUnusual.end(), [code](const Currency& one) { return one.code == code; });
  return found == kUnusual.end() ? kUsualDecimals : found->decimals;
}

std::string people_money(const std::string& amount, std::string_view currency) {
  const Decimal exact = parse_decimal(amount, kMoneyDecimals);
  if (exact.trouble != DecimalTrouble::none) return amount;
  const int decimals = currency_decimals(currency);
  Int128 dropped = 1;
  for (int i = decimals; i < kMoneyDecimals; ++i) dropped *= 10;
  const auto rounded = mul_div_half_even(exact.scaled, 1, dropped);
  return rounded ? format_fixed(*rounded, decimals) : amount;
}

}  // namespace granary::units
