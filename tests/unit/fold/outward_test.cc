// What leaves as text: records of the outward streams.
#include <gtest/gtest.h>

#include "shared/events/json.h"
#include "shared/fold/outward.h"
#include "shared/json/strict_json.h"
#include "tests/unit/fold/fold_harness.h"

namespace granary::test {
namespace {

TEST(Outward, OneEventARecordWithItsNumberAsId) {
  FoldHarness billing(MachineKind::billing, 1);
  LaneWriter allocation(MachineKind::allocation, 0, MachineKind::billing, 1);
  for (const int amount : {40, 2}) {
    events::UsageCharged charged;
    charged.source = "slurm://a";
    charged.id = "job-" + std::to_string(amount);
    charged.project = "p-a";
    charged.organisation = "o-a";
    charged.parts.resize(1);
    charged.parts[0].amount = units::Amount(amount);
    charged.parts[0].unit = units::UnitKind::item;
    charged.parts[0].from_account = events::Account::outside;
    charged.parts[0].to_account = events::Account::uncovered;
    charged.parts[0].funding = events::PartFunding::covered;
    allocation.say(charged);
  }
  ASSERT_EQ(billing.take(allocation.packet(1, 2)), Fold::Step::folded) << billing.fold->park_reason();
  billing.commit();
  ASSERT_EQ(billing.sent.size(), 1U);
  Id16 ledger{};
  ledger.fill(0xab);
  const auto made = runtime::outward_records(billing.sent[0], 1, ledger);
  ASSERT_TRUE(made);
  const std::vector<journal::Record>& records = *made;
  ASSERT_EQ(records.size(), 2U);
  const journal::Record& record = records[1];
  EXPECT_EQ(runtime::header(record, "ce_specversion"), "1.0");
  EXPECT_EQ(runtime::header(record, "ce_id"), "1-2");
  EXPECT_EQ(runtime::header(record, "ce_source"), "urn:granary:abababababababababababababababab:billing");
  EXPECT_EQ(runtime::header(record, "ce_type"), "granary.charge.rated.v1");
  EXPECT_EQ(runtime::header(record, "content-type"), "application/json");
  EXPECT_EQ(runtime::header(record, "ce_subject"), "");
  EXPECT_EQ(record.key, "o-a");
  EXPECT_EQ(runtime::outward_number(record), 2U);
  const auto data = json::parse(record.value);
  ASSERT_TRUE(data.ok()) << record.value;
  EXPECT_EQ(data->find("root")->find("id")->string(), "job-2");
  for (const journal::Record& one : records)
    EXPECT_EQ(json::parse(one.value)->find("line")->string(), runtime::header(one, "ce_id"));
  EXPECT_EQ(data->find("amount")->string(), "2");
  const auto rest = runtime::outward_records(billing.sent[0], 2, ledger);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ(rest->front(), records[1]);
}

TEST(Outward, WhatANewerBuildEmittedIsToldAndBreaksNothing) {
  Bytes event;
  events::encode_event(events::RecordRefused{}, event);
  ASSERT_LT(event.size(), 100U) << "the length at its third byte is one byte";
  event[2] = static_cast<char>(event[2] + 3);
  event += "\xa0\x06\x01";                                             // field 100
  for (const Bytes& newer : {event, Bytes("\xfa\x3e\x02\x08\x01")}) {  // and an event with the number 1007
    runtime::PacketBuilder packet;
    packet.start(kTestLedger, MachineKind::metering, 0, 1, {});
    packet.add(newer);
    EXPECT_FALSE(runtime::outward_records({{Topic::rejected, 1}, 1, 1, packet.take()}, 1, kTestLedger));
  }
}

// Two builds that fold the same may word a hint in two ways.
TEST(Outward, TheHintOfARefusalIsNotCompared) {
  events::RecordRefused one;
  one.reason = "malformed";
  one.field = "/a,\"hint\":\"b";
  one.hint = "say \"so\" \\";
  one.topic = "t";
  events::RecordRefused other = one;
  other.hint = "say it otherwise";
  events::RecordRefused third = one;
  third.topic = "u";
  const auto bytes_of = [](const events::RecordRefused& refused) {
    Bytes bytes;
    events::encode_event(refused, bytes);
    return bytes;
  };
  Bytes scratch;
  const auto chained = [&](const Bytes& event) { return Bytes(runtime::outward_chained(event, scratch)); };
  EXPECT_NE(bytes_of(one), bytes_of(other));
  EXPECT_EQ(chained(bytes_of(one)), chained(bytes_of(other)));
  EXPECT_NE(chained(bytes_of(one)), chained(bytes_of(third)));
  EXPECT_EQ(runtime::outward_hash(bytes_of(one)), runtime::outward_hash(bytes_of(other)));
  EXPECT_NE(runtime::outward_hash(bytes_of(one)), runtime::outward_hash(bytes_of(third)));
  std::string value;
  events::write_json(one, value);
  EXPECT_EQ(runtime::outward_hash_of_value(value), runtime::outward_hash(bytes_of(other)));
}

TEST(Outward, AForeignRecordHasNoNumber) {
  journal::Record record;
  EXPECT_FALSE(runtime::outward_number(record));
  for (const char* id : {"", "7", "1-", "1-x", "1-2x", "1- 2", "1-99999999999999999999"}) {
    record.headers = {{"ce_id", id}};
    EXPECT_FALSE(runtime::outward_number(record)) << id;
  }
}

}  // namespace
}  // namespace granary::test
