// What the listener's limits do to callers that send too much, too slowly, or stop half-way.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>

#include "shared/http/listener.h"
#include "tests/unit/http/raw_connection.h"

namespace granary::http {
namespace {

constexpr std::chrono::milliseconds kShort{50};

class ListenerLimits : public ::testing::Test {
 protected:
  std::unique_ptr<Listener> start(const Limits& limits) {
    auto listener = Listener::start({.limits = limits}, [this](const Request& request, Responder responder) {
      ++seen_;
      responder({.status = 200, .body = request.path == "/large" ? std::string(64U << 20, 'x') : "ok"});
    });
    if (!listener.ok()) throw std::runtime_error(listener.error().message);
    return std::move(*listener);
  }

  static std::string get(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + fields + "\r\n";
  }

  static std::string post_head(std::size_t length) {
    return "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  }

  static std::string ask(const Listener& listener, const std::string& bytes) {
    RawConnection connection(listener.port());
    connection.send(bytes);
    return connection.read_to_end();
  }

  std::atomic<int> seen_{0};
};

TEST_F(ListenerLimits, AHeadThatIsTooLargeIsRefused) {
  const auto listener = start({});
  EXPECT_TRUE(ask(*listener, get("/a", "X: " + std::string(8000, 'x') + "\r\n")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(*listener, get("/a", "X: " + std::string(8200, 'x') + "\r\n")).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(ask(*listener, get("/a", "X: " + std::string(1'000'000, 'x'))).starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(seen_, 1);
}

TEST_F(ListenerLimits, TooManyFieldsAreRefused) {
  const auto listener = start({.header_count = 5});
  EXPECT_TRUE(ask(*listener, get("/a", "X: 1\r\nX: 2\r\nX: 3\r\n")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(*listener, get("/a", "X: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\n")).starts_with("HTTP/1.1 431 "));
}

TEST_F(ListenerLimits, ALongTargetIsRefused) {
  const auto listener = start({.target_bytes = 10});
  EXPECT_TRUE(ask(*listener, get("/123456789")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask(*listener, get("/1234567890")).starts_with("HTTP/1.1 414 "));
}

TEST_F(ListenerLimits, ABodyThatIsTooLargeIsRefusedUnread) {
  const auto listener = start({.linger_time = std::chrono::milliseconds(30'000)});
  EXPECT_TRUE(ask(*listener, post_head(1U << 20) + std::string(1U << 20, 'x')).starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(listener->metrics().body_bytes_read, 1U << 20);
  EXPECT_TRUE(ask(*listener, post_head((1U << 20) + 1)).starts_with("HTTP/1.1 413 "));
  // All of it is sent before the answer is read: the answer survives.
  RawConnection connection(listener->port());
  EXPECT_TRUE(connection.send(post_head(10U << 20) + std::string(10U << 20, 'x')));
  EXPECT_TRUE(connection.read_to_end().starts_with("HTTP/1.1 413 "));
  EXPECT_FALSE(connection.was_reset());
  EXPECT_EQ(listener->metrics().body_bytes_read, 1U << 20);
  EXPECT_EQ(seen_, 1);
}

TEST_F(ListenerLimits, ALargeBodyThatWaitsForContinueIsRefusedWithoutIt) {
  const auto listener = start({});
  const std::string answer =
      ask(*listener, "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

TEST_F(ListenerLimits, ASlowHeadEndsTheConnection) {
  const auto listener = start({.header_time = kShort});
  EXPECT_EQ(ask(*listener, ""), "");
  EXPECT_EQ(ask(*listener, "GET /a HTTP/1.1\r\nHo"), "");
  EXPECT_EQ(seen_, 0);
}

TEST_F(ListenerLimits, ASlowSecondHeadEndsTheConnection) {
  const auto listener = start({.header_time = kShort});
  RawConnection connection(listener->port());
  connection.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b");
  EXPECT_EQ(count_of(connection.read_to_end(), "HTTP/1.1 "), 1U);
}

TEST_F(ListenerLimits, ASlowBodyEndsTheConnection) {
  const auto listener = start({.body_time = kShort});
  EXPECT_EQ(ask(*listener, post_head(10) + "abc"), "");
  EXPECT_EQ(seen_, 0);
}

TEST_F(ListenerLimits, AnIdleConnectionEnds) {
  const auto listener = start({.idle_time = kShort});
  EXPECT_EQ(count_of(ask(*listener, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 200 OK"), 1U);
}

TEST_F(ListenerLimits, ACallerThatDoesNotReadItsAnswerIsCutOff) {
  const auto listener = start({.write_time = kShort});
  RawConnection connection(listener->port());
  connection.send(get("/large"));
  // Not reading: the listener gives up and forgets the connection, so that stopping has nothing to wait for.
  while (listener->metrics().answers_by_class[2] == 0) std::this_thread::yield();
  listener->stop(std::chrono::milliseconds(30'000));
  EXPECT_LT(connection.read_to_end().size(), 64U << 20);
}

TEST_F(ListenerLimits, HalfARequestReachesNobody) {
  const auto listener = start({});
  for (const std::string& bytes : {std::string("GET /a HT"), post_head(10) + "abc"}) {
    RawConnection connection(listener->port());
    connection.send(bytes);
    connection.end_sending();
    EXPECT_EQ(connection.read_to_end(), "");
  }
  EXPECT_EQ(seen_, 0);
}

TEST_F(ListenerLimits, ConnectionsOverTheLimitAreToldSo) {
  const auto listener = start({.connections = 2});
  RawConnection first(listener->port());
  RawConnection second(listener->port());
  const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  first.send(request);
  second.send(request);
  EXPECT_TRUE(first.read_until("ok").ends_with("ok"));
  EXPECT_TRUE(second.read_until("ok").ends_with("ok"));
  const std::string answer = ask(*listener, request);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_EQ(count_of(answer, "\r\nRetry-After: 1\r\n"), 1U) << answer;
  EXPECT_EQ(listener->metrics().connections_refused, 1U);
  first.send(request);  // the others go on
  EXPECT_TRUE(first.read_until("ok").ends_with("ok"));
}

}  // namespace
}  // namespace granary::http
