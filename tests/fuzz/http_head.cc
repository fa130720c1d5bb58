// The framing gate over bytes as they come in: the head's end does not depend on where packets fall, and what it lets
// through is what the door may rely on.
#include <algorithm>

#include "shared/http/router.h"
#include "tests/fuzz/requests.h"
#include "tests/fuzz/target.h"

namespace granary::fuzz {
namespace {

const http::Limits kLimits{
    .header_bytes = 1024, .header_count = 16, .target_bytes = 256, .body_bytes = 512, .connections = 8};

using State = http::HeadScan::State;

// The first byte says how large the pieces are in which the rest comes in.
void check_scan(std::size_t piece, std::string_view bytes) {
  const http::HeadScan whole = http::scan_head(bytes, 0, kLimits);
  http::HeadScan last;
  std::size_t have = 0;
  while (last.state == State::incomplete && have < bytes.size()) {
    have = std::min(have + piece, bytes.size());
    last = http::scan_head(bytes.substr(0, have), last.bytes, kLimits);
  }
  GRANARY_CHECK(last.state == whole.state && (whole.state != State::complete || last.bytes == whole.bytes),
                "the end of a head depends on how it came in");
}

void check_request(const http::Request& request) {
  const auto is_plain = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7F); });
  };
  GRANARY_CHECK(http::is_token(request.method), "a method is a token");
  GRANARY_CHECK(!request.path.empty() && request.path.front() == '/' && is_plain(request.path), "a path begins with /");
  GRANARY_CHECK(request.headers.size() <= kLimits.header_count, "fields are within the limit");
  std::size_t lengths = 0, hosts = 0;
  for (const http::Field& field : request.headers) {
    GRANARY_CHECK(http::is_token(field.name) && is_plain(field.value), "a field is plain text");
    GRANARY_CHECK(std::none_of(field.name.begin(), field.name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
                  "a field's name is in lower case");
    lengths += field.name == "content-length" ? 1 : 0;
    hosts += field.name == "host" ? 1 : 0;
    GRANARY_CHECK(field.name != "transfer-encoding", "no transfer coding gets through");
  }
  GRANARY_CHECK(lengths <= 1 && hosts <= 1, "length and host stand once");
  for (const http::Field& parameter : request.query)
    GRANARY_CHECK(std::none_of(parameter.value.begin(), parameter.value.end(),
                               [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }),
                  "a query holds no control characters");
}

const http::Router& router() {
  static const http::Router shared = [] {
    http::Router made;
    const auto answer = [](const http::Request&, const http::PathParameters& path, http::Responder responder) {
      GRANARY_CHECK(!path["name"].empty(), "a path parameter is never empty");
      responder({.status = 204});
    };
    made.add("GET", "/v1/things/{name}", answer);
    made.add("POST", "/v1/things/{name}/parts", answer);
    return made;
  }();
  return shared;
}

}  // namespace
}  // namespace granary::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace granary;
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  fuzz::check_scan(1 + data[0] % 64, bytes);
  for (http::Request& request : fuzz::cut_into_requests(bytes, fuzz::kLimits).requests) {
    fuzz::check_request(request);
    bool is_answered = false;
    fuzz::router().serve(std::move(request), http::Responder([&is_answered](const http::Response& response) {
                           is_answered = response.status == 204 || response.status == 404 || response.status == 405;
                         }));
    GRANARY_CHECK(is_answered, "every request is answered");
  }
  return 0;
}
