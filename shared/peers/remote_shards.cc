#include "shared/peers/remote_shards.h"

#include <algorithm>
#include <utility>

#include "shared/peers/shard_questions.h"

namespace granary::peers {
namespace {

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

void RemoteShards::when_met(const ShardName& shard, const runtime::Needs& needs, std::weak_ptr<void> alive,
                            runtime::Met done) {
  const std::string owner = peers_.owner_of(shard);
  if (owner.empty()) return;
  WaitQuestion question{needs.position, needs.published ? 1U : 0U, kWaitMsMax, {}, needs.committed ? 1U : 0U,
                        needs.rules};
  for (const auto& [lane, number] : needs.lanes) question.lanes.push_back({lane.first, 0, lane.second, number});
  forwarder_.wait(owner, question_to(shard, "wait", question), alive,
                  [alive, done = std::move(done)](const Result<http::Response>& response) {
                    LanesAnswer answer;
                    const auto held = alive.lock();
                    if (!held || !response.ok()) return;  // who asked keeps time
                    if (response->status == kBeyondTheLogStatus) return done(std::nullopt);
                    if (response->status != 200 || !read_shard_message(response->body, answer)) return;
                    std::vector<runtime::LaneNumber> lanes;
                    for (const LaneMessage& lane : answer.lanes)
                      lanes.push_back({static_cast<runtime::Topic>(lane.topic), static_cast<std::uint16_t>(lane.shard),
                                       lane.number});
                    done(std::move(lanes));
                  });
}

void RemoteShards::when_judged(runtime::Topic topic, std::uint16_t partition, const std::vector<std::uint64_t>& offsets,
                               std::weak_ptr<void> alive,
                               std::function<void(std::vector<std::optional<machine::Outcome>>)> done) {
  const ShardName shard{machine::reader_of(topic), partition};
  const std::string owner = peers_.owner_of(shard);
  if (owner.empty()) return;
  OutcomesQuestion question{*std::min_element(offsets.begin(), offsets.end()), {}, kWaitMsMax};
  for (const std::uint64_t offset : offsets) question.offsets_behind.push_back(offset - question.first);
  forwarder_.wait(owner, question_to(shard, "outcomes", question), alive,
                  [alive, done = std::move(done), count = offsets.size()](const Result<http::Response>& response) {
                    OutcomesAnswer answer;
                    const auto held = alive.lock();
                    if (!held || !response.ok() || response->status != 200 ||
                        !read_shard_message(response->body, answer) || answer.outcomes.size() != count)
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
