// What the listener does with well-formed requests: order, keep-alive, Expect, HEAD, late and missing answers,
// stopping.
#include "shared/http/listener.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "shared/http/problem.h"
#include "tests/unit/http/raw_connection.h"

namespace granary::http {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

class FixedClock : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ms() const override { return 784'111'777'000; }
  [[nodiscard]] std::int64_t monotonic_ms() const override { return 0; }
};

std::unique_ptr<Listener> start(Handler handler, ListenerOptions options = {}) {
  auto listener = Listener::start(std::move(options), std::move(handler));
  if (!listener.ok()) throw std::runtime_error(listener.error().message);
  return std::move(*listener);
}

// Answers with "METHOD PATH BODY".
void echo(const Request& request, Responder responder) {
  responder(
      {.status = 200, .content_type = "text/plain", .body = request.method + ' ' + request.path + ' ' + request.body});
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string get_and_close(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
}

// A place where a handler leaves its responder for the test.
class Pigeonhole {
 public:
  Handler handler() {
    return [this](const Request&, Responder responder) {
      const std::lock_guard lock(mutex_);
      responder_.emplace(std::move(responder));
      has_come_.notify_all();
    };
  }
  Responder take() {
    std::unique_lock lock(mutex_);
    has_come_.wait(lock, [&] { return responder_.has_value(); });
    Responder out = std::move(*responder_);
    responder_.reset();
    return out;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_come_;
  std::optional<Responder> responder_;
};

TEST(Listener, AnAnswerHasDateLengthAndType) {
  const FixedClock clock;
  const auto listener = start(echo, {.clock = &clock});
  RawConnection connection(listener->port());
  connection.send(get_and_close("/a"));
  const std::string answer = connection.read_to_end();
  EXPECT_EQ(count_of(answer, "HTTP/1.1 200 OK\r\n"), 1U);
  EXPECT_EQ(count_of(answer, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 1U) << answer;
  EXPECT_EQ(count_of(answer, "\r\nContent-Type: text/plain\r\n"), 1U);
  EXPECT_EQ(count_of(answer, "\r\nContent-Length: 7\r\n"), 1U);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nGET /a "));
}

TEST(Listener, AConnectionServesManyRequests) {
  const auto listener = start(echo);
  RawConnection connection(listener->port());
  for (int i = 0; i < 50; ++i) {
    const std::string path = "/" + std::to_string(i);
    ASSERT_TRUE(connection.send(get(path)));
    EXPECT_TRUE(connection.read_until("GET " + path + " ").ends_with("GET " + path + " "));
  }
  EXPECT_EQ(listener->metrics().connections_accepted, 1U);
  EXPECT_EQ(listener->metrics().answers_by_class[2], 50U);
}

TEST(Listener, PipelinedRequestsAreAnsweredInOrder) {
  // Each is answered on a thread of its own: only the order of asking can keep them apart.
  std::mutex mutex;
  std::vector<std::thread> threads;
  const auto listener = start([&](const Request& request, Responder responder) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([request, held = std::move(responder)]() mutable { echo(request, std::move(held)); });
  });
  RawConnection connection(listener->port());
  std::string all;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    all += "POST /" + n + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(n.size()) + "\r\n\r\n" + n;
    expected += "POST /" + n + ' ' + n + ';';
  }
  connection.send(all + get_and_close("/end"));
  const std::string answer = connection.read_to_end();
  std::string got;
  for (std::size_t at = answer.find("POST /"); at != std::string::npos; at = answer.find("POST /", at + 1)) {
    got += answer.substr(at, answer.find("HTTP/1.1", at) - at) + ';';
  }
  EXPECT_EQ(got, expected);
  for (std::thread& thread : threads) thread.join();
}

TEST(Listener, ExpectContinueIsAnsweredBeforeTheBody) {
  const auto listener = start(echo);
  RawConnection connection(listener->port());
  connection.send("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send("abc");
  EXPECT_TRUE(connection.read_until("POST /a abc").starts_with("HTTP/1.1 200 OK"));
}

TEST(Listener, ExpectContinueWithTheBodyAtHandNeedsNoInterimAnswer) {
  const auto listener = start(echo);
  RawConnection connection(listener->port());
  connection.send(
      "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_TRUE(connection.read_to_end().starts_with("HTTP/1.1 200 OK"));
}

TEST(Listener, HeadHasTheLengthButNoBody) {
  const auto listener = start(echo);
  RawConnection connection(listener->port());
  connection.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get_and_close("/b"));
  const std::string answer = connection.read_to_end();
  EXPECT_EQ(count_of(answer, "\r\nContent-Length: 8\r\n"), 1U) << answer;
  EXPECT_EQ(count_of(answer, "HEAD /a"), 0U) << answer;
  EXPECT_EQ(count_of(answer, "\r\n\r\nHTTP/1.1 200 OK"), 1U) << answer;
}

// Found by fuzzing: the refusal promised a length and sent nothing, as if it answered HEAD too.
TEST(Listener, WhatIsRefusedAfterHeadIsAnsweredWithItsBody) {
  const auto listener = start(echo);
  RawConnection connection(listener->port());
  connection.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nbroken\r\n\r\n");
  const std::string answer = connection.read_to_end();
  EXPECT_EQ(count_of(answer, "HTTP/1.1 400 "), 1U) << answer;
  EXPECT_TRUE(answer.ends_with("\"status\":400}")) << answer;
}

TEST(Listener, NoContentHasNoLength) {
  const auto listener = start([](const Request&, Responder responder) { responder({.status = 204}); });
  RawConnection connection(listener->port());
  connection.send(get_and_close("/a"));
  const std::string answer = connection.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204 ")) << answer;
  EXPECT_EQ(count_of(answer, "Content-Length"), 0U) << answer;
}

TEST(Listener, ADroppedResponderAnswers500) {
  const auto listener = start([](const Request&, const Responder&) {});
  RawConnection connection(listener->port());
  connection.send(get("/a"));
  const std::string answer = connection.read_until("}");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_EQ(count_of(answer, "urn:granary:problem:no_answer"), 1U);
}

TEST(Listener, AHandlerThatThrowsAnswers500) {
  const auto listener = start([](const Request&, const Responder&) { throw std::runtime_error("no"); });
  RawConnection connection(listener->port());
  connection.send(get("/a"));
  EXPECT_TRUE(connection.read_until("}").starts_with("HTTP/1.1 500 "));
}

TEST(Listener, AnAnswerMayComeLaterFromAnotherThread) {
  Pigeonhole pigeonhole;
  const auto listener = start(pigeonhole.handler());
  RawConnection connection(listener->port());
  connection.send(get_and_close("/a"));
  Responder responder = pigeonhole.take();
  EXPECT_EQ(listener->metrics().requests_in_flight, 1);
  std::thread thread([held = std::move(responder)]() mutable { held({.status = 202, .body = "late"}); });
  EXPECT_TRUE(connection.read_to_end().ends_with("\r\n\r\nlate"));
  EXPECT_EQ(listener->metrics().requests_in_flight, 0);
  thread.join();
}

TEST(Listener, OutgoingFieldsCannotAddLines) {
  const auto listener = start([](const Request&, Responder responder) {
    Response response{.status = 200, .content_type = "a/b\r\nX-Type: 1", .body = "ok"};
    response.headers = {{"X-Note", std::string("a\r\nX-Evil: 1\0z", 14)},
                        {"X-Bad\r\nX-Evil", "2"},
                        {"Content-Length", "99"},
                        {"Transfer-Encoding", "chunked"},
                        {"Connection", "keep-alive"}};
    responder(std::move(response));
  });
  RawConnection connection(listener->port());
  connection.send(get_and_close("/a"));
  const std::string answer = connection.read_to_end();
  EXPECT_EQ(count_of(answer, "\r\nX-Note: a  X-Evil: 1 z\r\n"), 1U) << answer;
  EXPECT_EQ(count_of(answer, "\r\nX-Evil"), 0U) << answer;
  EXPECT_EQ(count_of(answer, "\r\nX-Type"), 0U) << answer;
  EXPECT_EQ(count_of(answer, "\r\nContent-Length: 2\r\n"), 1U) << answer;
  EXPECT_EQ(count_of(answer, "Transfer-Encoding"), 0U) << answer;
  EXPECT_EQ(count_of(answer, "keep-alive"), 0U) << answer;
}

TEST(Listener, WithoutAnAuthenticatorEveryCallerIsOpen) {
  const auto listener = start([](const Request& request, Responder responder) {
    const bool has_peer = request.peer.starts_with("127.0.0.1:");
    const bool is_open = request.caller.kind == CallerKind::open && request.caller.id.empty();
    responder({.status = 200, .body = std::string(is_open ? "open" : "known") + (has_peer ? " here" : " elsewhere")});
  });
  RawConnection connection(listener->port());
  connection.send(get_and_close("/a"));
  EXPECT_TRUE(connection.read_to_end().ends_with("open here"));
}

TEST(Listener, TheAuthenticatorDecidesBeforeTheBodyIsRead) {
  ListenerOptions options;
  options.authenticator = [](Request& head) -> std::optional<Response> {
    if (header(head, "authorization") != "Bearer good") return Response{.status = 401};
    head.caller = {CallerKind::token, "someone"};
    return std::nullopt;
  };
  const auto listener =
      start([](const Request& request, Responder responder) { responder({.status = 200, .body = request.caller.id}); },
            options);
  RawConnection bad(listener->port());
  bad.send("POST /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer bad\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_TRUE(bad.read_until("\r\n\r\n").starts_with("HTTP/1.1 401 "));  // though no byte of the body has come
  RawConnection good(listener->port());
  good.send("GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer good\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(good.read_to_end().ends_with("someone"));
}

// The log keeps what the authenticator says for ever.
TEST(Listener, ACallerThatNoAuthenticatorMaySayAnswers500BeforeTheBodyIsRead) {
  const std::vector<Caller> wrong = {{CallerKind::token, std::string(65, 'x')},
                                     {CallerKind::token, ""},
                                     {CallerKind::oidc, "a\nb"},
                                     {CallerKind::oidc, std::string("a\0b", 3)},
                                     {CallerKind::oidc, "ada@aurora.example"},
                                     {CallerKind::mtls, "\xFF"},
                                     {CallerKind::open, "\x7F"},
                                     {static_cast<CallerKind>(9), "x"}};
  const std::vector<Caller> good = {{CallerKind::token, std::string(64, 'x')},
                                    {CallerKind::oidc, "s-ä"},
                                    {CallerKind::open, ""},
                                    {CallerKind::open, "desk"}};
  ListenerOptions options;
  options.authenticator = [&](Request& head) -> std::optional<Response> {
    const auto number = static_cast<std::size_t>(std::stoi(std::string(header(head, "number").value_or("0"))));
    head.caller = number < wrong.size() ? wrong[number] : good[number - wrong.size()];
    return std::nullopt;
  };
  std::atomic<int> handled = 0;
  const auto listener = start(
      [&handled](const Request&, Responder responder) {
        ++handled;
        responder({.status = 200});
      },
      options);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    RawConnection connection(listener->port());
    connection.send("POST /a HTTP/1.1\r\nHost: h\r\nNumber: " + std::to_string(i) + "\r\nContent-Length: 1000\r\n\r\n");
    const std::string answer = connection.read_until("}");
    ASSERT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << i << ": " << answer;
    EXPECT_NE(answer.find("urn:granary:problem:caller_malformed"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("aurora"), std::string::npos) << "it tells nobody who was meant";
  }
  EXPECT_EQ(handled, 0);
  for (std::size_t i = 0; i < good.size(); ++i) {
    RawConnection connection(listener->port());
    connection.send("GET /a HTTP/1.1\r\nHost: h\r\nNumber: " + std::to_string(wrong.size() + i) +
                    "\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(connection.read_to_end().starts_with("HTTP/1.1 200 ")) << good[i].id;
  }
  EXPECT_EQ(handled, static_cast<int>(good.size()));
}

TEST(Listener, StopLetsARequestInFlightFinish) {
  Pigeonhole pigeonhole;
  const auto listener = start(pigeonhole.handler());
  RawConnection idle(listener->port());
  RawConnection connection(listener->port());
  connection.send(get("/a"));
  Responder responder = pigeonhole.take();
  std::thread stopping([&] { listener->stop(kLong); });
  EXPECT_EQ(idle.read_to_end(), "");  // so stopping has begun
  responder({.status = 200, .body = "done"});
  const std::string answer = connection.read_to_end();
  EXPECT_TRUE(answer.ends_with("\r\n\r\ndone")) << answer;
  EXPECT_EQ(count_of(answer, "Connection: close"), 1U) << answer;
  connection.end_sending();
  stopping.join();
  EXPECT_FALSE(RawConnection(listener->port()).is_connected());
  EXPECT_EQ(listener->metrics().connections_open, 0);
}

TEST(Listener, StopDoesNotWaitBeyondItsGrace) {
  Pigeonhole pigeonhole;
  auto listener = start(pigeonhole.handler());
  RawConnection connection(listener->port());
  connection.send(get("/a"));
  Responder responder = pigeonhole.take();
  listener->stop(std::chrono::milliseconds(0));
  EXPECT_EQ(connection.read_to_end(), "");
  EXPECT_EQ(listener->metrics().requests_in_flight, 0);
  listener.reset();
  responder({.status = 200, .body = "too late"});  // goes nowhere
}

TEST(Listener, ATakenPortIsAConflict) {
  const auto listener = start(echo);
  const auto second = Listener::start({.port = listener->port()}, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  EXPECT_NE(second.error().message.find("hint: "), std::string::npos);
}

TEST(Listener, ANameIsNoAddress) {
  const auto listener = Listener::start({.address = "localhost"}, echo);
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace granary::http
