#include "shared/journal/embedded_head.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "shared/base/probe.h"
#include "shared/proof/hash.h"

namespace granary::journal {
namespace {

constexpr std::string_view kMagic = "granaryH";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCheckedBytes = 8 + 4 + 8 + 32;
constexpr std::size_t kSlotBytes = kCheckedBytes + 32;
constexpr off_t kSlotAt[2] = {0, 4096};
constexpr std::size_t kFileBytes = 2 * 4096;

std::string path_of(const std::string& directory) {
  return directory + "/HEAD";
}

Error system_error(const std::string& what, const std::string& path) {
  const int number = errno;
  return {number == ENOSPC || number == EDQUOT ? ErrorCode::out_of_space : ErrorCode::io_error,
          fmt::format("expected to {} {}, got: {}; hint: check the disk and the rights of the directory", what, path,
                      std::strerror(number))};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

Bytes slot_of(const Head& head) {
  Bytes slot(kMagic);
  append_u32(slot, kVersion);
  append_u64(slot, head.group);
  slot.append(view_of(head.hash));
  const Hash32 checksum = proof::sha256(slot);
  slot.append(view_of(checksum));
  return slot;
}

Result<void> write_at(int file, BytesView bytes, off_t at, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return system_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += written;
  }
  return {};
}

// The slot's bytes, or fewer if the file is too short.
Result<Bytes> read_at(int file, off_t at, const std::string& path) {
  Bytes bytes(kSlotBytes, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::pread(file, bytes.data() + have, bytes.size() - have, at + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

bool is_whole(BytesView slot) {
  return slot.size() == kSlotBytes && slot.starts_with(kMagic) &&
         view_of(proof::sha256(slot.substr(0, kCheckedBytes))) == slot.substr(kCheckedBytes);
}

}  // namespace

Result<void> sync_directory(const std::string& directory) {
  const Descriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return system_error("sync the directory", directory);
  return {};
}

Result<Head> read_head(const std::string& directory) {
  const std::string path = path_of(directory);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT)
      return Error{
          ErrorCode::not_found,
          fmt::format(
              "expected the journal's HEAD at {}, found none; hint: is this the directory of an embedded journal?",
              path)};
    return system_error("open", path);
  }
  std::optional<Head> newest;
  for (const off_t at : kSlotAt) {
    const auto slot = read_at(file.get(), at, path);
    if (!slot.ok()) return slot.error();
    if (!is_whole(*slot)) {
      GRANARY_PROBE("a slot of HEAD is broken");
      continue;
    }
    const BytesView bytes = *slot;
    if (const auto version = read_u32(bytes.substr(8)); version != kVersion)
      return Error{
          ErrorCode::conflict,
          fmt::format(
              "expected {} in format version {}, got version {}; hint: open the journal with the build that wrote it",
              path, kVersion, version)};
    const Head head{read_u64(bytes.substr(12)), *hash_from(bytes.substr(20, 32))};
    if (!newest || head.group > newest->group) newest = head;
  }
  if (!newest)
    return Error{
        ErrorCode::corrupt,
        fmt::format(
            "expected a readable slot in {}, but both are broken; hint: restore the journal's directory from backup",
            path)};
  return *newest;
}

HeadFile::~HeadFile() {
  if (file_ >= 0) ::close(file_);
}

Result<void> HeadFile::create(const std::string& directory) {
  const std::string path = path_of(directory);
  const std::string fresh = path + ".new";
  const Bytes slot = slot_of(Head{});
  Bytes content(kFileBytes, '\0');
  for (const off_t at : kSlotAt) content.replace(static_cast<std::size_t>(at), slot.size(), slot);
  {
    const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return system_error("create", fresh);
    GRANARY_TRY(write_at(file.get(), content, 0, fresh));
    if (::fsync(file.get()) != 0) return system_error("sync", fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("put in place", path);
  return sync_directory(directory);
}

Result<void> HeadFile::open(const std::string& directory) {
  path_ = path_of(directory);
  Descriptor file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) return system_error("open", path_);
  file_ = file.release();
  return {};
}

Result<void> HeadFile::write(const Head& head) {
  GRANARY_TRY(write_at(file_, slot_of(head), kSlotAt[head.group % 2], path_));
  if (::fdatasync(file_) != 0) return system_error("sync", path_);
  return {};
}

}  // namespace granary::journal
