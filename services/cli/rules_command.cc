// `granary rules`: which rules versions there are and by which one each shard folds; `granary rules activate N`: the
// event by which a version comes into force.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>

#include "services/cli/command.h"
#include "services/cli/instances.h"
#include "services/cli/question.h"
#include "services/cli/sending.h"
#include "services/cli/table.h"
#include "shared/base/clock.h"
#include "shared/events/rules.h"
#include "shared/json/writer.h"
#include "shared/service/program.h"
#include "shared/units/instant.h"

namespace granary::cli {
namespace {

constexpr int kVersionMax = 1'000'000;

struct Arguments {
  ClientOptions client;
  std::uint64_t version = 0;
  bool force = false;  // activate although an instance does not know the version, or does not answer
};

std::uint64_t known_by(const Instance& instance) {
  const std::string text = text_of(instance.status, "rules_known");
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void print_json(const std::vector<Instance>& instances) {
  std::string text;
  json::Writer out(text);
  out.begin_object().name("versions").begin_array();
  for (const events::RulesVersion& version : events::known_rules())
    out.begin_object().member("version", version.number).member("what", version.what).end_object();
  out.end_array().name("shards").begin_array();
  for (const Instance& one : instances) {
    if (!one.trouble.empty()) continue;
    for (const json::Value& shard : shards_of(one)) {
      out.begin_object().member("machine", text_of(shard, "machine"));
      for (const char* name : {"shard", "rules"}) {
        const auto number = integer_of(shard, name);
        out.name(name);
        if (number.ok())
          out.value(*number);
        else
          out.null();
      }
      out.member("rules_known", known_by(one)).end_object();
    }
  }
  out.end_array().end_object();
  std::puts(text.c_str());
}

void print_table(const std::vector<Instance>& instances) {
  for (const events::RulesVersion& version : events::known_rules())
    std::puts(fmt::format("version {}: {}", version.number, version.what).c_str());
  std::puts("");
  Table table({"machine", "shard", "owner", "in force", "known", "parked"});
  for (const Instance& one : instances) {
    if (!one.trouble.empty()) continue;
    for (const json::Value& shard : shards_of(one)) {
      const std::string parked = text_of(shard, "parked");
      table.add({text_of(shard, "machine"), text_of(shard, "shard"), text_of(shard, "owner"), text_of(shard, "rules"),
                 std::to_string(known_by(one)), parked},
                parked.empty() ? Table::Row::plain : Table::Row::alarm);
    }
  }
  table.print(stdout);
}

int cannot_ask(const Error& error) {
  service::complain(error.message);
  return service::kCannotRun;
}

// The exit code: 0 shown, 1 an instance does not answer, 3 no server.
int list_rules(const ClientOptions& client) {
  const auto instances = all_instances(client.url);
  if (!instances.ok()) return cannot_ask(instances.error());
  if (client.json)
    print_json(*instances);
  else
    print_table(*instances);
  int code = kDone;
  for (const Instance& one : *instances) {
    if (one.trouble.empty()) continue;
    service::complain(one.trouble);
    code = kRefused;
  }
  return code;
}

// Whether every instance knows the version; says of each that does not.
bool all_know(const std::vector<Instance>& instances, std::uint64_t version) {
  bool all = true;
  for (const Instance& one : instances) {
    if (one.trouble.empty() && known_by(one) >= version) continue;
    all = false;
    service::complain(!one.trouble.empty()
                          ? one.trouble
                          : fmt::format("{} knows the rules versions up to {}, not {}: its partitions would be parked",
                                        one.url, known_by(one), version));
  }
  return all;
}

std::string activation_of(std::uint64_t version) {
  std::string event;
  json::Writer(event)
      .begin_object()
      .member("specversion", "1.0")
      .member("type", "granary.rules.activated.v1")
      .member("source", "/granary/rules")
      .member("id", fmt::format("version/{}", version))
      .member("time", units::format_time(units::Instant(system_clock().wall_ms())))
      .name("data")
      .begin_object()
      .member("version", version)
      .end_object()
      .end_object();
  return event;
}

// Asks every instance first. The exit code: 0 the event was taken, 1 refused, or an instance does not know the version
// (without --force), 3 no server.
int activate_rules(const Arguments& arguments) {
  const auto instances = all_instances(arguments.client.url);
  if (!instances.ok()) return cannot_ask(instances.error());
  if (!all_know(*instances, arguments.version) && !arguments.force) {
    service::complain("nothing was sent; hint: start a build that knows the version everywhere, or say --force");
    return kRefused;
  }
  return send_text(arguments.client, activation_of(arguments.version), "the activation");
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_client_options(command, arguments->client);
  command.require_subcommand(0, 1);
  CLI::App* activate = command.add_subcommand("activate", "Bring a version into force: the one after that in force");
  add_client_options(*activate, arguments->client);
  activate->add_option("VERSION", arguments->version)->required()->check(CLI::Range(1, kVersionMax));
  activate->add_flag("--force", arguments->force,
                     "Although an instance does not know the version, whose partitions then park, or does not answer");
  activate->footer(
      "What is in the log before is folded by the rules of its time, for ever. Every instance is asked first\n"
      "whether it knows the version. Exit codes: 0 taken, 1 refused, or an instance does not know it, 2 usage, 3 no\n"
      "server.");
  return
      [arguments, activate] { return activate->parsed() ? activate_rules(*arguments) : list_rules(arguments->client); };
}

const Registered registered({Users::operators, "rules",
                             "Rules versions: which this build knows, and by which one each shard folds events",
                             declare});

}  // namespace
}  // namespace granary::cli
