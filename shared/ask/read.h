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

// Asks every shard of a machine, wherever it lives, one after the other, after `?after=TOKEN` if there is one; then
// answers with what `combine` says of all rows (JSON objects). With `?shard=N` it answers that shard's rows as they
// are. `rows_of` and `combine` never run at the same time. Such a list is one page: a `cursor` is another's, 400.
void read_all(const Reach& reach, http::Request request, http::Responder responder, machine::MachineKind machine,
              std::function<void(machine::Machine&, std::vector<std::string>& rows)> rows_of,
              std::function<http::Response(const std::vector<json::Value>& rows)> combine);

}  // namespace granary::ask
