// The asynchronous client against the listener, against nobody, and against servers that are silent.
#include "shared/http/async_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "shared/http/listener.h"

namespace granary::http {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<Listener> start(Handler handler, ListenerOptions options = {}) {
  auto listener = Listener::start(std::move(options), std::move(handler));
  if (!listener.ok()) throw std::runtime_error(listener.error().message);
  return std::move(*listener);
}

std::string url_of(const Listener& listener, const std::string& host = "127.0.0.1") {
  return "http://" + host + ":" + std::to_string(listener.port());
}

void echo(const Request& request, Responder responder) {
  responder({.status = 201, .content_type = "text/plain", .body = request.method + ' ' + request.path + request.body});
}

Result<Response> ask(AsyncClient& client, const std::string& url, ClientRequest request) {
  std::promise<Result<Response>> answer;
  client.send(url, std::move(request), [&answer](Result<Response> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

// Takes requests and answers them when it is told to.
class Silent {
 public:
  explicit Silent(ListenerOptions options = {}) {
    listener_ = start(
        [this](const Request&, Responder responder) {
          const std::lock_guard lock(mutex_);
          held_.push_back(std::move(responder));
        },
        std::move(options));
  }
  ~Silent() { listener_->stop(milliseconds(0)); }
  [[nodiscard]] std::string url() const { return url_of(*listener_); }
  [[nodiscard]] const ListenerMetrics& metrics() const { return listener_->metrics(); }
  void wait_for(std::size_t requests) {
    while (true) {
      const std::lock_guard lock(mutex_);
      if (held_.size() >= requests) return;
    }
  }
  void answer_all() {
    std::vector<Responder> held;
    {
      const std::lock_guard lock(mutex_);
      held.swap(held_);
    }
    for (Responder& responder : held) responder({.status = 200});
  }

 private:
  std::mutex mutex_;
  std::vector<Responder> held_;
  std::unique_ptr<Listener> listener_;
};

TEST(AsyncClient, RequestsComeBackAnsweredOverOneConnection) {
  const auto listener = start(echo);
  Loop loop;
  AsyncClient client(loop);
  for (const std::string body : {"", "{}", "again"}) {
    const auto answer = ask(client, url_of(*listener) + "/base", {.method = "POST", .target = "/x", .body = body});
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->content_type, "text/plain");
    EXPECT_EQ(answer->body, "POST /base/x" + body);
  }
  EXPECT_EQ(ask(client, url_of(*listener) + "/base", {.method = "HEAD"})->body, "");
  EXPECT_EQ(listener->metrics().connections_accepted, 1U);
}

TEST(AsyncClient, AHostMayBeAName) {
  const auto listener = start(echo);
  Loop loop;
  AsyncClient client(loop);
  const auto answer = ask(client, url_of(*listener, "localhost"), {});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->body, "GET /");
}

TEST(AsyncClient, ManyAtATimeShareTheConnectionsThatOneUrlMayHave) {
  Silent server;
  Loop loop;
  AsyncClient client(loop, {.connections_per_url_max = 3});
  std::atomic<int> answered = 0;
  for (int i = 0; i < 10; ++i)
    client.send(server.url(), {}, [&answered](const Result<Response>& result) { answered += result.ok() ? 1 : 1000; });
  while (answered < 10) {
    server.answer_all();
    std::this_thread::yield();
  }
  EXPECT_EQ(answered, 10);
  EXPECT_EQ(server.metrics().connections_accepted, 3U);
}

TEST(AsyncClient, MoreThanItsLimitOfRequestsAreRefusedByName) {
  Silent server;
  Loop loop;
  AsyncClient client(loop, {.connections_per_url_max = 1, .requests_max = 2});
  std::atomic<int> answered = 0;
  const auto count = [&answered](const Result<Response>& result) { answered += result.ok() ? 1 : 1000; };
  client.send(server.url(), {}, count);
  client.send(server.url(), {}, count);
  const auto third = ask(client, server.url(), {});
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, ErrorCode::unavailable);
  EXPECT_NE(third.error().message.find("2 are under way already; hint: "), std::string::npos);
  while (answered < 2) {
    server.answer_all();
    std::this_thread::yield();
  }
  EXPECT_EQ(answered, 2);
  std::thread answers([&server] {
    server.wait_for(1);
    server.answer_all();
  });
  EXPECT_TRUE(ask(client, server.url(), {}).ok());
  answers.join();
}

TEST(AsyncClient, AKeptConnectionThatWasClosedIsOpenedAgain) {
  ListenerOptions options;
  auto first = start(echo);
  options.port = first->port();
  Loop loop;
  AsyncClient client(loop);
  ASSERT_TRUE(ask(client, url_of(*first), {}).ok());
  first.reset();
  const auto second = start(echo, options);
  const auto answer = ask(client, url_of(*second), {.method = "POST", .target = "/again", .body = "b"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->body, "POST /againb");
  EXPECT_EQ(second->metrics().answers_by_class[2], 1U);
}

TEST(AsyncClient, AKeptConnectionIsClosedAfterItsTime) {
  const auto listener = start(echo);
  Loop loop;
  AsyncClient client(loop, {.idle_time = milliseconds(1)});
  ASSERT_TRUE(ask(client, url_of(*listener), {}).ok());
  while (listener->metrics().connections_open > 0) std::this_thread::yield();
  EXPECT_TRUE(ask(client, url_of(*listener), {}).ok());
}

TEST(AsyncClient, NobodyThereIsUnavailable) {
  auto listener = start(echo);
  const std::string url = url_of(*listener);
  listener.reset();
  Loop loop;
  AsyncClient client(loop);
  const auto answer = ask(client, url, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST(AsyncClient, AnAnswerThatTakesTooLongOrIsTooLargeIsAnError) {
  Silent server;
  const auto large =
      start([](const Request&, Responder responder) { responder({.status = 200, .body = std::string(1000, 'x')}); });
  Loop loop;
  AsyncClient client(loop, {.limits = {.read_time = milliseconds(50), .body_bytes = 999}});
  EXPECT_EQ(ask(client, server.url(), {}).error().code, ErrorCode::unavailable);
  EXPECT_EQ(server.metrics().connections_accepted, 1U);
  EXPECT_EQ(ask(client, url_of(*large), {}).error().code, ErrorCode::io_error);
}

TEST(AsyncClient, WhatCannotBeSentIsNotSent) {
  Loop loop;
  AsyncClient client(loop);
  EXPECT_EQ(ask(client, "ftp://x", {}).error().code, ErrorCode::invalid_input);
  EXPECT_EQ(ask(client, "http://127.0.0.1:1", {.target = "x"}).error().code, ErrorCode::invalid_input);
}

TEST(AsyncClient, ARequestThatNobodyWantsAnyMoreIsDropped) {
  Silent server;
  Loop loop;
  AsyncClient client(loop, {.connections_per_url_max = 1});
  std::promise<void> first, last;
  client.send(server.url(), {}, [&first](const Result<Response>&) { first.set_value(); });
  server.wait_for(1);
  auto wanted = std::make_shared<int>();
  const auto held = std::make_shared<int>();
  for (int i = 0; i < 100; ++i) client.send(server.url(), {}, wanted, [held](const Result<Response>&) { FAIL(); });
  wanted.reset();
  client.send(server.url(), {}, [&last](const Result<Response>&) { last.set_value(); });
  server.answer_all();
  first.get_future().wait();
  server.wait_for(1);
  server.answer_all();
  last.get_future().wait();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(server.metrics().answers_by_class[2], 2U);
}

TEST(AsyncClient, StopsAtOnceWhileAServerIsSilentAndCallsNothingAfter) {
  Silent server;
  const auto held = std::make_shared<int>();
  for (const bool loop_ends_first : {false, true}) {
    Loop loop;
    std::chrono::steady_clock::time_point began;
    {
      AsyncClient client(loop, {.connections_per_url_max = 2});
      for (int i = 0; i < 10; ++i) client.send(server.url(), {}, [held](const Result<Response>&) { FAIL(); });
      server.wait_for(2);
      began = std::chrono::steady_clock::now();
      if (loop_ends_first) loop.stop();
      client.stop();
      client.send(server.url(), {}, [held](const Result<Response>&) { FAIL(); });
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(1000));
    if (!loop_ends_first) {
      std::promise<void> later;
      loop.call_after(0, [&later] { later.set_value(); });
      later.get_future().wait();
    }
    EXPECT_EQ(held.use_count(), 1);
    server.answer_all();
  }
}

}  // namespace
}  // namespace granary::http
