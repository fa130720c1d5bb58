// Answers whose body is made while it is sent: framing, pace, both ends' leaving, limits.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "shared/http/listener.h"
#include "tests/unit/http/raw_connection.h"

namespace granary::http {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

// A body of pieces that a test gives one by one, on its own thread.
class Given final : public StreamedBody {
 public:
  // What the test and the body share; the body may go first.
  struct Ends {
    std::mutex mutex;
    std::condition_variable has_changed;
    Take take;  // set: a piece is asked for
    int asked = 0;
    bool is_gone = false;
    bool is_to_end = false;

    template <typename Condition>
    void wait(Condition condition) {
      std::unique_lock lock(mutex);
      ASSERT_TRUE(has_changed.wait_for(lock, kLong, condition));
    }
    void give(std::string piece) { give(Result<std::string>(std::move(piece))); }
    void give(Error error) { give(Result<std::string>(std::move(error))); }
    void give(Result<std::string> piece) {
      wait([this] { return static_cast<bool>(take); });
      Take taking;
      {
        const std::lock_guard lock(mutex);
        taking = std::exchange(take, nullptr);
      }
      taking(std::move(piece));
    }
  };

  explicit Given(std::shared_ptr<Ends> ends) : ends_(std::move(ends)) {}
  ~Given() override {
    change([](Ends& ends) { ends.is_gone = true; });
  }
  void next(Take take) override {
    change([&](Ends& ends) {
      ends.take = std::move(take);
      ++ends.asked;
    });
  }
  void end_soon() override {
    change([](Ends& ends) { ends.is_to_end = true; });
  }

 private:
  template <typename Change>
  void change(Change change_it) {
    const std::lock_guard lock(ends_->mutex);
    change_it(*ends_);
    ends_->has_changed.notify_all();
  }
  std::shared_ptr<Ends> ends_;
};

// Serves a body that the test gives, at any path.
struct Server {
  explicit Server(ListenerOptions options = {}) {
    auto started = Listener::start(std::move(options), [ends = body](const Request&, Responder responder) {
      responder({.content_type = "text/plain", .streamed = std::make_shared<Given>(ends)});
    });
    if (!started.ok()) throw std::runtime_error(started.error().message);
    listener = std::move(*started);
  }
  std::shared_ptr<Given::Ends> body = std::make_shared<Given::Ends>();
  std::unique_ptr<Listener> listener;
};

std::string get(const std::string& method = "GET", const std::string& version = "1.1") {
  return method + " / HTTP/" + version + "\r\nHost: h\r\n\r\n";
}

Error broken() {
  return {ErrorCode::io_error, "expected to read on, could not"};
}

TEST(StreamedBody, ItsPiecesAreChunksAndTheConnectionEndsWithIt) {
  const Server server;
  RawConnection connection(server.listener->port());
  connection.send(get());
  const std::string head = connection.read_until("\r\n\r\n");
  EXPECT_EQ(count_of(head, "\r\nTransfer-Encoding: chunked\r\n"), 1U) << head;
  EXPECT_EQ(count_of(head, "\r\nConnection: close\r\n"), 1U) << head;
  EXPECT_EQ(count_of(head, "Content-Length"), 0U) << head;
  server.body->give("one");
  EXPECT_EQ(connection.read_until("one\r\n"), "3\r\none\r\n");
  server.body->give("and another one");
  EXPECT_EQ(connection.read_until("one\r\n"), "f\r\nand another one\r\n");
  server.body->give("");
  EXPECT_EQ(connection.read_to_end(), "0\r\n\r\n");
  server.body->wait([&] { return server.body->is_gone; });
  EXPECT_EQ(server.body->asked, 3);
  EXPECT_EQ(server.listener->metrics().streams_open, 0);
}

TEST(StreamedBody, BeforeHttp11ItGoesUpToTheClose) {
  const Server server;
  RawConnection connection(server.listener->port());
  connection.send(get("GET", "1.0"));
  EXPECT_EQ(count_of(connection.read_until("\r\n\r\n"), "chunked"), 0U);
  server.body->give("one");
  server.body->give("two");
  server.body->give("");
  EXPECT_EQ(connection.read_to_end(), "onetwo");
}

TEST(StreamedBody, HeadAsksForNoPieceAndKeepsItsConnection) {
  const Server server;
  RawConnection connection(server.listener->port());
  for (int i = 0; i < 2; ++i) {
    connection.send(get("HEAD"));
    const std::string head = connection.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
    EXPECT_EQ(count_of(head, "Content-Length"), 0U) << head;
  }
  EXPECT_EQ(server.body->asked, 0);
  EXPECT_EQ(server.listener->metrics().connections_accepted, 1U);
}

TEST(StreamedBody, OneThatBreaksOffIsNotTakenForWhole) {
  const Server server;
  RawConnection connection(server.listener->port());
  connection.send(get());
  server.body->give("one");
  server.body->give(broken());
  EXPECT_TRUE(connection.read_to_end().ends_with("\r\n\r\n3\r\none\r\n"));
}

TEST(StreamedBody, APieceIsAskedForOnceTheOneBeforeIsWritten) {
  // As much as the systems between both ends hold, and one piece: whatever the body's length.
  constexpr std::size_t kPieceBytes = 64U << 10;
  constexpr int kPieces = 2048;
  constexpr std::size_t kBetweenMax = 16U << 20;
  class Counted final : public StreamedBody {
   public:
    explicit Counted(std::atomic<int>& made) : made_(made) {}
    void next(Take take) override {
      if (made_ == kPieces) return take(std::string());
      take(std::string(kPieceBytes, static_cast<char>('a' + made_++ % 26)));
    }

   private:
    std::atomic<int>& made_;
  };
  std::atomic<int> made = 0;
  auto listener = Listener::start(
      {}, [&made](const Request&, Responder responder) { responder({.streamed = std::make_shared<Counted>(made)}); });
  ASSERT_TRUE(listener.ok());
  RawConnection connection((*listener)->port());
  connection.send(get("GET", "1.0"));
  connection.read_until("\r\n\r\n");
  for (int piece = 0; piece < kPieces; ++piece) {
    const std::string got = connection.read_bytes(kPieceBytes);
    ASSERT_EQ(got, std::string(kPieceBytes, static_cast<char>('a' + piece % 26)));
    ASSERT_LE(static_cast<std::size_t>(made - piece) * kPieceBytes, kBetweenMax);
  }
  EXPECT_EQ(connection.read_to_end(), "");
}

TEST(StreamedBody, AReaderThatHasGoneEndsIt) {
  const Server server;
  {
    RawConnection connection(server.listener->port());
    connection.send(get());
    connection.read_until("\r\n\r\n");
    server.body->wait([&] { return server.body->asked == 1; });
  }
  server.body->wait([&] { return server.body->is_gone; });
  server.body->give("a piece that comes late goes nowhere");
  EXPECT_EQ(server.listener->metrics().streams_open, 0);
}

TEST(StreamedBody, AReaderThatDoesNotReadEndsIt) {
  ListenerOptions options;
  options.limits.write_time = std::chrono::milliseconds(50);
  const Server server(std::move(options));
  RawConnection silent(server.listener->port());
  silent.send(get());
  server.body->give(std::string(64U << 20, 'x'));
  server.body->wait([&] { return server.body->is_gone; });
}

TEST(StreamedBody, AReaderThatSendsMuchMeanwhileEndsIt) {
  ListenerOptions options;
  options.limits.header_bytes = 1024;
  const Server server(std::move(options));
  RawConnection connection(server.listener->port());
  connection.send(get());
  server.body->give("one");
  connection.read_until("one");
  connection.send(std::string(4096, 'x'));
  server.body->wait([&] { return server.body->is_gone; });
}

TEST(StreamedBody, AListenerThatStopsAsksItToEnd) {
  const Server server;
  std::optional<RawConnection> connection(std::in_place, server.listener->port());
  connection->send(get());
  server.body->give("one");
  std::thread stopping([&] { server.listener->stop(kLong); });
  server.body->wait([&] { return server.body->is_to_end; });
  server.body->give("the last");
  server.body->give("");
  EXPECT_TRUE(connection->read_to_end().ends_with("8\r\nthe last\r\n0\r\n\r\n"));
  connection.reset();  // the listener waits a little for a caller that still sends
  stopping.join();
}

TEST(StreamedBody, AListenerThatStopsWaitsForNoneAboveItsGrace) {
  const Server server;
  RawConnection connection(server.listener->port());
  connection.send(get());
  server.body->give("one");
  connection.read_until("one\r\n");
  server.listener->stop(std::chrono::milliseconds(0));
  EXPECT_TRUE(server.body->is_gone);
  EXPECT_EQ(connection.read_to_end(), "");
  server.body->give("a piece that comes late goes nowhere");
}

TEST(StreamedBody, NotMoreOfThemThanTheLimitAreSent) {
  ListenerOptions options;
  options.limits.streams = 1;
  const Server server(std::move(options));
  RawConnection first(server.listener->port());
  first.send(get());
  first.read_until("\r\n\r\n");
  RawConnection second(server.listener->port());
  second.send(get());
  const std::string refused = second.read_until("}");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_EQ(count_of(refused, "urn:granary:problem:too_many_streams"), 1U) << refused;
  EXPECT_EQ(count_of(refused, "\r\nRetry-After: "), 1U) << refused;
  server.body->give("one");
  first.read_until("one\r\n");
  EXPECT_EQ(server.listener->metrics().streams_open, 1);
}

}  // namespace
}  // namespace granary::http
