#include "shared/http/async_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <deque>
#include <map>
#include <memory>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "shared/http/client_wire.h"
#include "shared/http/loop_context.h"

namespace granary::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Endpoints = std::vector<tcp::endpoint>;

// One of the requests that the client has taken and not answered; counted while it exists.
class Slot {
 public:
  explicit Slot(std::shared_ptr<std::atomic<std::size_t>> taken) : taken_(std::move(taken)) {}
  Slot(Slot&&) noexcept = default;
  Slot& operator=(Slot&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Slot() {
    if (taken_ != nullptr) --*taken_;
  }

 private:
  std::shared_ptr<std::atomic<std::size_t>> taken_;
};

struct Job {
  Slot slot;
  ClientRequest request;
  std::optional<std::weak_ptr<void>> wanted;
  AsyncClient::Done done;

  [[nodiscard]] bool is_wanted() const { return !wanted || !wanted->expired(); }
  void end(Result<Response> result) {
    const AsyncClient::Done then = std::exchange(done, nullptr);
    slot = Slot(nullptr);
    then(std::move(result));
  }
};

// Asks for the addresses of a name on a thread that nobody waits for: the system's resolver cannot be interrupted.
void resolve(std::weak_ptr<LoopContext> loop, const Url& url, std::function<void(error_code, Endpoints)> found) {
  std::thread([loop = std::move(loop), host = url.host, port = std::to_string(url.port), found = std::move(found)] {
    asio::io_context own;
    tcp::resolver resolver(own);
    error_code error;
    Endpoints endpoints;
    for (const auto& entry : resolver.resolve(host, port, error)) endpoints.push_back(entry.endpoint());
    if (const auto context = loop.lock())
      context->post([found, error, endpoints = std::move(endpoints)] { found(error, endpoints); });
  }).detach();
}

class Connection;

// The connections to one URL, and what waits for one of them. On the loop's thread.
class Pool {
 public:
  Pool(LoopContext& loop, Url url, const AsyncClientOptions& options)
      : loop_(loop), url_(std::move(url)), options_(options) {}

  [[nodiscard]] LoopContext& loop() const { return loop_; }
  [[nodiscard]] const Url& url() const { return url_; }
  [[nodiscard]] const AsyncClientOptions& options() const { return options_; }

  // Sends it now, or once a connection is free.
  void take(Job job);
  // The connection is open and has nothing to do: it gets a job that waits, or is kept.
  void is_free(const std::shared_ptr<Connection>& connection);
  // The connection was closed: another may be opened for what waits.
  void is_gone(const std::shared_ptr<Connection>& connection);
  // The server has closed a kept connection; the others that are kept are as old.
  void close_kept();
  // Closes everything, answers nothing.
  void close();

 private:
  void open(Job job);
  std::optional<Job> next();

  LoopContext& loop_;
  const Url url_;
  const AsyncClientOptions& options_;
  bool closed_ = false;
  std::deque<Job> waiting_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> kept_;  // of these, without a job; the last one was used last
};

// One connection. It connects, sends a request, reads the answer, and tells the pool. Whatever ends it goes through
// close().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Pool& pool) : pool_(pool), stream_(pool.loop().io), kept_timer_(pool.loop().io) {}

  void open(Job job) {
    job_ = std::move(job);
    const Url& url = pool_.url();
    error_code is_name;
    const auto address = asio::ip::make_address(url.host, is_name);
    if (!is_name) return connect({tcp::endpoint(address, url.port)});
    resolve(pool_.loop().weak_from_this(), url, [weak = weak_from_this()](error_code error, Endpoints endpoints) {
      const auto self = weak.lock();
      if (!self || self->closed_) return;
      error ? self->fail(error) : self->connect(std::move(endpoints));
    });
  }

  void use(Job job) {
    kept_timer_.cancel();
    was_kept_ = true;
    job_ = std::move(job);
    write();
  }

  void keep() {
    stream_.expires_never();
    kept_timer_.expires_after(pool_.options().idle_time);
    kept_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && !self->job_) self->close();
    });
  }

  // A job that it has is forgotten, not answered.
  void close() {
    if (std::exchange(closed_, true)) return;
    stream_.close();
    kept_timer_.cancel();
    job_.reset();
    pool_.is_gone(shared_from_this());
  }

 private:
  [[nodiscard]] const ClientOptions& limits() const { return pool_.options().limits; }

  void connect(Endpoints endpoints) {
    endpoints_ = std::move(endpoints);
    stream_.expires_after(limits().connect_time);
    stream_.async_connect(endpoints_, [self = shared_from_this()](error_code error, const tcp::endpoint&) {
      if (self->closed_) return;
      if (error) return self->fail(error);
      self->stream_.socket().set_option(tcp::no_delay(true), error);
      self->write();
    });
  }

  void write() {
    message_ = wire_request(pool_.url(), job_->request);
    stream_.expires_after(limits().write_time);
    bhttp::async_write(stream_, message_, [self = shared_from_this()](error_code error, std::size_t) {
      if (self->closed_) return;
      // Even when the write broke off there may be an answer: a server that refuses a body early says why.
      error == beast::error::timeout ? self->fail(error) : self->read(error);
    });
  }

  void read(error_code write_error) {
    parser_.emplace();
    parser_->body_limit(limits().body_bytes);
    if (job_->request.method == "HEAD") parser_->skip(true);
    stream_.expires_after(limits().read_time);
    bhttp::async_read(stream_, buffer_, *parser_,
                      [self = shared_from_this(), write_error](error_code error, std::size_t) {
                        if (!self->closed_) self->answered(error, write_error);
                      });
  }

  void answered(error_code error, error_code write_error) {
    if (error && was_kept_ && !parser_->got_some() && error != beast::error::timeout) return send_on_another();
    if (error) return fail(error);
    const bool is_kept = parser_->keep_alive() && !write_error;
    Response response = response_of(*parser_);
    parser_.reset();
    Job job = take_job();
    is_kept ? pool_.is_free(shared_from_this()) : close();
    job.end(std::move(response));
  }

  void fail(error_code error) {
    Job job = take_job();
    close();
    job.end(no_answer(pool_.url(), error));
  }

  void send_on_another() {
    Job job = take_job();
    close();
    pool_.close_kept();
    pool_.take(std::move(job));
  }

  Job take_job() {
    Job job = std::move(*job_);
    job_.reset();
    return job;
  }

  Pool& pool_;  // there until the client's stop() has closed this
  beast::tcp_stream stream_;
  asio::steady_timer kept_timer_;
  Endpoints endpoints_;
  beast::flat_buffer buffer_;
  WireRequest message_;
  std::optional<WireResponseParser> parser_;
  std::optional<Job> job_;
  bool was_kept_ = false;  // it has answered before
  bool closed_ = false;
};

void Pool::take(Job job) {
  if (!kept_.empty()) {
    const auto connection = std::move(kept_.back());
    kept_.pop_back();
    return connection->use(std::move(job));
  }
  if (connections_.size() < options_.connections_per_url_max) return open(std::move(job));
  waiting_.push_back(std::move(job));
}

void Pool::open(Job job) {
  const auto connection = std::make_shared<Connection>(*this);
  connections_.insert(connection);
  connection->open(std::move(job));
}

std::optional<Job> Pool::next() {
  while (!waiting_.empty()) {
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    if (job.is_wanted()) return job;
  }
  return std::nullopt;
}

void Pool::is_free(const std::shared_ptr<Connection>& connection) {
  if (auto job = next()) return connection->use(std::move(*job));
  kept_.push_back(connection);
  connection->keep();
}

void Pool::is_gone(const std::shared_ptr<Connection>& connection) {
  if (closed_) return;
  std::erase(kept_, connection);
  connections_.erase(connection);
  if (auto job = next()) open(std::move(*job));
}

void Pool::close_kept() {
  for (const auto& connection : std::exchange(kept_, {})) connection->close();
}

void Pool::close() {
  closed_ = true;
  waiting_.clear();
  kept_.clear();
  for (const auto& connection : std::exchange(connections_, {})) connection->close();
}

}  // namespace

class AsyncClient::Impl {
 public:
  Impl(Loop& loop, const AsyncClientOptions& options) : loop_(loop.context()), options_(options) {}

  void send(const std::shared_ptr<Impl>& self, const std::string& url, ClientRequest request,
            std::optional<std::weak_ptr<void>> wanted, Done done) {
    auto parsed = parse_url(url);
    if (!parsed.ok()) return done(parsed.error());
    if (auto error = check_request(request)) return done(std::move(*error));
    if (taken_->fetch_add(1) >= options_.requests_max) {
      --*taken_;
      return done(Error{
          ErrorCode::unavailable,
          fmt::format(
              "expected room for one more request to another process, but {} are under way already; hint: try again",
              options_.requests_max)});
    }
    // Shared, because what is posted can be copied.
    const auto job = std::make_shared<Job>(Job{Slot(taken_), std::move(request), std::move(wanted), std::move(done)});
    loop_->post([self, job, url, place = std::move(*parsed)] {
      if (self->stopped_) return;
      self->pools_.try_emplace(url, *self->loop_, place, self->options_).first->second.take(std::move(*job));
    });
  }

  void stop() {
    loop_->run_and_wait([this] {
      stopped_ = true;
      for (auto& [url, pool] : pools_) pool.close();
    });
  }

 private:
  const std::shared_ptr<LoopContext> loop_;
  const AsyncClientOptions options_;
  const std::shared_ptr<std::atomic<std::size_t>> taken_ = std::make_shared<std::atomic<std::size_t>>(0);
  // On the loop's thread:
  bool stopped_ = false;
  std::map<std::string, Pool> pools_;
};

AsyncClient::AsyncClient(Loop& loop, AsyncClientOptions options) : impl_(std::make_shared<Impl>(loop, options)) {}

AsyncClient::~AsyncClient() {
  stop();
}

void AsyncClient::send(const std::string& url, ClientRequest request, std::optional<std::weak_ptr<void>> wanted,
                       Done done) {
  impl_->send(impl_, url, std::move(request), std::move(wanted), std::move(done));
}

void AsyncClient::stop() {
  impl_->stop();
}

}  // namespace granary::http
