// What comes in as text and names places: tokens.
#include "shared/runtime/token.h"

#include <gtest/gtest.h>

#include "shared/base/bytes.h"

namespace granary::test {
namespace {

using machine::Topic;
using runtime::Token;

TEST(TokenText, ComesBackAsItWas) {
  for (const Token& token :
       {Token{}, Token{{{Topic::applications, 0, 0}}, 0xFFFFFFFF},
        Token{{{Topic::usage, 7, 1}, {Topic::ledger, 1023, ~std::uint64_t{0} - 1}, {Topic::allocations, 1, 1}}, 17}}) {
    const auto parsed = Token::parse(token.text());
    ASSERT_TRUE(parsed.ok()) << token.text();
    EXPECT_EQ(parsed->places, token.places);
    EXPECT_EQ(parsed->ledger, token.ledger);
  }
}

TEST(TokenText, IsRefusedWhereItIsNone) {
  const std::string good = Token{{{Topic::usage, 7, 1}}}.text();
  EXPECT_TRUE(Token::parse(good).ok());
  Bytes outward(15, '\0');
  outward[4] = static_cast<char>(Topic::billing);
  const std::string bad[] = {good.substr(1),
                             good + "A",
                             good + "=",
                             "not a token",
                             to_base64url(Bytes(15, '\0')),
                             to_base64url(Bytes(11, '\1')),
                             to_base64url(Bytes(4, '\1')),
                             to_base64url(outward),
                             to_base64url(Bytes(14, '\1')),
                             Token{{{Topic::usage, 0, ~std::uint64_t{0}}}}.text()};
  for (const std::string& text : bad) {
    const auto parsed = Token::parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_input);
  }
}

}  // namespace
}  // namespace granary::test
