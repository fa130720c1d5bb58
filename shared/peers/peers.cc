#include "shared/peers/peers.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <sstream>

#include "shared/base/text_file.h"
#include "shared/http/uri.h"
#include "shared/peers/forward.h"
#include "shared/peers/shard_questions.h"

namespace granary::peers {
namespace {

using runtime::MachineKind;

constexpr std::size_t kListBytesMax = 16U << 20;

std::optional<MachineKind> machine_called(std::string_view name) {
  for (const MachineKind kind : machine::kMachines)
    if (machine::machine_name(kind) == name) return kind;
  return std::nullopt;
}

template <class Message>
http::ClientRequest question_to(const ShardName& shard, std::string_view what, const Message& message) {
  http::ClientRequest request{.method = "POST",
                              .target = "/v1/shards/" + std::string(machine::machine_name(shard.first)) + "/" +
                                        std::to_string(shard.second) + "/" + std::string(what),
                              .content_type = std::string(kShardMessageType)};
  codec::encode(message, request.body);
  return request;
}

}  // namespace

Result<std::set<std::uint16_t>> parse_shards(std::string_view text, std::uint16_t count) {
  std::set<std::uint16_t> shards;
  if (text == "all") {
    for (std::uint16_t number = 0; number < count; ++number) shards.insert(number);
    return shards;
  }
  const Error wrong{ErrorCode::invalid_input, "expected shards as `all` or `0-3,7`, below " + std::to_string(count) +
                                                  ", got \"" + std::string(text.substr(0, 60)) + "\""};
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
      return Error{ErrorCode::invalid_input, path + ", line " + std::to_string(number) + ": " + what +
                                                 "; hint: `http://127.0.0.1:8082 metering 0-3,7`"};
    };
    std::istringstream words(line.substr(0, line.find('#')));
    std::string url, name, list, more;
    if (!(words >> url)) continue;
    if (!(words >> name >> list) || words >> more) return wrong("expected URL, machine and shards");
    if (const auto valid = http::parse_url(url); !valid.ok()) return wrong(valid.error().message);
    const auto kind = machine_called(name);
    if (!kind) return wrong("expected intake, metering, allocation or billing, got \"" + name + "\"");
    const auto shards = parse_shards(list, machine::shards_of(*kind, partitions));
    if (!shards.ok()) return wrong(shards.error().message);
    for (const std::uint16_t shard : *shards)
      if (!peers.owners_.emplace(ShardName{*kind, shard}, url).second)
        return wrong("shard " + std::to_string(shard) + " of " + name + " stands in the list before");
  }
  if (peers.owners_.empty())
    return Error{ErrorCode::invalid_input, "expected lines of `URL MACHINE SHARDS` in " + path +
                                               ", got none; hint: leave --peers out if there are none"};
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

void Peers::when_met(const ShardName& shard, const runtime::Needs& needs, std::weak_ptr<void> alive,
                     runtime::Met done) {
  const std::string owner = owner_of(shard);
  if (owner.empty()) return;
  WaitQuestion question{needs.position, needs.published ? 1U : 0U, kWaitMsMax, {}, needs.committed ? 1U : 0U,
                        needs.rules};
  for (const auto& [lane, number] : needs.lanes) question.lanes.push_back({lane.first, 0, lane.second, number});
  forwarder().send(owner, question_to(shard, "wait", question),
                   [alive = std::move(alive), done = std::move(done)](const Result<http::Response>& response) {
                     LanesAnswer answer;
                     const auto held = alive.lock();
                     if (!held || !response.ok()) return;  // who asked keeps time
                     if (response->status == kBeyondTheLogStatus) return done(std::nullopt);
                     if (response->status != 200 || !codec::decode(response->body, answer)) return;
                     std::vector<runtime::LaneNumber> lanes;
                     for (const LaneMessage& lane : answer.lanes)
                       lanes.push_back({static_cast<runtime::Topic>(lane.topic), static_cast<std::uint16_t>(lane.shard),
                                        lane.number});
                     done(std::move(lanes));
                   });
}

void Peers::when_judged(runtime::Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                        std::weak_ptr<void> alive,
                        std::function<void(std::vector<std::optional<machine::Outcome>>)> done) {
  const ShardName shard{machine::reader_of(topic), partition};
  const std::string owner = owner_of(shard);
  if (owner.empty()) return;
  OutcomesQuestion question{*std::min_element(offsets.begin(), offsets.end()), {}, kWaitMsMax};
  for (const std::uint64_t offset : offsets) question.offsets_behind.push_back(offset - question.first);
  forwarder().send(owner, question_to(shard, "outcomes", question),
                   [alive = std::move(alive), done = std::move(done),
                    count = offsets.size()](const Result<http::Response>& response) {
                     OutcomesAnswer answer;
                     const auto held = alive.lock();
                     if (!held || !response.ok() || response->status != 200 || !codec::decode(response->body, answer) ||
                         answer.outcomes.size() != count)
                       return;
                     std::vector<std::optional<machine::Outcome>> outcomes(count);
                     for (std::size_t i = 0; i < count; ++i) {
                       OutcomeMessage& one = answer.outcomes[i];
                       if (one.judgement == 0) continue;
                       outcomes[i] =
                           machine::Outcome{static_cast<machine::Judgement>(one.judgement),
                                            machine::interned(one.reason), std::move(one.field), std::move(one.hint)};
                     }
                     done(std::move(outcomes));
                   });
}

}  // namespace granary::peers
