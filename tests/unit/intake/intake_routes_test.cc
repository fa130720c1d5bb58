#include "services/intake/http/routes.h"

#include "shared/json/strict_json.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/test_reach.h"
#include "tests/unit/intake/intake_shard.h"

namespace granary::intake {
namespace {

// A runtime that owns nothing but intake's shard and answers on the caller's thread.
class DirectRuntime final : public granary::test::FakeRuntime {
 public:
  explicit DirectRuntime(IntakeShard& shard) : FakeRuntime(IntakeShard::kPartitions), shard_(shard) {}

  bool ask(machine::MachineKind machine, std::uint16_t shard,
           std::function<void(machine::Machine&, const runtime::AsOf&)> question) override {
    GRANARY_CHECK(machine == machine::MachineKind::intake && shard == 0, "intake has one shard");
    runtime::AsOf as_of;
    as_of.position = position;
    question(*shard_.operator->(), as_of);
    return true;
  }
  void when_folded(const runtime::Token& token, machine::MachineKind, std::uint16_t, std::weak_ptr<void>,
                   std::function<void(Folded)> done) override {
    waited_for.push_back(token);
    done(Folded::yes);
  }

  std::uint64_t position = 0;
  std::vector<runtime::Token> waited_for;

 private:
  IntakeShard& shard_;
};

class IntakeRoutes : public testing::Test {
 protected:
  IntakeRoutes() { routes::add_to(router_, routes(reach_.to(runtime_))); }

  http::Response get(const std::string& path, http::Fields query = {}) {
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.query = std::move(query);
    http::Response answer;
    answer.status = 0;
    router_.serve(std::move(request), http::Responder([&](http::Response response) { answer = std::move(response); }));
    return answer;
  }
  // All rows of a list, page by page, each cut to its first name.
  std::vector<std::string> names(const std::string& path, const std::string& member, const std::string& limit) {
    std::vector<std::string> all;
    for (std::string cursor; all.size() < 100;) {
      http::Fields query{{"limit", limit}};
      if (!cursor.empty()) query.push_back({"cursor", cursor});
      const http::Response answer = get(path, query);
      EXPECT_EQ(answer.status, 200) << answer.body;
      auto parsed = json::parse(answer.body);
      GRANARY_CHECK(parsed.ok(), "a page is no JSON: " + answer.body);
      for (const json::Value& row : parsed->find("rows")->items()) all.push_back(row.find(member)->string());
      const json::Value* next = parsed->find("next");
      if (next == nullptr) break;
      cursor = next->string();
    }
    return all;
  }
  void set_up() {
    for (const auto& event : example::all()) ASSERT_EQ(shard_.send(event).judgement, Judgement::accepted);
  }

  IntakeShard shard_;
  test::TestReach reach_;
  DirectRuntime runtime_{shard_};
  http::Router router_;
};

TEST_F(IntakeRoutes, PoliciesAndPriceBooksWithAPlaceToWaitFor) {
  ASSERT_EQ(shard_.send(example::window(400)).judgement, Judgement::accepted);
  ASSERT_EQ(shard_.send(example::classes()).judgement, Judgement::accepted);
  ASSERT_EQ(shard_.send(example::price_book()).judgement, Judgement::accepted);
  runtime_.position = 18;
  const http::Response answer = get("/v1/policies");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  const std::string token = runtime::Token{{{Topic::applications, 0, 17}}, runtime_.ledger_mark()}.text();
  EXPECT_EQ(answer.body,
            R"({"policies":[{"kind":"acceptance_window","version":"1","effective":"2026-01-01T00:00:00Z",)"
            R"("content":{"window_days":400},"published_at":"2026-09-01T12:00:00Z"},)"
            R"({"kind":"resource_classes","version":"1","effective":"2026-01-01T00:00:00Z","content":{"classes":[)"
            R"({"class":"gpu:h200","unit":"resource-us","charging":"lots"},)"
            R"({"class":"cpu","unit":"resource-us","charging":"metered_only"},)"
            R"({"class":"licence","unit":"item","charging":"lots"}]},"published_at":"2026-09-01T12:00:00Z"}],)"
            R"("price_books":[{"seller":"aif","version":"3","effective":"2026-01-01T00:00:00Z","currency":"EUR",)"
            R"("prices":[{"class":"gpu:h200","price":"2.5","per":"resource-hour"}],)"
            R"("published_at":"2026-09-01T12:00:00Z"}],"after":")" +
                token + "\"}");
}

TEST_F(IntakeRoutes, WhichPoliciesAreInForceIsSaidOfTheInstantThatIsAskedFor) {
  set_up();
  const auto in_force = [this](const std::string& at) {
    const http::Response answer = get("/v1/policies", {{"at", at}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::string kinds;
    const auto parsed = json::parse(answer.body);
    for (const json::Value& policy : parsed->find("in_force")->items()) kinds += policy.find("kind")->string() + " ";
    return kinds;
  };
  EXPECT_EQ(in_force("1971-01-01T00:00:00Z"), "");
  EXPECT_EQ(in_force("2999-01-01T00:00:00Z"), "resource_classes acceptance_window ");
  EXPECT_EQ(get("/v1/policies", {{"at", "yesterday"}}).status, 400);
  EXPECT_EQ(get("/v1/policies").body.find("in_force"), std::string::npos);
}

TEST_F(IntakeRoutes, NothingPublishedIsEmptyLists) {
  EXPECT_EQ(get("/v1/policies").body, R"({"policies":[],"price_books":[],"after":""})");
}

TEST_F(IntakeRoutes, AProjectWithItsApplications) {
  set_up();
  EXPECT_EQ(get("/v1/projects/aurora-llm").body,
            R"({"project":"aurora-llm","organisation":"aurora","purpose":"language models",)"
            R"("organisation_kind":"sme","registered_at":"2026-09-01T12:00:00Z","applications":["app-1"]})");
  const http::Response unknown = get("/v1/projects/nobody");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("urn:granary:problem:unknown_project"), std::string::npos) << unknown.body;
}

TEST_F(IntakeRoutes, AnApplicationWithItsScreeningAndDecision) {
  set_up();
  const std::string grant = to_hex(view_of(shard_->application("app-1")->decision->grant));
  EXPECT_EQ(get("/v1/applications").body,
            R"({"rows":[{"application":"app-1","project":"aurora-llm","access_mode":"fast_lane",)"
            R"("resources":[{"class":"gpu:h200","quantity":"10.75","unit":"resource-hour"}],)"
            R"("period_from":"2026-10-01T00:00:00Z","period_to":"2026-12-01T00:00:00Z",)"
            R"("declarations":["no_prohibited_practice"],"submitted_at":"2026-09-01T12:00:00Z",)"
            R"("screening":{"application":"app-1","questionnaire":"aia-2026-1","outcome":"cleared"},)"
            R"("screened_at":"2026-09-01T12:00:00Z",)"
            R"("decision":{"outcome":"awarded","grant":")" +
                grant + R"(","lots":2,"decided_at":"2026-09-01T12:00:00Z"}}]})");
}

TEST_F(IntakeRoutes, ARefFindsTheOneThingThatItNames) {
  for (events::Event event : example::all()) {
    if (auto* o = std::get_if<events::OrganisationRegistered>(&event)) {
      o->legal_ids = {{"VAT", "FI1", at("2026-01-01T00:00:00Z"), {}}};
      o->activity = "62.01";
      o->established_in = "FI";
      o->controlled_from = {"NO", "SE"};
      o->refs = {{"federation", "org"}};
    }
    if (auto* p = std::get_if<events::ProjectRegistered>(&event)) p->refs = {{"federation", "project"}};
    if (auto* a = std::get_if<events::ApplicationSubmitted>(&event)) a->refs = {{"federation", "a:1"}};
    if (auto* d = std::get_if<events::ApplicationDecided>(&event)) d->grant->refs = {{"federation", "grant"}};
    ASSERT_EQ(shard_.send(event).judgement, Judgement::accepted);
  }
  ASSERT_EQ(
      shard_.send(events::OrganisationRegistered{"other", "Other", events::CustomerKind::sme, "FI", "", {}}).judgement,
      Judgement::accepted);
  const auto listed = [this](const std::string& path, const char* ref) { return get(path, {{"ref", ref}}).body; };
  const std::string nothing = R"({"rows":[]})";
  EXPECT_EQ(listed("/v1/organisations", "federation:org"),
            R"({"rows":[{"organisation":"aurora","name":"Aurora Oy","kind":"sme","country":"FI",)"
            R"("legal_ids":[{"scheme":"VAT","id":"FI1","from":"2026-01-01T00:00:00Z"}],"activity":"62.01",)"
            R"("established_in":"FI","controlled_from":["NO","SE"],"refs":[{"system":"federation","id":"org"}],)"
            R"("registered_at":"2026-09-01T12:00:00Z"}]})");
  for (const char* ref : {"federation:other", "site:org", "federation:project"})
    EXPECT_EQ(listed("/v1/organisations", ref), nothing) << ref;
  const std::string application = listed("/v1/applications", "federation:a:1");
  EXPECT_NE(application.find(R"("refs":[{"system":"federation","id":"a:1"}],"submitted_at")"), std::string::npos)
      << application;
  EXPECT_NE(application.find(R"("decided_at":"2026-09-01T12:00:00Z","refs":[{"system":"federation","id":"grant"}]})"),
            std::string::npos)
      << application;
  EXPECT_EQ(listed("/v1/applications", "federation:grant"), application) << "a grant's finds its application";
  EXPECT_EQ(listed("/v1/applications", "federation:org"), nothing);
  EXPECT_NE(get("/v1/projects/aurora-llm").body.find(R"("refs":[{"system":"federation","id":"project"}])"),
            std::string::npos);
  for (const char* path : {"/v1/organisations", "/v1/applications"}) {
    EXPECT_EQ(get(path, {{"ref", "federation"}}).status, 400);
    EXPECT_EQ(get(path, {{"ref", ""}}).status, 400);
  }
}

TEST_F(IntakeRoutes, ListsGoOnWhereThePageBeforeEnded) {
  const std::vector<std::string> expected{"a", "a0", "aa", "b", "zz"};
  for (const char* name : {"zz", "a", "b", "aa", "a0"}) {
    auto organisation = example::organisation();
    organisation.organisation = name;
    ASSERT_EQ(shard_.send(organisation).judgement, Judgement::accepted);
  }
  for (const char* limit : {"1", "2", "5", "1000"})
    EXPECT_EQ(names("/v1/organisations", "organisation", limit), expected) << limit;
  EXPECT_TRUE(names("/v1/applications", "application", "2").empty());
  EXPECT_EQ(get("/v1/organisations", {{"limit", "0"}}).status, 400);
  EXPECT_EQ(get("/v1/organisations", {{"cursor", "!"}}).status, 400);
}

TEST_F(IntakeRoutes, ReadsWaitForTheTokenThatTheyAreGiven) {
  const runtime::Token token{{{Topic::applications, 0, 3}}, runtime_.ledger_mark()};
  for (const char* path : {"/v1/policies", "/v1/organisations", "/v1/applications", "/v1/projects/x"})
    EXPECT_NE(get(path, {{"after", token.text()}}).status, 0) << path;
  ASSERT_EQ(runtime_.waited_for.size(), 4U);
  for (const auto& waited : runtime_.waited_for) EXPECT_EQ(waited.places, token.places);
}

}  // namespace
}  // namespace granary::intake
