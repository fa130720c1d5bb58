// How many decimals people write of a currency. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace granary::units {

// The minor unit of a currency's three-letter code, by ISO 4217 (list one): JPY 0, EUR 2, BHD 3. 2 for a code that the
// table does not hold.
int currency_decimals(std::string_view code);

// An exact amount of money ("1.800000000", at most nine decimals) with the decimals of its currency, rounded half to
// even: for people to look at, never to reckon with. Text that is no such amount comes back as it is.
std::string people_money(const std::string& amount, std::string_view currency);

}  // namespace granary::units
