#include "shared/ask/list.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <utility>

#include "shared/ask/folding_again.h"
#include "shared/ask/read.h"
#include "shared/ask/token_wait.h"
#include "shared/base/probe.h"
#include "shared/http/problem.h"
#include "shared/json/strict_json.h"
#include "shared/peers/forward.h"
#include "shared/peers/shard_questions.h"
#include "shared/proof/hash.h"

namespace granary::ask {

using http::Request;
using http::Responder;
using http::Response;

namespace {

// Which list it is, by its path and by what its filters are set to.
std::uint32_t mark_of(const List& list, const Request& request) {
  Bytes filters;
  for (const std::string_view name : list.filters) {
    const auto value = http::query(request, name);
    append_u8(filters, value ? 1 : 0);
    append_part(filters, value.value_or(""));
  }
  return read_u32(view_of(proof::sha256_of_parts({list.path, filters})));
}

Error no_cursor(std::string_view text, const std::string& got) {
  return {ErrorCode::invalid_input, fmt::format("expected a cursor as a page of this list gave it in `next`, got {} "
                                                "\"{}\"; hint: start without one, with the same filters on each page",
                                                got, text.substr(0, 40))};
}

}  // namespace

// u32 ledger, u32 list, u16 shard, the key.
Cursors::Cursors(const runtime::Runtime& runtime, const List& list, const Request& request, ShardRange shards)
    : ledger_(runtime.ledger_mark()), list_(mark_of(list, request)), shards_(shards) {}

std::string Cursors::text(const Cursor& cursor) const {
  Bytes bytes;
  append_u32(bytes, ledger_);
  append_u32(bytes, list_);
  append_u16(bytes, cursor.shard);
  bytes.append(cursor.after);
  return to_base64url(bytes);
}

Result<Cursor> Cursors::parse(std::string_view text) const {
  constexpr std::size_t kHeadBytes = 10;
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < kHeadBytes) return no_cursor(text, "no cursor:");
  const BytesView view(*bytes);
  if (read_u32(view) != ledger_) return no_cursor(text, "one of another ledger:");
  if (read_u32(view.substr(4)) != list_) return no_cursor(text, "one of another list, or with other filters:");
  Cursor cursor{read_u16(view.substr(8)), Bytes(view.substr(kHeadBytes))};
  if (cursor.shard < shards_.first || cursor.shard >= shards_.end) return no_cursor(text, "no cursor:");
  return cursor;
}

Result<Cursor> Cursors::of(const Request& request) const {
  const auto text = http::query(request, "cursor");
  return text ? parse(*text) : Cursor{shards_.first, {}};
}

std::string LogCursors::text(std::uint16_t partition, std::uint64_t offset) const {
  Cursor cursor{partition, {}};
  append_u64(cursor.after, offset);
  return cursors_.text(cursor);
}

Result<std::pair<std::uint16_t, std::uint64_t>> LogCursors::of(const Request& request) const {
  const auto cursor = cursors_.of(request);
  if (!cursor.ok()) return cursor.error();
  if (cursor->after.empty()) return std::pair(cursor->shard, std::uint64_t{0});
  if (cursor->after.size() != sizeof(std::uint64_t)) return no_cursor(*http::query(request, "cursor"), "no cursor:");
  return std::pair(cursor->shard, read_u64(cursor->after));
}

Result<std::optional<events::Ref>> ref_of(const Request& request) {
  const auto text = http::query(request, "ref");
  if (!text) return std::optional<events::Ref>();
  auto ref = events::read_ref(*text);
  if (ref) return ref;
  return Error{ErrorCode::invalid_input,
               fmt::format("expected SYSTEM:ID, got \"{}\"; hint: ?ref=eurohpc:EHPC-2026-0117", text->substr(0, 40))};
}

Result<std::size_t> limit_of(const Request& request) {
  const auto text = http::query(request, "limit");
  if (!text) return std::size_t{500};
  std::size_t limit = 0;
  const auto [at, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  if (error != std::errc() || at != text->data() + text->size() || limit < 1 || limit > 1000)
    return Error{ErrorCode::invalid_input, fmt::format("expected 1 to 1000, got \"{}\"", text->substr(0, 40))};
  return limit;
}

Response page(const std::vector<std::string>& rows, const std::string& next, Ends ends) {
  Response response{.content_type = "application/json"};
  json::Writer out(response.body);
  out.begin_object();
  add_page(out, rows, next, ends);
  out.end_object();
  return response;
}

void add_page(json::Writer<std::string>& out, const std::vector<std::string>& rows, const std::string& next,
              Ends ends) {
  out.name("rows").begin_array();
  for (const std::string& row : rows) out.json(row);
  out.end_array();
  if (!next.empty()) out.member("next", next);
  if (ends == Ends::for_long_looking) out.member("partial", true);
}

namespace {

// A page ends after this long, however few its rows: each shard may have to follow a token.
constexpr std::chrono::seconds kPageTimeMax{2};

// One page on its way over the shards.
struct PageWalk : std::enable_shared_from_this<PageWalk> {
  PageWalk(const Reach& reach_in, Request request_in, Responder responder, const Cursors& cursors_in)
      : reach(reach_in),
        runtime(reach.runtime),
        request(std::move(request_in)),
        answer(std::move(responder)),
        cursors(cursors_in) {}
  const Reach reach;
  runtime::Runtime& runtime;
  Request request;
  Responder answer;
  Cursors cursors;
  machine::MachineKind machine{};
  std::uint16_t end = 0;
  std::size_t limit = 0;
  Rows rows_of;
  std::optional<runtime::Token> token;
  const std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  Cursor at;
  std::vector<std::string> rows;
  FoldingAgainMarks marks;
  bool has_looked = false;
  int long_looks = 0;

  // Whether a page that has taken this long ends, so that its reader goes on by its cursor.
  [[nodiscard]] bool took_long() const { return std::chrono::steady_clock::now() - began >= kPageTimeMax; }
  [[nodiscard]] Ends when_ended_early() const { return rows.empty() ? Ends::for_long_looking : Ends::in_order; }

  void go() {
    if (const auto owner = runtime.owner_of({machine, at.shard})) return ask_elsewhere(*owner);
    if (!token) return look();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        began + std::chrono::milliseconds(peers::kWaitMsMax) - std::chrono::steady_clock::now());
    wait_folded(runtime, reach.loop(), *token, machine, at.shard, left.count(),
                [self = shared_from_this()](Folded folded) {
                  if (folded == Folded::yes) return self->look();
                  if (folded == Folded::not_in_time && self->has_looked)
                    return self->end_here(self->when_ended_early());
                  self->answer(not_folded(folded));
                });
  }

  void look() {
    const auto question = [self = shared_from_this()](machine::Machine& rules, const runtime::AsOf& as_of) {
      std::vector<std::string> found;
      auto last = self->rows_of(rules, as_of, self->at.after, self->limit - self->rows.size(), found);
      std::move(found.begin(), found.end(), std::back_inserter(self->rows));
      self->marks.note(self->machine, as_of);
      self->looked(std::move(last));
    };
    if (runtime.ask(machine, at.shard, question)) return;
    if (!rows.empty()) return end_here();
    answer(folding_again({machine, at.shard}));
  }

  void looked(std::optional<Bytes> last) {
    has_looked = true;
    const bool shard_ends = !last;
    at.after = std::move(last).value_or("");
    if (shard_ends && ++at.shard == end) return answer(marks.on(page(rows, "")));
    if (rows.size() >= limit) return end_here();
    if (!shard_ends && ++long_looks == kLongLooksMax) return end_here(Ends::for_long_looking);
    if (took_long()) return end_here(when_ended_early());
    go();
  }

  void end_here(Ends ends = Ends::in_order) { answer(marks.on(page(rows, cursors.text(at), ends))); }

  // An empty page that goes on, as a process gives it that may not ask a third one, is looked behind.
  void ask_elsewhere(const std::string& owner) {
    if (!rows.empty() || (has_looked && !peers::may_pass_on(request))) return end_here();
    std::erase_if(request.query, [](const http::Field& field) { return field.name == "cursor"; });
    request.query.push_back({"cursor", cursors.text(at)});
    reach.forwarder.forward(owner, request, Responder([self = shared_from_this()](Response response) {
                              const auto next = self->next_of_empty(response);
                              if (!next || (next->shard == self->at.shard && next->after == self->at.after))
                                return self->answer(std::move(response));
                              GRANARY_PROBE("an empty page of another process is looked behind");
                              self->marks.note(response);
                              self->at = *next;
                              self->go();
                            }));
  }

  [[nodiscard]] std::optional<Cursor> next_of_empty(const Response& response) const {
    constexpr std::size_t kEmptyPageBytesMax = 4096;  // a page with rows is given as it is, without a look into it
    if (response.status != 200 || response.body.size() > kEmptyPageBytesMax) return std::nullopt;
    const auto body = json::parse(response.body);
    if (!body.ok()) return std::nullopt;
    const json::Value* found = body->find("rows");
    const json::Value* next = body->find("next");
    const bool goes_on = found != nullptr && found->is(json::Kind::array) && found->items().empty() &&
                         next != nullptr && next->is(json::Kind::string) && body->find("partial") == nullptr;
    if (!goes_on) return std::nullopt;
    const auto cursor = cursors.parse(next->string());
    return cursor.ok() ? std::optional(*cursor) : std::nullopt;
  }
};

}  // namespace

void read_list(const Reach& reach, Request request, Responder responder, machine::MachineKind machine, const List& list,
               Rows rows_of, std::optional<ShardRange> shards) {
  runtime::Runtime& runtime = reach.runtime;
  const ShardRange range = shards.value_or(ShardRange{0, machine::shards_of(machine, runtime.partitions())});
  const Cursors cursors(runtime, list, request, range);
  auto cursor = cursors.of(request);
  if (!cursor.ok()) return responder(http::bad_parameter("cursor", cursor.error()));
  const auto limit = limit_of(request);
  if (!limit.ok()) return responder(http::bad_parameter("limit", limit.error()));
  auto token = token_of(request, runtime);
  if (!token.ok()) return responder(http::bad_parameter("after", token.error()));
  auto walk = std::make_shared<PageWalk>(reach, std::move(request), std::move(responder), cursors);
  walk->machine = machine;
  walk->end = range.end;
  walk->limit = *limit;
  walk->rows_of = std::move(rows_of);
  walk->token = std::move(*token);
  walk->at = std::move(*cursor);
  walk->go();
}

}  // namespace granary::ask
