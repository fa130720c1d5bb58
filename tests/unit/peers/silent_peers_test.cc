// Other processes that do not answer: nothing of this one waits for them.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <vector>

#include "shared/ask/token_wait.h"
#include "shared/http/listener.h"
#include "shared/peers/remote_shards.h"
#include "tests/support/door_ledger.h"

namespace granary::peers {
namespace {

using std::chrono::milliseconds;

// Keeps every question about a shard, and answers everything else.
class LaggingProcess {
 public:
  LaggingProcess() {
    auto started = http::Listener::start({}, [this](http::Request request, http::Responder responder) {
      if (!request.path.starts_with("/v1/shards/")) return responder({.status = 200, .body = request.path});
      const std::lock_guard lock(mutex_);
      kept_.push_back(std::move(responder));
    });
    EXPECT_TRUE(started.ok());
    listener_ = std::move(*started);
  }
  ~LaggingProcess() { listener_->stop(milliseconds(0)); }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_->port()); }
  [[nodiscard]] std::size_t kept() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }
  [[nodiscard]] Peers list() const {
    auto peers = Peers::parse(url() + " metering all\n" + url() + " allocation all\n", "peers", 4);
    EXPECT_TRUE(peers.ok());
    return std::move(*peers);
  }

 private:
  std::mutex mutex_;
  std::vector<http::Responder> kept_;
  std::unique_ptr<http::Listener> listener_;
};

http::Request get(const std::string& path) {
  http::Request request;
  request.method = "GET";
  request.path = path;
  return request;
}

// A thousand waits for a shard that lags used to hold every thread that could have passed the read on.
TEST(SilentPeers, AThousandWaitsDoNotHoldUpAReadThatIsPassedOn) {
  LaggingProcess other;
  const Peers peers = other.list();
  test::TestReach reach;
  RemoteShards shards(peers, reach.forwarder);
  const auto alive = std::make_shared<int>();
  for (int i = 0; i < 1000; ++i)
    shards.when_met({machine::MachineKind::metering, 0}, {1, {}}, alive, [](const auto&) { FAIL(); });
  while (other.kept() < 32) std::this_thread::yield();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    std::promise<http::Response> answer;
    reach.forwarder.forward(other.url(), get("/v1/projects"), http::Responder([&answer](http::Response response) {
                              answer.set_value(std::move(response));
                            }));
    EXPECT_EQ(answer.get_future().get().body, "/v1/projects");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(5000));
  reach.forwarder.stop();
}

// It used to stop only once the other process had answered, and was then called back after its end.
TEST(SilentPeers, AProcessThatWaitsAtOneStopsAtOnceAndIsNotCalledBack) {
  LaggingProcess other;
  const Peers peers = other.list();
  std::atomic<int> answered = 0;
  std::chrono::steady_clock::time_point began;
  {
    test::DoorLedger ledger(4);
    ledger.options.owned.emplace();
    for (const machine::MachineKind kind : {machine::MachineKind::intake, machine::MachineKind::billing})
      for (std::uint16_t shard = 0; shard < machine::shards_of(kind, 4); ++shard)
        ledger.options.owned->insert({kind, shard});
    RemoteShards shards(peers, ledger.reach.forwarder);
    ledger.options.elsewhere = &shards;
    ledger.start();
    // A read that follows a token, along the lanes, to shards that lag.
    const runtime::Token token{{{machine::Topic::usage, 0, 0}}, ledger.runtime->ledger_mark()};
    for (std::uint16_t shard = 0; shard < machine::shards_of(machine::MachineKind::billing, 4); ++shard)
      ask::wait_folded(*ledger.runtime, ledger.reach.loop, token, machine::MachineKind::billing, shard, 30'000,
                       [&answered](ask::Folded) { ++answered; });
    while (other.kept() == 0) std::this_thread::yield();
    began = std::chrono::steady_clock::now();
    ledger.stop();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(5000));
  EXPECT_EQ(answered, 0);
}

}  // namespace
}  // namespace granary::peers
