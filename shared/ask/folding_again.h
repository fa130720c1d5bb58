// How answers tell that a shard folds its state again (runtime::FoldingAgain): those that its old state gave bear the
// header Granary-Folding-Again with the names of such shards, and, if the body is a JSON object, its member
// `folding_again` is true. Where no state can answer, it is 503. Values; any thread.
#pragma once

#include <set>
#include <string>

#include "shared/http/message.h"
#include "shared/runtime/runtime.h"

namespace granary::ask {

// The shards whose old states had a part in an answer.
class FoldingAgainMarks {
 public:
  void note(machine::MachineKind machine, const runtime::AsOf& as_of);
  // Those that another process's answer bears.
  void note(const http::Response& response);
  // Marks the answer.
  [[nodiscard]] http::Response on(http::Response response) const;

 private:
  std::set<std::string> shards_;
};

// A row that tells by itself what it holds for: a JSON object, with the member if the old state says it.
std::string marked_row(std::string row, const runtime::AsOf& as_of);

// 503 with Retry-After: `shard` folds again, and this build cannot read its old state.
http::Response folding_again(const runtime::ShardName& shard);

}  // namespace granary::ask
