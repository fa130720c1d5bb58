#include "services/cli/rules_command.h"

#include <charconv>
#include <cstdio>

#include "services/cli/api.h"
#include "services/cli/instances.h"
#include "services/cli/post_command.h"
#include "services/cli/table.h"
#include "shared/base/clock.h"
#include "shared/events/rules.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"
#include "shared/units/instant.h"

namespace granary::cli {
namespace {

std::uint64_t known_by(const Instance& instance) {
  const std::string text = text_of(instance.status, "rules_known");
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void print_json(const std::vector<Instance>& instances) {
  std::string out = "{\"versions\":[";
  for (const events::RulesVersion& version : events::known_rules()) {
    out += (out.back() == '[' ? "{\"version\":" : ",{\"version\":") + std::to_string(version.number) + ",\"what\":";
    json::append_json_string(out, version.what);
    out += '}';
  }
  out += "],\"shards\":[";
  for (const Instance& one : instances) {
    if (!one.trouble.empty()) continue;
    for (const json::Value& shard : one.status.find("shards")->items()) {
      out += out.back() == '[' ? "{\"machine\":" : ",{\"machine\":";
      json::append_json_string(out, text_of(shard, "machine"));
      out += ",\"shard\":" + text_of(shard, "shard") + ",\"rules\":" + text_of(shard, "rules") +
             ",\"rules_known\":" + std::to_string(known_by(one)) + '}';
    }
  }
  std::puts((out + "]}").c_str());
}

}  // namespace

int list_rules(const ClientOptions& options) {
  const auto instances = all_instances(options.url);
  if (!instances.ok()) {
    service::complain(instances.error().message);
    return service::kCannotRun;
  }
  if (options.json) {
    print_json(*instances);
  } else {
    for (const events::RulesVersion& version : events::known_rules())
      std::printf("version %llu: %s\n", static_cast<unsigned long long>(version.number), version.what.data());
    std::puts("");
    Table table({"machine", "shard", "owner", "in force", "known", "parked"});
    for (const Instance& one : *instances) {
      if (!one.trouble.empty()) continue;
      for (const json::Value& shard : one.status.find("shards")->items()) {
        const std::string parked = text_of(shard, "parked");
        table.add({text_of(shard, "machine"), text_of(shard, "shard"), text_of(shard, "owner"), text_of(shard, "rules"),
                   std::to_string(known_by(one)), parked},
                  parked.empty() ? Table::Row::plain : Table::Row::alarm);
      }
    }
    table.print(stdout);
  }
  int code = 0;
  for (const Instance& one : *instances) {
    if (one.trouble.empty()) continue;
    service::complain(one.trouble);
    code = 1;
  }
  return code;
}

int activate_rules(const ClientOptions& options, const RulesArguments& arguments) {
  const auto instances = all_instances(options.url);
  if (!instances.ok()) {
    service::complain(instances.error().message);
    return service::kCannotRun;
  }
  bool all_know = true;
  for (const Instance& one : *instances) {
    if (one.trouble.empty() && known_by(one) >= arguments.version) continue;
    all_know = false;
    service::complain(!one.trouble.empty()
                          ? one.trouble
                          : one.url + " knows the rules versions up to " + std::to_string(known_by(one)) + ", not " +
                                std::to_string(arguments.version) + ": its partitions would be parked");
  }
  if (!all_know && !arguments.force) {
    service::complain("nothing was sent; hint: start a build that knows the version everywhere, or say --force");
    return 1;
  }
  const std::string version = std::to_string(arguments.version);
  const std::string event =
      "{\"specversion\":\"1.0\",\"type\":\"granary.rules.activated.v1\",\"source\":"
      "\"/granary/rules\",\"id\":\"version/" +
      version + "\",\"time\":\"" + units::format_time(units::Instant(system_clock().wall_ms())) +
      "\",\"data\":{\"version\":" + version + "}}";
  return post_text(options, event, "the activation");
}

}  // namespace granary::cli
