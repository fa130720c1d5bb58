// `sacct --parsable2`, in a zone whose clocks change, see import_file.h.
#include "tests/fuzz/import_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace granary;
  static const import::Options kOptions{
      .format = import::Format::sacct, .cluster = "aif1", .time_zone = "Europe/Helsinki", .trusts_text = true};
  fuzz::check_file(data, size, kOptions);
  return 0;
}
