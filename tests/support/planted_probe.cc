// Probes for the test of the probes: granary-planted-probe [killed]. Visits one often, from several threads, and
// another once; with `killed` it then ends as `kill -9` ends it.
#include <csignal>
#include <cstring>
#include <thread>
#include <vector>

#include "shared/base/probe.h"

int main(int argc, char** argv) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int visit = 0; visit < 1000; ++visit) GRANARY_PROBE("a planted branch is taken often");
    });
  for (std::thread& one : threads) one.join();
  if (argc > 1) GRANARY_PROBE("a planted branch is taken once");
  if (argc > 1 && std::strcmp(argv[1], "killed") == 0) std::raise(SIGKILL);
}
