#include "services/import/file_source.h"

#include <fmt/format.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace granary::import {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t kChunkBytes = 64U << 10;

Error corrupt_archive(const std::string& path, const char* kind, const std::string& what) {
  return {ErrorCode::corrupt,
          fmt::format("expected a sound {} file in {}, got {}; hint: fetch the file again", kind, path, what)};
}

class PlainSource : public ByteSource {
 public:
  PlainSource(FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    const ssize_t got = file_.read(buffer, capacity);
    if (got < 0) return file_error(path_, errno);
    read_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  [[nodiscard]] bool truncated() const override { return false; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return read_; }

 private:
  FileHandle file_;
  std::string path_;
  std::uint64_t read_ = 0;
};

// gzip (RFC 1952), also of several members one after another; zlib checks each member's CRC and length.
class GzipSource : public ByteSource {
 public:
  GzipSource(FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    if (!ready_) {
      constexpr int kGzipOnly = 16 + MAX_WBITS;
      if (inflateInit2(&stream_, kGzipOnly) != Z_OK) return corrupt_archive(path_, "gzip", "no memory to unpack it");
      ready_ = true;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = static_cast<uInt>(capacity);
    while (!at_end_ && stream_.avail_out == capacity) {
      GRANARY_TRY(refill());
      if (stream_.avail_in == 0) {  // the file's end: right only between members
        truncated_ = in_member_;
        at_end_ = true;
        break;
      }
      if (!in_member_ && !begin_member()) {
        return corrupt_archive(path_, "gzip", "other bytes behind the packed ones");
      }
      if (at_end_) break;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        in_member_ = false;
        if (inflateReset(&stream_) != Z_OK) return corrupt_archive(path_, "gzip", "an unknown state");
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return corrupt_archive(path_, "gzip", stream_.msg != nullptr ? stream_.msg : "damaged bytes");
      }
    }
    return capacity - stream_.avail_out;
  }
  [[nodiscard]] bool truncated() const override { return truncated_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return read_; }

 private:
  Result<void> refill() {
    if (stream_.avail_in > 0) return {};
    const ssize_t got = file_.read(input_.data(), input_.size());
    if (got < 0) return file_error(path_, errno);
    read_ += static_cast<std::uint64_t>(got);
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return {};
  }

  // Whether what follows is another member, or the zeros with which tapes are padded (these are skipped).
  bool begin_member() {
    while (stream_.avail_in > 0 && *stream_.next_in == 0) {
      ++stream_.next_in;
      --stream_.avail_in;
      is_padded_ = true;
    }
    if (stream_.avail_in == 0) return true;
    in_member_ = *stream_.next_in == 0x1f && !is_padded_;
    return in_member_;
  }

  FileHandle file_;
  std::string path_;
  std::vector<char> input_ = std::vector<char>(kChunkBytes);
  z_stream stream_{};
  std::uint64_t read_ = 0;
  bool ready_ = false;
  bool in_member_ = false;
  bool is_padded_ = false;
  bool at_end_ = false;
  bool truncated_ = false;
};

// A zip of one member. libarchive reads it by its directory, or, if that is cut off, from the front.
class ZipSource : public ByteSource {
 public:
  ZipSource(FileHandle file, std::string path, bool is_cut)
      : file_(std::move(file)), path_(std::move(path)), is_cut_(is_cut) {}

  // Goes to the one member.
  Result<void> open() {
    GRANARY_TRY(start());
    archive_entry* entry = nullptr;
    int members = 0;
    int status = ARCHIVE_OK;
    while (members < 2 && (status = next(&entry)) >= ARCHIVE_WARN && status != ARCHIVE_EOF) ++members;
    if (status < ARCHIVE_WARN && !is_cut_) return corrupt_archive(path_, "zip", archive_text());
    if (members != 1) {
      return Error{
          ErrorCode::invalid_input,
          fmt::format("expected a zip of one member in {}, got one of {}; hint: unpack it and import the files "
                      "one by one",
                      path_, members == 0 ? "none" : "several")};
    }
    GRANARY_TRY(start());
    if (next(&entry) < ARCHIVE_WARN) return corrupt_archive(path_, "zip", archive_text());
    return {};
  }

  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    if (at_end_) return std::size_t{0};
    const la_ssize_t got = archive_read_data(archive_.get(), buffer, capacity);
    if (got > 0) return static_cast<std::size_t>(got);
    at_end_ = true;
    if (got < 0 && !is_cut_) return corrupt_archive(path_, "zip", archive_text());
    return std::size_t{0};
  }
  [[nodiscard]] bool truncated() const override { return at_end_ && is_cut_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override {
    return static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_filter_bytes(archive_.get(), -1)));
  }

 private:
  Result<void> start() {
    archive_.reset(archive_read_new());
    archive* a = archive_.get();
    if (a == nullptr || lseek(file_.fd(), 0, SEEK_SET) < 0 || archive_read_support_format_zip(a) != ARCHIVE_OK ||
        archive_read_open_fd(a, file_.fd(), kChunkBytes) != ARCHIVE_OK) {
      return corrupt_archive(path_, "zip", archive_text());
    }
    return {};
  }
  int next(archive_entry** entry) { return archive_read_next_header(archive_.get(), entry); }
  std::string archive_text() {
    const char* text = archive_ ? archive_error_string(archive_.get()) : nullptr;
    return text != nullptr ? text : "damaged bytes";
  }

  FileHandle file_;
  std::string path_;
  bool is_cut_;
  bool at_end_ = false;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_{nullptr, archive_read_free};
};

// A zip ends with a directory and its end record: these four bytes, 16 more, and a comment with its length before it
// (APPNOTE.TXT 4.3.16). Without the whole record the file is cut.
Result<bool> is_zip_cut(const FileHandle& file, const std::string& path, std::uint64_t size) {
  constexpr std::size_t kEndRecordBytes = 22;
  std::vector<char> bytes(std::min<std::uint64_t>(size, (64U << 10) + kEndRecordBytes));
  const ssize_t got = file.read_at(bytes.data(), bytes.size(), size - bytes.size());
  if (got < 0) return file_error(path, errno);
  const std::string_view tail(bytes.data(), static_cast<std::size_t>(got));
  for (std::size_t at = tail.find("PK\5\6"sv); at != std::string_view::npos; at = tail.find("PK\5\6"sv, at + 1)) {
    if (tail.size() - at < kEndRecordBytes) break;
    const auto byte = [&](std::size_t offset) { return static_cast<unsigned char>(tail[at + offset]); };
    const std::size_t comment_bytes = byte(20) + (static_cast<std::size_t>(byte(21)) << 8);
    if (tail.size() - at >= kEndRecordBytes + comment_bytes) return false;
  }
  return true;
}

// What an archive that is not read here calls itself; nullptr for what may be text.
const char* other_archive(std::string_view head) {
  struct Magic {
    std::string_view bytes;
    std::size_t offset;
    const char* name;
  };
  static constexpr std::array kMagics{
      Magic{"\xfd"
            "7zXZ\0"sv,
            0, "an xz file"},
      Magic{"BZh"sv, 0, "a bzip2 file"},
      Magic{"\x28\xb5\x2f\xfd"sv, 0, "a zstd file"},
      Magic{"\x04\x22\x4d\x18"sv, 0, "an lz4 file"},
      Magic{"7z\xbc\xaf\x27\x1c"sv, 0, "a 7z archive"},
      Magic{"Rar!\x1a\x07"sv, 0, "a rar archive"},
      Magic{"\x1f\x9d"sv, 0, "a compress (.Z) file"},
      Magic{"ustar"sv, 257, "a tar archive"},
  };
  for (const Magic& magic : kMagics) {
    if (head.size() >= magic.offset && head.substr(magic.offset).starts_with(magic.bytes)) return magic.name;
  }
  return nullptr;
}

}  // namespace

// Without O_NONBLOCK it would wait for a writer if the path is a pipe; to a file it means nothing.
FileHandle::FileHandle(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
FileHandle::FileHandle(FileHandle&& other) noexcept : fd_(other.fd_) {
  other.fd_ = -1;
}
FileHandle::~FileHandle() {
  if (fd_ >= 0) ::close(fd_);
}

ssize_t FileHandle::read(char* buffer, std::size_t capacity) const {
  ssize_t got = 0;
  do got = ::read(fd_, buffer, capacity);
  while (got < 0 && errno == EINTR);
  return got;
}

ssize_t FileHandle::read_at(char* buffer, std::size_t capacity, std::uint64_t offset) const {
  ssize_t got = 0;
  do got = ::pread(fd_, buffer, capacity, static_cast<off_t>(offset));
  while (got < 0 && errno == EINTR);
  return got;
}

Error file_error(const std::string& path, int error_number) {
  const bool is_missing = error_number == ENOENT || error_number == ENOTDIR;
  return {is_missing ? ErrorCode::not_found : ErrorCode::io_error,
          fmt::format("expected to read {}, got '{}'; hint: check the path and its rights", path,
                      std::strerror(error_number))};
}

Result<std::uint64_t> regular_file_size(const FileHandle& file, const std::string& path) {
  if (!file.is_open()) return file_error(path, errno);
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return file_error(path, errno);
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  return Error{ErrorCode::invalid_input,
               fmt::format("expected a regular file in {}, got something else; hint: import reads a file more than "
                           "once, so a pipe or a folder will not do: write it to a file first",
                           path)};
}

Result<OpenedFile> open_file_source(const std::string& path) {
  FileHandle file(path);
  const auto found = regular_file_size(file, path);
  if (!found.ok()) return found.error();
  const std::uint64_t size = *found;
  if (size == 0) {
    return Error{ErrorCode::invalid_input,
                 fmt::format("expected a workload in {}, got an empty file; hint: export it again", path)};
  }
  std::array<char, 512> head_bytes{};
  const ssize_t got = file.read_at(head_bytes.data(), head_bytes.size(), 0);
  if (got < 0) return file_error(path, errno);
  const std::string_view head(head_bytes.data(), static_cast<std::size_t>(got));
  if (head.starts_with("\x1f\x8b"sv)) {
    return OpenedFile{std::make_unique<GzipSource>(std::move(file), path), size};
  }
  if (head.starts_with("PK\3\4"sv) || head.starts_with("PK\5\6"sv)) {
    auto is_cut = is_zip_cut(file, path, size);
    if (!is_cut.ok()) return is_cut.error();
    auto zip = std::make_unique<ZipSource>(std::move(file), path, *is_cut);
    GRANARY_TRY(zip->open());
    return OpenedFile{std::move(zip), size};
  }
  if (const char* name = other_archive(head)) {
    return Error{ErrorCode::invalid_input,
                 fmt::format("expected a plain file, a gzip file or a zip of one member in {}, got {}; hint: unpack it "
                             "first",
                             path, name)};
  }
  return OpenedFile{std::make_unique<PlainSource>(std::move(file), path), size};
}

}  // namespace granary::import
