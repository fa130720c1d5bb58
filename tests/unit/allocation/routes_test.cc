// Balances, projects and usage over HTTP: a few shards, without a listener.
#include "services/allocation/http/routes.h"

#include <algorithm>
#include <array>

#include "shared/json/strict_json.h"
#include "shared/proof/hash.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/test_reach.h"
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

// Answers questions at once, on the caller's thread, from machines of its own.
class ShardsOnly final : public granary::test::FakeRuntime {
 public:
  ShardsOnly() : FakeRuntime(World::kPartitions) {}

  std::array<World, World::kPartitions> shards;

  World& shard_of(const std::string& project) { return shards.at(proof::shard_of({project}, World::kPartitions)); }

  bool ask(runtime::MachineKind kind, std::uint16_t shard,
           std::function<void(machine::Machine&, const runtime::AsOf&)> question) override {
    EXPECT_EQ(kind, runtime::MachineKind::allocation);
    runtime::AsOf as_of;
    as_of.shard = shard;
    as_of.now = at("2026-02-02T00:00:10Z");
    as_of.complete = at("2026-02-02T00:00:00Z");
    question(shards.at(shard).machine(), as_of);
    return true;
  }
};

class Routes : public testing::Test {
 protected:
  void SetUp() override { routes::add_to(router, routes(reach.to(runtime))); }

  http::Response get(const std::string& path, const http::Fields& query = {}) {
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    http::Response answer;
    router.serve(std::move(request), http::Responder([&answer](http::Response got) { answer = std::move(got); }));
    return answer;
  }

  // All rows of a list, page by page, each as one member says it.
  std::vector<std::string> rows(const std::string& path, const std::string& limit,
                                const std::vector<std::string>& members) {
    std::vector<std::string> found;
    http::Fields query{{"limit", limit}};
    for (int pages = 0; pages < 100; ++pages) {
      const auto document = json::parse(get(path, query).body);
      EXPECT_TRUE(document.ok());
      if (!document.ok()) return found;
      for (const json::Value& row : document->find("rows")->items()) {
        std::string text;
        for (const std::string& name : members) {
          const json::Value* member = row.find(name);
          if (!text.empty()) text += ' ';
          if (member == nullptr)
            text += "absent";
          else
            text += member->is(json::Kind::string) ? "\"" + member->string() + "\"" : "present";
        }
        found.push_back(text);
      }
      const json::Value* next = document->find("next");
      if (next == nullptr) {
        std::sort(found.begin(), found.end());
        return found;
      }
      query = {{"limit", limit}, {"cursor", next->string()}};
    }
    ADD_FAILURE() << "the list does not end";
    return found;
  }

  granary::test::TestReach reach;
  ShardsOnly runtime;
  http::Router router;
};

TEST_F(Routes, a_balance_says_everything) {
  World& shard = runtime.shard_of("p");
  shard.open_project();
  auto shared = grant(1, {lot(1, Amount(10), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", 3)});
  shared.funding = {events::FundingKind::share, units::Price(400'000'000)};
  shard.intake(shared);
  shard.metering(usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(4)));
  shard.metering(interim("j", "2026-01-31T12:00:00Z", Amount(1)));
  shard.tick("2026-02-02T00:00:00Z");
  shard.metering(usage("b", "2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z", Amount(7)));
  const http::Response answer = get("/v1/projects/p/balance");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(
      answer.body,
      R"([{"project":"p","organisation":"o","resource":"gpu","unit":"resource-us","granted":"10","used":"4",)"
      R"("reserved":"1","running":"1","expired":"5","withdrawn":"0","available":"0","usable":"0","uncovered":"7",)"
      R"("as_of":"2026-02-02T00:00:10Z","complete_through":"2026-02-02T00:00:00Z","lots":[)"
      R"({"grant":"00000000000000000000000000000001","lot":1,"from":"2026-01-01T00:00:00Z",)"
      R"("to":"2026-02-01T00:00:00Z","priority":3,"awarded_at":"2026-01-01T00:00:00Z","granted":"10",)"
      R"("available":"0","reserved":"1","used":"4","expired":"5","withdrawn":"0","funding":"share",)"
      R"("share":"0.4","seller":"aif","purpose":"research"}]}])");
}

TEST_F(Routes, a_balance_without_a_lot_has_an_empty_list) {
  World& shard = runtime.shard_of("p");
  shard.open_project();
  EXPECT_EQ(get("/v1/projects/p/balance").body, "[]");
  shard.metering(usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(4)));
  EXPECT_NE(get("/v1/projects/p/balance").body.find(R"("lots":[]}])"), std::string::npos);
}

TEST_F(Routes, a_project_that_nobody_knows_is_not_found_and_says_what_waits) {
  runtime.shard_of("q").metering(usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(4), "q"));
  const http::Response answer = get("/v1/projects/q/balance");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("urn:granary:problem:unknown_project"), std::string::npos);
  EXPECT_NE(answer.body.find("waits: 1"), std::string::npos);
}

TEST_F(Routes, what_waits_for_its_project_is_counted_by_source_and_project) {
  EXPECT_EQ(get("/v1/unassigned").body, R"({"rows":[]})");
  World& shard = runtime.shard_of("q");
  for (const char* id : {"a", "b"})
    shard.metering(usage(id, "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(4), "q"));
  const http::Response answer = get("/v1/unassigned");
  EXPECT_NE(answer.body.find(R"("project":"q","waiting":2})"), std::string::npos) << answer.body;
  shard.open_project("q", "o");
  EXPECT_EQ(get("/v1/unassigned").body, R"({"rows":[]})");
}

TEST_F(Routes, lists_give_each_row_once_whatever_the_page) {
  Lines projects, totals;
  for (int i = 0; i < 9; ++i) {
    const std::string name = "project-" + std::to_string(i);
    World& shard = runtime.shard_of(name);
    if (i % 3 != 0) shard.open_project(name, "o" + std::to_string(i));
    // A project of which there is nothing to say yet stands in the list all the same.
    if (i % 3 == 1) projects.push_back("\"" + name + "\" \"o" + std::to_string(i) + "\" \"\" \"\" \"0\" absent");
    if (i % 3 == 1) continue;
    UsageMetered job = usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(i + 1), name);
    job.amounts.push_back({"cpu", UnitKind::resource_us, Amount(50), Amount()});
    shard.metering(job);
    const std::string state = i % 3 == 0 ? "unassigned" : "posted";
    const std::string amount = std::to_string(i + 1);
    if (i % 3 == 2)
      projects.push_back("\"" + name + "\" \"o" + std::to_string(i) + "\" \"gpu\" \"resource-us\" \"" + amount +
                         "\" absent");
    totals.push_back("\"" + name + "\" \"cpu\" \"resource-us\" \"50\" \"" + state + "\"");
    totals.push_back("\"" + name + "\" \"gpu\" \"resource-us\" \"" + amount + "\" \"" + state + "\"");
  }
  for (const char* limit : {"1", "2", "500"}) {
    EXPECT_EQ(rows("/v1/projects", limit, {"project", "organisation", "resource", "unit", "uncovered", "lots"}),
              projects)
        << limit;
    EXPECT_EQ(rows("/v1/usage", limit, {"project", "resource", "unit", "quantity", "state"}), totals) << limit;
  }
  EXPECT_NE(get("/v1/usage").body.find("\"rows\":["), std::string::npos);
}

TEST_F(Routes, a_ref_finds_its_project_in_whatever_shard) {
  for (int i = 0; i < 9; ++i) {
    const std::string name = "project-" + std::to_string(i);
    runtime.shard_of(name).intake(events::ProjectOpened{
        name, "o", events::CustomerKind::sme, "", {}, {{"federation", name}, {"site", "s:" + std::to_string(i)}}});
  }
  World& shard = runtime.shard_of("project-4");
  shard.metering(usage("a", "2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z", Amount(4), "project-4"));
  shard.flush();
  shard.reopen();
  const std::string refs = R"(,"refs":[{"system":"federation","id":"project-4"},{"system":"site","id":"s:4"}]})";
  for (const char* ref : {"federation:project-4", "site:s:4"}) {
    const std::string found = get("/v1/projects", {{"ref", ref}}).body;
    EXPECT_TRUE(found.starts_with(R"({"rows":[{"project":"project-4",)")) << found;
    EXPECT_TRUE(found.ends_with(refs + "]}")) << found;
  }
  EXPECT_TRUE(get("/v1/projects/project-4/balance").body.ends_with(R"("lots":[])" + refs + "]"));
  for (const char* ref : {"federation:s:4", "site:nobody"})
    EXPECT_EQ(get("/v1/projects", {{"ref", ref}}).body, R"({"rows":[]})") << ref;
  EXPECT_EQ(get("/v1/projects", {{"ref", "project-4"}}).status, 400);
}

}  // namespace
}  // namespace granary::allocation::test
