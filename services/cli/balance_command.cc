// `granary balance PROJECT`: the balance of one project, with its lots.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "services/cli/command.h"
#include "services/cli/question.h"
#include "services/cli/table.h"
#include "shared/http/uri.h"
#include "shared/json/writer.h"

namespace granary::cli {
namespace {

struct Arguments {
  ClientOptions client;
  std::string project;
};

constexpr std::size_t kGrantDigitsShown = 8;  // of its id; enough to tell a project's grants apart

std::vector<Column> columns_of_balance() {
  return {{"resource"},
          {"granted", Cell::amount},
          {"used", Cell::amount},
          {"reserved", Cell::amount},
          {"running", Cell::amount},
          {"expired", Cell::amount},
          {"withdrawn", Cell::amount},
          {"available", Cell::amount},
          {"usable", Cell::amount},
          {"uncovered", Cell::amount}};
}

// The answer is a list of objects, whose `lots`, if they are there, are another one.
Result<void> check(const json::Value& answer) {
  if (!answer.is(json::Kind::array)) return strange_answer("a list of balances", "another value");
  for (const json::Value& row : answer.items()) {
    if (!row.is(json::Kind::object)) return strange_answer("a list of balances", "a list of other values");
    if (row.find("lots") == nullptr) continue;
    if (const auto lots = objects_of(row, "lots"); !lots.ok()) return lots.error();
  }
  return {};
}

void add_lots(Table& table, const json::Value& row) {
  const json::Value* lots = row.find("lots");
  if (lots == nullptr) return;
  for (const json::Value& lot : lots->items()) {
    std::vector<std::string> line{
        text_of(row, "resource"),
        fmt::format("{}-{}", text_of(lot, "grant").substr(0, kGrantDigitsShown), text_of(lot, "lot")),
        text_of(lot, "from"), text_of(lot, "to")};
    for (const char* name : {"granted", "used", "reserved", "expired", "available"})
      line.push_back(people_amount(text_of(lot, name), text_of(row, "unit")));
    table.add(std::move(line));
  }
}

int balance(const Arguments& arguments) {
  auto api = Api::connect(arguments.client.url);
  if (!api.ok()) return fail(api.error());
  const auto answer = api->get(
      after_token(arguments.client, fmt::format("/v1/projects/{}/balance", http::percent_encode(arguments.project))));
  if (!answer.ok()) return fail(answer.error());
  if (const auto checked = check(*answer); !checked.ok()) return fail(checked.error());
  if (arguments.client.json) {
    std::string text;
    json::append_json(text, *answer);
    std::puts(text.c_str());
    return kDone;
  }
  const auto columns = columns_of_balance();
  Table table(headings_of(columns));
  Table lots({"resource", "lot", "from", "to", "granted", "used", "reserved", "expired", "available"});
  std::string as_of;
  for (const json::Value& row : answer->items()) {
    table.add(cells_of(row, columns, arguments.client));
    add_lots(lots, row);
    as_of = text_of(row, "as_of");
  }
  table.print(stdout);
  std::puts("");
  lots.print(stdout);
  std::puts(as_of.empty() ? "\nnothing was granted or used yet"
                          : fmt::format("\nhours of a resource (bytes: GiB-hours), as of {}", as_of).c_str());
  return kDone;
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_question_options(command, arguments->client);
  command.add_option("PROJECT", arguments->project, "The project's name")->required();
  return [arguments] { return balance(*arguments); };
}

const Registered registered({Users::finance, "balance", "Balance of one project, with its lots", declare});

}  // namespace
}  // namespace granary::cli
