// `granary status`: GET /v1/status of all servers as a table, or for probes as an exit code.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "services/cli/command.h"
#include "services/cli/instances.h"
#include "services/cli/question.h"
#include "services/cli/table.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

struct Arguments {
  ClientOptions client;
  bool check = false;
  std::uint64_t lag_seconds_max = 60;
};

// nullopt: the server does not know.
std::optional<std::uint64_t> number_of(const json::Value& row, std::string_view name) {
  const std::string text = text_of(row, name);
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data(), end, number).ptr != end) return std::nullopt;
  return number;
}

// Charge parts of a shard that wait for a price; 0 also if the server does not say.
std::uint64_t unrated_of(const json::Value& shard) {
  return number_of(shard, "unrated").value_or(0);
}

// The position of the old state, if the shard's state is folded again; empty: it is not.
std::string folds_again_until(const json::Value& shard) {
  const json::Value* folding = shard.find("folding_again");
  return folding != nullptr && folding->is(json::Kind::object) ? text_of(*folding, "until") : std::string();
}

bool old_state_answers(const json::Value& shard) {
  const json::Value* answers = shard.find("folding_again")->find("old_state_answers");
  return answers != nullptr && answers->is(json::Kind::boolean) && answers->boolean();
}

// What a person should look at.
std::vector<std::string> troubles(const json::Value& status, const std::vector<json::Value>& shards,
                                  std::uint64_t lag_seconds_max) {
  std::vector<std::string> found;
  const std::string clock = text_of(*status.find("clock"), "state");
  if (clock == "comparing")
    found.push_back("the clock is compared with what others tick, for some seconds after the start");
  else if (clock != "running")
    found.push_back("the clock waits for a person; hint: granary clock confirm");
  for (const json::Value& shard : shards) {
    const std::string name = fmt::format("{} shard {}", text_of(shard, "machine"), text_of(shard, "shard"));
    const auto lag = number_of(shard, "lag_seconds");
    if (!text_of(shard, "parked").empty())
      found.push_back(
          fmt::format("{} is parked at record {}: {}", name, text_of(shard, "position"), text_of(shard, "parked")));
    else if (!lag)
      found.push_back(
          fmt::format("{} lags by {} records and has folded no tick yet", name, text_of(shard, "lag_records")));
    else if (*lag > lag_seconds_max)
      found.push_back(fmt::format("{} lags by {} s, {} records", name, *lag, text_of(shard, "lag_records")));
    if (const std::string until = folds_again_until(shard); !until.empty())
      found.push_back(fmt::format("{} is folded again after an upgrade, as far as record {}; meanwhile {}", name, until,
                                  old_state_answers(shard) ? "its old state answers" : "nothing answers for it"));
    if (unrated_of(shard) > 0) {
      const std::string since = text_of(shard, "unrated_since");
      found.push_back(fmt::format(
          "{} holds {} charges that wait for a price{}; hint: `granary charges` shows them as unrated; publish a price "
          "book that has their classes",
          name, unrated_of(shard), since.empty() ? "" : ", since " + since));
    }
  }
  return found;
}

// The rows of all servers; one that does not answer is a trouble.
std::vector<json::Value> all_shards(const std::vector<Instance>& instances, std::vector<std::string>& silent) {
  std::vector<json::Value> shards;
  for (const Instance& one : instances) {
    if (!one.trouble.empty()) {
      silent.push_back(one.trouble);
      continue;
    }
    const auto& theirs = shards_of(one);
    shards.insert(shards.end(), theirs.begin(), theirs.end());
  }
  return shards;
}

void print_table(const json::Value& status, const std::vector<json::Value>& shards) {
  Table table({"machine", "shard", "owner", "position", "end", "lag", "lag s", "now", "complete", "outbox", "unrated",
               "folds again to", "parked"});
  table.leave_out_if_empty("unrated");
  table.leave_out_if_empty("folds again to");
  for (const json::Value& shard : shards) {
    std::vector<std::string> cells;
    for (const char* name : {"machine", "shard", "owner", "position", "end", "lag_records", "lag_seconds", "now",
                             "complete", "outbox_packets", "unrated"})
      cells.push_back(text_of(shard, name));
    cells.push_back(folds_again_until(shard));
    cells.push_back(text_of(shard, "parked"));
    const bool parked = !cells.back().empty();
    table.add(std::move(cells), parked ? Table::Row::alarm : Table::Row::plain);
  }
  table.print(stdout);
  const json::Value& clock = *status.find("clock");
  std::printf("\nlag and outbox in records; clock %s, now %s, last tick %s\n", text_of(clock, "state").c_str(),
              text_of(clock, "now").c_str(), text_of(clock, "last_tick").c_str());
}

void print_json(const json::Value& status, const std::vector<json::Value>& shards) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  for (const json::Member& member : status.members()) {
    out.name(member.name);
    std::string value;
    json::append_json(value, member.name == "shards" ? json::Value(shards) : member.value);
    out.json(value);
  }
  out.end_object();
  std::puts(text.c_str());
}

int status(const Arguments& arguments) {
  const auto instances = all_instances(arguments.client.url);
  if (!instances.ok()) {
    service::complain(instances.error().message);
    return service::kCannotRun;
  }
  const json::Value& answer = instances->front().status;
  std::vector<std::string> silent;
  const auto everywhere = all_shards(*instances, silent);
  if (arguments.client.json)
    print_json(answer, everywhere);
  else
    print_table(answer, everywhere);
  for (const std::string& one : silent) service::complain(one);
  if (!arguments.check) return kDone;
  const auto found = troubles(answer, everywhere, arguments.lag_seconds_max);
  for (const std::string& trouble : found) service::complain(trouble);
  return found.empty() && silent.empty() ? kDone : kRefused;
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_options(command, arguments->client);
  command.add_flag("--check", arguments->check, "For probes: exit 1 if a person should look");
  command.add_option("--lag-seconds-max", arguments->lag_seconds_max, "With --check: more is worth a look")
      ->capture_default_str();
  command.footer(
      "Exit codes: 0 the server answered; with --check 1 if a shard is parked, lags by more than --lag-seconds-max or "
      "by an unknown time, holds charges that wait for a price, or if the clock waits for a person; 2 usage, 3 no "
      "server.");
  return [arguments] { return status(*arguments); };
}

const Registered registered({Users::operators, "status",
                             "How the server's shards stand: positions, lag, what is parked", declare});

}  // namespace
}  // namespace granary::cli
