#include "tests/bench/serving.h"

#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "services/standalone/machines.h"
#include "shared/base/thread.h"
#include "shared/entry/event_door.h"
#include "shared/http/listener.h"
#include "shared/operate/routes.h"
#include "tests/bench/measuring.h"

namespace granary::bench {

struct Serving::Parts {
  http::Loop loop;
  peers::Forwarder forwarder{loop};
  std::unique_ptr<clock::ClockKeeper> clock;
  std::unique_ptr<entry::EventDoor> door;
  http::WorkPool log_readers{2, 64};
  http::Router router;
  std::unique_ptr<http::Listener> listener;
  std::string url;
};

Serving::Serving(BenchLedger& ledger) : parts_(std::make_unique<Parts>()) {
  Parts& parts = *parts_;
  parts.clock = must(clock::ClockKeeper::start(ledger.journal(), ledger.runtime(), standing_clock()));
  parts.door = std::make_unique<entry::EventDoor>(ledger.journal(), ledger.runtime(), parts.loop, *parts.clock);
  routes::Table table;
  for (const service::Hosted& one : standalone::services())
    for (routes::Route& route : one.routes({ledger.runtime(), parts.forwarder, parts.log_readers}))
      table.push_back(std::move(route));
  routes::add_to(parts.router, operate::routes({ledger.journal(), ledger.runtime(), parts.forwarder, parts.log_readers,
                                                parts.log_readers, *parts.door, *parts.clock,
                                                [] { return static_cast<const http::ListenerMetrics*>(nullptr); }},
                                               table));
  routes::add_to(parts.router, table);
  parts.listener = must(http::Listener::start({}, [&parts](http::Request request, http::Responder responder) {
    parts.router.serve(std::move(request), std::move(responder));
  }));
  parts.url = "http://127.0.0.1:" + std::to_string(parts.listener->port());
}

Serving::~Serving() {
  stop();
}

void Serving::stop() {
  if (!parts_) return;
  parts_->listener->stop(std::chrono::seconds(1));
  parts_->forwarder.stop();
  parts_->loop.stop();
  parts_->door->close();
  parts_->clock->stop();
  parts_.reset();
}

const std::string& Serving::url() const {
  return parts_->url;
}

struct Clients::Shared {
  std::mutex mutex;
  double cpu_seconds = 0;
  std::exception_ptr failed;
  std::vector<std::thread> threads;
};

Clients::Clients(const std::string& url, int connections, Work work) : shared_(std::make_unique<Shared>()) {
  for (int connection = 0; connection < connections; ++connection) {
    shared_->threads.emplace_back([&shared = *shared_, url, connection, work] {
      enter_thread("client", Urgency::prompt);  // elsewhere it would have a core of its own
      try {
        auto client = must(http::Client::create(url));
        work(connection, client);
      } catch (...) {
        const std::lock_guard lock(shared.mutex);
        shared.failed = std::current_exception();
      }
      timespec used{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
      const std::lock_guard lock(shared.mutex);
      shared.cpu_seconds += static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    });
  }
}

Clients::~Clients() {
  for (std::thread& thread : shared_->threads)
    if (thread.joinable()) thread.join();
}

double Clients::finish() {
  for (std::thread& thread : shared_->threads) thread.join();
  if (shared_->failed) std::rethrow_exception(shared_->failed);
  return shared_->cpu_seconds;
}

http::Response must_answer(http::Client& client, const http::ClientRequest& request, int status) {
  auto response = must(client.send(request));
  if (response.status != status)
    throw CannotMeasure(request.target + ": expected " + std::to_string(status) + ", got " +
                        std::to_string(response.status) + ": " + response.body.substr(0, 300));
  return response;
}

}  // namespace granary::bench
