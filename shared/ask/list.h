// Lists over HTTP, page by page: limits, cursors, and the walk over the shards of a machine. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/ask/reach.h"
#include "shared/events/ref.h"
#include "shared/http/message.h"
#include "shared/json/writer.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

// A list as its cursors know it.
struct List {
  std::string path;                            // "/v1/charges"
  std::vector<std::string_view> filters = {};  // the query parameters that choose its rows: "period"
};

// Shards of a machine, or partitions of a stream: [first, end).
struct ShardRange {
  std::uint16_t first = 0;
  std::uint16_t end = 0;
};

// Where a list goes on: a shard, and the last key of it that a page before has shown.
struct Cursor {
  std::uint16_t shard = 0;
  Bytes after;
};

// The cursors of one list as one request asks for it. A cursor is opaque outside, and of use for the same list with the
// same filters of the same ledger alone: of another it would skip rows.
class Cursors {
 public:
  Cursors(const runtime::Runtime& runtime, const List& list, const http::Request& request, ShardRange shards);

  [[nodiscard]] std::string text(const Cursor& cursor) const;
  // Errors: not a cursor, or of another ledger or list.
  [[nodiscard]] Result<Cursor> parse(std::string_view text) const;
  // From `?cursor=`; the start if there is none. Errors as of parse().
  [[nodiscard]] Result<Cursor> of(const http::Request& request) const;

 private:
  runtime::LedgerMark ledger_;
  std::uint32_t list_;
  ShardRange shards_;
};

// The same of a list that reads the log: where it goes on is the offset of a partition's next record.
class LogCursors {
 public:
  LogCursors(const runtime::Runtime& runtime, const List& list, const http::Request& request, ShardRange partitions)
      : cursors_(runtime, list, request, partitions) {}

  [[nodiscard]] std::string text(std::uint16_t partition, std::uint64_t offset) const;
  // Partition and offset.
  [[nodiscard]] Result<std::pair<std::uint16_t, std::uint64_t>> of(const http::Request& request) const;

 private:
  Cursors cursors_;
};

// From `?ref=SYSTEM:ID`; nullopt if the request has none. Error: another form.
Result<std::optional<events::Ref>> ref_of(const http::Request& request);

// From `?limit=`, 1 to 1000, default 500.
Result<std::size_t> limit_of(const http::Request& request);

// `{"rows":[...],"next":"...","partial":true}`: a page of a list. `rows` are JSON objects; no `next` at the end. A page
// that ends because much was looked at, and not because it is full, says `partial`; no other that has a `next` is
// empty.
enum class Ends : std::uint8_t { in_order, for_long_looking };
http::Response page(const std::vector<std::string>& rows, const std::string& next, Ends ends = Ends::in_order);
// Its members, into an object that has others before them.
void add_page(json::Writer<std::string>& out, const std::vector<std::string>& rows, const std::string& next,
              Ends ends = Ends::in_order);

// Fills `rows` from behind `after` on, at most `limit`, and returns the key to go on after, or nullopt at the shard's
// end. Fewer rows than `limit` and a key: it has looked at as much as one question may.
using Rows = std::function<std::optional<Bytes>(machine::Machine&, const runtime::AsOf&, const Bytes& after,
                                                std::size_t limit, std::vector<std::string>& rows)>;

// How often `rows_of` may end so for one page.
inline constexpr int kLongLooksMax = 10;

// Answers with a page of a list over these shards (default: all of the machine's), from `?cursor=` on, after
// `?after=TOKEN` if there is one. A page goes on to the next shard until it is full. It ends before a shard of
// another process if it has rows; if it has none, that process is asked.
void read_list(const Reach& reach, http::Request request, http::Responder responder, machine::MachineKind machine,
               const List& list, Rows rows_of, std::optional<ShardRange> shards = std::nullopt);

}  // namespace granary::ask
