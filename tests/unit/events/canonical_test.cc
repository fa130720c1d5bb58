// One value has one form: everything else that Protobuf would read is refused.
#include <gtest/gtest.h>

#include "tests/unit/events/fill.h"

namespace granary::events {
namespace {

using testing::filled;
using testing::for_each_event;

Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  const auto read = from_hex(digits);
  EXPECT_TRUE(read) << text;
  return read.value_or("");
}

template <class T>
bool reads(std::string_view text) {
  T value;
  return codec::decode(hex(text), value);
}

// AccountBound: cluster "c" 0a0163, account "a" 120161, project "p" 1a0170, optional from 20, optional to 28.
TEST(Canonical, TakesOneFormOfAMessage) {
  const struct {
    const char* bytes;
    bool good;
    const char* what;
  } cases[] = {
      {"0a0163 120161 1a0170", true, "all that is required"},
      {"", true, "nothing: all defaults"},
      {"0a0163 120161 1a0170 2005 2806", true, "optionals"},
      {"0a0163 120161 1a0170 2000", true, "an optional that is there and zero"},
      {"0a0163 120161 1a0170 3001", false, "an unknown field at the end"},
      {"0a0163 120161 1a0170 7a0178", false, "an unknown field of bytes"},
      {"8201 0178 0a0163", false, "an unknown field before a known one"},
      {"120161 0a0163 1a0170", false, "out of order"},
      {"0a0163 0a0163 120161", false, "a field twice"},
      {"0a0163 2005 2006", false, "an optional twice"},
      {"0a00 120161", false, "an explicit default string"},
      {"0a0163 120161 1a0170 2085 00", false, "an overlong value"},
      {"8a00 0163 120161", false, "an overlong key"},
      {"0a8100 63", false, "an overlong length"},
      {"0a0163 1201", false, "cut short inside a field"},
      {"0a0163 12", false, "cut short after a key"},
      {"0a0163 20", false, "cut short before a varint"},
      {"0a0163 2085", false, "cut short inside a varint"},
      {"0a0263", false, "a length beyond the end"},
      {"0aff ffff ffff ffff ff01 63", false, "a length of 2^64 - 1"},
      {"0805", false, "a varint where bytes belong"},
      {"2201 05", false, "bytes where a varint belongs"},
      {"2505 000000", false, "fixed 32"},
      {"2105 00000000000000", false, "fixed 64"},
      {"0b 0c", false, "a group"},
      {"0163", false, "field number 0"},
      {"20ff ffff ffff ffff ffff 01", true, "the smallest negative varint of ten bytes"},
      {"20ff ffff ffff ffff ffff 02", false, "a varint beyond 64 bits"},
      {"20ff ffff ffff ffff ffff 8100", false, "a varint of eleven bytes"},
  };
  for (const auto& c : cases) EXPECT_EQ(reads<AccountBound>(c.bytes), c.good) << c.what << ": " << c.bytes;
}

TEST(Canonical, TakesOneFormOfEachKindOfValue) {
  // ResourceUsed: class 0a, quantity 12, amount 1a, unit 22.
  EXPECT_TRUE(reads<ResourceUsed>("0a0163 120107"));
  EXPECT_TRUE(reads<ResourceUsed>("0a0163 1201ff")) << "minus one";
  EXPECT_FALSE(reads<ResourceUsed>("0a0163 1200")) << "an explicit zero";
  EXPECT_FALSE(reads<ResourceUsed>("0a0163 120100")) << "zero as a byte";
  EXPECT_FALSE(reads<ResourceUsed>("0a0163 12020007")) << "a byte too many";
  EXPECT_FALSE(reads<ResourceUsed>("0a0163 1202ffff")) << "minus one, a byte too many";
  EXPECT_FALSE(reads<ResourceUsed>("0a0163 12110100000000000000000000000000000000")) << "more than 128 bits";
  // Funding: kind 08, share 12.
  EXPECT_TRUE(reads<Funding>("0801"));
  EXPECT_FALSE(reads<Funding>("0800")) << "an explicit enum zero";
  EXPECT_FALSE(reads<Funding>("0804")) << "an enum value without a name";
  EXPECT_FALSE(reads<Funding>("088180808010")) << "an enum value beyond 32 bits";
  // Genesis: ledger 0a, 16 bytes.
  EXPECT_TRUE(reads<Genesis>("0a10 00000000000000000000000000000001"));
  EXPECT_FALSE(reads<Genesis>("0a10 00000000000000000000000000000000")) << "an explicit zero id";
  EXPECT_FALSE(reads<Genesis>("0a0f 000000000000000000000000000001")) << "an id of 15 bytes";
  // Tick: instant 08. PolicyContent: order 18, repeated.
  EXPECT_FALSE(reads<Tick>("0800")) << "an explicit zero";
  EXPECT_TRUE(reads<PolicyContent>("1801 1802"));
  EXPECT_FALSE(reads<PolicyContent>("1a020102")) << "packed";
  EXPECT_FALSE(reads<PolicyContent>("1801 1800")) << "no value of an enum in a list";
  // UsageInterim and Raw: root, notes and caller are always written.
  EXPECT_TRUE(reads<UsageInterim>("0a00"));
  EXPECT_FALSE(reads<UsageInterim>("120170")) << "without its root";
  EXPECT_FALSE(reads<Raw>("1a00 5a00")) << "without notes";
  EXPECT_FALSE(reads<Raw>("1a00 5200")) << "without its caller";
  EXPECT_TRUE(reads<Raw>("1a00 5200 5a00"));
  EXPECT_TRUE(reads<Raw>("1a00 5200 5a020801 620163")) << "an open caller, and a collector";
  EXPECT_FALSE(reads<Raw>("1a00 5200 5a020806")) << "a kind of caller without a name";
}

// What was decoded before leaves nothing behind in a value that is used again.
TEST(Canonical, ForgetsTheValueBefore) {
  for_each_event([]<class T>() {
    Bytes empty;
    codec::encode(T{}, empty);
    T value = filled<T>(7);
    ASSERT_TRUE(codec::decode(empty, value)) << type_name(kType<T>);
    Bytes again;
    codec::encode(value, again);
    EXPECT_EQ(to_hex(again), to_hex(empty)) << type_name(kType<T>);
  });
}

// A nested message's length needs a second and a third byte.
TEST(Canonical, WritesLongNestedMessagesWithTheirLengths) {
  for (const std::size_t size : {0U, 120U, 124U, 125U, 126U, 127U, 128U, 1000U, 16'378U, 16'379U, 16'380U, 50'000U}) {
    MeteredAmount amount;
    amount.class_name = Bytes(size, 'c');
    Bytes alone;
    codec::encode(amount, alone);
    UsageMetered usage;
    usage.amounts = {amount, amount};
    Bytes wanted;
    for (int i = 0; i < 2; ++i) {
      codec::put_varint(wanted, 6 << 3 | 2);
      codec::put_varint(wanted, alone.size());
      wanted += alone;
    }
    Bytes bytes;
    codec::encode(usage, bytes);
    EXPECT_TRUE(bytes == wanted) << size;
    UsageMetered again;
    ASSERT_TRUE(codec::decode(bytes, again)) << size;
    EXPECT_EQ(again.amounts[1].class_name.size(), size);
  }
}

// Whatever is accepted is the canonical form: of every cut and of many changes of every event.
TEST(Canonical, WritesAgainWhatItAccepts) {
  std::mt19937_64 random(20261031);
  EventDecoder decoder;
  const auto expect_canonical = [&decoder](const Bytes& bytes) {
    if (decoder.decode(bytes) != DecodeResult::ok) return false;
    Bytes again;
    encode_event(decoder.event(), again);
    EXPECT_EQ(to_hex(again), to_hex(bytes));
    return true;
  };
  for_each_event([&]<class T>() {
    Bytes bytes;
    encode_event(Event(filled<T>(3)), bytes);
    ASSERT_TRUE(expect_canonical(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(expect_canonical(bytes.substr(0, size)));
    EXPECT_FALSE(expect_canonical(bytes + '\0'));
    for (int i = 0; i < 2000; ++i) {
      Bytes changed = bytes;
      changed[random() % changed.size()] = static_cast<char>(random());
      expect_canonical(changed);
    }
  });
}

TEST(EventDecoder, TellsAnUnknownTypeFromNoEvent) {
  EventDecoder decoder;
  EXPECT_EQ(decoder.decode(hex("a206 03 08e807")), DecodeResult::ok) << "lane.completed";
  EXPECT_EQ(std::get<LaneCompleted>(decoder.event()).instant, Instant(1000));
  EXPECT_EQ(decoder.decode(hex("5a 00")), DecodeResult::unknown_type) << "11 is reserved";
  EXPECT_EQ(decoder.decode(hex("c23e 00")), DecodeResult::unknown_type) << "1000 is nobody's";
  EXPECT_EQ(decoder.decode(""), DecodeResult::malformed);
  EXPECT_EQ(decoder.decode(hex("02 00")), DecodeResult::malformed) << "field number 0";
  EXPECT_EQ(decoder.decode(hex("a206 03 08e8")), DecodeResult::malformed) << "cut short";
  EXPECT_EQ(decoder.decode(hex("a206 03 08e807 00")), DecodeResult::malformed) << "more after it";
  EXPECT_EQ(decoder.decode(hex("a006 03")), DecodeResult::malformed) << "a varint";
  EXPECT_EQ(peek_type(hex("a206 03 08e807")), kType<LaneCompleted>);
  EXPECT_EQ(peek_type(hex("ff")), EventType::none);
}

// What a newer build writes is told from what is no event: it parks, and a build that knows it goes on.
TEST(EventDecoder, TellsANewerEventFromNoEvent) {
  EventDecoder decoder;
  EXPECT_EQ(decoder.decode(hex("a206 02 1001")), DecodeResult::newer)
      << "a field behind the known one, which is absent";
  EXPECT_EQ(decoder.decode(hex("a206 05 08e807 1001")), DecodeResult::newer);
  EXPECT_EQ(decoder.decode(hex("a206 08 08e807 1001 1a0161")), DecodeResult::newer) << "two, one of bytes";
  EXPECT_EQ(decoder.decode(hex("a206 07 08e807 1001 1001")), DecodeResult::newer) << "a repeated one";
  EXPECT_EQ(decoder.decode(hex("f201 07 0863 120161 2200")), DecodeResult::newer) << "kind 99 of a policy";
  EXPECT_EQ(decoder.decode(hex("f201 09 0801 120161 2202 4801")), DecodeResult::newer) << "in a message inside";
  EXPECT_EQ(decoder.decode(hex("a206 05 1001 08e807")), DecodeResult::malformed) << "behind it a known one";
  EXPECT_EQ(decoder.decode(hex("a206 07 1801 1001 1801")), DecodeResult::malformed) << "not in order";
  EXPECT_EQ(decoder.decode(hex("a206 04 08e807 10")), DecodeResult::malformed) << "cut short";
  EXPECT_EQ(decoder.decode(hex("a206 06 08e807 120261")), DecodeResult::malformed) << "cut short inside";
  EXPECT_EQ(decoder.decode(hex("a206 06 08e807 108100")), DecodeResult::malformed)
      << "a varint that is not at its shortest";
  EXPECT_EQ(decoder.decode(hex("f201 05 0863 120161")), DecodeResult::malformed)
      << "without a message that is always there";
  EXPECT_EQ(decoder.decode(hex("a206 03 08e807")), DecodeResult::ok) << "after all that";
}

constexpr Id16 kLedger{0x7e, 0x57, 1};  // check byte 0x28
constexpr Id16 kAnother{0x7e, 0x57, 2};

// A message with gaps, as one has where a newer build takes a number that was kept.
struct Gapped {
  std::string first;
  std::vector<std::string> third;
  std::optional<Instant> fifth;
  template <class Self, class Visit>
  static void fields(Self& s, Visit& visit) {
    visit(1, "first", s.first, codec::kOptional);
    visit(3, "third", s.third, codec::kOptional);
    visit(5, "fifth", s.fifth, codec::kOptional);
  }
};

codec::Read read_gapped(BytesView bytes) {
  Gapped value{"before", {"before", "it"}, Instant(1)};
  const codec::Read read = codec::read_message(bytes, value);
  if (read != codec::Read::ok) return read;
  Bytes again;
  codec::encode(value, again);
  EXPECT_EQ(to_hex(again), to_hex(bytes));
  return read;
}

// Every sequence of at most five fields with numbers from 1 to 7. It is a message if no number follows a larger one,
// and none but a list's or an unknown one follows itself; a newer build's, if one of them is unknown.
TEST(FieldReader, TakesAFieldThatItDoesNotKnowInItsPlaceByNumber) {
  const Bytes of_number[] = {"",          hex("0a0178"), hex("120178"), hex("1a0178"),
                             hex("2005"), hex("2805"),   hex("3000"),   hex("3a00")};
  std::array<int, 3> count{};
  const auto follow = [&](const auto& self, const Bytes& before, int last, codec::Read wanted, int fields) -> void {
    EXPECT_EQ(read_gapped(before), wanted) << to_hex(before);
    ++count[static_cast<std::size_t>(wanted)];
    if (fields == 5) return;
    for (int number = 1; number <= 7; ++number) {
      const bool is_single = number == 1 || number == 5;
      const bool is_known = is_single || number == 3;
      codec::Read next = wanted;
      if (number < last || (number == last && is_single))
        next = codec::Read::malformed;
      else if (wanted == codec::Read::ok && !is_known)
        next = codec::Read::newer;
      self(self, before + of_number[number], number, next, fields + 1);
    }
  };
  follow(follow, "", 0, codec::Read::ok, 0);
  EXPECT_EQ(count[0] + count[1] + count[2], 1 + 7 + 49 + 343 + 2401 + 16'807);
  EXPECT_EQ(count[0], 6 + 2 * 5 + 4) << "without 1 and 5, with one of them, with both; and what is left for the list";
  EXPECT_GT(count[2], 300);
}

TEST(FieldReader, AFieldBetweenThatIsNoneIsMalformed) {
  // Gapped: first 0a, third 1a, fifth 28; unknown between: 2 as a varint 10, as bytes 12.
  const auto read = [](const char* text) { return read_gapped(hex(text)); };
  EXPECT_EQ(read("0a0178 1005 1a0178"), codec::Read::newer);
  EXPECT_EQ(read("0a0178 12021005 1a0178"), codec::Read::newer);
  EXPECT_EQ(read("0a0178 1200 1000 1a0178"), codec::Read::newer) << "its form is for a build that knows it to judge";
  EXPECT_EQ(read("0a0178 108500 1a0178"), codec::Read::malformed) << "a varint that is not at its shortest";
  EXPECT_EQ(read("0a0178 1202 10"), codec::Read::malformed) << "cut short";
  EXPECT_EQ(read("0a0178 10"), codec::Read::malformed) << "cut short behind its key";
  EXPECT_EQ(read("0a0178 1505000000 1a0178"), codec::Read::malformed) << "fixed 32";
  EXPECT_EQ(read("0a0178 13 1a0178"), codec::Read::malformed) << "a group";
  EXPECT_EQ(read("1005 0a0178"), codec::Read::malformed) << "before a smaller number";
  EXPECT_EQ(read("0a0178 2005 1a0178"), codec::Read::malformed) << "before a smaller number, likewise";
  EXPECT_EQ(read("0a0178 1a0178 1005"), codec::Read::malformed) << "behind a larger number";
  EXPECT_EQ(read("0a00 1005"), codec::Read::malformed) << "behind a known one that is wrong";
  EXPECT_EQ(read("0a0178 1005 1a0178 2800"), codec::Read::newer);
  EXPECT_EQ(read("0a0178 1005 1a0178 2801 2802"), codec::Read::malformed) << "a known one twice";
}

TEST(Record, BeginsWithMarkCheckByteAndKind) {
  const Bytes tick = encode_record(kLedger, Tick{Instant(5)});
  EXPECT_EQ(to_hex(tick),
            "f767"
            "28"
            "21"
            "0805");
  EXPECT_EQ(kind_of(tick), RecordKind::tick);
  EXPECT_EQ(to_hex(body_of(tick)), "0805");
  EXPECT_EQ(whose_is(tick, kLedger), Whose::known);
}

TEST(Record, OfAnotherLedgerOrOfNobodyIsForeign) {
  const Bytes tick = encode_record(kLedger, Tick{Instant(5)});
  EXPECT_EQ(whose_is(tick, kAnother), Whose::foreign);
  for (const char* stray : {"", "f7", "f767", "f76728", "7b7d", "210805", "f768282108", "f667282108"})
    EXPECT_EQ(whose_is(hex(stray), kLedger), Whose::foreign) << stray;
}

TEST(Record, OfAnotherKindOrVersionIsNewer) {
  for (const char* newer : {"f7672801", "f7672820", "f7672822", "f7672861", "f76728f1"}) {
    EXPECT_EQ(whose_is(hex(newer), kLedger), Whose::newer) << newer;
    EXPECT_FALSE(kind_of(hex(newer))) << newer;
  }
}

}  // namespace
}  // namespace granary::events
