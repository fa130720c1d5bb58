// A list that is one page over all shards of a machine, in one process and in several.
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

#include "shared/ask/read.h"
#include "shared/http/listener.h"
#include "shared/http/router.h"
#include "tests/support/door_ledger.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/test_reach.h"

namespace granary::ask {
namespace {

using machine::MachineKind;
using test::parsed;
using test::text_at;

constexpr std::uint16_t kShards = 3;

// Of metering's shards some are elsewhere.
class Process final : public granary::test::FakeRuntime {
 public:
  Process() : FakeRuntime(kShards) {}
  [[nodiscard]] std::optional<std::string> owner_of(const runtime::ShardName& shard) const override {
    return elsewhere.contains(shard.second) ? std::optional(owner) : std::nullopt;
  }
  bool ask(MachineKind, std::uint16_t shard,
           std::function<void(machine::Machine&, const runtime::AsOf&)> question) override {
    test::TinyMachine machine;
    runtime::AsOf as_of;
    as_of.shard = shard;
    question(machine, as_of);
    return true;
  }

  std::string owner;
  std::set<std::uint16_t> elsewhere;
};

// Where the rows of other processes were read.
using Threads = std::set<std::thread::id>;

// Counts shards, in one row.
class Count final : public Gathering {
 public:
  explicit Count(Threads& threads) : threads_(threads) {}
  void add_shard(machine::Machine&) override { ++here_; }
  void add_row(const json::Value& row) override {
    threads_.insert(std::this_thread::get_id());
    there_ += number_in(row, "here");
  }
  [[nodiscard]] std::vector<std::string> rows() const override {
    return {"{\"here\":" + std::to_string(here_) + ",\"there\":" + std::to_string(there_) + "}"};
  }

 private:
  Threads& threads_;
  std::uint64_t here_ = 0, there_ = 0;
};

class ReadAll : public testing::Test {
 protected:
  ~ReadAll() override {
    if (listener_ != nullptr) listener_->stop(std::chrono::seconds(1));
  }
  // The shards of `elsewhere` are those of a process that answers all with `handler`.
  void place(std::set<std::uint16_t> elsewhere, http::Handler handler) {
    auto listener = http::Listener::start({}, std::move(handler));
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    listener_ = std::move(*listener);
    here_.owner = "http://127.0.0.1:" + std::to_string(listener_->port());
    here_.elsewhere = std::move(elsewhere);
  }
  http::Response get(const Reach& reach, http::Fields query = {}) {
    http::Request request;
    request.method = "GET";
    request.path = "/all";
    request.query = std::move(query);
    auto answer = std::make_shared<std::promise<http::Response>>();
    auto future = answer->get_future();
    read_all(reach, std::move(request),
             http::Responder([answer](http::Response response) { answer->set_value(std::move(response)); }),
             MachineKind::metering, std::make_unique<Count>(threads_));
    return future.get();
  }
  http::Response get(http::Fields query = {}) { return get(reach_.to(here_), std::move(query)); }

  test::TestReach reach_;
  Process here_, there_;
  Threads threads_;
  std::unique_ptr<http::Listener> listener_;
};

TEST_F(ReadAll, RowsOfAllShardsMakeOnePage) {
  EXPECT_EQ(get().body, R"({"rows":[{"here":3,"there":0}]})");
  EXPECT_EQ(get({{"shard", "1"}}).body, R"({"rows":[{"here":1,"there":0}]})");
  EXPECT_EQ(get({{"shard", "3"}}).status, 400);
  EXPECT_EQ(get({{"cursor", "x"}}).status, 400);
  EXPECT_TRUE(threads_.empty()) << "nothing of this process is read as JSON";
}

TEST_F(ReadAll, RowsOfAnotherProcessAreReadNeitherOnTheLoopsThreadNorOnTheListeners) {
  place({0, 2}, [this](http::Request request, http::Responder responder) {
    read_all(reach_.to(there_), std::move(request), std::move(responder), MachineKind::metering,
             std::make_unique<Count>(threads_));
  });
  EXPECT_EQ(get().body, R"({"rows":[{"here":1,"there":2}]})");
  std::promise<std::thread::id> reader;
  ASSERT_TRUE(reach_.readers.run([&reader] { reader.set_value(std::this_thread::get_id()); }));
  EXPECT_EQ(threads_, Threads{reader.get_future().get()});
}

TEST_F(ReadAll, AnAnswerThatIsNoPageIsGivenAsItIs) {
  for (const char* body : {R"({"rows":1})", R"({"other":[]})", "no JSON"}) {
    if (listener_ != nullptr) listener_->stop(std::chrono::seconds(1));
    place({1}, [body](const http::Request&, http::Responder responder) {
      responder({.status = 200, .content_type = "application/json", .body = body});
    });
    EXPECT_EQ(get().body, body);
  }
}

TEST_F(ReadAll, MoreAnswersThanMayWaitAre503) {
  place({1}, [](const http::Request&, http::Responder responder) {
    responder({.status = 200, .content_type = "application/json", .body = R"({"rows":[]})"});
  });
  http::WorkPool full(1, 0);
  const auto answer = get(Reach{here_, reach_.forwarder, full});
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(text_at(parsed(answer.body), {"type"}), "urn:granary:problem:too_many_reads");
  EXPECT_TRUE(http::header(answer, "retry-after").has_value());
}

}  // namespace
}  // namespace granary::ask
