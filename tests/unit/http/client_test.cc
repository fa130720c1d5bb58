// The client against the listener, and against nobody.
#include "shared/http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include "shared/http/listener.h"

namespace granary::http {
namespace {

std::unique_ptr<Listener> start(Handler handler, ListenerOptions options = {}) {
  auto listener = Listener::start(std::move(options), std::move(handler));
  if (!listener.ok()) throw std::runtime_error(listener.error().message);
  return std::move(*listener);
}

void echo(const Request& request, Responder responder) {
  Response response{.status = 201, .content_type = "text/plain", .body = request.method + ' ' + request.path};
  response.body += ' ' + request.body;
  for (const Field& field : request.query) response.body += ' ' + field.name + '=' + field.value;
  response.headers.push_back({"X-Type", std::string(header(request, "content-type").value_or("none"))});
  responder(std::move(response));
}

Client client_of(const Listener& listener, const std::string& path = "", ClientOptions options = {}) {
  return std::move(Client::create("http://127.0.0.1:" + std::to_string(listener.port()) + path, options)).value();
}

TEST(Client, ARequestComesBackAnswered) {
  const auto listener = start(echo);
  Client client = client_of(*listener, "/base/");
  const auto answer =
      client.send({.method = "POST", .target = "/x?a=1", .content_type = "application/json", .body = "{}"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(answer->body, "POST /base/x {} a=1");
  EXPECT_EQ(header(*answer, "x-type"), "application/json");
}

TEST(Client, HeadHasNoBodyAndAnEmptyPostHasALength) {
  const auto listener = start(echo);
  Client client = client_of(*listener);
  const auto head = client.send({.method = "HEAD"});
  ASSERT_TRUE(head.ok()) << head.error().message;
  EXPECT_EQ(head->body, "");
  const auto post = client.send({.method = "POST"});
  ASSERT_TRUE(post.ok()) << post.error().message;
  EXPECT_EQ(post->status, 201);
}

TEST(Client, TheConnectionIsKept) {
  const auto listener = start(echo);
  Client client = client_of(*listener);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(client.send({}).ok());
  EXPECT_EQ(listener->metrics().connections_accepted, 1U);
}

TEST(Client, AKeptConnectionThatWasClosedIsOpenedAgain) {
  ListenerOptions options;
  auto first = start(echo);
  options.port = first->port();
  Client client = client_of(*first);
  ASSERT_TRUE(client.send({}).ok());
  first.reset();
  const auto second = start(echo, options);
  const auto answer = client.send({.method = "POST", .target = "/again", .body = "b"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->body, "POST /again b");
  EXPECT_EQ(second->metrics().answers_by_class[2], 1U);
}

TEST(Client, NobodyThereIsUnavailable) {
  auto listener = start(echo);
  Client client = client_of(*listener);
  listener.reset();
  const auto answer = client.send({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_NE(answer.error().message.find("hint: "), std::string::npos);
}

TEST(Client, AnAnswerThatTakesTooLongIsUnavailableAndNotAskedForTwice) {
  std::atomic<int> seen{0};
  std::vector<Responder> held;
  const auto listener = start(
      [&](const Request&, Responder responder) {
        ++seen;
        held.push_back(std::move(responder));
      },
      {.threads = 1});
  Client client = client_of(*listener, "", {.read_time = std::chrono::milliseconds(50)});
  const auto answer = client.send({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_EQ(seen, 1);
  listener->stop(std::chrono::milliseconds(0));
}

TEST(Client, AnAnswerThatIsTooLargeIsAnError) {
  const auto listener =
      start([](const Request&, Responder responder) { responder({.status = 200, .body = std::string(1000, 'x')}); });
  Client client = client_of(*listener, "", {.body_bytes = 999});
  const auto answer = client.send({});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::io_error);
}

TEST(Client, ARefusalOfALargeBodyComesBackAsAnAnswer) {
  const auto listener = start(echo);
  Client client = client_of(*listener);
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.send({.method = "POST", .body = std::string(20U << 20, 'x')});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->status, 413);
  }
}

TEST(Client, WhatWouldBreakARequestIsNotSent) {
  const auto listener = start(echo);
  Client client = client_of(*listener);
  for (const ClientRequest& request :
       {ClientRequest{.method = "GET /x HTTP/1.1\r\n"}, ClientRequest{.target = "x"},
        ClientRequest{.target = "/ HTTP/1.1\r\nX: 1"}, ClientRequest{.target = "/\xC3\xA9"},
        ClientRequest{.headers = {{"X: 1\r\nY", "2"}}}}) {
    const auto answer = client.send(request);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, ErrorCode::invalid_input);
  }
  EXPECT_EQ(listener->metrics().connections_accepted, 0U);
}

}  // namespace
}  // namespace granary::http
