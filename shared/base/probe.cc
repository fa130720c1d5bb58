#include "shared/base/probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace granary {
namespace {

// Open as long as the process lives; -1: nobody collects.
int collecting_file() {
  static const int file = [] {
    const char* path = std::getenv("GRANARY_PROBES");
    if (path == nullptr || *path == '\0') return -1;
    const int opened = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (opened < 0)
      std::fprintf(stderr, "granary: expected to open %s, got: %s; hint: let GRANARY_PROBES name a file\n", path,
                   std::strerror(errno));
    return opened;
  }();
  return file;
}

}  // namespace

void probe_reached(std::atomic<bool>& reached, std::string_view line) {
  if (reached.exchange(true, std::memory_order_relaxed)) return;
  // Whether it was written changes nothing: a probe must not disturb what it watches.
  if (const int file = collecting_file(); file >= 0 && ::write(file, line.data(), line.size()) < 0) return;
}

}  // namespace granary
