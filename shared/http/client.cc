#include "shared/http/client.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "shared/http/framing.h"
#include "shared/http/uri.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

bool is_target(std::string_view text) {
  return !text.empty() && text.front() == '/' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

std::string text_of(beast::string_view text) {
  return {text.data(), text.size()};
}

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
    bhttp::request<bhttp::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(url.path + request.target);
    for (const Field& field : request.headers) message.insert(field.name, clean_field_value(field.value));
    message.set(bhttp::field::host, url.authority);
    if (!request.content_type.empty()) {
      message.set(bhttp::field::content_type, clean_field_value(request.content_type));
    }
    message.body() = request.body;
    if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
      message.content_length(request.body.size());
    }
    Attempt out;
    stream->expires_after(options.write_time);
    bhttp::async_write(*stream, message, [&](error_code result, std::size_t) { out.error = result; });
    run();
    const error_code write_error = out.error;
    if (write_error == beast::error::timeout) return out;
    // Even when the write broke off there may be an answer: a server that refuses a body early says why.
    bhttp::response_parser<bhttp::string_body> parser;
    parser.body_limit(options.body_bytes);
    if (request.method == "HEAD") parser.skip(true);
    stream->expires_after(options.read_time);
    bhttp::async_read(*stream, buffer, parser, [&](error_code result, std::size_t) { out.error = result; });
    run();
    if (out.error) {
      out.is_stale = !parser.got_some() && out.error != beast::error::timeout;
      return out;
    }
    const auto& answer = parser.get();
    Response response;
    response.status = static_cast<int>(answer.result_int());
    response.content_type = text_of(answer[bhttp::field::content_type]);
    for (const auto& field : answer) response.headers.push_back({text_of(field.name_string()), text_of(field.value())});
    const bool keeps_alive = parser.keep_alive() && !write_error;
    response.body = std::move(parser.get().body());
    if (!keeps_alive) disconnect();
    out.response = std::move(response);
    return out;
  }

  [[nodiscard]] Error failure(const error_code& error) const {
    const std::string where = "http://" + url.authority;
    if (error.category() == bhttp::make_error_code(bhttp::error::bad_version).category() &&
        error != bhttp::error::end_of_stream && error != bhttp::error::partial_message) {
      return {ErrorCode::io_error, "expected an HTTP answer from " + where + ", got: " + error.message() +
                                       "; hint: see that the URL names Granary's own port, and ask for less at once"};
    }
    return {ErrorCode::unavailable, "expected an answer from " + where + ", got: " + error.message() +
                                        "; hint: see that the service runs and listens there"};
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
  const bool has_names = std::all_of(request.headers.begin(), request.headers.end(),
                                     [](const Field& field) { return is_token(field.name); });
  if (!is_token(request.method) || !is_target(request.target) || !has_names) {
    return Error{ErrorCode::invalid_input, "expected a method, a target and field names in plain ASCII, got " +
                                               request.method + ' ' + request.target +
                                               "; hint: percent-encode what is not a plain character"};
  }
  for (;;) {
    const bool is_kept = impl_->stream.has_value();
    if (!is_kept) {
      if (const error_code error = impl_->connect()) {
        impl_->disconnect();
        return impl_->failure(error);
      }
    }
    Impl::Attempt attempt = impl_->exchange(request);
    if (attempt.response) return std::move(*attempt.response);
    impl_->disconnect();
    if (!is_kept || !attempt.is_stale) return impl_->failure(attempt.error);
  }
}

}  // namespace granary::http
