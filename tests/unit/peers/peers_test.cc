// What one process asks another about its shards.
#include "shared/peers/peers.h"

#include <gtest/gtest.h>

#include <fstream>

#include "shared/http/listener.h"
#include "shared/peers/shard_questions.h"
#include "tests/support/door_ledger.h"
#include "tests/support/temp_directory.h"

namespace granary::peers {
namespace {

using Lanes = std::optional<std::vector<runtime::LaneNumber>>;

TEST(Peers, AWaitForARecordThatTheOwnersLogDoesNotHoldIsToldSo) {
  test::DoorLedger owner(1);
  owner.options.doubt_after = std::chrono::milliseconds(1);
  owner.start();
  http::Router router;
  add_shard_routes(router, *owner.runtime);
  const auto listener = http::Listener::start({}, [&router](http::Request request, http::Responder responder) {
    router.serve(std::move(request), std::move(responder));
  });
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  const testing_support::TempDirectory folder;
  const std::string path = folder / "peers";
  std::ofstream(path) << "http://127.0.0.1:" << (*listener)->port() << " metering all\n";
  auto peers = Peers::read(path, 1);
  ASSERT_TRUE(peers.ok()) << peers.error().message;
  const auto alive = std::make_shared<int>();
  for (const auto& [position, stands] : {std::pair<std::uint64_t, bool>{1, true}, {1'000'000, false}}) {
    std::promise<Lanes> told;
    peers->when_met({machine::MachineKind::metering, 0}, {position, {}}, alive,
                    [&told](Lanes lanes) { told.set_value(std::move(lanes)); });
    EXPECT_EQ(told.get_future().get().has_value(), stands) << position;
  }
  (*listener)->stop(std::chrono::milliseconds(1000));
}

TEST(Peers, AQuestionAboutAShardThatIsNotHereIsRefusedByName) {
  test::DoorLedger ledger(1);
  ledger.options.owned.emplace();
  ledger.start();
  http::Router router;
  add_shard_routes(router, *ledger.runtime);
  http::Request request;
  request.method = "POST";
  request.path = "/v1/shards/metering/0/wait";
  std::promise<http::Response> answer;
  router.serve(std::move(request),
               http::Responder([&answer](http::Response response) { answer.set_value(std::move(response)); }));
  const auto response = answer.get_future().get();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(test::text_at(test::parsed(response.body), {"type"}), "urn:granary:problem:no_owner");
}

}  // namespace
}  // namespace granary::peers
