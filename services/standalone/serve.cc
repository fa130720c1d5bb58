#include "services/standalone/serve.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "services/allocation/http/routes.h"
#include "services/billing/http/routes.h"
#include "services/intake/http/routes.h"
#include "services/metering/http/routes.h"
#include "services/standalone/machines.h"
#include "shared/base/check.h"
#include "shared/door/event_door.h"
#include "shared/door/routes.h"
#include "shared/http/listener.h"
#include "shared/journal/embedded_journal.h"
#include "shared/runtime/ledger.h"
#include "shared/runtime/runtime.h"
#include "shared/store/rocks_store.h"

namespace granary::standalone {
namespace {

using machine::MachineKind;

// The log stops before the stores have to: what is acknowledged can still be folded while the door answers 507, and all
// goes on by itself once there is room.
constexpr std::uint64_t kJournalReserveBytes = 128ULL << 20;
static_assert(kJournalReserveBytes > store::RocksOptions{}.reserve_bytes);

int cannot_start(const Error& error) {
  std::fprintf(stderr, "granary: cannot start: %s\n", error.message.c_str());
  return 3;
}

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  const char* end = text.data() + text.size();
  if (colon == std::string::npos || std::from_chars(text.data() + colon + 1, end, address.port).ptr != end ||
      colon + 1 == text.size())
    return Error{ErrorCode::invalid_input, "--listen: expected ADDRESS:PORT, got \"" + text +
                                               "\"; hint: 127.0.0.1:8080, port 0 takes a free one"};
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  return address;
}

// Blocks the signals that stop the server in every thread, and waits for one, or for a failure that posts one.
class Stop {
 public:
  Stop() {
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void fail(const Error& error) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = error;
    }
    kill(getpid(), SIGUSR1);
  }
  // nullopt: asked to stop.
  std::optional<Error> wait() {
    int signal = 0;
    while (true) {
      sigwait(&signals_, &signal);
      const std::lock_guard lock(mutex_);
      if (signal != SIGUSR1 || failure_) return failure_;
    }
  }

 private:
  sigset_t signals_{};
  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace

int serve(const ServeOptions& options) {
  const auto address = parse_listen(options.listen);
  if (!address.ok()) {
    std::fprintf(stderr, "granary: %s\n", address.error().message.c_str());
    return 2;
  }
  Stop stop;
  std::error_code failed;
  std::filesystem::create_directories(options.data + "/state", failed);
  if (failed)
    return cannot_start(
        {ErrorCode::io_error, "the data directory " + options.data + " cannot be made: " + failed.message()});
  journal::EmbeddedOptions log;
  log.reserve_bytes = kJournalReserveBytes;
  auto journal = journal::open_embedded_journal(options.data + "/journal", log);
  if (!journal.ok()) return cannot_start(journal.error());
  const auto ledger = runtime::open_ledger(**journal, options.partitions, system_clock());
  if (!ledger.ok()) return cannot_start(ledger.error());

  store::RocksEnvironment environment{store::RocksOptions{}};
  const auto open_store = [&](MachineKind machine, std::uint16_t shard,
                              bool wipe) -> Result<std::unique_ptr<store::Store>> {
    const std::string directory = state_directory(options.data, machine, shard);
    if (wipe) std::filesystem::remove_all(directory);
    auto store = store::open_rocks_store(environment, directory);
    if (!store.ok()) return store.error();
    return std::unique_ptr<store::Store>(std::move(*store));
  };
  auto runtime = runtime::start_runtime(**journal, {}, make_machine, open_store, options.data + "/state",
                                        [&stop](const Error& error) { stop.fail(error); });
  if (!runtime.ok()) return cannot_start(runtime.error());
  auto clock = door::ClockKeeper::start(**journal, **runtime, system_clock());
  if (!clock.ok()) return cannot_start(clock.error());

  door::EventDoor door(**journal, **runtime, **clock);
  std::atomic<const http::ListenerMetrics*> metrics = nullptr;
  http::Router router;
  door::add_routes(router, {**journal, **runtime, door, **clock, [&metrics] { return metrics.load(); }});
  intake::add_routes(router, **runtime);
  metering::add_routes(router, **runtime);
  allocation::add_routes(router, **runtime);
  billing::add_routes(router, **runtime);
  http::ListenerOptions listen;
  listen.address = address->host;
  listen.port = address->port;
  auto listener = http::Listener::start(listen, [&router](http::Request request, http::Responder responder) {
    router.serve(std::move(request), std::move(responder));
  });
  if (!listener.ok()) return cannot_start(listener.error());
  metrics = &(*listener)->metrics();
  std::fprintf(stderr, "granary: ledger %s of %u partitions in %s, listening on http://%s:%u\n",
               to_hex(view_of(ledger->id)).c_str(), static_cast<unsigned>(ledger->partitions), options.data.c_str(),
               address->host.c_str(), static_cast<unsigned>((*listener)->port()));
  if ((*clock)->needs_confirmation())
    std::fprintf(stderr,
                 "granary: the clock has moved more than 7 days past the ledger's time; nothing is taken before: "
                 "granary clock confirm\n");

  const auto failure = stop.wait();
  if (failure) door.fail(*failure);
  (*listener)->stop(std::chrono::seconds(5));
  door.close();
  (*clock)->stop();
  (*runtime)->stop();
  journal->reset();
  if (!failure) return 0;
  std::fprintf(stderr, "granary: stopped: %s\n", failure->message.c_str());
  return 1;
}

}  // namespace granary::standalone
