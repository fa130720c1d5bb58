// Alibaba's list of pods, see import_file.h.
#include "tests/fuzz/import_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace granary;
  static const import::Options kOptions{
      .format = import::Format::openb, .epoch_ms = 1'700'000'000'000, .file_sha256 = "00"};
  fuzz::check_file(data, size, kOptions);
  return 0;
}
