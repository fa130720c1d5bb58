// The listener over a real socket, with Beast behind the framing gate: what reaches the handler is what the gate alone
// makes of the bytes, request by request (no smuggling), each is answered once, and the connection ends.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <string>

#include "shared/http/listener.h"
#include "tests/fuzz/requests.h"
#include "tests/fuzz/target.h"

namespace granary::fuzz {
namespace {

constexpr int kStatus = 299;

struct Server {
  std::mutex mutex;
  std::vector<http::Request> seen;
  http::ListenerOptions options;
  std::unique_ptr<http::Listener> listener;

  Server() {
    options.threads = 1;
    options.limits.body_bytes = 4096;
    auto started = http::Listener::start(options, [this](http::Request request, http::Responder responder) {
      {
        const std::lock_guard lock(mutex);
        seen.push_back(std::move(request));
      }
      responder({.status = kStatus, .content_type = "text/plain", .body = "HTTP/1.1 in a body"});
    });
    GRANARY_CHECK(started.ok(), started.ok() ? "" : started.error().message);
    listener = std::move(*started);
  }
};

Server& server() {
  static Server shared;
  return shared;
}

// Sends all of it, ends sending, and returns what came until the other end closed.
std::string talk(std::uint16_t port, std::string_view bytes) {
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  GRANARY_CHECK(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connected");
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  // Closed by a reset, so that thousands a second leave no ports behind.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(connection, SHUT_WR);
  std::string received;
  std::array<char, 65536> chunk{};
  ssize_t got = 0;
  do {  // libFuzzer's own alarm interrupts a wait that has a time limit
    got = ::recv(connection, chunk.data(), chunk.size(), 0);
    if (got > 0) received.append(chunk.data(), static_cast<std::size_t>(got));
  } while (got > 0 || (got < 0 && errno == EINTR));
  GRANARY_CHECK(got == 0, "the listener ended the connection in time and without a reset");
  ::close(connection);
  return received;
}

// The statuses of the answers in `text`, which holds whole answers and interim ones (100) only.
std::vector<int> statuses(std::string_view text, const std::vector<http::Request>& seen) {
  std::vector<int> out;
  std::size_t finals = 0;
  while (!text.empty()) {
    GRANARY_CHECK(text.starts_with("HTTP/1.1 ") || text.starts_with("HTTP/1.0 "), "an answer begins with its version");
    const std::size_t end = text.find("\r\n\r\n");
    GRANARY_CHECK(end != std::string_view::npos, "an answer has a whole head");
    const int status = std::stoi(std::string(text.substr(9, 3)));
    std::string_view head = text.substr(0, end + 2);
    text.remove_prefix(end + 4);
    if (status == 100) continue;
    const std::size_t at = head.find("\r\nContent-Length: ");
    GRANARY_CHECK(at != std::string_view::npos, "an answer says its length");
    const std::size_t length = std::stoul(std::string(head.substr(at + 18)));
    const bool is_bare = finals < seen.size() && seen[finals].method == "HEAD";
    GRANARY_CHECK(is_bare || length <= text.size(), "an answer has a whole body");
    if (!is_bare) text.remove_prefix(length);
    ++finals;
    out.push_back(status);
  }
  return out;
}

}  // namespace
}  // namespace granary::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace granary;
  const std::string_view bytes = fuzz::text_of(data, size);
  fuzz::Server& server = fuzz::server();
  const std::string received = fuzz::talk(server.listener->port(), bytes);
  std::vector<http::Request> seen;
  {
    const std::lock_guard lock(server.mutex);
    seen.swap(server.seen);
  }
  const fuzz::Cut cut = fuzz::cut_into_requests(bytes, server.options.limits);
  GRANARY_CHECK(seen.size() <= cut.requests.size(), "the handler sees no request that the gate does not see");
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const http::Request& gate = cut.requests[i];
    GRANARY_CHECK(seen[i].method == gate.method && seen[i].path == gate.path && seen[i].body == gate.body,
                  "the handler sees what the gate sees");
  }
  const auto answers = fuzz::statuses(received, seen);
  GRANARY_CHECK(answers.size() == seen.size() || answers.size() == seen.size() + 1, "each request is answered once");
  for (std::size_t i = 0; i < answers.size(); ++i)
    GRANARY_CHECK((answers[i] == fuzz::kStatus) == (i < seen.size()), "answers come in the order of the requests");
  // A caller that asked for `close`, or speaks 1.0, is heard once; else what is whole is heard.
  if (seen.size() < cut.requests.size() && answers.size() == seen.size() && !seen.empty()) {
    GRANARY_CHECK(received.find("\r\nConnection: close\r\n") != std::string::npos || received.starts_with("HTTP/1.0 "),
                  "a whole request went unheard");
  }
  return 0;
}
