#include "shared/door/read.h"

#include <atomic>
#include <charconv>
#include <utility>

#include "shared/base/check.h"
#include "shared/door/forward.h"
#include "shared/http/problem.h"
#include "shared/json/writer.h"

namespace granary::door {

using http::Request;
using http::Responder;
using http::Response;

Deadlines& deadlines() {
  static Deadlines shared;
  return shared;
}

bool fits_ledger(const runtime::Token& token, std::uint16_t partitions) {
  for (const runtime::Place& place : token.places)
    if (place.partition >= machine::partitions_of(place.topic, partitions)) return false;
  return true;
}

void wait_folded(runtime::Runtime& runtime, const runtime::Token& token, machine::MachineKind machine,
                 std::uint16_t shard, std::int64_t wait_ms, std::function<void(bool)> go_on) {
  struct Waiting {
    std::atomic<bool> over = false;
    std::function<void(bool)> go_on;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->go_on = std::move(go_on);
  const auto end = [](Waiting& wait, bool folded) {
    if (wait.over.exchange(true)) return;
    const auto then = std::exchange(wait.go_on, nullptr);  // the timer may hold the wait for long
    then(folded);
  };
  // The timer holds the wait alive; when it has rung, the runtime forgets it.
  runtime.when_folded(token, machine, shard, waiting, [weak = std::weak_ptr(waiting), end] {
    if (const auto wait = weak.lock()) end(*wait, true);
  });
  deadlines().call_after(wait_ms, [waiting, end] { end(*waiting, false); });
}

Response bad_parameter(const std::string& name, const Error& error) {
  http::Problem problem;
  problem.status = 400;
  problem.type = "bad_parameter";
  problem.title = "A query parameter is wrong";
  problem.detail = "`" + name + "`: " + error.message;
  return make_response(problem);
}

namespace {

Response not_folded_yet() {
  http::Problem problem;
  problem.status = 503;
  problem.type = "not_folded_yet";
  problem.title = "What the token names is not folded yet";
  problem.detail = "waited " + std::to_string(kWaitMsMax / 1000) + " s";
  problem.hint = "ask again with the same token";
  Response response = make_response(problem);
  response.headers.push_back({"Retry-After", "5"});
  return response;
}

}  // namespace

Result<std::optional<runtime::Token>> token_of(const Request& request, std::uint16_t partitions) {
  const auto after = http::query(request, "after");
  if (!after) return std::optional<runtime::Token>();
  auto token = runtime::Token::parse(*after);
  if (!token.ok()) return token.error();
  if (!fits_ledger(*token, partitions)) return Error{ErrorCode::invalid_input, "the token is of another ledger"};
  return std::optional(std::move(*token));
}

void read(runtime::Runtime& runtime, Request request, Responder responder, machine::MachineKind machine,
          std::uint16_t shard, Question question) {
  if (const auto owner = runtime.owner_of({machine, shard})) return forward(*owner, request, std::move(responder));
  auto token = token_of(request, runtime.partitions());
  if (!token.ok()) return responder(bad_parameter("after", token.error()));
  auto answer = std::make_shared<Responder>(std::move(responder));
  auto ask = [&runtime, machine, shard, answer, question = std::move(question)] {
    runtime.ask(machine, shard, [answer, question](machine::Machine& rules, const runtime::AsOf& as_of) {
      (*answer)(question(rules, as_of));
    });
  };
  if (!*token) return ask();
  wait_folded(runtime, **token, machine, shard, kWaitMsMax, [ask, answer](bool folded) {
    if (folded)
      ask();
    else
      (*answer)(not_folded_yet());
  });
}

namespace {

// One walk over the shards of a machine.
struct Walk : std::enable_shared_from_this<Walk> {
  Walk(runtime::Runtime& runtime_in, Request request_in, Responder responder)
      : runtime(runtime_in), request(std::move(request_in)), answer(std::move(responder)) {}
  runtime::Runtime& runtime;
  Request request;
  Responder answer;
  machine::MachineKind machine{};
  std::optional<runtime::Token> token;
  std::function<void(machine::Machine&, std::vector<std::string>& rows)> rows_of;
  std::function<Response(const std::vector<json::Value>& rows)> combine;
  std::vector<json::Value> rows;

  void go(std::uint16_t shard) {
    if (shard == machine::shards_of(machine, runtime.partitions())) return answer(combine(rows));
    if (const auto owner = runtime.owner_of({machine, shard})) return go_there(*owner, shard);
    auto ask = [self = shared_from_this(), shard] {
      self->runtime.ask(self->machine, shard, [self, shard](machine::Machine& rules, const runtime::AsOf&) {
        std::vector<std::string> texts;
        self->rows_of(rules, texts);
        for (const std::string& text : texts) self->take(text);
        self->go(static_cast<std::uint16_t>(shard + 1));
      });
    };
    if (!token) return ask();
    wait_folded(runtime, *token, machine, shard, kWaitMsMax, [self = shared_from_this(), ask](bool folded) {
      if (folded)
        ask();
      else
        self->answer(not_folded_yet());
    });
  }

  void go_there(const std::string& owner, std::uint16_t shard) {
    Request one = request;
    one.query.push_back({"shard", std::to_string(shard)});
    forward(owner, one, Responder([self = shared_from_this(), shard](Response response) {
              const auto page = response.status == 200 ? json::parse(response.body, kPageLimits)
                                                       : Result<json::Value>(Error{ErrorCode::unavailable, ""});
              const json::Value* list = page.ok() ? page->find("rows") : nullptr;
              if (list == nullptr) return self->answer(std::move(response));
              for (const json::Value& row : list->items()) self->rows.push_back(row);
              self->go(static_cast<std::uint16_t>(shard + 1));
            }));
  }

  void take(const std::string& text) {
    auto row = json::parse(text, kPageLimits);
    GRANARY_CHECK(row.ok(), "a row of an answer is no JSON");
    rows.push_back(std::move(*row));
  }

  static constexpr json::Limits kPageLimits{.bytes = 64U << 20};
};

}  // namespace

void read_all(runtime::Runtime& runtime, Request request, Responder responder, machine::MachineKind machine,
              std::function<void(machine::Machine&, std::vector<std::string>& rows)> rows_of,
              std::function<Response(const std::vector<json::Value>& rows)> combine) {
  if (const auto text = http::query(request, "shard")) {
    const std::uint16_t shards = machine::shards_of(machine, runtime.partitions());
    std::uint16_t shard = 0;
    const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), shard);
    if (error != std::errc() || at != text->data() + text->size() || shard >= shards)
      return responder(
          bad_parameter("shard", {ErrorCode::invalid_input, "expected a shard below " + std::to_string(shards) +
                                                                ", got \"" + std::string(text->substr(0, 40)) + "\""}));
    return read(runtime, std::move(request), std::move(responder), machine, shard,
                [rows_of = std::move(rows_of)](machine::Machine& rules, const runtime::AsOf&) {
                  std::vector<std::string> rows;
                  rows_of(rules, rows);
                  return page(rows, "");
                });
  }
  auto token = token_of(request, runtime.partitions());
  if (!token.ok()) return responder(bad_parameter("after", token.error()));
  auto walk = std::make_shared<Walk>(runtime, std::move(request), std::move(responder));
  walk->machine = machine;
  walk->token = std::move(*token);
  walk->rows_of = std::move(rows_of);
  walk->combine = std::move(combine);
  walk->go(0);
}

std::string Cursor::text() const {
  Bytes bytes;
  append_u16(bytes, shard);
  bytes.append(after);
  return to_base64url(bytes);
}

Result<Cursor> cursor_of(const Request& request, std::uint16_t shards) {
  const auto text = http::query(request, "cursor");
  if (!text) return Cursor{};
  const auto bytes = from_base64url(*text);
  if (!bytes || bytes->size() < 2 || read_u16(*bytes) >= shards)
    return Error{ErrorCode::invalid_input, "expected a cursor as a page gave it in `next`; hint: start without one"};
  return Cursor{read_u16(*bytes), bytes->substr(2)};
}

Result<std::size_t> limit_of(const Request& request) {
  const auto text = http::query(request, "limit");
  if (!text) return std::size_t{500};
  std::size_t limit = 0;
  const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc() || at != text->data() + text->size() || limit < 1 || limit > 1000)
    return Error{ErrorCode::invalid_input, "expected 1 to 1000, got \"" + std::string(text->substr(0, 40)) + "\""};
  return limit;
}

Response page(const std::vector<std::string>& rows, const std::string& next) {
  Response response;
  response.content_type = "application/json";
  response.body = "{\"rows\":[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) response.body += ',';
    response.body += rows[i];
  }
  response.body += ']';
  if (!next.empty()) {
    response.body += ",\"next\":";
    json::append_json_string(response.body, next);
  }
  response.body += '}';
  return response;
}

void read_list(runtime::Runtime& runtime, Request request, Responder responder, machine::MachineKind machine,
               Rows rows_of) {
  const std::uint16_t shards = machine::shards_of(machine, runtime.partitions());
  const auto cursor = cursor_of(request, shards);
  if (!cursor.ok()) return responder(bad_parameter("cursor", cursor.error()));
  const auto limit = limit_of(request);
  if (!limit.ok()) return responder(bad_parameter("limit", limit.error()));
  read(runtime, std::move(request), std::move(responder), machine, cursor->shard,
       [cursor = *cursor, limit = *limit, shards, rows_of = std::move(rows_of)](machine::Machine& rules,
                                                                                const runtime::AsOf& as_of) {
         std::vector<std::string> rows;
         std::string next;
         if (auto last = rows_of(rules, as_of, cursor.after, limit, rows))
           next = Cursor{cursor.shard, std::move(*last)}.text();
         else if (cursor.shard + 1 < shards)
           next = Cursor{static_cast<std::uint16_t>(cursor.shard + 1), {}}.text();
         return page(rows, next);
       });
}

}  // namespace granary::door
