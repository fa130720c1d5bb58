#include "shared/service/stop_signal.h"

#include <unistd.h>

namespace granary::service {

StopSignal::StopSignal() {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void StopSignal::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
  }
  kill(getpid(), SIGUSR1);
}

std::optional<Error> StopSignal::wait() {
  int signal = 0;
  while (true) {
    sigwait(&signals_, &signal);
    const std::lock_guard lock(mutex_);
    if (signal != SIGUSR1 || failure_) return failure_;
  }
}

}  // namespace granary::service
