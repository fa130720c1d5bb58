// `granary clock confirm`: a person says that the clock of the ledger's servers is right.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "services/cli/command.h"
#include "services/cli/question.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

std::string confirmed_text(const json::Value& row) {
  if (const json::Value* stepped = row.find("stepped"))
    return fmt::format("confirmed: the clock moved from {} to {}", text_of(*stepped, "from"), text_of(*stepped, "to"));
  const json::Value* clock = row.find("clock");
  if (clock != nullptr && text_of(*clock, "state") == "comparing")
    return "the clock is compared with what others tick; there is nothing to confirm yet: ask again in some seconds";
  return "the clock runs; there is nothing to confirm";
}

// Says what became of the clocks of the other processes. The exit code: 1 if one was not confirmed.
int tell_of_peers(const std::vector<json::Value>& peers, bool json) {
  int exit_code = kDone;
  for (const json::Value& peer : peers) {
    const std::string url = text_of(peer, "owner");
    const std::string error = text_of(peer, "error");
    if (error.empty()) {
      if (!json) std::puts(fmt::format("{}: {}", url, confirmed_text(peer)).c_str());
      continue;
    }
    exit_code = kRefused;
    service::complain(
        fmt::format("{} did not confirm its clock: {}; hint: granary clock confirm --url {}", url, error, url));
  }
  return exit_code;
}

int confirm(const ClientOptions& options) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const auto answer = api->post("/v1/clock/confirm", "application/json", "{}", 0);
  if (!answer.ok()) return fail(answer.error());
  if (answer->status != 200)
    return fail({answer->status >= 400 && answer->status < 500 ? ErrorCode::invalid_input : ErrorCode::unavailable,
                 problem_text(*answer)});
  const auto body = parse_answer(answer->body);
  if (!body.ok()) return fail(body.error());
  const auto clock = member_of(*body, "clock", json::Kind::object);
  if (!clock.ok()) return fail(clock.error());
  if (const auto state = member_of(**clock, "state", json::Kind::string); !state.ok()) return fail(state.error());
  const bool has_peers = body->find("peers") != nullptr;
  const auto peers = has_peers ? objects_of(*body, "peers") : Result<const std::vector<json::Value>*>(nullptr);
  if (!peers.ok()) return fail(peers.error());
  std::puts(options.json ? answer->body.c_str() : fmt::format("{}: {}", options.url, confirmed_text(*body)).c_str());
  return has_peers ? tell_of_peers(**peers, options.json) : kDone;
}

Run declare(CLI::App& command) {
  const auto options = std::make_shared<ClientOptions>();
  command.require_subcommand(1);
  add_client_options(
      *command.add_subcommand("confirm", "Say that a clock that stepped, or differs from the other doors', is right"),
      *options);
  return [options] { return confirm(*options); };
}

const Registered registered({Users::operators, "clock", "The ledger's clock", declare});

}  // namespace
}  // namespace granary::cli
