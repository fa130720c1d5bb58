// Answers of shards that fold again: marked where the old state gave them, 503 where nothing can answer.
#include "shared/ask/folding_again.h"

#include <gtest/gtest.h>

#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/http/listener.h"
#include "shared/http/router.h"
#include "shared/operate/health.h"
#include "shared/operate/metrics.h"
#include "tests/support/door_ledger.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/test_reach.h"

namespace granary::ask {
namespace {

using machine::MachineKind;
using runtime::AsOf;
using test::parsed;
using test::text_at;

constexpr std::uint16_t kShards = 3;

enum class Answers { new_state, old_state, nothing };

// Metering's shards, of which the test says who answers.
class Process final : public granary::test::FakeRuntime {
 public:
  Process() : FakeRuntime(kShards) {}
  [[nodiscard]] bool serves() const override { return serving; }
  [[nodiscard]] bool caught_up() const override { return false; }
  [[nodiscard]] std::vector<runtime::ShardStatus> status() const override { return shards; }
  [[nodiscard]] std::optional<std::string> owner_of(const runtime::ShardName& shard) const override {
    const auto found = elsewhere.find(shard.second);
    return found == elsewhere.end() ? std::nullopt : std::optional(found->second);
  }
  bool ask(MachineKind, std::uint16_t shard, std::function<void(machine::Machine&, const AsOf&)> question) override {
    if (who[shard] == Answers::nothing) return false;
    test::TinyMachine machine;
    AsOf as_of;
    as_of.shard = shard;
    as_of.folding_again = who[shard] == Answers::old_state;
    question(machine, as_of);
    return true;
  }

  std::map<std::uint16_t, Answers> who;
  std::map<std::uint16_t, std::string> elsewhere;
  std::vector<runtime::ShardStatus> shards;
  bool serving = true;
};

// As many rows as were added.
class AllRows final : public Gathering {
 public:
  void add_shard(machine::Machine&) override { ++count_; }
  void add_row(const json::Value&) override { ++count_; }
  [[nodiscard]] std::vector<std::string> rows() const override { return std::vector<std::string>(count_, "{}"); }

 private:
  std::size_t count_ = 0;
};

// One row a shard, by a list, by one page over all, and of shard 1 alone.
void add_routes(http::Router& router, const Reach& reach) {
  const auto row = [](const AsOf& as_of) { return "{\"shard\":" + std::to_string(as_of.shard) + "}"; };
  router.add("GET", "/list", [reach, row](http::Request request, const http::PathParameters&, auto answer) {
    read_list(reach, std::move(request), std::move(answer), MachineKind::metering, {"/list"},
              [row](machine::Machine&, const AsOf& as_of, const Bytes&, std::size_t,
                    std::vector<std::string>& rows) -> std::optional<Bytes> {
                rows.push_back(row(as_of));
                return std::nullopt;
              });
  });
  router.add("GET", "/all", [reach](http::Request request, const http::PathParameters&, auto answer) {
    read_all(reach, std::move(request), std::move(answer), MachineKind::metering, std::make_unique<AllRows>());
  });
  router.add("GET", "/one", [reach, row](http::Request request, const http::PathParameters&, auto answer) {
    read(reach, std::move(request), std::move(answer), MachineKind::metering, 1,
         [row](machine::Machine&, const AsOf& as_of) {
           return http::Response{
               .status = 200, .content_type = "application/json", .body = '[' + marked_row(row(as_of), as_of) + ']'};
         });
  });
}

http::Response get(const http::Router& router, const std::string& path, http::Fields query = {}) {
  http::Request request;
  request.method = "GET";
  request.path = path;
  request.query = std::move(query);
  auto answer = std::make_shared<std::promise<http::Response>>();
  auto future = answer->get_future();
  router.serve(std::move(request),
               http::Responder([answer](http::Response response) { answer->set_value(std::move(response)); }));
  return future.get();
}

std::string mark(const http::Response& response) {
  return std::string(http::header(response, "granary-folding-again").value_or("none"));
}

class FoldingAgainAnswers : public testing::Test {
 protected:
  FoldingAgainAnswers() { add_routes(router, reach.to(process)); }
  test::TestReach reach;
  Process process;
  http::Router router;
};

TEST_F(FoldingAgainAnswers, OfStatesThatAreNotFoldedAgainBearNoMark) {
  for (const char* path : {"/list", "/all", "/one"}) {
    const auto answer = get(router, path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(mark(answer), "none");
    EXPECT_EQ(answer.body.find("folding_again"), std::string::npos) << answer.body;
  }
}

TEST_F(FoldingAgainAnswers, OfOldStatesNameThem) {
  process.who = {{0, Answers::old_state}, {2, Answers::old_state}};
  for (const char* path : {"/list", "/all"}) {
    const auto answer = get(router, path);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(mark(answer), "metering-0, metering-2");
    const auto body = parsed(answer.body);
    EXPECT_EQ(body.find("rows")->items().size(), 3U);
    ASSERT_NE(body.find("folding_again"), nullptr) << answer.body;
    EXPECT_TRUE(body.find("folding_again")->boolean());
  }
  EXPECT_EQ(mark(get(router, "/one")), "none") << "shard 1 alone";
  process.who = {{1, Answers::old_state}};
  const auto one = get(router, "/one");
  EXPECT_EQ(mark(one), "metering-1");
  EXPECT_EQ(one.body, R"([{"shard":1,"folding_again":true}])");
}

TEST_F(FoldingAgainAnswers, APageBearsTheMarksOfItsOwnShards) {
  process.who = {{2, Answers::old_state}};
  const auto first = get(router, "/list", {{"limit", "2"}});
  EXPECT_EQ(mark(first), "none");
  const auto second = get(router, "/list", {{"limit", "2"}, {"cursor", text_at(parsed(first.body), {"next"})}});
  EXPECT_EQ(mark(second), "metering-2");
}

TEST_F(FoldingAgainAnswers, WhereNothingCanAnswerAre503) {
  process.who = {{1, Answers::nothing}};
  for (const char* path : {"/all", "/one"}) {
    const auto answer = get(router, path);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(text_at(parsed(answer.body), {"type"}), "urn:granary:problem:folding_again");
    EXPECT_NE(answer.body.find("metering-1"), std::string::npos) << answer.body;
    EXPECT_TRUE(http::header(answer, "retry-after").has_value());
  }
  // A list ends before it, and goes on there.
  const auto page = get(router, "/list");
  EXPECT_EQ(page.status, 200);
  const auto body = parsed(page.body);
  EXPECT_EQ(body.find("rows")->items().size(), 1U);
  const http::Fields next{{"cursor", text_at(body, {"next"})}};
  EXPECT_EQ(get(router, "/list", next).status, 503);
  process.who.clear();
  EXPECT_EQ(parsed(get(router, "/list", next).body).find("rows")->items().size(), 2U);
}

TEST_F(FoldingAgainAnswers, OfAnotherProcessKeepTheirMarks) {
  Process owner;
  owner.who = {{1, Answers::old_state}};
  http::Router theirs;
  add_routes(theirs, reach.to(owner));
  auto listener = http::Listener::start({}, [&theirs](http::Request request, http::Responder responder) {
    theirs.serve(std::move(request), std::move(responder));
  });
  ASSERT_TRUE(listener.ok()) << listener.error().message;
  process.elsewhere = {{1, "http://127.0.0.1:" + std::to_string((*listener)->port())}};
  process.who = {{2, Answers::old_state}};
  EXPECT_EQ(mark(get(router, "/one")), "metering-1");
  EXPECT_EQ(mark(get(router, "/all")), "metering-1, metering-2");
  owner.who = {{1, Answers::nothing}};
  EXPECT_EQ(get(router, "/all").status, 503);
  (*listener)->stop(std::chrono::seconds(1));
}

TEST_F(FoldingAgainAnswers, ReadinessStatusAndMetricsTellOfIt) {
  test::DoorLedger ledger;
  ledger.start();
  runtime::ShardStatus shard;
  shard.machine = MachineKind::metering;
  shard.shard = 2;
  shard.position = 5;
  shard.end = 20;
  shard.folding_again = runtime::FoldingAgain{17, true};
  process.shards = {shard};
  for (const bool serves : {true, false}) {
    process.serving = serves;
    process.shards.front().folding_again->old_answers = serves;
    const auto ready = operate::readiness(process, *ledger.keeper);
    const auto body = parsed(ready.body);
    EXPECT_EQ(ready.status, serves && text_at(body, {"clock", "state"}) == "running" ? 200 : 503);
    EXPECT_EQ(text_at(body, {"folding_again", "0", "shard"}), "2");
    const auto status = parsed(operate::status_page(process, *ledger.keeper, "", nullptr).body);
    EXPECT_EQ(text_at(status, {"shards", "0", "folding_again", "until"}), "17");
    const json::Value& told = *status.find("shards")->items().front().find("folding_again");
    EXPECT_EQ(told.find("old_state_answers")->boolean(), serves);
    EXPECT_NE(operate::metrics_page(process, *ledger.keeper, *ledger.events, nullptr)
                  .body.find("granary_shard_folding_again{machine=\"metering\",shard=\"2\"} 1\n"),
              std::string::npos);
  }
  process.shards.front().folding_again.reset();
  EXPECT_EQ(parsed(operate::readiness(process, *ledger.keeper).body).find("folding_again"), nullptr);
  EXPECT_NE(operate::metrics_page(process, *ledger.keeper, *ledger.events, nullptr)
                .body.find("granary_shard_folding_again{machine=\"metering\",shard=\"2\"} 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace granary::ask
