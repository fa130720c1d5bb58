// Does what its argument names, each a fault on purpose: what a sanitizer has to report.
#include <cstdlib>
#include <limits>
#include <string_view>
#include <thread>
#include <vector>

namespace {

int race() {
  int shared = 0;
  std::thread other([&] { ++shared; });
  ++shared;
  other.join();
  return shared;
}

int use_after_free() {
  auto* freed = new std::vector<int>{1, 2, 3};
  const int* first = freed->data();
  delete freed;
  return *first;
}

int leak() {
  static volatile std::size_t size = 3;
  auto* lost = new std::vector<int>(size);
  const int first = lost->front();
  lost = nullptr;
  return first;
}

int overflow(int one) {
  return std::numeric_limits<int>::max() + one;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "race") {
    return race();
  }
  if (what == "use_after_free") {
    return use_after_free();
  }
  if (what == "leak") {
    return leak();
  }
  if (what == "overflow") {
    return overflow(argc - 1);
  }
  return EXIT_FAILURE;
}
