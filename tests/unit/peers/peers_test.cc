// What one process asks another about its shards.
#include "shared/peers/peers.h"

#include <gtest/gtest.h>

#include <fstream>

#include "shared/http/listener.h"
#include "shared/peers/remote_shards.h"
#include "shared/peers/routes_elsewhere.h"
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
  routes::add_to(router, shard_routes(*owner.runtime, owner.reach.loop));
  const auto listener = http::Listener::start({}, [&router](http::Request request, http::Responder responder) {
    router.serve(std::move(request), std::move(responder));
  });
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  const testing_support::TempDirectory folder;
  const std::string path = folder / "peers";
  std::ofstream(path) << "http://127.0.0.1:" << (*listener)->port() << " metering all\n";
  auto peers = Peers::read(path, 1);
  ASSERT_TRUE(peers.ok()) << peers.error().message;
  test::TestReach reach;
  RemoteShards shards(*peers, reach.forwarder);
  const auto alive = std::make_shared<int>();
  for (const auto& [position, stands] : {std::pair<std::uint64_t, bool>{1, true}, {1'000'000, false}}) {
    std::promise<Lanes> told;
    shards.when_met({machine::MachineKind::metering, 0}, {position, {}}, alive,
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
  routes::add_to(router, shard_routes(*ledger.runtime, ledger.reach.loop));
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

// In an upgrade two builds ask each other.
TEST(Peers, AQuestionOfANewerBuildIsAnswered) {
  test::DoorLedger ledger(1);
  ledger.start();
  http::Router router;
  routes::add_to(router, shard_routes(*ledger.runtime, ledger.reach.loop));
  http::Request request;
  request.method = "POST";
  request.path = "/v1/shards/metering/0/wait";
  WaitQuestion question;
  question.position = 1;
  question.wait_ms = kWaitMsMax;
  codec::encode(question, request.body);
  request.body += "\xa0\x06\x01";  // field 100
  std::promise<http::Response> answer;
  router.serve(std::move(request),
               http::Responder([&answer](http::Response response) { answer.set_value(std::move(response)); }));
  EXPECT_EQ(answer.get_future().get().status, 200);
}

// A process that listens, of a table of routes as a service declares it.
class Process {
 public:
  explicit Process(routes::Table table) {
    const std::string told = routes::to_json(table);
    table.push_back({"GET",
                     routes::kRoutesPath,
                     std::nullopt,
                     {routes::Role::process},
                     routes::Scope::process,
                     [this, told](const http::Request&, const http::PathParameters&, http::Responder responder) {
                       ++asked;
                       responder({.status = 200, .content_type = "application/json", .body = told});
                     }});
    routes::add_to(router_, table);
    auto started = http::Listener::start({}, [this](http::Request request, http::Responder responder) {
      router_.serve(std::move(request), std::move(responder));
    });
    EXPECT_TRUE(started.ok());
    listener_ = std::move(*started);
  }
  ~Process() { stop(); }
  void stop() { listener_->stop(std::chrono::seconds(1)); }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_->port()); }
  std::atomic<int> asked = 0;

 private:
  http::Router router_;
  std::unique_ptr<http::Listener> listener_;
};

// Nothing but this row says that there is such a route.
routes::Route route_of_a_test(std::string_view answer) {
  return {"GET",
          "/v1/made-up/{name}",
          machine::MachineKind::billing,
          {routes::Role::auditor},
          routes::Scope::ledger,
          [answer](const http::Request&, const http::PathParameters& path, http::Responder responder) {
            responder({.status = 200, .body = std::string(answer) + path["name"]});
          }};
}

class Elsewhere : public ::testing::Test {
 protected:
  // Of a process that runs all but billing, which `list` places.
  void know(const std::string& list) {
    auto parsed = Peers::parse(list + "\nhttp://127.0.0.1:1 intake all\n", "peers", 1);
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    peers_ = std::move(*parsed);
    using machine::MachineKind;
    routes_ = std::make_shared<RoutesElsewhere>(
        peers_, std::set{MachineKind::intake, MachineKind::metering, MachineKind::allocation}, reach_.forwarder,
        [this] { return now_; });
  }
  http::Response get(const std::string& path, http::Fields headers = {}) {
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.headers = std::move(headers);
    std::promise<http::Response> answer;
    RoutesElsewhere::handler(routes_)(std::move(request), http::Responder([&answer](http::Response response) {
                                        answer.set_value(std::move(response));
                                      }));
    return answer.get_future().get();
  }
  std::chrono::steady_clock::time_point now_{};
  test::TestReach reach_;
  Peers peers_;
  std::shared_ptr<RoutesElsewhere> routes_;
};

TEST_F(Elsewhere, ARouteThatOneServiceDeclaresIsServedByEveryProcess) {
  Process billing({route_of_a_test("of ")});
  know(billing.url() + " billing all");
  EXPECT_EQ(get("/v1/made-up/a%20b").body, "of a b");
  EXPECT_EQ(get("/v1/made-up/c").body, "of c");
  EXPECT_EQ(billing.asked, 1) << "what is known is not asked for again";
  EXPECT_EQ(get("/v1/nothing").status, 404);
  EXPECT_EQ(get("/v1/nothing").status, 404);
  EXPECT_EQ(billing.asked, 1) << "learnt just now";
  now_ += std::chrono::seconds(11);
  EXPECT_EQ(get("/v1/nothing").status, 404);
  EXPECT_EQ(billing.asked, 2) << "a newer build may have learnt it since";
  EXPECT_EQ(get("/v1/made-up/c", {{"granary-hops", "1"}}).status, 404) << "whoever passed it on knew better";
}

TEST_F(Elsewhere, AProcessThatDoesNotTellItsRoutesIs503AndNot404) {
  Process billing({route_of_a_test("")});
  know(billing.url() + " billing all");
  billing.stop();
  const auto silent = get("/v1/made-up/a");
  EXPECT_EQ(silent.status, 503);
  EXPECT_EQ(test::text_at(test::parsed(silent.body), {"type"}), "urn:granary:problem:owner_unavailable");
  know("");
  const auto unknown = get("/v1/made-up/a");
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(test::text_at(test::parsed(unknown.body), {"type"}), "urn:granary:problem:no_owner");
}

TEST(Routes, ATableThatIsNoneIsNotLearnt) {
  const auto paths = [](std::string_view text) { return routes::paths_of(text, machine::MachineKind::billing); };
  EXPECT_EQ(paths(R"({"routes":[{"method":"GET","path":"/a","machine":"billing"},{"method":"GET","path":"/b","machine":
      "intake"},{"method":"POST","path":"/c","machine":"billing"},{"method":"GET","path":"/d"}]})"),
            (std::vector<std::string>{"/a"}));
  for (const char* text : {"", "[]", R"({"routes":1})", R"({"routes":[{"method":"GET","machine":"billing"}]})",
                           R"({"routes":[{"method":"GET","path":"a","machine":"billing"}]})",
                           R"({"routes":[{"method":"GET","path":"/a//b","machine":"billing"}]})"})
    EXPECT_FALSE(paths(text)) << text;
}

}  // namespace
}  // namespace granary::peers
