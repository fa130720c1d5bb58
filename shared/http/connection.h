// One connection of a listener, from its acceptance to its close. For listener.cc alone; a header of Beast's, so nobody
// else includes it.
//
// Threads: all functions on the connection's strand, but the constructor and SharedByConnections::forget (any).
// Ownership: SharedByConnections holds the connections and outlives them.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "shared/http/listener.h"

namespace granary::http {

// Keeps answers that come after stop() away from connections that are no more.
struct Gate {
  std::mutex mutex;
  bool is_open = true;
};

class Connection;

// What all connections of a listener share.
struct SharedByConnections {
  ListenerOptions options;
  Handler handler;
  ListenerMetrics metrics;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::atomic<bool> is_stopping{false};
  std::mutex mutex;  // guards `connections`
  std::condition_variable has_changed;
  std::unordered_set<std::shared_ptr<Connection>> connections;

  void forget(const std::shared_ptr<Connection>& connection) {
    const std::lock_guard lock(mutex);
    if (connections.erase(connection) > 0) --metrics.connections_open;
    has_changed.notify_all();
  }
};

// One connection. All of it runs on its strand, but make_responder's callback. It reads a head, checks it, reads the
// body, waits for the answer, writes it, and starts over. An answer that streams is written piece by piece, while the
// other end's close is listened for, and ends the connection. Whatever ends it goes through close().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, SharedByConnections& shared);

  void start();

  // Over the limit of connections: says so and closes.
  void turn_away();

  // Ends it unless a request is on its way; a stream is asked to end.
  void close_if_idle();
  void close();

  boost::asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  enum class State { reading_head, reading_body, answering, writing, streaming, lingering, closed };

  [[nodiscard]] const Limits& limits() const { return shared_.options.limits; }

  void next_request();
  void read_head();
  void take_head(std::string_view text);
  void read_body();
  void dispatch();
  Responder make_responder();

  // Answers what never reaches the handler, then closes: what follows on the wire cannot be trusted.
  void refuse(Response response);

  void write(Response response, bool keeps_alive);
  // An answer that streams: its head, its pieces one by one, and its end.
  void begin_stream(std::shared_ptr<StreamedBody> body);
  void next_piece();
  void write_piece(Result<std::string> piece);
  void end_stream();
  void drop_body();
  // Reads and drops what comes meanwhile, to hear of the other end's close.
  void watch();

  // A close while the caller still sends would reset the connection and take the answer with it: so bytes that come
  // are read and dropped for a while.
  void linger();
  void discard();

  boost::beast::tcp_stream socket_;
  SharedByConnections& shared_;
  std::string peer_;
  State state_ = State::reading_head;
  boost::beast::flat_buffer buffer_;
  std::size_t scanned_ = 0;  // of the head in buffer_
  bool has_begun_ = false;   // whether the head's time runs
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  Request request_;
  bool is_head_ = false;
  bool keeps_alive_ = false;
  unsigned version_ = 11;
  boost::beast::http::response<boost::beast::http::string_body> message_;
  // Of an answer that streams:
  std::shared_ptr<StreamedBody> body_;
  std::optional<boost::beast::http::response_serializer<boost::beast::http::string_body>> head_;
  std::string piece_;        // being written
  std::size_t dropped_ = 0;  // bytes that came meanwhile
};

}  // namespace granary::http
