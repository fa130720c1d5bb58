// granary-stamp DATA NAME FORMAT REVISION: makes the state NAME ("allocation-3") of a server that does not run look as
// if a build wrote it whose rows have that form. FORMAT 0 takes its stamp away. Prints the stamp that it had.
#include <charconv>
#include <cstdio>
#include <string>

#include "shared/fold/layout.h"
#include "shared/store/rocks_states.h"

namespace {

using namespace granary;

std::optional<std::uint64_t> number_in(const std::string& text) {
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && at == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

Result<runtime::StampRow> stamp(const std::string& data, const std::string& name, std::uint64_t format,
                                std::uint64_t revision) {
  const store::RocksEnvironment environment;
  store::RocksStates states(environment, data + "/state");
  auto opened = states.open(name);
  if (!opened.ok()) return opened.error();
  runtime::StampRow row;
  const auto had = (*opened)->get(runtime::kStampKey);
  if (had) row = runtime::decode_row<runtime::StampRow>(*had);
  runtime::StampRow other = row;
  other.format = format;
  other.revision = revision;
  other.build = "another";
  store::WriteSet rows;
  if (format == 0)
    rows.erase(Bytes(runtime::kStampKey));
  else
    rows.put(Bytes(runtime::kStampKey), runtime::encode_row(other));
  GRANARY_TRY((*opened)->commit(rows));
  GRANARY_TRY((*opened)->persist());
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  const auto format = number_in(argc == 5 ? argv[3] : "");
  const auto revision = number_in(argc == 5 ? argv[4] : "");
  if (!format || !revision) {
    std::fprintf(stderr, "expected DATA, the name of a state, a format and a revision\n");
    return 2;
  }
  const auto had = stamp(argv[1], argv[2], *format, *revision);
  if (!had.ok())
    std::fprintf(stderr, "%s\n", had.error().message.c_str());
  else
    std::printf("%s\n", runtime::to_text(*had).c_str());
  return had.ok() ? 0 : 1;
}
