#include "shared/http/connection.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <utility>

#include "shared/http/problem.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 4096;

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

bool is_framing(std::string_view name) {
  const bhttp::field field = bhttp::string_to_field({name.data(), name.size()});
  return field == bhttp::field::content_length || field == bhttp::field::transfer_encoding ||
         field == bhttp::field::connection || field == bhttp::field::keep_alive || field == bhttp::field::date ||
         field == bhttp::field::trailer || field == bhttp::field::upgrade;
}

}  // namespace

Connection::Connection(tcp::socket socket, SharedByConnections& shared) : socket_(std::move(socket)), shared_(shared) {
  error_code error;
  const auto end = socket_.socket().remote_endpoint(error);
  if (!error) {
    const std::string address = end.address().to_string();
    peer_ = (end.address().is_v6() ? '[' + address + ']' : address) + ':' + std::to_string(end.port());
  }
  socket_.socket().set_option(tcp::no_delay(true), error);
}

void Connection::start() {
  socket_.expires_after(limits().header_time);
  has_begun_ = true;
  read_head();
}

void Connection::turn_away() {
  refuse(make_response({.status = 503,
                        .type = "too_many_connections",
                        .title = "There are too many connections",
                        .detail = fmt::format("Expected at most {} connections.", limits().connections),
                        .hint = "try again in a second, and keep connections open between requests"}));
}

void Connection::close_if_idle() {
  if (state_ == State::reading_head) return close();
  if (body_) body_->end_soon();
}

void Connection::close() {
  if (state_ == State::closed) return;
  if (state_ == State::answering) --shared_.metrics.requests_in_flight;
  state_ = State::closed;
  drop_body();
  socket_.close();
  shared_.forget(shared_from_this());
}

void Connection::next_request() {
  state_ = State::reading_head;
  has_begun_ = false;
  scanned_ = 0;
  is_head_ = false;  // a refusal of what comes next has a body
  socket_.expires_after(limits().idle_time);
  if (shared_.is_stopping) return close();
  read_head();
}

void Connection::read_head() {
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
      return refuse(make_response({.status = 431,
                                   .type = "header_too_large",
                                   .title = "The request's head is too large",
                                   .detail = fmt::format("Expected at most {} bytes, got more.", limits().header_bytes),
                                   .hint = "send fewer and shorter fields"}));
    case HeadScan::State::incomplete:
      break;
  }
  scanned_ = scan.bytes;
  if (!has_begun_ && !data.empty()) {
    has_begun_ = true;
    socket_.expires_after(limits().header_time);
  }
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            if (self->state_ != State::reading_head) return;
                            if (error) return self->close();
                            self->buffer_.commit(bytes);
                            self->read_head();
                          });
}

void Connection::take_head(std::string_view text) {
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
      return refuse(
          make_response({.status = 500,
                         .type = "caller_malformed",
                         .title = "The server does not know who calls in a form that it may keep",
                         .detail = fmt::format("Expected from the server's own check of callers an opaque id of 1 to "
                                               "{} bytes without control characters and \"@\", got another.",
                                               kCallerIdBytesMax),
                         .hint = "tell the operator: nothing in the request can change it"}));
    }
  }
  if (parser_->is_done()) return dispatch();
  state_ = State::reading_body;
  socket_.expires_after(limits().body_time);
  if (!head.expects_continue || buffer_.size() > 0) return read_body();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue), [self = shared_from_this()](error_code write_error, std::size_t) {
    if (self->state_ != State::reading_body) return;
    if (write_error) return self->close();
    self->read_body();
  });
}

void Connection::read_body() {
  bhttp::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != State::reading_body) return;
    if (error) return self->close();
    self->request_.body = std::move(self->parser_->get().body());
    self->shared_.metrics.body_bytes_read += self->request_.body.size();
    self->dispatch();
  });
}

void Connection::dispatch() {
  parser_.reset();
  state_ = State::answering;
  socket_.expires_never();
  ++shared_.metrics.requests_in_flight;
  try {
    shared_.handler(std::move(request_), make_responder());
  } catch (const std::exception&) {
    // The responder went away with the handler's stack: that answers 500.
  }
}

Responder Connection::make_responder() {
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

void Connection::refuse(Response response) {
  ++shared_.metrics.requests_refused;
  write(std::move(response), false);
}

void Connection::write(Response response, bool keeps_alive) {
  state_ = State::writing;
  bool streams = response.streamed && has_body(response.status) && !is_head_;
  if (streams && ++shared_.metrics.streams_open > static_cast<std::int64_t>(limits().streams)) {
    --shared_.metrics.streams_open;
    streams = false;
    response = unavailable("too_many_streams", "There are too many answers that stream",
                           fmt::format("Expected at most {} of them.", limits().streams),
                           "try again later, or read page by page");
  }
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
  keeps_alive = keeps_alive && !streams;
  message_.keep_alive(keeps_alive);
  if (streams) return begin_stream(std::move(response.streamed));
  if (has_body(status) && !response.streamed) {
    message_.content_length(response.body.size());
    if (!is_head_) message_.body() = std::move(response.body);
  }
  socket_.expires_after(limits().write_time);
  bhttp::async_write(socket_, message_, [self = shared_from_this(), keeps_alive](error_code error, std::size_t) {
    if (self->state_ != State::writing) return;
    if (error) return self->close();
    keeps_alive ? self->next_request() : self->linger();
  });
}

// HTTP/1.1: in chunks. Before it: up to the close (RFC 9112 section 6.3).
void Connection::begin_stream(std::shared_ptr<StreamedBody> body) {
  state_ = State::streaming;
  body_ = std::move(body);
  if (shared_.is_stopping) body_->end_soon();
  message_.chunked(version_ >= 11);
  head_.emplace(message_);
  socket_.expires_never();  // what is watched for may never come; each write has its own time
  dropped_ = 0;
  watch();
  socket_.expires_after(limits().write_time);
  bhttp::async_write_header(socket_, *head_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != State::streaming) return;
    error ? self->close() : self->next_piece();
  });
}

void Connection::next_piece() {
  body_->next([gate = shared_.gate, weak = weak_from_this()](Result<std::string> piece) {
    const std::lock_guard lock(gate->mutex);
    if (!gate->is_open) return;
    if (auto self = weak.lock()) {
      Connection& connection = *self;
      asio::post(connection.executor(), [self = std::move(self), piece = std::move(piece)]() mutable {
        if (self->state_ == State::streaming) self->write_piece(std::move(piece));
      });
    }
  });
}

void Connection::write_piece(Result<std::string> piece) {
  if (!piece.ok()) return close();
  if (piece->empty()) return end_stream();
  piece_ = std::move(*piece);
  const auto written = [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != State::streaming) return;
    error ? self->close() : self->next_piece();
  };
  socket_.expires_after(limits().write_time);
  const auto bytes = asio::buffer(piece_);
  version_ >= 11 ? asio::async_write(socket_, bhttp::make_chunk(bytes), written)
                 : asio::async_write(socket_, bytes, written);
}

void Connection::end_stream() {
  drop_body();
  const auto ended = [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != State::streaming) return;
    if (error) return self->close();
    self->state_ = State::lingering;
    self->socket_.cancel();  // of watch(), which goes on as the rest of linger()
  };
  if (version_ < 11) return ended({}, 0);
  socket_.expires_after(limits().write_time);
  asio::async_write(socket_, bhttp::make_chunk_last(), ended);
}

void Connection::drop_body() {
  if (!body_) return;
  --shared_.metrics.streams_open;
  body_.reset();
}

void Connection::watch() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(kReadBytes),
                          [self = shared_from_this()](error_code error, std::size_t bytes) {
                            if (self->state_ == State::lingering) return self->linger();
                            if (self->state_ != State::streaming) return;
                            self->dropped_ += bytes;
                            if (error || self->dropped_ > self->limits().header_bytes) return self->close();
                            self->watch();
                          });
}

void Connection::linger() {
  state_ = State::lingering;
  error_code error;
  socket_.socket().shutdown(tcp::socket::shutdown_send, error);
  if (error) return close();
  socket_.expires_after(limits().linger_time);
  discard();
}

void Connection::discard() {
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(kReadBytes), [self = shared_from_this()](error_code error, std::size_t) {
    if (self->state_ != State::lingering) return;
    error ? self->close() : self->discard();
  });
}

}  // namespace granary::http
