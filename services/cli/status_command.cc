#include "services/cli/status_command.h"

#include <charconv>
#include <cstdio>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/instances.h"
#include "services/cli/table.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

// nullopt: the server does not know.
std::optional<std::uint64_t> number_of(const json::Value& row, std::string_view name) {
  const std::string text = text_of(row, name);
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || std::from_chars(text.data(), end, number).ptr != end) return std::nullopt;
  return number;
}

// Charge parts of a shard that wait for a price; 0 also where the server does not say.
std::uint64_t unrated_of(const json::Value& shard) {
  return number_of(shard, "unrated").value_or(0);
}

// Where the state stood that is folded again; empty: none is.
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
    const std::string name = text_of(shard, "machine") + " shard " + text_of(shard, "shard");
    const auto lag = number_of(shard, "lag_seconds");
    if (!text_of(shard, "parked").empty())
      found.push_back(name + " is parked at record " + text_of(shard, "position") + ": " + text_of(shard, "parked"));
    else if (!lag)
      found.push_back(name + " lags by " + text_of(shard, "lag_records") + " records and has folded no tick yet");
    else if (*lag > lag_seconds_max)
      found.push_back(name + " lags by " + std::to_string(*lag) + " s, " + text_of(shard, "lag_records") + " records");
    if (const std::string until = folds_again_until(shard); !until.empty())
      found.push_back(name + " is folded again after an upgrade, as far as record " + until + "; meanwhile " +
                      (old_state_answers(shard) ? "its old state answers" : "nothing answers for it"));
    if (unrated_of(shard) > 0) {
      const std::string since = text_of(shard, "unrated_since");
      found.push_back(name + " holds " + std::to_string(unrated_of(shard)) + " charges that wait for a price" +
                      (since.empty() ? "" : ", since " + since) +
                      "; hint: `granary charges` shows them as unrated; publish a price book that has their classes");
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
    const auto& theirs = one.status.find("shards")->items();
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

}  // namespace

int status(const ClientOptions& options, const StatusArguments& arguments) {
  const auto instances = all_instances(options.url);
  if (!instances.ok()) {
    service::complain(instances.error().message);
    return service::kCannotRun;
  }
  const json::Value* const answer = &instances->front().status;
  std::vector<std::string> silent;
  const auto everywhere = all_shards(*instances, silent);
  if (options.json) {
    std::string text = "{";
    for (const json::Member& member : answer->members()) {
      if (text.size() > 1) text += ',';
      json::append_json_string(text, member.name);
      text += ':';
      json::append_json(text, member.name == "shards" ? json::Value(everywhere) : member.value);
    }
    std::puts((text + '}').c_str());
  } else {
    print_table(*answer, everywhere);
  }
  for (const std::string& one : silent) service::complain(one);
  if (!arguments.check) return 0;
  const auto found = troubles(*answer, everywhere, arguments.lag_seconds_max);
  for (const std::string& trouble : found) service::complain(trouble);
  return found.empty() && silent.empty() ? 0 : 1;
}

}  // namespace granary::cli
