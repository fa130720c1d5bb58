// The real HTTP listener, door and questions over a BenchLedger whose machines run, in this process; the clock stands
// at kNow. Beside it the clients' side: connections, each a thread of its own.
//
// Threads: one owner. Ownership: refers to the ledger; stop() (or the destructor) before the ledger's machines stop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "shared/http/client.h"
#include "tests/bench/bench_ledger.h"

namespace granary::bench {

class Serving {
 public:
  explicit Serving(BenchLedger& ledger);
  ~Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  void stop();
  [[nodiscard]] const std::string& url() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Threads called "client", one a connection. `work` gets its connection's number; what it throws is thrown by finish().
class Clients {
 public:
  using Work = std::function<void(int connection, http::Client& client)>;
  Clients(const std::string& url, int connections, Work work);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  // Waits for all; returns the processor seconds that they used.
  double finish();

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

// The answer, which must be of this status.
http::Response must_answer(http::Client& client, const http::ClientRequest& request, int status);

}  // namespace granary::bench
