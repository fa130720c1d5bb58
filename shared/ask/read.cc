#include "shared/ask/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "shared/ask/folding_again.h"
#include "shared/ask/list.h"
#include "shared/ask/token_wait.h"
#include "shared/http/problem.h"
#include "shared/peers/shard_questions.h"

namespace granary::ask {

using http::Request;
using http::Responder;
using http::Response;

void read(const Reach& reach, Request request, Responder responder, machine::MachineKind machine, std::uint16_t shard,
          Question question) {
  runtime::Runtime& runtime = reach.runtime;
  if (const auto owner = runtime.owner_of({machine, shard}))
    return reach.forwarder.forward(*owner, request, std::move(responder));
  auto token = token_of(request, runtime);
  if (!token.ok()) return responder(http::bad_parameter("after", token.error()));
  auto answer = std::make_shared<Responder>(std::move(responder));
  auto ask = [&runtime, machine, shard, answer, question = std::move(question)] {
    const bool asked =
        runtime.ask(machine, shard, [machine, answer, question](machine::Machine& rules, const runtime::AsOf& as_of) {
          FoldingAgainMarks marks;
          marks.note(machine, as_of);
          (*answer)(marks.on(question(rules, as_of)));
        });
    if (!asked) (*answer)(folding_again({machine, shard}));
  };
  if (!*token) return ask();
  wait_folded(runtime, reach.loop(), **token, machine, shard, peers::kWaitMsMax, [ask, answer](Folded folded) {
    if (folded == Folded::yes)
      ask();
    else
      (*answer)(not_folded(folded));
  });
}

std::string text_in(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  return value != nullptr && value->is(json::Kind::string) ? value->string() : std::string();
}

std::uint64_t number_in(const json::Value& row, std::string_view name) {
  const json::Value* value = row.find(name);
  return static_cast<std::uint64_t>(value == nullptr ? 0 : value->integer().value_or(0));
}

namespace {

// One walk over the shards of a machine.
struct Walk : std::enable_shared_from_this<Walk> {
  Walk(const Reach& reach_in, Request request_in, Responder responder)
      : reach(reach_in), runtime(reach.runtime), request(std::move(request_in)), answer(std::move(responder)) {}
  const Reach reach;
  runtime::Runtime& runtime;
  Request request;
  Responder answer;
  machine::MachineKind machine{};
  std::optional<runtime::Token> token;
  std::unique_ptr<Gathering> gathering;
  FoldingAgainMarks marks;

  void go(std::uint16_t shard) {
    if (shard == machine::shards_of(machine, runtime.partitions()))
      return answer(marks.on(page(gathering->rows(), "")));
    if (const auto owner = runtime.owner_of({machine, shard})) return go_there(*owner, shard);
    auto ask = [self = shared_from_this(), shard] {
      const bool asked =
          self->runtime.ask(self->machine, shard, [self, shard](machine::Machine& rules, const runtime::AsOf& as_of) {
            self->gathering->add_shard(rules);
            self->marks.note(self->machine, as_of);
            self->go(static_cast<std::uint16_t>(shard + 1));
          });
      if (!asked) self->answer(folding_again({self->machine, shard}));
    };
    if (!token) return ask();
    wait_folded(runtime, reach.loop(), *token, machine, shard, peers::kWaitMsMax,
                [self = shared_from_this(), ask](Folded folded) {
                  if (folded == Folded::yes)
                    ask();
                  else
                    self->answer(not_folded(folded));
                });
  }

  void go_there(const std::string& owner, std::uint16_t shard) {
    Request one = request;
    one.query.push_back({"shard", std::to_string(shard)});
    reach.forwarder.forward(
        owner, one, Responder([self = shared_from_this(), shard](Response response) {
          if (response.status != 200) return self->answer(std::move(response));
          const auto page = std::make_shared<Response>(std::move(response));
          const bool taken = self->reach.readers.run([self, page, shard] { self->take(std::move(*page), shard); });
          if (!taken)
            self->answer(http::unavailable("too_many_reads", "Too many answers of other processes wait already", "",
                                           "try again"));
        }));
  }

  // Of another process, and maybe long: on a thread of the readers.
  void take(Response response, std::uint16_t shard) {
    const auto page = json::parse(response.body, kPageLimits);
    const json::Value* list = page.ok() ? page->find("rows") : nullptr;
    if (list == nullptr || !list->is(json::Kind::array)) return answer(std::move(response));
    for (const json::Value& row : list->items()) gathering->add_row(row);
    marks.note(response);
    go(static_cast<std::uint16_t>(shard + 1));
  }

  static constexpr json::Limits kPageLimits{.bytes = 64U << 20};
};

}  // namespace

void read_all(const Reach& reach, Request request, Responder responder, machine::MachineKind machine,
              std::unique_ptr<Gathering> gathering) {
  runtime::Runtime& runtime = reach.runtime;
  if (http::query(request, "cursor"))
    return responder(http::bad_parameter(
        "cursor", {ErrorCode::invalid_input, "expected none, as this list is one page, got one of another list"}));
  if (const auto text = http::query(request, "shard")) {
    const std::uint16_t shards = machine::shards_of(machine, runtime.partitions());
    std::uint16_t shard = 0;
    const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), shard);
    if (error != std::errc() || at != text->data() + text->size() || shard >= shards)
      return responder(http::bad_parameter(
          "shard", {ErrorCode::invalid_input,
                    fmt::format("expected a shard below {}, got \"{}\"", shards, text->substr(0, 40))}));
    return read(reach, std::move(request), std::move(responder), machine, shard,
                [gathering = std::shared_ptr(std::move(gathering))](machine::Machine& rules, const runtime::AsOf&) {
                  gathering->add_shard(rules);
                  return page(gathering->rows(), "");
                });
  }
  auto token = token_of(request, runtime);
  if (!token.ok()) return responder(http::bad_parameter("after", token.error()));
  auto walk = std::make_shared<Walk>(reach, std::move(request), std::move(responder));
  walk->machine = machine;
  walk->token = std::move(*token);
  walk->gathering = std::move(gathering);
  walk->go(0);
}

}  // namespace granary::ask
