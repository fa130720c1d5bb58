// A plain socket to a listener on this machine, for requests that no client library would send. Each read gives up
// after a generous while, so that a test fails rather than hangs.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace granary::http {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection() { ::close(socket_); }

  [[nodiscard]] bool is_connected() const { return is_connected_; }

  // Whether all of it went out; the other end may have closed before.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  // What has come in up to and with `mark`, which is taken off the front; all there is where the mark never comes.
  std::string read_until(std::string_view mark) {
    while (received_.find(mark) == std::string::npos && receive()) {
    }
    const std::size_t at = received_.find(mark);
    const std::size_t size = at == std::string::npos ? received_.size() : at + mark.size();
    std::string out = received_.substr(0, size);
    received_.erase(0, size);
    return out;
  }

  // The next `size` bytes; fewer if the other end closes before.
  std::string read_bytes(std::size_t size) {
    while (received_.size() < size && receive()) {
    }
    std::string out = received_.substr(0, size);
    received_.erase(0, size);
    return out;
  }

  // Whether the other end broke the connection off rather than closing it: some systems then lose what came before.
  [[nodiscard]] bool was_reset() const { return was_reset_; }

  // All that comes until the other end closes.
  std::string read_to_end() {
    while (receive()) {
    }
    EXPECT_TRUE(was_closed_) << "the other end never closed";
    return std::exchange(received_, {});
  }

 private:
  bool receive() {
    std::array<char, 65536> chunk{};
    const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    was_reset_ = was_reset_ || (got < 0 && errno == ECONNRESET);
    was_closed_ = was_reset_ || got == 0;
    if (got <= 0) return false;
    received_.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool is_connected_ = false;
  bool was_closed_ = false;
  bool was_reset_ = false;
  std::string received_;
};

inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace granary::http
