// docs/formats.md shows one record byte for byte. This puts it together and compares.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/events/worked_example.h"

namespace granary::events {
namespace {

constexpr Id16 kLedger{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xf0};
using namespace testing;  // NOLINT: the worked example is what this file speaks of

std::string wrapped(BytesView bytes) {
  const std::string hex = to_hex(bytes);
  std::string out;
  for (std::size_t at_digit = 0; at_digit < hex.size(); at_digit += 64) out += "  " + hex.substr(at_digit, 64) + "\n";
  return out;
}

std::string hash_line(const char* name, BytesView hash) {
  return std::string(name) + "\n" + wrapped(hash);
}

std::string shown() {
  Bytes substance;
  encode_event(Event(job_usage()), substance);
  Raw raw;
  raw.source = kSlurm;
  raw.id = kJob;
  raw.root = {kSlurm, kJob};
  raw.time = at("2026-11-01T00:30:05Z");
  raw.actor = "agent-aif1";
  raw.door = "d1";
  raw.recorded_at = at("2026-11-01T00:30:06.250Z");
  raw.substance = substance;
  raw.notes = {"", "train", "aurora-7b"};
  raw.caller.kind = CallerKind::open;
  raw.collector = "slurm-agent/0.4.1";
  Bytes completed;
  encode_event(Event(LaneCompleted{at("2026-11-01T00:35:00Z")}), completed);
  // runtime::chain_start, by hand.
  const Hash32 start = proof::sha256_of_parts(
      {view_of(kLedger), "metering", Bytes("\0\3", 2), "granary.allocations.v1", Bytes("\0\5", 2)});
  Packet packet;
  packet.machine = MachineKind::metering;
  packet.shard = 3;
  packet.first = 1;
  packet.before = Bytes(view_of(start));
  packet.events = {completed};

  return "substance\n" + wrapped(substance) + "record\n" + wrapped(encode_record(kLedger, raw)) +
         hash_line("sha-256 of the substance", view_of(proof::sha256(substance))) +
         hash_line("sha-256 of the parts of the key (source, root id)",
                   view_of(proof::sha256_of_parts({kSlurm, kJob}))) +
         "shard of that key, 8 partitions\n  " + std::to_string(proof::shard_of({kSlurm, kJob}, kPartitions)) + "\n" +
         hash_line("grant of the decision (https://portal.aif1.example/decisions, decision/2026-0117)",
                   view_of(grant_id())) +
         "packet\n" + wrapped(encode_record(kLedger, packet)) +
         hash_line("h(0) of its lane, to granary.allocations.v1/5", view_of(start)) +
         hash_line("h(1) of its lane", view_of(proof::chain(start, completed)));
}

// To write down what is written now: GRANARY_REWRITE=1 unit_events, and read the difference.
TEST(FormatsPage, ShowsWhatIsWritten) {
  std::string page = file_text("docs/formats.md");
  const std::string begin = "<!-- tests/unit/events/formats_page_test.cc compares this block -->\n```\n";
  const std::size_t start = page.find(begin);
  ASSERT_NE(start, std::string::npos);
  const std::size_t end = page.find("```", start + begin.size());
  ASSERT_NE(end, std::string::npos);
  if (std::getenv("GRANARY_REWRITE") != nullptr) {
    page.replace(start + begin.size(), end - start - begin.size(), shown());
    std::ofstream(std::string(GRANARY_SOURCE_DIR) + "/docs/formats.md", std::ios::binary) << page;
    return;
  }
  EXPECT_EQ(page.substr(start + begin.size(), end - start - begin.size()), shown());
}

}  // namespace
}  // namespace granary::events
