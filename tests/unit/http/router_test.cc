// Which route serves what, and the problems that answer what no route serves.
#include "shared/http/router.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace granary::http {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    add("GET", "/v1/projects/{project}");
    add("POST", "/v1/projects/{project}");
    add("GET", "/v1/projects/{project}/lots/{lot}");
    add("POST", "/v1/usage");
    add("GET", "/v1/{anything}");
    add("GET", "/");
  }

  void add(const std::string& method, const std::string& pattern) {
    router_.add(method, pattern,
                [method, pattern](const Request&, const PathParameters& parameters, Responder responder) {
                  std::string body = method + ' ' + pattern;
                  for (const char* name : {"project", "lot", "anything", "rest"}) {
                    if (pattern.find(std::string("{") + name) != std::string::npos) body += ' ' + parameters[name];
                  }
                  responder({.status = 200, .body = body});
                });
  }

  Response ask(const std::string& method, const std::string& path) {
    std::optional<Response> out;
    Request request;
    request.method = method;
    request.path = path;
    router_.serve(std::move(request), Responder([&out](Response response) { out = std::move(response); }));
    return out.value_or(Response{.status = 0});
  }

  Router router_;
};

TEST_F(RouterTest, MethodAndPatternChoose) {
  EXPECT_EQ(ask("GET", "/v1/projects/p1").body, "GET /v1/projects/{project} p1");
  EXPECT_EQ(ask("POST", "/v1/projects/p1").body, "POST /v1/projects/{project} p1");
  EXPECT_EQ(ask("GET", "/v1/projects/p/lots/7").body, "GET /v1/projects/{project}/lots/{lot} p 7");
  EXPECT_EQ(ask("GET", "/").body, "GET /");
  EXPECT_EQ(ask("GET", "/v1/usage").body, "GET /v1/{anything} usage");
  EXPECT_EQ(ask("POST", "/v1/usage").body, "POST /v1/usage");
}

TEST_F(RouterTest, SegmentsAreDecodedOneByOne) {
  EXPECT_EQ(ask("GET", "/v1/projects/a%2Fb%20%C3%A9").body, "GET /v1/projects/{project} a/b \xC3\xA9");
  EXPECT_EQ(ask("POST", "/v1/%75sage").body, "POST /v1/usage");
  EXPECT_EQ(ask("POST", "/v1%2Fusage").status, 404);
}

TEST_F(RouterTest, GetServesHead) {
  EXPECT_EQ(ask("HEAD", "/v1/projects/p1").status, 200);
}

TEST_F(RouterTest, AnUnknownPathIsNotFound) {
  for (const char* path :
       {"/v2", "/v1/projects/", "/v1/projects//lots/1", "/v1/projects/p/", "//", "", "/v1/projects/p/lots"}) {
    const Response response = ask("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
}

TEST_F(RouterTest, AnotherMethodIsNotAllowedAndSaysWhich) {
  const Response response = ask("DELETE", "/v1/projects/p1");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(header(response, "allow"), "GET, HEAD, POST");
}

class RestOfPath : public RouterTest {
 protected:
  RestOfPath() {
    add("GET", "/assets/{rest...}");
    add("GET", "/assets/{anything}");
    add("GET", "/assets/index.html");
    add("POST", "/assets/upload");
    add("GET", "/assets/{project}/raw/{rest...}");
  }
};

TEST_F(RestOfPath, TakesOneSegmentOrMore) {
  EXPECT_EQ(ask("GET", "/assets/js/app.js").body, "GET /assets/{rest...} js/app.js");
  EXPECT_EQ(ask("GET", "/assets/a/b/c%20d/e").body, "GET /assets/{rest...} a/b/c d/e");
  EXPECT_EQ(ask("GET", "/assets/p/raw/x/y").body, "GET /assets/{project}/raw/{rest...} p x/y");
  EXPECT_EQ(ask("HEAD", "/assets/js/app.js").status, 200);
}

TEST_F(RestOfPath, ALiteralGoesBeforeANameAndThatBeforeARest) {
  EXPECT_EQ(ask("GET", "/assets/index.html").body, "GET /assets/index.html");
  EXPECT_EQ(ask("GET", "/assets/other.html").body, "GET /assets/{anything} other.html");
  EXPECT_EQ(ask("GET", "/assets/upload").body, "GET /assets/{anything} upload") << "of the routes of its method";
  EXPECT_EQ(ask("POST", "/assets/upload").body, "POST /assets/upload");
  EXPECT_EQ(header(ask("DELETE", "/assets/js/app.js"), "allow"), "GET, HEAD");
}

TEST_F(RestOfPath, NeverLeadsOutOfItsFolder) {
  for (const char* path :
       {"/assets", "/assets/", "/assets//", "/assets/a/", "/assets/a//b", "/assets/../x", "/assets/a/..",
        "/assets/%2e%2e/x", "/assets/.%2E/x", "/assets/./x", "/assets/a/%2E", "/assets/a%2Fb/c", "/assets/a/..%2Fb",
        "/assets/a/..%5Cb", "/assets/a%5Cb/c", "/assets/a/%00", "/assets/a/%0a"}) {
    EXPECT_EQ(ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(ask("GET", "/assets/..x/...").body, "GET /assets/{rest...} ..x/...");
}

}  // namespace
}  // namespace granary::http
