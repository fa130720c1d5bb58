#include "shared/http/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "shared/http/client_wire.h"
#include "shared/http/uri.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace

struct Client::Impl {
  Impl(Url where, ClientOptions chosen) : url(std::move(where)), options(chosen) {}

  // What came of one attempt. `is_stale`: the kept connection was gone before any byte of an answer came.
  struct Attempt {
    std::optional<Response> response;
    error_code error;
    bool is_stale = false;
  };

  // Runs what was started on the context until it is done. Only asynchronous steps have time limits.
  void run() {
    context.restart();
    context.run();
  }

  error_code connect() {
    error_code error;
    std::optional<tcp::resolver::results_type> places;
    tcp::resolver resolver(context);
    resolver.async_resolve(url.host, std::to_string(url.port), [&](error_code result, auto found) {
      error = result;
      places = std::move(found);
    });
    run();
    if (error) return error;
    stream.emplace(context);
    buffer.clear();
    stream->expires_after(options.connect_time);
    stream->async_connect(*places, [&](error_code result, const auto&) { error = result; });
    run();
    if (!error) stream->socket().set_option(tcp::no_delay(true), error);
    return error;
  }

  void disconnect() { stream.reset(); }

  Attempt exchange(const ClientRequest& request) {
    WireRequest message = wire_request(url, request);
    Attempt out;
    stream->expires_after(options.write_time);
    bhttp::async_write(*stream, message, [&](error_code result, std::size_t) { out.error = result; });
    run();
    const error_code write_error = out.error;
    if (write_error == beast::error::timeout) return out;
    // Even when the write broke off there may be an answer: a server that refuses a body early says why.
    WireResponseParser parser;
    parser.body_limit(options.body_bytes);
    if (request.method == "HEAD") parser.skip(true);
    stream->expires_after(options.read_time);
    bhttp::async_read(*stream, buffer, parser, [&](error_code result, std::size_t) { out.error = result; });
    run();
    if (out.error) {
      out.is_stale = !parser.got_some() && out.error != beast::error::timeout;
      return out;
    }
    const bool keeps_alive = parser.keep_alive() && !write_error;
    if (!keeps_alive) disconnect();
    out.response = response_of(parser);
    return out;
  }

  Url url;
  ClientOptions options;
  asio::io_context context{1};
  std::optional<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::create(std::string_view url, ClientOptions options) {
  auto parsed = parse_url(url);
  if (!parsed.ok()) return parsed.error();
  return Client(std::make_unique<Impl>(std::move(*parsed), options));
}

Result<Response> Client::send(const ClientRequest& request) {
  if (auto error = check_request(request)) return std::move(*error);
  for (;;) {
    const bool is_kept = impl_->stream.has_value();
    if (!is_kept) {
      if (const error_code error = impl_->connect()) {
        impl_->disconnect();
        return no_answer(impl_->url, error);
      }
    }
    Impl::Attempt attempt = impl_->exchange(request);
    if (attempt.response) return std::move(*attempt.response);
    impl_->disconnect();
    if (!is_kept || !attempt.is_stale) return no_answer(impl_->url, attempt.error);
  }
}

}  // namespace granary::http
