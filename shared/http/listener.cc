// In one file, although above 400 lines: the states of a connection hand it on to each other, and are read together.
#include "shared/http/listener.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "shared/base/thread.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// This many connections over the limit are told so; those beyond are closed without a word.
constexpr std::size_t kConnectionsToldOff = 64;
constexpr std::size_t kReadBytes = 4096;
constexpr std::chrono::milliseconds kAcceptPause{100};  // after the system ran out of descriptors

// Keeps answers that come after stop() away from connections that are no more.
struct Gate {
  std::mutex mutex;
  bool is_open = true;
};

// An HTTP date (RFC 9110 section 5.6.7).
std::string date_text(std::int64_t wall_ms) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text.data();
}

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

class Connection;

// What all connections of a listener share.
struct Shared {
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
// body, waits for the answer, writes it, and starts over. Whatever ends it goes through close().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    error_code error;
    const auto end = stream_.socket().remote_endpoint(error);
    if (!error) {
      const std::string address = end.address().to_string();
      peer_ = (end.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(end.port());
    }
    stream_.socket().set_option(tcp::no_delay(true), error);
  }

  void start() {
    stream_.expires_after(limits().header_time);
    has_begun_ = true;
    read_head();
  }

  // Over the limit of connections: says so and closes.
  void turn_away() {
    refuse(make_response({.status = 503,
                          .type = "too_many_connections",
                          .title = "There are too many connections",
                          .detail = "Expected at most " + std::to_string(limits().connections) + " connections.",
                          .hint = "try again in a second, and keep connections open between requests"}));
  }

  // Ends it unless a request is on its way.
  void close_if_idle() {
    if (state_ == State::reading_head) close();
  }

  void close() {
    if (state_ == State::closed) return;
    if (state_ == State::answering) --shared_.metrics.requests_in_flight;
    state_ = State::closed;
    stream_.close();
    shared_.forget(shared_from_this());
  }

  asio::any_io_executor executor() { return stream_.get_executor(); }

 private:
  enum class State { reading_head, reading_body, answering, writing, lingering, closed };

  [[nodiscard]] const Limits& limits() const { return shared_.options.limits; }

  void next_request() {
    state_ = State::reading_head;
    has_begun_ = false;
    scanned_ = 0;
    is_head_ = false;  // a refusal of what comes next has a body
    stream_.expires_after(limits().idle_time);
    if (shared_.is_stopping) return close();
    read_head();
  }

  void read_head() {
    const std::string_view data(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    const HeadScan scan = scan_head(data, scanned_, limits());
    switch (scan.state) {
      case HeadScan::State::complete:
        return take_head(data.substr(0, scan.bytes));
      case HeadScan::State::broken:
        return refuse(make_response({.status = 400,
                                     .type = "bad_request_line",
                                     .title = "The request is malformed",
                                     .detail = "Expected lines of text that end with CR LF, got another byte.",
                                     .hint = "speak HTTP/1.1 without TLS"}));
      case HeadScan::State::too_large:
        return refuse(
            make_response({.status = 431,
                           .type = "header_too_large",
                           .title = "The request's head is too large",
                           .detail = "Expected at most " + std::to_string(limits().header_bytes) + " bytes, got more.",
                           .hint = "send fewer and shorter fields"}));
      case HeadScan::State::incomplete:
        break;
    }
    scanned_ = scan.bytes;
    if (!has_begun_ && !data.empty()) {
      has_begun_ = true;
      stream_.expires_after(limits().header_time);
    }
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              if (self->state_ != State::reading_head) return;
                              if (error) return self->close();
                              self->buffer_.commit(bytes);
                              self->read_head();
                            });
  }

  void take_head(std::string_view text) {
    auto parsed = parse_head(text, limits());
    if (auto* problem = std::get_if<Problem>(&parsed)) return refuse(make_response(*problem));
    auto& head = std::get<Head>(parsed);
    // Beast reads the head a second time: if the two disagree, the request is refused.
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes + 1));
    parser_->body_limit(limits().body_bytes);
    error_code error;
    const std::size_t used = parser_->put(asio::const_buffer(text.data(), text.size()), error);
    if (error || used != text.size() || !parser_->is_header_done() || parser_->chunked() ||
        parser_->content_length_remaining().value_or(0) != head.content_length) {
      return refuse(make_response({.status = 400,
                                   .type = "bad_field",
                                   .title = "The request is malformed",
                                   .detail = "Expected a head as RFC 9112 has it, got something else.",
                                   .hint = "speak HTTP/1.1"}));
    }
    buffer_.consume(text.size());  // `text` is gone from here on
    request_ = std::move(head.request);
    request_.peer = peer_;
    is_head_ = request_.method == "HEAD";
    keeps_alive_ = parser_->keep_alive();
    version_ = parser_->get().version();
    if (shared_.options.authenticator) {
      if (auto response = shared_.options.authenticator(request_)) return refuse(std::move(*response));
      // What it says goes into the log for ever, so it is looked at here, once for all that serves requests.
      if (!is_well_formed(request_.caller)) {
        return refuse(make_response({.status = 500,
                                     .type = "caller_malformed",
                                     .title = "The server does not know who calls in a form that it may keep",
                                     .detail = "Expected from the server's own check of callers an opaque id of 1 to " +
                                               std::to_string(kCallerIdBytesMax) +
                                               " bytes without control characters and \"@\", got another.",
                                     .hint = "tell the operator: nothing in the request can change it"}));
      }
    }
    if (parser_->is_done()) return dispatch();
    state_ = State::reading_body;
    stream_.expires_after(limits().body_time);
    if (!head.expects_continue || buffer_.size() > 0) return read_body();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](error_code write_error, std::size_t) {
                        if (self->state_ != State::reading_body) return;
                        if (write_error) return self->close();
                        self->read_body();
                      });
  }

  void read_body() {
    bhttp::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (self->state_ != State::reading_body) return;
      if (error) return self->close();
      self->request_.body = std::move(self->parser_->get().body());
      self->shared_.metrics.body_bytes_read += self->request_.body.size();
      self->dispatch();
    });
  }

  void dispatch() {
    parser_.reset();
    state_ = State::answering;
    stream_.expires_never();
    ++shared_.metrics.requests_in_flight;
    try {
      shared_.handler(std::move(request_), make_responder());
    } catch (const std::exception&) {
      // The responder went away with the handler's stack: that answers 500.
    }
  }

  Responder make_responder() {
    return Responder([gate = shared_.gate, weak = weak_from_this()](Response response) {
      const std::lock_guard lock(gate->mutex);
      if (!gate->is_open) return;
      if (auto self = weak.lock()) {
        Connection& connection = *self;
        asio::post(connection.executor(), [self = std::move(self), response = std::move(response)]() mutable {
          if (self->state_ != State::answering) return;
          --self->shared_.metrics.requests_in_flight;
          self->write(std::move(response), self->keeps_alive_ && !self->shared_.is_stopping);
        });
      }
    });
  }

  // Answers what never reaches the handler, then closes: what follows on the wire cannot be trusted.
  void refuse(Response response) {
    ++shared_.metrics.requests_refused;
    write(std::move(response), false);
  }

  void write(Response response, bool keeps_alive) {
    state_ = State::writing;
    const int status = response.status >= 200 && response.status <= 599 ? response.status : 500;
    ++shared_.metrics.answers_by_class[static_cast<std::size_t>(status) / 100];
    message_ = {};
    message_.version(version_);
    message_.result(static_cast<unsigned>(status));
    message_.set(bhttp::field::date, date_text(shared_.options.clock->wall_ms()));
    if (!response.content_type.empty()) {
      message_.set(bhttp::field::content_type, clean_field_value(response.content_type));
    }
    for (const Field& field : response.headers) {
      if (is_token(field.name) && !is_framing(field.name)) message_.insert(field.name, clean_field_value(field.value));
    }
    if (status == 503 && message_.count(bhttp::field::retry_after) == 0) message_.set(bhttp::field::retry_after, "1");
    message_.keep_alive(keeps_alive);
    if (has_body(status)) {
      message_.content_length(response.body.size());
      if (!is_head_) message_.body() = std::move(response.body);
    }
    stream_.expires_after(limits().write_time);
    bhttp::async_write(stream_, message_, [self = shared_from_this(), keeps_alive](error_code error, std::size_t) {
      if (self->state_ != State::writing) return;
      if (error) return self->close();
      keeps_alive ? self->next_request() : self->linger();
    });
  }

  static bool is_framing(std::string_view name) {
    const bhttp::field field = bhttp::string_to_field({name.data(), name.size()});
    return field == bhttp::field::content_length || field == bhttp::field::transfer_encoding ||
           field == bhttp::field::connection || field == bhttp::field::keep_alive || field == bhttp::field::date ||
           field == bhttp::field::trailer || field == bhttp::field::upgrade;
  }

  // A close while the caller still sends would reset the connection and take the answer with it: so bytes that come
  // are read and dropped for a while.
  void linger() {
    state_ = State::lingering;
    error_code error;
    stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    if (error) return close();
    stream_.expires_after(limits().linger_time);
    discard();
  }

  void discard() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes), [self = shared_from_this()](error_code error, std::size_t) {
      if (self->state_ != State::lingering) return;
      error ? self->close() : self->discard();
    });
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  std::string peer_;
  State state_ = State::reading_head;
  beast::flat_buffer buffer_;
  std::size_t scanned_ = 0;  // of the head in buffer_
  bool has_begun_ = false;   // whether the head's time runs
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  Request request_;
  bool is_head_ = false;
  bool keeps_alive_ = false;
  unsigned version_ = 11;
  bhttp::response<bhttp::string_body> message_;
};

}  // namespace

struct Listener::Impl {
  // Order: the context goes last, after the connections that use it.
  asio::io_context context;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{context.get_executor()};
  Shared shared;
  asio::strand<asio::io_context::executor_type> strand{context.get_executor()};  // of the two below
  tcp::acceptor acceptor{strand};
  asio::steady_timer pause{strand};
  std::uint16_t port = 0;
  std::vector<std::thread> threads;
  bool is_stopped = false;

  void accept() {
    acceptor.async_accept(asio::make_strand(context), [this](error_code error, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (!error) {
        take(std::move(socket));
        return accept();
      }
      // Out of descriptors, or a caller that is gone already: a moment later it may go on.
      pause.expires_after(kAcceptPause);
      pause.async_wait([this](error_code cancelled) {
        if (!cancelled && acceptor.is_open()) accept();
      });
    });
  }

  void take(tcp::socket socket) {
    const auto connection = std::make_shared<Connection>(std::move(socket), shared);
    bool is_over = false;
    {
      const std::lock_guard lock(shared.mutex);
      if (shared.is_stopping) return;
      is_over = shared.connections.size() >= shared.options.limits.connections;
      ++(is_over ? shared.metrics.connections_refused : shared.metrics.connections_accepted);
      if (shared.connections.size() >= shared.options.limits.connections + kConnectionsToldOff) return;
      shared.connections.insert(connection);
      ++shared.metrics.connections_open;
    }
    asio::post(connection->executor(),
               [connection, is_over] { is_over ? connection->turn_away() : connection->start(); });
  }

  // Calls `what` for each connection, on its strand.
  void for_each_connection(void (Connection::*what)()) {
    const std::lock_guard lock(shared.mutex);
    for (const auto& connection : shared.connections) {
      asio::post(connection->executor(), [connection, what] { ((*connection).*what)(); });
    }
  }
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Listener::~Listener() {
  stop(std::chrono::milliseconds(0));
}

Result<void> Listener::check_address(const std::string& text) {
  error_code error;
  asio::ip::make_address(text, error);
  if (!error) return {};
  return Error{ErrorCode::invalid_input,
               "expected an IP address to listen on, got '" + text + "'; hint: 127.0.0.1, 0.0.0.0 or ::"};
}

Result<std::unique_ptr<Listener>> Listener::start(ListenerOptions options, Handler handler) {
  const std::string place = options.address + " port " + std::to_string(options.port);
  error_code error;
  GRANARY_TRY(check_address(options.address));
  const auto address = asio::ip::make_address(options.address, error);
  auto impl = std::make_unique<Impl>();
  const tcp::endpoint endpoint(address, options.port);
  auto& acceptor = impl->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) impl->port = acceptor.local_endpoint(error).port();
  if (error) {
    const bool is_taken = error == boost::system::errc::address_in_use;
    return Error{is_taken ? ErrorCode::conflict : ErrorCode::io_error,
                 "expected to listen on " + place + ", got: " + error.message() +
                     "; hint: choose another port, or stop what listens there"};
  }
  impl->shared.options = std::move(options);
  impl->shared.handler = std::move(handler);
  asio::post(impl->strand, [&target = *impl] { target.accept(); });
  for (int i = 0; i < std::max(1, impl->shared.options.threads); ++i) {
    impl->threads.emplace_back([&context = impl->context] {
      enter_thread("http", Urgency::prompt);
      context.run();
    });
  }
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

std::uint16_t Listener::port() const {
  return impl_->port;
}

const ListenerMetrics& Listener::metrics() const {
  return impl_->shared.metrics;
}

void Listener::stop(std::chrono::milliseconds grace) {
  if (std::exchange(impl_->is_stopped, true)) return;
  Shared& shared = impl_->shared;
  {
    const std::lock_guard lock(shared.mutex);
    shared.is_stopping = true;
  }
  asio::post(impl_->strand, [this] {
    error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
  });
  impl_->for_each_connection(&Connection::close_if_idle);
  {
    std::unique_lock lock(shared.mutex);
    shared.has_changed.wait_for(lock, grace, [&] { return shared.connections.empty(); });
  }
  impl_->for_each_connection(&Connection::close);
  impl_->work.reset();
  for (std::thread& thread : impl_->threads) thread.join();
  const std::lock_guard lock(shared.gate->mutex);
  shared.gate->is_open = false;
}

}  // namespace granary::http
