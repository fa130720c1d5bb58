// What a client asks, and how long it waits. Plain values; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "shared/http/message.h"

namespace granary::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query, percent-encoded; goes after the URL's own path
  Fields headers = {};
  std::string content_type = {};
  std::string body = {};
};

struct ClientOptions {
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::milliseconds write_time{30'000};
  std::chrono::milliseconds read_time{60'000};  // until the whole answer is in
  std::size_t body_bytes = 256U << 20;          // of an answer
};

}  // namespace granary::http
