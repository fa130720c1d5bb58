#include "services/cli/replay_command.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "services/cli/table.h"
#include "services/standalone/machines.h"
#include "shared/base/clock.h"
#include "shared/journal/embedded_journal.h"
#include "shared/ledger/ledger.h"
#include "shared/runtime/replay.h"
#include "shared/service/kafka_options.h"
#include "shared/service/program.h"
#include "shared/store/rocks_store.h"

namespace granary::cli {
namespace {

using machine::MachineKind;

constexpr int kEqual = 0, kDifferent = 1;
constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kCommitEvery = 20'000;

int cannot_run(const Error& error) {
  service::complain("cannot replay: " + error.message);
  return service::kCannotRun;
}

// "granary.usage.v1/3/1200"; nullopt: another form, or no inbox of that name.
std::optional<runtime::Place> parse_place(const std::string& text) {
  const auto first = text.find('/');
  const auto second = text.find('/', first + 1);
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  runtime::Place place;
  const auto number = [&text](std::size_t from, std::size_t to, auto& value) {
    const char* end = text.data() + std::min(to, text.size());
    const auto [at, error] = std::from_chars(text.data() + from, end, value);
    return error == std::errc() && at == end;
  };
  if (!number(first + 1, second, place.partition) || !number(second + 1, text.size(), place.offset))
    return std::nullopt;
  for (const machine::Topic topic : machine::kTopics) {
    if (!machine::is_inbox(topic) || machine::topic_name(topic) != std::string_view(text).substr(0, first)) continue;
    place.topic = topic;
    return place;
  }
  return std::nullopt;
}

Result<std::unique_ptr<journal::Journal>> open_log(const ReplayArguments& arguments) {
  if (!arguments.brokers.empty()) {
    const auto kafka = service::kafka_options(arguments.brokers, arguments.kafka, arguments.kafka_file);
    if (!kafka.ok()) return kafka.error();
    return journal::open_kafka_journal(*kafka);
  }
  const std::string& data = arguments.data.front();
  if (arguments.data.size() > 1)
    return Error{ErrorCode::invalid_input,
                 "expected one --data without --brokers, got several; hint: only a ledger in Kafka has its state in "
                 "several directories"};
  std::error_code trouble;
  if (!std::filesystem::exists(data + "/journal", trouble))
    return Error{ErrorCode::not_found, "expected a journal in " + data +
                                           ", got: " + (trouble ? trouble.message() : "none") +
                                           "; hint: name the --data of a server that has stopped"};
  return journal::open_embedded_journal(data + "/journal", {});
}

// Where the live state of a shard lies: in the first directory that holds any of it.
std::string live_directory(const std::vector<std::string>& data, MachineKind kind, std::uint16_t shard) {
  std::error_code trouble;  // what cannot be looked at is told when it is opened
  for (const std::string& one : data)
    if (std::filesystem::exists(service::state_directory(one, kind, shard), trouble))
      return service::state_directory(one, kind, shard);
  return service::state_directory(data.front(), kind, shard);
}

// Rows that this build does not know cannot be compared with what it folds.
std::optional<Error> check_form(const store::View& live, MachineKind kind, std::uint16_t shard) {
  const machine::RowForm rows = standalone::make_machine(kind, shard)->row_form();
  const runtime::Standing standing = runtime::standing_of(live, rows);
  if (standing.rows == machine::RowsAre::known) return std::nullopt;
  return Error{ErrorCode::conflict,
               "expected rows " + runtime::to_text(runtime::own_stamp(rows)) + " in the state of " +
                   runtime::name_of({kind, shard}) + ", got " + runtime::to_text(standing.stamp) +
                   "; hint: let a server of this build fold it again first, or replay with the build that wrote it"};
}

// That a server folds the state again beside an old one.
std::string note_of_old_state(const std::vector<std::string>& data, MachineKind kind, std::uint16_t shard,
                              std::uint64_t position) {
  std::error_code ignored;
  if (!std::filesystem::exists(live_directory(data, kind, shard) + ".old", ignored)) return {};
  return "note: " + runtime::name_of({kind, shard}) + " is being folded again after an upgrade: its state stands at " +
         std::to_string(position) + "; the old one beside it was not compared";
}

}  // namespace

int replay(const ReplayArguments& arguments) {
  if (arguments.data.empty()) return cannot_run({ErrorCode::invalid_input, "expected a directory as --data, got none"});
  std::optional<runtime::Place> until;
  if (!arguments.until.empty() && !(until = parse_place(arguments.until))) {
    service::complain("--until: expected TOPIC/PARTITION/OFFSET, got \"" + arguments.until +
                      "\"; hint: granary.usage.v1/0/1200");
    return service::kUsage;
  }
  const bool is_digest = arguments.expect.size() == kDigestDigits && from_hex(arguments.expect).has_value();
  if (!arguments.expect.empty() && !is_digest) {
    service::complain("--expect: expected a digest of 64 hexadecimal digits, got \"" + arguments.expect +
                      "\"; hint: one that a replay printed");
    return service::kUsage;
  }
  auto journal = open_log(arguments);
  if (!journal.ok()) return cannot_run(journal.error());
  const auto ledger = runtime::read_ledger(**journal);
  if (!ledger.ok()) return cannot_run(ledger.error());

  const store::RocksEnvironment environment{store::RocksOptions{}};
  const std::string scratch_directory = arguments.data.front() + "/replay-" + std::to_string(getpid());
  const auto remove_scratch = [&scratch_directory] {
    std::error_code trouble;
    std::filesystem::remove_all(scratch_directory, trouble);
  };
  std::vector<runtime::ShardDigest> folded;
  std::string difference;
  std::uint64_t records = 0;
  const std::int64_t started = system_clock().monotonic_ms();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  Table table({"machine", "shard", "records", "digest", "live"});
  std::optional<Error> failed;
  std::vector<std::string> notes;
  for (const MachineKind kind : machine::kMachines) {
    for (std::uint16_t shard = 0; shard < machine::shards_of(kind, ledger->partitions) && !failed; ++shard) {
      if (until && (machine::inbox_of(kind) != until->topic || shard != until->partition)) continue;
      auto live = store::open_rocks_store(environment, live_directory(arguments.data, kind, shard));
      auto scratch = store::open_rocks_store(environment, scratch_directory);
      if (live.ok()) failed = check_form(**live, kind, shard);
      if (failed) break;
      if (!live.ok() || !scratch.ok()) {
        failed = live.ok() ? scratch.error() : live.error();
        break;
      }
      const runtime::ShardDigest stands = runtime::stored_digest(**live, kind, shard);
      const auto again = runtime::replay_shard(
          **journal, *ledger, kind, shard, until ? until->offset : stands.position,
          standalone::make_machine(kind, shard), **scratch, kCommitEvery, [&](std::size_t count) {
            records += count;
            const auto seconds = static_cast<double>(system_clock().monotonic_ms() - started + 1) / 1000;
            if (terminal)
              std::fprintf(stderr, "\r%s/%u: %llu records, %.0f a second ",
                           std::string(machine::machine_name(kind)).c_str(), static_cast<unsigned>(shard),
                           static_cast<unsigned long long>(records), static_cast<double>(records) / seconds);
          });
      if (!again.ok()) {
        failed = again.error();
        break;
      }
      const bool comparable = again->position == stands.position;
      const bool equal = comparable && *again == stands;
      if (comparable && !equal && difference.empty())
        difference = std::string(machine::machine_name(kind)) + "/" + std::to_string(shard) + ": " +
                     runtime::first_difference(**scratch, **live);
      table.add({std::string(machine::machine_name(kind)), std::to_string(shard), std::to_string(again->position),
                 to_hex(view_of(again->digest)),
                 !comparable ? "elsewhere"
                 : equal     ? "equal"
                             : "different"});
      if (const std::string note = note_of_old_state(arguments.data, kind, shard, stands.position); !note.empty())
        notes.push_back(note);
      folded.push_back(*again);
      scratch->reset();
      remove_scratch();
    }
  }
  remove_scratch();
  if (terminal) std::fputc('\n', stderr);
  if (failed) return cannot_run(*failed);
  if (folded.empty()) return cannot_run({ErrorCode::not_found, "this ledger has no such shard"});
  const std::string digest = to_hex(until ? view_of(folded.front().digest) : view_of(runtime::overall_digest(folded)));
  if (!arguments.expect.empty() && arguments.expect != digest && difference.empty())
    difference = "the digest is " + digest + ", expected " + arguments.expect;
  if (arguments.json) {
    std::printf("{\"records\":%llu,\"digest\":\"%s\",\"equal\":%s,\"shards\":[",
                static_cast<unsigned long long>(records), digest.c_str(), difference.empty() ? "true" : "false");
    for (std::size_t i = 0; i < folded.size(); ++i)
      std::printf("%s{\"machine\":\"%s\",\"shard\":%u,\"position\":%llu,\"digest\":\"%s\"}", i > 0 ? "," : "",
                  std::string(machine::machine_name(folded[i].machine)).c_str(), static_cast<unsigned>(folded[i].shard),
                  static_cast<unsigned long long>(folded[i].position), to_hex(view_of(folded[i].digest)).c_str());
    std::puts("]}");
  } else {
    table.print(stdout);
    std::printf("%s: %s\n", until ? "digest" : "over all", digest.c_str());
  }
  for (const std::string& note : notes) service::complain(note);
  if (difference.empty()) return kEqual;
  service::complain("different: " + difference);
  return kDifferent;
}

}  // namespace granary::cli
