#include "shared/peers/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "shared/base/text_file.h"
#include "shared/http/uri.h"

namespace granary::peers {
namespace {

using runtime::MachineKind;

constexpr std::size_t kListBytesMax = 16U << 20;

std::optional<MachineKind> machine_called(std::string_view name) {
  for (const MachineKind kind : machine::kMachines)
    if (machine::machine_name(kind) == name) return kind;
  return std::nullopt;
}

}  // namespace

Result<std::set<std::uint16_t>> parse_shards(std::string_view text, std::uint16_t count) {
  std::set<std::uint16_t> shards;
  if (text == "all") {
    for (std::uint16_t number = 0; number < count; ++number) shards.insert(number);
    return shards;
  }
  const Error wrong{ErrorCode::invalid_input, fmt::format("expected shards as `all` or `0-3,7`, below {}, got \"{}\"",
                                                          count, text.substr(0, 60))};
  while (true) {
    const auto comma = text.find(',');
    const std::string_view range = text.substr(0, comma);
    const char* end = range.data() + range.size();
    std::uint16_t first = 0;
    auto read = std::from_chars(range.data(), end, first);
    std::uint16_t last = first;
    if (read.ec == std::errc() && read.ptr != end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
    if (read.ec != std::errc() || read.ptr != end || last < first || last >= count) return wrong;
    for (std::uint16_t number = first; number <= last; ++number) shards.insert(number);
    if (comma == std::string_view::npos) return shards;
    text.remove_prefix(comma + 1);
  }
}

Result<std::string> Peers::read_text(const std::string& path) {
  return read_text_file(path, "a list of peers (lines of `URL MACHINE SHARDS`)", kListBytesMax);
}

Result<Peers> Peers::read(const std::string& path, std::uint16_t partitions) {
  const auto text = read_text(path);
  if (!text.ok()) return text.error();
  return parse(*text, path, partitions);
}

Result<Peers> Peers::parse(const std::string& text, const std::string& path, std::uint16_t partitions) {
  std::istringstream lines(text);
  Peers peers;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto wrong = [&](const std::string& what) {
      return Error{ErrorCode::invalid_input,
                   fmt::format("{}, line {}: {}; hint: `http://127.0.0.1:8082 metering 0-3,7`", path, number, what)};
    };
    std::istringstream words(line.substr(0, line.find('#')));
    std::string url, name, list, more;
    if (!(words >> url)) continue;
    if (!(words >> name >> list) || words >> more) return wrong("expected URL, machine and shards");
    if (const auto valid = http::parse_url(url); !valid.ok()) return wrong(valid.error().message);
    const auto kind = machine_called(name);
    if (!kind) return wrong(fmt::format("expected intake, metering, allocation or billing, got \"{}\"", name));
    const auto shards = parse_shards(list, machine::shards_of(*kind, partitions));
    if (!shards.ok()) return wrong(shards.error().message);
    for (const std::uint16_t shard : *shards)
      if (!peers.owners_.emplace(ShardName{*kind, shard}, url).second)
        return wrong(fmt::format("shard {} of {} is in the list already", shard, name));
  }
  if (peers.owners_.empty())
    return Error{
        ErrorCode::invalid_input,
        fmt::format("expected lines of `URL MACHINE SHARDS` in {}, got none; hint: leave --peers out if there are none",
                    path)};
  return peers;
}

std::string Peers::owner_of(const ShardName& shard) const {
  const auto found = owners_.find(shard);
  return found == owners_.end() ? std::string() : found->second;
}

std::string Peers::any_of(MachineKind machine) const {
  const auto found = owners_.lower_bound({machine, 0});
  return found == owners_.end() || found->first.first != machine ? std::string() : found->second;
}

}  // namespace granary::peers
