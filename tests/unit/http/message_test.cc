// Look-ups, responders and problem answers.
#include "shared/http/message.h"

#include <gtest/gtest.h>

#include "shared/http/problem.h"
#include "shared/json/strict_json.h"

namespace granary::http {
namespace {

TEST(Message, LookUpsFindTheFirst) {
  Request request;
  request.headers = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  request.query = {{"q", ""}};
  EXPECT_EQ(header(request, "a"), "1");
  EXPECT_EQ(header(request, "c"), std::nullopt);
  EXPECT_EQ(query(request, "q"), "");
  EXPECT_EQ(query(request, "a"), std::nullopt);
}

TEST(Responder, AnswersOnceWhereverItWasMoved) {
  std::vector<int> got;
  const auto send = [&got](const Response& response) { got.push_back(response.status); };
  {
    Responder first(send);
    Responder second(std::move(first));
    second({.status = 202});
  }
  EXPECT_EQ(got, std::vector<int>({202}));
  {
    Responder dropped(send);
    dropped = Responder(send);  // the first goes away unused
    EXPECT_EQ(got, std::vector<int>({202, 500}));
  }
  EXPECT_EQ(got, std::vector<int>({202, 500, 500}));
}

TEST(ResponderDeathTest, ASecondAnswerIsABug) {
  EXPECT_DEATH(
      {
        Responder responder([](const Response&) {});
        responder({});
        responder({});
      },
      "answered twice");
}

TEST(Problem, HasTheMembersThatAreSet) {
  const Response response = make_response({.status = 422,
                                           .type = "end_before_start",
                                           .title = "The end lies before the start",
                                           .detail = "Expected an end after the start.",
                                           .field = "/data/end",
                                           .value = "a\"\n\xFF",
                                           .hint = "swap them"});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto root = json::parse(response.body);
  ASSERT_TRUE(root.ok()) << root.error().message;
  EXPECT_EQ(root->find("type")->string(), "urn:granary:problem:end_before_start");
  EXPECT_EQ(root->find("title")->string(), "The end lies before the start");
  EXPECT_EQ(root->find("detail")->string(), "Expected an end after the start.");
  EXPECT_EQ(root->find("field")->string(), "/data/end");
  EXPECT_EQ(root->find("value")->string(), "a\"\n\xEF\xBF\xBD");
  EXPECT_EQ(root->find("hint")->string(), "swap them");
  EXPECT_EQ(root->find("status")->integer(), 422);
}

TEST(Problem, LeavesOutWhatIsNotSet) {
  EXPECT_EQ(to_json({.status = 404, .type = "t", .title = "T"}),
            R"({"type":"urn:granary:problem:t","title":"T","status":404})");
}

}  // namespace
}  // namespace granary::http
