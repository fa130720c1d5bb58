#include "services/import/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "services/import/file_source.h"
#include "shared/base/bytes.h"
#include "shared/base/encoding.h"

namespace granary::import {
namespace {

constexpr std::size_t kBufferBytes = 64U << 10;
constexpr std::size_t kLineBytesMax = 1U << 20;

}  // namespace

Result<Input> Input::open(const std::string& path) {
  auto opened = open_file_source(path);
  if (!opened.ok()) return opened.error();
  return Input(std::move(opened->source), opened->stored_size);
}

Input::Input(std::unique_ptr<ByteSource> source, std::uint64_t stored_size)
    : source_(std::move(source)), stored_size_(stored_size), buffer_(new char[kBufferBytes]) {}

bool Input::fill() {
  if (at_end_) return false;
  // What ahead() showed is kept.
  const std::size_t kept = filled_ - at_;
  std::memmove(buffer_.get(), buffer_.get() + at_, kept);
  const auto read = source_->read(buffer_.get() + kept, kBufferBytes - kept);
  at_ = 0;
  filled_ = kept + (read.ok() ? *read : 0);
  if (!read.ok()) error_ = read.error();
  at_end_ = filled_ == kept;
  return !at_end_;
}

std::string_view Input::ahead(std::size_t size) {
  while (filled_ - at_ < size && fill()) {
  }
  return {buffer_.get() + at_, std::min(size, filled_ - at_)};
}

Result<void> Input::status() const {
  if (error_) return *error_;
  return {};
}

Result<bool> read_line(Input& input, Line& line) {
  line.text.clear();
  line.number = input.line();
  line.terminated = false;
  if (input.peek() < 0) {
    GRANARY_TRY(input.status());
    return false;
  }
  for (int byte = input.get(); byte >= 0; byte = input.get()) {
    if (byte == '\n') {
      line.terminated = true;
      break;
    }
    line.text.push_back(static_cast<char>(byte));
    if (line.text.size() > kLineBytesMax) {
      return Error{ErrorCode::invalid_input,
                   fmt::format("line {}: expected a line of at most 1 MiB, got a longer one; hint: look "
                               "whether this is a text file of the format that --format names",
                               line.number)};
    }
  }
  GRANARY_TRY(input.status());
  if (line.terminated && line.text.ends_with('\r')) line.text.pop_back();
  return true;
}

Result<std::string> sha256_of_content(const std::string& path) {
  auto input = Input::open(path);
  if (!input.ok()) return input.error();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const Error hash_error{ErrorCode::io_error, "expected SHA-256 from OpenSSL, got a failure; hint: check libcrypto"};
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) return hash_error;
  if (input->ahead(kByteOrderMark.size()) == kByteOrderMark) input->pass(kByteOrderMark.size());
  std::string chunk;
  for (int byte = input->get(); byte >= 0; byte = input->get()) {
    if (byte == '\r' && input->peek() == '\n') continue;
    chunk.push_back(static_cast<char>(byte));
    if (chunk.size() < kBufferBytes) continue;
    if (EVP_DigestUpdate(context.get(), chunk.data(), chunk.size()) != 1) return hash_error;
    chunk.clear();
  }
  GRANARY_TRY(input->status());
  if (EVP_DigestUpdate(context.get(), chunk.data(), chunk.size()) != 1) return hash_error;
  Hash32 hash{};
  if (EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) != 1) return hash_error;
  return to_hex(view_of(hash));
}

}  // namespace granary::import
