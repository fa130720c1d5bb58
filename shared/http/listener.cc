#include "shared/http/listener.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <mutex>
#include <thread>
#include <vector>

#include "shared/base/thread.h"
#include "shared/http/connection.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// This many connections over the limit are told so; those beyond are closed without a word.
constexpr std::size_t kConnectionsToldOff = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};  // after the system ran out of descriptors

}  // namespace

struct Listener::Impl {
  // Order: the context goes last, after the connections that use it.
  asio::io_context context;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{context.get_executor()};
  SharedByConnections shared;
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
               fmt::format("expected an IP address to listen on, got '{}'; hint: 127.0.0.1, 0.0.0.0 or ::", text)};
}

Result<std::unique_ptr<Listener>> Listener::start(ListenerOptions options, Handler handler) {
  const std::string place = fmt::format("{} port {}", options.address, options.port);
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
                 fmt::format("expected to listen on {}, got: {}; hint: choose another port, or stop what listens there",
                             place, error.message())};
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
  SharedByConnections& shared = impl_->shared;
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
