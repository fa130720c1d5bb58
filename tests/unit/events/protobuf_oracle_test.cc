// Our encoding against protoc's: the schemas in schemas/granary/events/v1 describe exactly what we write.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include <set>

#include "granary/events/v1/event.pb.h"
#include "granary/events/v1/record.pb.h"
#include "tests/unit/events/fill.h"

namespace granary::events {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using testing::filled;
using testing::for_each_event;

constexpr std::uint64_t kSeeds = 40;

Bytes serialized(const Message& message) {
  Bytes out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(message.SerializeToCodedStream(&coded));
  coded.Trim();
  return out;
}

// Nothing unknown, and every field there, in this message and in all inside it.
void expect_complete(const Message& message, const std::string& where) {
  const Reflection& reflection = *message.GetReflection();
  EXPECT_TRUE(reflection.GetUnknownFields(message).empty()) << where << " has fields that the schema does not know";
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    const std::string here = where + "." + field->name();
    if (field->real_containing_oneof() != nullptr && !reflection.HasField(message, field)) continue;
    if (field->is_repeated()) {
      EXPECT_GT(reflection.FieldSize(message, field), 0) << here;
      if (field->message_type() == nullptr) continue;
      for (int n = 0; n < reflection.FieldSize(message, field); ++n)
        expect_complete(reflection.GetRepeatedMessage(message, field, n), here);
      continue;
    }
    EXPECT_TRUE(reflection.HasField(message, field)) << here << " did not arrive";
    if (field->message_type() != nullptr) expect_complete(reflection.GetMessage(message, field), here);
  }
}

std::string upper_snake(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z' && !out.empty() && out.back() >= 'a') out += '_';
    out += c == '-' ? '_' : c;
  }
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// Compares a struct's fields with a message's: number, name, type, presence, and the names of enums.
class Compare {
 public:
  explicit Compare(const Descriptor& type) : type_(type) {}

  template <class T>
  void operator()(int tag, std::string_view name, T& value, codec::Presence) {
    ++count_;
    const FieldDescriptor* field = type_.FindFieldByNumber(tag);
    ASSERT_NE(field, nullptr) << type_.full_name() << " has no field " << tag << " " << name;
    EXPECT_EQ(field->name(), name) << field->full_name();
    EXPECT_GT(tag, last_) << field->full_name() << ": visited out of order";
    last_ = tag;
    constexpr bool kVector = codec::IsVector<T>::value;
    constexpr bool kOptionalField = codec::IsOptional<T>::value;
    EXPECT_EQ(field->is_repeated(), kVector) << field->full_name();
    if constexpr (kVector) {
      EXPECT_FALSE(field->is_packed()) << field->full_name();
      compare(*field, value.emplace_back());
    } else if constexpr (kOptionalField) {
      EXPECT_TRUE(field->has_presence()) << field->full_name();
      compare(*field, value.emplace());
    } else {
      EXPECT_EQ(field->has_presence(), field->message_type() != nullptr) << field->full_name();
      compare(*field, value);
    }
  }

  void finish() const { EXPECT_EQ(count_, type_.field_count()) << type_.full_name() << " has more fields than we"; }

 private:
  template <class T>
  void compare(const FieldDescriptor& field, T& value) {
    const auto type = field.type();
    if constexpr (std::is_same_v<T, std::string>) {
      EXPECT_TRUE(type == FieldDescriptor::TYPE_STRING || type == FieldDescriptor::TYPE_BYTES) << field.full_name();
    } else if constexpr (std::is_same_v<T, Instant> || std::is_same_v<T, std::int64_t>) {
      EXPECT_EQ(type, FieldDescriptor::TYPE_INT64) << field.full_name();
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
      EXPECT_EQ(type, FieldDescriptor::TYPE_UINT64) << field.full_name();
    } else if constexpr (std::is_same_v<T, Id16> || codec::IsExact<T>::value) {
      EXPECT_EQ(type, FieldDescriptor::TYPE_BYTES) << field.full_name();
    } else if constexpr (std::is_enum_v<T>) {
      ASSERT_EQ(type, FieldDescriptor::TYPE_ENUM) << field.full_name();
      compare_enum<T>(*field.enum_type());
    } else {
      ASSERT_EQ(type, FieldDescriptor::TYPE_MESSAGE) << field.full_name();
      Compare nested(*field.message_type());
      T::fields(value, nested);
      nested.finish();
    }
  }

  template <class T>
  static void compare_enum(const EnumDescriptor& type) {
    const auto& names = codec::EnumNames<T>::kNames;
    ASSERT_EQ(type.value_count(), static_cast<int>(names.size()) + 1) << type.full_name();
    const std::string prefix = upper_snake(type.name()) + "_";
    EXPECT_EQ(type.value(0)->name(), prefix + "UNSPECIFIED");
    for (int i = 0; i <= static_cast<int>(names.size()); ++i) {
      EXPECT_EQ(type.value(i)->number(), i) << type.full_name();
      if (i == 0) continue;
      EXPECT_EQ(type.value(i)->name(), prefix + upper_snake(names[static_cast<std::size_t>(i) - 1]));
    }
  }

  const Descriptor& type_;
  int count_ = 0;
  int last_ = 0;
};

template <class T>
void expect_same_fields(const Descriptor& type) {
  T value{};
  Compare compare(type);
  T::fields(value, compare);
  compare.finish();
}

// "granary.usage.reported.v1" is the field usage_reported.
std::string field_name(std::string_view type_name) {
  std::string name(type_name.substr(8, type_name.size() - 11));
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

TEST(Schema, HasTheFieldsOfEveryEvent) {
  const Descriptor& event = *v1::Event::descriptor();
  for_each_event([&event]<class T>() {
    const FieldDescriptor* field = event.FindFieldByNumber(static_cast<int>(kType<T>));
    ASSERT_NE(field, nullptr) << type_name(kType<T>);
    expect_same_fields<T>(*field->message_type());
  });
  expect_same_fields<Genesis>(*v1::Genesis::descriptor());
  expect_same_fields<Tick>(*v1::Tick::descriptor());
  expect_same_fields<Raw>(*v1::Raw::descriptor());
  expect_same_fields<Packet>(*v1::Packet::descriptor());
  expect_same_fields<Checkpoint>(*v1::Checkpoint::descriptor());
  expect_same_fields<CheckpointLane>(*v1::CheckpointLane::descriptor());
}

TEST(Schema, NamesTheVocabularyAndNothingElse) {
  const Descriptor& event = *v1::Event::descriptor();
  std::set<int> numbers;
  std::size_t reserved = 0;
  for (const TypeInfo& info : vocabulary()) {
    const int number = static_cast<int>(info.type);
    EXPECT_TRUE(numbers.insert(number).second) << number << " names two types";
    const FieldDescriptor* field = event.FindFieldByNumber(number);
    if (info.status == Status::reserved) {
      ++reserved;
      EXPECT_EQ(field, nullptr) << info.name;
      EXPECT_TRUE(event.IsReservedNumber(number)) << info.name;
      EXPECT_TRUE(event.IsReservedName(field_name(info.name))) << info.name;
    } else {
      ASSERT_NE(field, nullptr) << info.name;
      EXPECT_EQ(field->name(), field_name(info.name));
      EXPECT_NE(field->real_containing_oneof(), nullptr) << info.name;
    }
  }
  for (int i = 0; i < event.field_count(); ++i) EXPECT_TRUE(numbers.contains(event.field(i)->number()));
  for (int i = 0; i < event.reserved_range_count(); ++i)
    for (int n = event.reserved_range(i)->start; n < event.reserved_range(i)->end; ++n)
      EXPECT_TRUE(numbers.contains(n)) << n << " is reserved for nothing";
  EXPECT_EQ(static_cast<std::size_t>(event.reserved_name_count()), reserved);
  EXPECT_EQ(static_cast<std::size_t>(event.field_count()), std::variant_size_v<Event> - 1);
}

// What can change something earlier keeps a place for what it changes, and for the order that it belongs to.
TEST(Schema, KeepsPlacesForCorrections) {
  for (const Descriptor* message :
       {v1::AccountBound::descriptor(), v1::ScreeningDecided::descriptor(), v1::ApplicationDecided::descriptor(),
        v1::PolicyPublished::descriptor(), v1::PriceBookPublished::descriptor(), v1::UsageMetered::descriptor(),
        v1::UsageCharged::descriptor(), v1::UnitsPosted::descriptor(), v1::ChargeRated::descriptor()}) {
    int numbers = 0;
    for (int i = 0; i < message->reserved_range_count(); ++i)
      numbers += message->reserved_range(i)->end - message->reserved_range(i)->start;
    int kept = 0;
    for (const char* name : {"corrects", "order"}) {
      const bool is_reserved = message->IsReservedName(name);
      kept += is_reserved ? 1 : 0;
      EXPECT_NE(is_reserved, message->FindFieldByName(name) != nullptr) << message->name() << " " << name;
    }
    EXPECT_EQ(numbers, kept) << message->name();
  }
}

TEST(Oracle, ReadsAndWritesOurEvents) {
  EventDecoder decoder;
  for_each_event([&decoder]<class T>() {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const std::string where = std::string(type_name(kType<T>)) + ", seed " + std::to_string(seed);
      Bytes ours;
      encode_event(Event(filled<T>(seed)), ours);
      v1::Event theirs;
      ASSERT_TRUE(theirs.ParseFromString(ours)) << where;
      ASSERT_EQ(static_cast<int>(theirs.event_case()), static_cast<int>(kType<T>)) << where;
      expect_complete(theirs, where);
      const Bytes written = serialized(theirs);
      ASSERT_EQ(to_hex(written), to_hex(ours)) << where;
      ASSERT_EQ(decoder.decode(written), DecodeResult::ok) << where;
      Bytes again;
      encode_event(decoder.event(), again);
      ASSERT_EQ(to_hex(again), to_hex(written)) << where;
    }
  });
}

// With everything at its default but what is always written: the other end of the same comparison.
TEST(Oracle, LeavesOutTheSameDefaults) {
  for_each_event([]<class T>() {
    Bytes ours;
    encode_event(Event(T{}), ours);
    v1::Event theirs;
    ASSERT_TRUE(theirs.ParseFromString(ours)) << type_name(kType<T>);
    EXPECT_EQ(to_hex(serialized(theirs)), to_hex(ours)) << type_name(kType<T>);
  });
}

template <class Ours, class Theirs>
void expect_same_record(RecordKind kind, std::uint8_t kind_byte) {
  constexpr Id16 kLedger{1, 2, 3};
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Bytes record = encode_record(kLedger, filled<Ours>(seed));
    ASSERT_EQ(static_cast<std::uint8_t>(record.at(kFrontBytes - 1)), kind_byte);
    ASSERT_EQ(kind_of(record), kind);
    Theirs theirs;
    ASSERT_TRUE(theirs.ParseFromString(Bytes(body_of(record)))) << "seed " << seed;
    expect_complete(theirs, Theirs::descriptor()->name() + ", seed " + std::to_string(seed));
    const Bytes written = serialized(theirs);
    ASSERT_EQ(to_hex(written), to_hex(body_of(record))) << "seed " << seed;
    Ours again;
    ASSERT_TRUE(codec::decode(written, again)) << "seed " << seed;
    ASSERT_EQ(to_hex(encode_record(kLedger, again)), to_hex(record)) << "seed " << seed;
  }
}

TEST(Oracle, ReadsAndWritesOurRecords) {
  expect_same_record<Genesis, v1::Genesis>(RecordKind::genesis, 0x11);
  expect_same_record<Tick, v1::Tick>(RecordKind::tick, 0x21);
  expect_same_record<Raw, v1::Raw>(RecordKind::raw, 0x31);
  expect_same_record<Packet, v1::Packet>(RecordKind::packet, 0x41);
  expect_same_record<Checkpoint, v1::Checkpoint>(RecordKind::checkpoint, 0x51);
}

// One usage by name, so that no two fields of one wire form have changed places.
TEST(Oracle, MeansTheSameByEachField) {
  UsageReported usage;
  usage.project = "aurora-llm";
  usage.resources = {{"gpu:h200", Quantity(2000), {}, {}}, {"api-call", {}, Amount(-7), "item"}};
  usage.start = Instant(1793489400000);
  usage.end = Instant(1793493000000);
  usage.state = "COMPLETED";
  Bytes bytes;
  encode_event(Event(usage), bytes);
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(bytes));
  const v1::UsageReported& read = event.usage_reported();
  EXPECT_EQ(read.project(), "aurora-llm");
  EXPECT_EQ(read.cluster(), "");
  ASSERT_EQ(read.resources_size(), 2);
  EXPECT_EQ(read.resources(0).class_(), "gpu:h200");
  EXPECT_EQ(to_hex(read.resources(0).quantity()), "07d0");
  EXPECT_EQ(to_hex(read.resources(1).amount()), "f9");
  EXPECT_EQ(read.resources(1).unit(), "item");
  EXPECT_EQ(read.start(), 1793489400000);
  EXPECT_EQ(read.end(), 1793493000000);
  EXPECT_EQ(read.state(), "COMPLETED");
}

}  // namespace
}  // namespace granary::events
