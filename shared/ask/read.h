// Reads and waits over HTTP: a question goes to the owner of a shard, in this process or another, after the effect of
// `?after=TOKEN` has been folded there. Any thread.
#pragma once

#include <functional>
#include <memory>

#include "shared/ask/reach.h"
#include "shared/http/message.h"
#include "shared/json/strict_json.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

using Question = std::function<http::Response(machine::Machine&, const runtime::AsOf&)>;

// Answers with what `question` says. With `?after=TOKEN` it waits first: 400 for a token that is none or not of this
// log, 503 with Retry-After if the wait was too long.
void read(const Reach& reach, http::Request request, http::Responder responder, machine::MachineKind machine,
          std::uint16_t shard, Question question);

// What a list that is one page gathers from the shards of a machine. Its functions never run at the same time.
class Gathering {
 public:
  virtual ~Gathering() = default;
  // Adds what a shard of this process has.
  virtual void add_shard(machine::Machine& machine) = 0;
  // Adds a row that another process answered, as its rows() wrote it.
  virtual void add_row(const json::Value& row) = 0;
  // The rows of what was added: JSON objects.
  [[nodiscard]] virtual std::vector<std::string> rows() const = 0;
};

// A member of such a row; empty or 0 where there is none of that kind.
std::string text_in(const json::Value& row, std::string_view name);
std::uint64_t number_in(const json::Value& row, std::string_view name);

// Asks every shard of a machine, wherever it lives, one after the other, after `?after=TOKEN` if there is one; then
// answers with the rows of `gathering`. With `?shard=N` it asks that shard alone. Such a list is one page: a `cursor`
// is another's, 400.
void read_all(const Reach& reach, http::Request request, http::Responder responder, machine::MachineKind machine,
              std::unique_ptr<Gathering> gathering);

}  // namespace granary::ask
