// Which shards live in which process: a fixed list that each process reads at its start.
//
//   # URL                   MACHINE     SHARDS
//   http://127.0.0.1:8081   intake      all
//   http://127.0.0.1:8082   metering    0-3,7
//
// Threads: any; the list does not change.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "shared/runtime/runtime.h"

namespace granary::peers {

using runtime::ShardName;

// "all", or numbers and ranges as "0-3,7", of a machine with `count` shards. Errors: invalid_input.
Result<std::set<std::uint16_t>> parse_shards(std::string_view text, std::uint16_t count);

class Peers {
 public:
  Peers() = default;
  // The text of a list. Errors: as read_text_file.
  static Result<std::string> read_text(const std::string& path);
  // Of a ledger of `partitions`; `path` is what messages call the text. Errors: invalid_input with the line (no such
  // machine, a shard twice, nothing listed).
  static Result<Peers> parse(const std::string& text, const std::string& path, std::uint16_t partitions);
  // Both.
  static Result<Peers> read(const std::string& path, std::uint16_t partitions);

  // The URL of the shard's owner ("http://HOST:PORT"); empty: nobody is known to own it.
  [[nodiscard]] std::string owner_of(const ShardName& shard) const;
  // The owners' URLs, by shard.
  [[nodiscard]] const std::map<ShardName, std::string>& owners() const { return owners_; }
  // The URL of the owner of a machine's first listed shard; empty: none is listed.
  [[nodiscard]] std::string any_of(runtime::MachineKind machine) const;

 private:
  std::map<ShardName, std::string> owners_;
};

}  // namespace granary::peers
