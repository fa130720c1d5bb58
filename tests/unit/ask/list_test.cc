// Pages of a list over the shards of a machine, in one process and in several.
#include "shared/ask/list.h"

#include <gtest/gtest.h>

#include <algorithm>

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

using Names = std::vector<std::string>;

// A process with some shards of metering; what each holds is said by the test.
class Process final : public granary::test::FakeRuntime {
 public:
  explicit Process(std::uint16_t shards, std::uint8_t ledger = 7) : FakeRuntime(shards, ledger) {}

  // A list of names, from the rows of this process; it looks at two rows in one go.
  void serve_list(http::Router& router, const List& list) {
    router.add("GET", list.path,
               [this, list](http::Request request, const http::PathParameters&, http::Responder answer) {
                 const std::string only(http::query(request, "only").value_or(""));
                 read_list(reach_.to(*this), std::move(request), std::move(answer), MachineKind::metering, list,
                           [this, only](machine::Machine&, const runtime::AsOf& as_of, const Bytes& after,
                                        std::size_t limit, std::vector<std::string>& found) -> std::optional<Bytes> {
                             const Names& names = rows[as_of.shard];
                             auto at = std::upper_bound(names.begin(), names.end(), after);
                             for (int looked_at = 0; at != names.end(); ++at, ++looked_at) {
                               if (found.size() == limit || (!only.empty() && looked_at == 2)) return *(at - 1);
                               if (only.empty() || *at == only) found.push_back("{\"name\":\"" + *at + "\"}");
                             }
                             return std::nullopt;
                           });
               });
  }

  [[nodiscard]] std::optional<std::string> owner_of(const runtime::ShardName& shard) const override {
    const auto found = elsewhere.find(shard.second);
    return found == elsewhere.end() ? std::nullopt : std::optional(found->second);
  }
  bool ask(MachineKind, std::uint16_t shard,
           std::function<void(machine::Machine&, const runtime::AsOf&)> question) override {
    test::TinyMachine machine;
    runtime::AsOf as_of;
    as_of.shard = shard;
    question(machine, as_of);
    return true;
  }

  std::map<std::uint16_t, Names> rows;             // by shard, in order
  std::map<std::uint16_t, std::string> elsewhere;  // the shards of others, and where

 private:
  test::TestReach reach_;
};

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

// All names of the list, page by page. No page is empty and goes on without saying why.
Names all_names(const http::Router& router, const http::Fields& query, std::size_t* pages = nullptr) {
  Names names;
  http::Fields with_cursor = query;
  for (std::size_t count = 1; count <= 100; ++count) {
    const auto answer = get(router, "/list", with_cursor);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto body = parsed(answer.body);
    const auto* rows = body.find("rows");
    if (rows == nullptr) break;
    for (const json::Value& row : rows->items()) names.push_back(row.find("name")->string());
    if (pages != nullptr) *pages = count;
    if (body.find("next") == nullptr) return names;
    EXPECT_TRUE(!rows->items().empty() || body.find("partial") != nullptr) << answer.body;
    with_cursor = query;
    with_cursor.push_back({"cursor", text_at(body, {"next"})});
  }
  ADD_FAILURE() << "the list does not end";
  return names;
}

TEST(Lists, APageGoesOnToTheNextShardUntilItIsFull) {
  Process process(8);
  http::Router router;
  process.serve_list(router, {"/list"});
  EXPECT_EQ(get(router, "/list").body, R"({"rows":[]})") << "empty shards make no pages";
  process.rows = {{1, {"b1", "b2"}}, {4, {"e1"}}, {6, {"g1", "g2"}}};
  const Names all{"b1", "b2", "e1", "g1", "g2"};
  for (const auto& [limit, pages_wanted] :
       std::map<std::string, std::size_t>{{"1", 6}, {"2", 3}, {"3", 2}, {"500", 1}}) {
    std::size_t pages = 0;
    EXPECT_EQ(all_names(router, {{"limit", limit}}, &pages), all) << limit;
    EXPECT_EQ(pages, pages_wanted) << limit;
  }
}

TEST(Lists, APageThatEndsForLongLookingSaysSo) {
  Process process(3);
  http::Router router;
  process.serve_list(router, {"/list", {"only"}});
  for (int i = 100; i < 100 + 2 * kLongLooksMax; ++i) process.rows[1].push_back(std::to_string(i));
  process.rows[2] = {"wanted"};
  auto page = parsed(get(router, "/list", {{"only", "wanted"}}).body);
  EXPECT_EQ(page.find("partial"), nullptr) << "looked at all of it";
  EXPECT_EQ(text_at(page, {"rows", "0", "name"}), "wanted");
  process.rows[1].push_back("zz");
  page = parsed(get(router, "/list", {{"only", "wanted"}}).body);
  EXPECT_TRUE(page.find("rows")->items().empty());
  ASSERT_NE(page.find("partial"), nullptr);
  EXPECT_TRUE(page.find("partial")->boolean());
  EXPECT_EQ(all_names(router, {{"only", "wanted"}}), Names{"wanted"});
}

TEST(Lists, ACursorIsOfItsListItsFiltersAndItsLedgerAlone) {
  Process process(4);
  process.rows[0] = {"a", "b", "c"};
  Process other_ledger(4, 8);
  other_ledger.rows = process.rows;
  http::Router router, others;
  process.serve_list(router, {"/list", {"only", "by"}});
  process.serve_list(router, {"/other", {"only", "by"}});
  other_ledger.serve_list(others, {"/list", {"only", "by"}});
  const auto next_of = [&](http::Fields query) {
    query.push_back({"limit", "1"});
    return text_at(parsed(get(router, "/list", query).body), {"next"});
  };
  const auto answer_to = [](const http::Router& asked, const std::string& path, http::Fields query,
                            const std::string& cursor) {
    query.push_back({"cursor", cursor});
    const auto answer = get(asked, path, query);
    if (answer.status == 200) return std::string("taken");
    EXPECT_EQ(answer.status, 400);
    const auto body = parsed(answer.body);
    EXPECT_EQ(text_at(body, {"type"}), "urn:granary:problem:bad_parameter");
    EXPECT_FALSE(text_at(body, {"hint"}).empty()) << answer.body;
    const std::string detail = text_at(body, {"detail"});
    for (const char* known : {"no cursor", "another ledger", "another list, or with other filters"})
      if (detail.find(known) != std::string::npos) return std::string(known);
    return detail;
  };
  const std::string cursor = next_of({});
  EXPECT_EQ(answer_to(router, "/list", {}, cursor), "taken");
  EXPECT_EQ(answer_to(router, "/list", {{"limit", "2"}, {"unknown", "x"}}, cursor), "taken");
  EXPECT_EQ(answer_to(router, "/other", {}, cursor), "another list, or with other filters");
  EXPECT_EQ(answer_to(router, "/list", {{"only", "c"}}, cursor), "another list, or with other filters");
  EXPECT_EQ(answer_to(router, "/list", {{"only", ""}}, cursor), "another list, or with other filters");
  EXPECT_EQ(answer_to(others, "/list", {}, cursor), "another ledger");
  const std::string filtered = next_of({{"by", "ab"}});
  EXPECT_EQ(answer_to(router, "/list", {{"by", "ab"}}, filtered), "taken");
  EXPECT_EQ(answer_to(router, "/list", {{"only", "ab"}}, filtered), "another list, or with other filters");
  EXPECT_EQ(answer_to(router, "/list", {}, filtered), "another list, or with other filters");
  for (const std::string& wrong :
       {std::string(), std::string("!"), std::string("AAEC"), cursor.substr(0, 8), cursor + "="})
    EXPECT_EQ(answer_to(router, "/list", {}, wrong), "no cursor") << wrong;
  Process smaller(1);
  http::Router of_smaller;
  smaller.serve_list(of_smaller, {"/list", {"only", "by"}});
  process.rows = {{0, {"a"}}, {3, {"d", "e"}}};
  EXPECT_EQ(answer_to(of_smaller, "/list", {}, text_at(parsed(get(router, "/list", {{"limit", "2"}}).body), {"next"})),
            "no cursor")
      << "a shard that is not there";
}

// Three processes, each with a listener, that own the shards in turn.
class SeveralProcesses : public ::testing::Test {
 protected:
  static constexpr std::uint16_t kShards = 9;
  static constexpr std::uint16_t kProcesses = 3;

  void SetUp() override {
    std::vector<std::string> urls;
    for (std::uint16_t i = 0; i < kProcesses; ++i) {
      processes_[i].serve_list(routers_[i], {"/list", {"only"}});
      auto listener =
          http::Listener::start({}, [&router = routers_[i]](http::Request request, http::Responder responder) {
            router.serve(std::move(request), std::move(responder));
          });
      ASSERT_TRUE(listener.ok()) << listener.error().message;
      urls.push_back("http://127.0.0.1:" + std::to_string((*listener)->port()));
      listeners_.push_back(std::move(*listener));
    }
    for (std::uint16_t i = 0; i < kProcesses; ++i)
      for (std::uint16_t shard = 0; shard < kShards; ++shard)
        if (shard % kProcesses != i) processes_[i].elsewhere[shard] = urls[shard % kProcesses];
  }
  void TearDown() override {
    for (const auto& listener : listeners_) listener->stop(std::chrono::milliseconds(1000));
  }
  Names& rows_of(std::uint16_t shard) { return processes_[shard % kProcesses].rows[shard]; }

  std::array<Process, kProcesses> processes_{Process(kShards), Process(kShards), Process(kShards)};
  std::array<http::Router, kProcesses> routers_;
  std::vector<std::unique_ptr<http::Listener>> listeners_;
};

TEST_F(SeveralProcesses, AListIsTheSameWhicheverIsAsked) {
  for (const auto& router : routers_) EXPECT_EQ(get(router, "/list").body, R"({"rows":[]})");
  rows_of(8) = {"z"};
  for (const auto& router : routers_) {
    std::size_t pages = 0;
    EXPECT_EQ(all_names(router, {}, &pages), Names{"z"});
    EXPECT_EQ(pages, 1U) << "no page for the shards that have nothing";
  }
  rows_of(1) = {"b1", "b2"};
  rows_of(2) = {"c"};
  rows_of(6) = {"g"};
  for (const auto& router : routers_)
    for (const char* limit : {"1", "2", "500"})
      EXPECT_EQ(all_names(router, {{"limit", limit}}), (Names{"b1", "b2", "c", "g", "z"})) << limit;
  for (const auto& router : routers_) EXPECT_EQ(all_names(router, {{"only", "z"}}), Names{"z"});
}

TEST_F(SeveralProcesses, LongLookingElsewhereIsTold) {
  for (int i = 100; i < 100 + 2 * kLongLooksMax; ++i) rows_of(4).push_back(std::to_string(i));
  rows_of(4).push_back("wanted");
  for (const auto& router : routers_) {
    const auto page = parsed(get(router, "/list", {{"only", "wanted"}}).body);
    EXPECT_NE(page.find("partial"), nullptr);
    EXPECT_EQ(all_names(router, {{"only", "wanted"}}), Names{"wanted"});
  }
}

TEST_F(SeveralProcesses, AProcessThatIsAwayIsNamed) {
  rows_of(0) = {"a"};
  listeners_[1]->stop(std::chrono::milliseconds(1000));
  const auto page = get(routers_[0], "/list");
  EXPECT_EQ(page.status, 200) << "as far as it goes";
  const auto rest = get(routers_[0], "/list", {{"cursor", text_at(parsed(page.body), {"next"})}});
  EXPECT_EQ(rest.status, 503);
  EXPECT_EQ(text_at(parsed(rest.body), {"type"}), "urn:granary:problem:owner_unavailable");
}

}  // namespace
}  // namespace granary::ask
