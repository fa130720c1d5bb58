// `granary replay`: folds every machine of a stopped server again from its log and compares the state digests.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "services/cli/command.h"
#include "services/cli/options.h"
#include "services/cli/table.h"
#include "services/standalone/machines.h"
#include "shared/base/clock.h"
#include "shared/journal/embedded_journal.h"
#include "shared/json/writer.h"
#include "shared/ledger/ledger.h"
#include "shared/runtime/replay.h"
#include "shared/service/command_line.h"
#include "shared/service/program.h"
#include "shared/store/rocks_store.h"

namespace granary::cli {
namespace {

using machine::MachineKind;

constexpr int kEqual = 0, kDifferent = 1;
constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kCommitEvery = 20'000;  // records; what they change stays in memory until then

struct Arguments {
  std::vector<std::string> data{"granary-data"};
  service::KafkaArguments kafka;
  std::string until, expect;
  bool json = false;
};

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

Result<std::unique_ptr<journal::Journal>> open_log(const Arguments& arguments) {
  if (!arguments.kafka.brokers.empty()) {
    const auto kafka = service::kafka_options(arguments.kafka);
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
    return Error{ErrorCode::not_found,
                 fmt::format("expected a journal in {}, got: {}; hint: name the --data of a server that has stopped",
                             data, trouble ? trouble.message() : "none")};
  return journal::open_embedded_journal(data + "/journal", {});
}

// The directory of a shard's live state: the first that holds any of it.
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
  return Error{
      ErrorCode::conflict,
      fmt::format("expected rows {} in the state of {}, got {}; hint: let a server of this build fold it again "
                  "first, or replay with the build that wrote it",
                  runtime::to_text(runtime::own_stamp(rows)), runtime::name_of({kind, shard}),
                  runtime::to_text(standing.stamp))};
}

// That a server folds the state again beside an old one.
std::string note_of_old_state(const std::vector<std::string>& data, MachineKind kind, std::uint16_t shard,
                              std::uint64_t position) {
  std::error_code ignored;
  if (!std::filesystem::exists(live_directory(data, kind, shard) + ".old", ignored)) return {};
  return fmt::format(
      "note: {} is being folded again after an upgrade: its state stands at {}; the old one beside it was not compared",
      runtime::name_of({kind, shard}), position);
}

// Rows for a store that nobody keeps.
class Scratch {
 public:
  explicit Scratch(const std::string& data) : directory_(fmt::format("{}/replay-{}", data, getpid())) {}
  ~Scratch() { remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  void remove() const {
    std::error_code trouble;
    std::filesystem::remove_all(directory_, trouble);
  }

 private:
  std::string directory_;
};

// How far it is, on a terminal.
class Progress {
 public:
  void add(MachineKind kind, std::uint16_t shard, std::size_t count) {
    records_ += count;
    if (!shown_) return;
    const auto seconds = static_cast<double>(system_clock().monotonic_ms() - started_ms_ + 1) / 1000;
    fmt::print(stderr, "\r{}/{}: {} records, {:.0f} a second ", machine::machine_name(kind), shard, records_,
               static_cast<double>(records_) / seconds);
  }
  void end() const {
    if (shown_) std::fputc('\n', stderr);
  }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  std::uint64_t records_ = 0;
  std::int64_t started_ms_ = system_clock().monotonic_ms();
  bool shown_ = isatty(STDERR_FILENO) == 1;
};

class Replay {
 public:
  Replay(const Arguments& arguments, std::optional<runtime::Place> until)
      : arguments_(arguments), until_(until), scratch_(arguments.data.front()) {}

  int run() {
    auto journal = open_log(arguments_);
    if (!journal.ok()) return cannot_run(journal.error());
    const auto ledger = runtime::read_ledger(**journal);
    if (!ledger.ok()) return cannot_run(ledger.error());
    const auto done = fold_all(**journal, *ledger);
    progress_.end();
    if (!done.ok()) return cannot_run(done.error());
    if (folded_.empty()) return cannot_run({ErrorCode::not_found, "this ledger has no such shard"});
    return tell();
  }

 private:
  Result<void> fold_all(journal::Journal& journal, const runtime::Ledger& ledger) {
    for (const MachineKind kind : machine::kMachines) {
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, ledger.partitions); ++shard) {
        if (until_ && (machine::inbox_of(kind) != until_->topic || shard != until_->partition)) continue;
        GRANARY_TRY(fold_shard(journal, ledger, kind, shard));
        scratch_.remove();
      }
    }
    return {};
  }

  Result<void> fold_shard(journal::Journal& journal, const runtime::Ledger& ledger, MachineKind kind,
                          std::uint16_t shard) {
    auto live = store::open_rocks_store(environment_, live_directory(arguments_.data, kind, shard));
    if (!live.ok()) return live.error();
    if (const auto wrong = check_form(**live, kind, shard)) return *wrong;
    auto scratch = store::open_rocks_store(environment_, scratch_.directory());
    if (!scratch.ok()) return scratch.error();
    const runtime::ShardDigest stored = runtime::stored_digest(**live, kind, shard);
    const auto again = runtime::replay_shard(
        journal, ledger, kind, shard, until_ ? until_->offset : stored.position, standalone::make_machine(kind, shard),
        **scratch, kCommitEvery, [&](std::size_t count) { progress_.add(kind, shard, count); },
        until_ ? 0 : stored.events);
    if (!again.ok()) return again.error();
    const bool is_comparable = again->position == stored.position && again->events == stored.events;
    const bool is_equal = is_comparable && *again == stored;
    if (is_comparable && !is_equal && difference_.empty())
      difference_ =
          fmt::format("{}/{}: {}", machine::machine_name(kind), shard, runtime::first_difference(**scratch, **live));
    table_.add({std::string(machine::machine_name(kind)), std::to_string(shard), std::to_string(again->position),
                to_hex(view_of(again->digest)),
                !is_comparable ? "elsewhere"
                : is_equal     ? "equal"
                               : "different"});
    if (std::string note = note_of_old_state(arguments_.data, kind, shard, stored.position); !note.empty())
      notes_.push_back(std::move(note));
    folded_.push_back(*again);
    return {};
  }

  int tell() {
    const std::string digest =
        to_hex(until_ ? view_of(folded_.front().digest) : view_of(runtime::overall_digest(folded_)));
    if (!arguments_.expect.empty() && arguments_.expect != digest && difference_.empty())
      difference_ = fmt::format("the digest is {}, expected {}", digest, arguments_.expect);
    if (arguments_.json) {
      print_json(digest);
    } else {
      table_.print(stdout);
      std::puts(fmt::format("{}: {}", until_ ? "digest" : "over all", digest).c_str());
    }
    for (const std::string& note : notes_) service::complain(note);
    if (difference_.empty()) return kEqual;
    service::complain("different: " + difference_);
    return kDifferent;
  }

  void print_json(const std::string& digest) const {
    std::string text;
    json::Writer out(text);
    out.begin_object().member("records", progress_.records()).member("digest", digest);
    out.member("equal", difference_.empty()).name("shards").begin_array();
    for (const runtime::ShardDigest& one : folded_) {
      out.begin_object().member("machine", machine::machine_name(one.machine)).member("shard", one.shard);
      out.member("position", one.position).member("digest", to_hex(view_of(one.digest))).end_object();
    }
    out.end_array().end_object();
    std::puts(text.c_str());
  }

  const Arguments& arguments_;
  std::optional<runtime::Place> until_;
  store::RocksEnvironment environment_{store::RocksOptions{}};
  Scratch scratch_;
  Progress progress_;
  Table table_{{"machine", "shard", "records", "digest", "live"}};
  std::vector<runtime::ShardDigest> folded_;
  std::string difference_;  // the first one
  std::vector<std::string> notes_;
};

int replay(const Arguments& arguments) {
  if (arguments.data.empty()) return cannot_run({ErrorCode::invalid_input, "expected a directory as --data, got none"});
  std::optional<runtime::Place> until;
  if (!arguments.until.empty() && !(until = parse_place(arguments.until))) {
    service::complain(fmt::format("--until: expected TOPIC/PARTITION/OFFSET, got \"{}\"; hint: granary.usage.v1/0/1200",
                                  arguments.until));
    return service::kUsage;
  }
  const bool is_digest = arguments.expect.size() == kDigestDigits && from_hex(arguments.expect).has_value();
  if (!arguments.expect.empty() && !is_digest) {
    service::complain(
        fmt::format("--expect: expected a digest of 64 hexadecimal digits, got \"{}\"; hint: one that a replay printed",
                    arguments.expect));
    return service::kUsage;
  }
  return Replay(arguments, until).run();
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--data", arguments->data, "The server's data directory; with --brokers may be repeated")
      ->allow_extra_args(false)
      ->capture_default_str();
  service::add_kafka_options(command, arguments->kafka, "Replay from Kafka, in place of the directory's journal");
  command.add_option("--until", arguments->until,
                     "TOPIC/PARTITION/OFFSET: only that shard, and only the records before that one");
  command.add_option("--expect", arguments->expect,
                     "The digest that has to come out: the one over all, with --until that shard's");
  add_json(command, arguments->json);
  command.footer("Exit codes: 0 equal, 1 different (the first difference named), 2 usage, 3 cannot run.");
  return [arguments] { return replay(*arguments); };
}

const Registered registered({Users::operators, "replay",
                             "Fold every machine again from the log of a stopped server, and compare", declare});

}  // namespace
}  // namespace granary::cli
