// GET /v1/charges and /v1/accounts over a few shards, without a listener.
#include "services/billing/http/routes.h"

#include "shared/proof/hash.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/test_reach.h"
#include "tests/unit/billing/driver.h"

namespace granary::billing {
namespace {

constexpr std::uint16_t kPartitions = 4;

// Answers questions at once, on the caller's thread, from machines of its own.
class ShardsOnly final : public granary::test::FakeRuntime {
 public:
  ShardsOnly() : FakeRuntime(kPartitions) {}

  std::array<Driver, kPartitions> shards;

  bool ask(runtime::MachineKind kind, std::uint16_t shard,
           std::function<void(machine::Machine&, const runtime::AsOf&)> question) override {
    EXPECT_EQ(kind, runtime::MachineKind::billing);
    runtime::AsOf as_of;
    as_of.shard = shard;
    question(shards.at(shard).machine(), as_of);
    return true;
  }
};

class Routes : public testing::Test {
 protected:
  static constexpr int kOrganisations = 9;

  void SetUp() override {
    routes::add_to(router, routes(reach.to(runtime)));
    for (Driver& shard : runtime.shards) shard.apply(book("aif", "a", "2026-01-01T00:00:00Z", {priced("gpu", "2")}));
    for (int i = 0; i < kOrganisations; ++i) {
      const std::string organisation = "org" + std::to_string(i);
      Driver& shard = runtime.shards.at(proof::shard_of({organisation}, kPartitions));
      shard.apply(project("llm", organisation));
      shard.apply(charged({part("2026-03-10T10:00:00Z", "2026-03-10T11:00:00Z", kHour),
                           part("2026-04-10T10:00:00Z", "2026-04-10T11:00:00Z", kHour, PartFunding::pay_per_use)},
                          "job", "llm", organisation));
    }
  }

  http::Response get(const std::string& path, const http::Fields& query) {
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    http::Response answer;
    router.serve(std::move(request), http::Responder([&answer](http::Response got) { answer = std::move(got); }));
    return answer;
  }

  // All rows of a list, page by page, as text; `pages` counts them.
  std::vector<std::string> rows(const std::string& path, const http::Fields& query, int& pages) {
    std::vector<std::string> found;
    http::Fields with_cursor = query;
    for (pages = 1; pages < 100; ++pages) {
      const http::Response answer = get(path, with_cursor);
      EXPECT_EQ(answer.status, 200) << answer.body;
      std::string body = answer.body;
      std::size_t begin = body.find('{', 1);
      for (; begin != std::string::npos; begin = body.find('{', begin + 1))
        found.push_back(body.substr(begin, body.find('}', begin) + 1 - begin));
      const std::string mark = "\"next\":\"";
      const std::size_t next = body.find(mark);
      if (next == std::string::npos) return found;
      const std::size_t start = next + mark.size();
      with_cursor = query;
      with_cursor.push_back({"cursor", body.substr(start, body.find('"', start) - start)});
    }
    ADD_FAILURE() << "the list does not end";
    return found;
  }

  test::TestReach reach;
  ShardsOnly runtime;
  http::Router router;
};

TEST_F(Routes, ARowOfChargesSaysEverything) {
  int pages = 0;
  const auto found = rows("/v1/charges", {{"organisation", "org3"}}, pages);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0],
            R"({"organisation":"org3","project":"llm","resource":"gpu","period":"2026-03","unit":"resource-us",)"
            R"("used":"3600000000","covered":"3600000000","billed":"0","unrated":"0","currency":"EUR",)"
            R"("list_amount":"2.000000000","covered_amount":"2.000000000","billed_amount":"0.000000000","lines":1})");
  EXPECT_EQ(pages, 1);
}

TEST_F(Routes, PagesGiveEachRowOnce) {
  for (const char* limit : {"1", "2", "3", "500"}) {
    int pages = 0;
    auto found = rows("/v1/charges", {{"limit", limit}}, pages);
    EXPECT_EQ(found.size(), 2U * kOrganisations) << limit;
    std::sort(found.begin(), found.end());
    EXPECT_EQ(std::unique(found.begin(), found.end()), found.end()) << limit;
  }
}

TEST_F(Routes, OneOrganisationOneMonth) {
  int pages = 0;
  EXPECT_EQ(rows("/v1/charges", {{"period", "2026-04"}, {"limit", "1"}}, pages).size(), 1U * kOrganisations);
  EXPECT_EQ(rows("/v1/charges", {{"period", "2026-04"}, {"organisation", "org3"}}, pages).size(), 1U);
  EXPECT_EQ(rows("/v1/charges", {{"organisation", "org3"}, {"limit", "1"}}, pages).size(), 2U);
  EXPECT_EQ(pages, 2);
  EXPECT_TRUE(rows("/v1/charges", {{"organisation", "nobody"}}, pages).empty());
}

TEST_F(Routes, AccountsOfAllShards) {
  int pages = 0;
  const auto found = rows("/v1/accounts", {{"limit", "2"}}, pages);
  const auto holds = [&found](const std::string& text) {
    return std::count_if(found.begin(), found.end(),
                         [&text](const std::string& row) { return row.find(text) != std::string::npos; });
  };
  EXPECT_EQ(holds(R"("account":"receivable")"), kOrganisations);
  EXPECT_EQ(holds(R"("account":"receivable","owner":"org3","organisation":"org3","currency":"EUR",)"
                  R"("balance":"2.000000000","postings":1,"shard":)"),
            1);
  EXPECT_EQ(holds(R"("account":"in_kind","owner":"07070707070707070707070707070707")"),
            holds(R"("account":"in_kind_value","owner":"aif")"));
}

TEST_F(Routes, WrongParametersAreNamed) {
  const struct {
    const char* path;
    http::Fields query;
    const char* named;
  } cases[] = {
      {"/v1/charges", {{"period", "2026-13"}}, "`period`"},
      {"/v1/charges", {{"organisation", ""}}, "`organisation`"},
      {"/v1/charges", {{"organisation", "org3"}, {"limit", "0"}}, "`limit`"},
      {"/v1/charges", {{"organisation", "org3"}, {"cursor", "!"}}, "`cursor`"},
      {"/v1/charges", {{"limit", "1001"}}, "`limit`"},
      {"/v1/accounts", {{"cursor", "AP8"}}, "`cursor`"},
  };
  for (const auto& c : cases) {
    const http::Response answer = get(c.path, c.query);
    EXPECT_EQ(answer.status, 400) << c.named;
    EXPECT_NE(answer.body.find(c.named), std::string::npos) << answer.body;
  }
  const std::string all = get("/v1/charges", {{"limit", "1"}}).body;
  const std::size_t next = all.find("\"next\":\"") + 8;
  const std::string of_all = all.substr(next, all.find('"', next) - next);
  EXPECT_EQ(get("/v1/charges", {{"cursor", of_all}}).status, 200);
  EXPECT_EQ(get("/v1/charges", {{"organisation", "org3"}, {"cursor", of_all}}).status, 400);
  EXPECT_EQ(get("/v1/charges", {{"period", "2026-04"}, {"cursor", of_all}}).status, 400);
  EXPECT_EQ(get("/v1/accounts", {{"cursor", of_all}}).status, 400);
}

}  // namespace
}  // namespace granary::billing
