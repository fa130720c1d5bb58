#include "tests/crash/flips_damage.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace granary::test {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
}

std::vector<fs::path> files_of(const std::string& data, const Kind& kind) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (!entry.is_regular_file()) continue;
    const std::string directory = fs::relative(entry.path().parent_path(), data).string();
    const std::string name = entry.path().filename().string();
    if (directory.starts_with(kind.directory) && name.find(kind.file) != std::string::npos && entry.file_size() > 0)
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Where the headers of a write-ahead log's or MANIFEST's records stand: u32 checksum, u16 length, u8 type, and the
// payload; none spans blocks of 32 KiB.
std::vector<std::size_t> headers_of(const std::string& content) {
  constexpr std::size_t kBlock = 32 << 10;
  constexpr std::size_t kHeader = 7;
  std::vector<std::size_t> at;
  for (std::size_t next = 0; next + kHeader <= content.size();) {
    if (kBlock - next % kBlock < kHeader) {
      next += kBlock - next % kBlock;
      continue;
    }
    at.push_back(next);
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(content[i])); };
    next += kHeader + byte(next + 4) + 256 * byte(next + 5);
  }
  return at;
}

}  // namespace

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{{"log WAL", Where::log, "journal/log", ".log", 16},
                                     {"log SST", Where::log, "journal/log", ".sst", 16},
                                     {"log MANIFEST", Where::log, "journal/log", "MANIFEST-", 10},
                                     {"log CURRENT", Where::log, "journal/log", "CURRENT", 3},
                                     {"log OPTIONS", Where::log, "journal/log", "OPTIONS-", 2},
                                     {"HEAD", Where::log, "journal", "HEAD", 8},
                                     {kCheckpointRow, Where::log, "", "", 8},
                                     {"state SST", Where::state, "state", ".sst", 20},
                                     {"state MANIFEST", Where::state, "state", "MANIFEST-", 18},
                                     {"state CURRENT", Where::state, "state", "CURRENT", 5},
                                     {"state OPTIONS", Where::state, "state", "OPTIONS-", 2}};
  return all;
}

std::optional<std::string> damage(const std::string& data, const Kind& kind, std::mt19937_64& random) {
  const auto files = files_of(data, kind);
  if (files.empty()) return std::nullopt;
  const fs::path& path = files[random() % files.size()];
  std::string content = read_file(path);
  const auto headers = kind.file == std::string(".log") || kind.file == std::string("MANIFEST-")
                           ? headers_of(content)
                           : std::vector<std::size_t>();
  const bool aimed = !headers.empty() && random() % 2 == 0;
  const std::size_t header = aimed ? headers[random() % headers.size()] : 0;
  const std::size_t at = aimed ? header + random() % 7 : random() % content.size();
  const std::string where = fs::relative(path, data).string() + " of " + std::to_string(content.size()) + " bytes";
  const auto how = random() % 100;
  if (how < 78) {
    const int bit = static_cast<int>(random() % 8);
    content[at] = static_cast<char>(content[at] ^ (1 << bit));
    write_file(path, content);
    return where + ": bit " + std::to_string(bit) + " of byte " + std::to_string(at) + " flipped" +
           (aimed ? " (in a record's header)" : "");
  }
  if (how < 86) {
    const std::size_t from = aimed ? header : random() % 2 == 0 ? at / 512 * 512 : at;
    const std::size_t bytes = std::min<std::size_t>(content.size() - from, aimed ? 7 : 512);
    std::fill_n(content.begin() + static_cast<long>(from), bytes, '\0');
    write_file(path, content);
    return where + ": " + std::to_string(bytes) + " bytes from " + std::to_string(from) + " on zeroed";
  }
  if (how < 92) {
    const std::size_t bytes = std::min<std::size_t>(content.size() - at, 1 + random() % 8);
    for (std::size_t i = 0; i < bytes; ++i) content[at + i] = static_cast<char>(random());
    write_file(path, content);
    return where + ": " + std::to_string(bytes) + " bytes from " + std::to_string(at) + " on overwritten";
  }
  if (how < 98) {
    const std::size_t left = aimed ? header : at;
    fs::resize_file(path, left);
    return where + ": cut to " + std::to_string(left);
  }
  fs::remove(path);
  return where + ": removed";
}

}  // namespace granary::test
