// A stream of bytes cut into requests by the framing gate alone, as the listener has to cut it. Values; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/check.h"
#include "shared/http/framing.h"

namespace granary::fuzz {

struct Cut {
  std::vector<http::Request> requests;  // whole ones, with their bodies
  // What followed them: nothing or an unfinished request, or what the gate refused.
  bool is_refused = false;
  int status = 0;  // of the refusal, where parse_head said it
};

inline Cut cut_into_requests(std::string_view bytes, const http::Limits& limits) {
  Cut out;
  while (true) {
    const http::HeadScan scan = http::scan_head(bytes, 0, limits);
    if (scan.state == http::HeadScan::State::incomplete) return out;
    out.is_refused = scan.state != http::HeadScan::State::complete;
    if (out.is_refused) return out;
    GRANARY_CHECK(scan.bytes <= bytes.size() && scan.bytes <= limits.header_bytes, "a head is within what came");
    auto parsed = http::parse_head(bytes.substr(0, scan.bytes), limits);
    if (const auto* problem = std::get_if<http::Problem>(&parsed)) {
      GRANARY_CHECK(problem->status >= 400 && problem->status <= 599, "a refusal is an error");
      out.is_refused = true;
      out.status = problem->status;
      return out;
    }
    auto& head = std::get<http::Head>(parsed);
    GRANARY_CHECK(head.content_length <= limits.body_bytes, "a body is within the limit");
    bytes.remove_prefix(scan.bytes);
    if (bytes.size() < head.content_length) return out;
    head.request.body = bytes.substr(0, head.content_length);
    bytes.remove_prefix(head.content_length);
    out.requests.push_back(std::move(head.request));
  }
}

}  // namespace granary::fuzz
