// The framing gate: every probe that has made some parser lose track of where a message ends is refused, the connection
// closes, and nothing of it reaches the handler.
#include "shared/http/framing.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "shared/http/listener.h"
#include "tests/unit/http/raw_connection.h"

namespace granary::http {
namespace {

using namespace std::string_literals;

struct Probe {
  const char* name;
  std::string bytes;
};

std::string post(const std::string& fields, const std::string& body) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

const std::string kChunked = "Transfer-Encoding: chunked\r\n";
const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

std::vector<Probe> probes() {
  return {
      {"length then chunked", post("Content-Length: 3\r\n" + kChunked, "3\r\nabc\r\n0\r\n\r\n")},
      {"chunked then length", post(kChunked + "Content-Length: 3\r\n", "3\r\nabc\r\n0\r\n\r\n")},
      {"gzip without length", post("Transfer-Encoding: gzip\r\n", "")},
      {"gzip then length", post("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n", "abc")},
      {"length then gzip", post("Content-Length: 3\r\nTransfer-Encoding: gzip\r\n", "abc")},
      {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"vertical tab before chunked", post("Transfer-Encoding: \x0b"
                                           "chunked\r\n",
                                           "0\r\n\r\n")},
      {"two transfer encodings", post(kChunked + "Transfer-Encoding: identity\r\n", "0\r\n\r\n")},
      {"1.0 with chunked", "POST /x HTTP/1.0\r\nHost: h\r\n" + kChunked + "\r\n3\r\nabc\r\n0\r\n\r\n"},
      {"two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
      {"two different lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")},
      {"a list of lengths", post("Content-Length: 3,3\r\n", "abc")},
      {"length with a sign", post("Content-Length: +3\r\n", "abc")},
      {"length in hexadecimal", post("Content-Length: 0x3\r\n", "abc")},
      {"length of 2^64", post("Content-Length: 18446744073709551616\r\n", "abc")},
      {"blank before the colon", post("Content-Length : 3\r\n", "abc")},
      {"folded field", post("X-A: 1\r\n Content-Length: 3\r\nContent-Length: 0\r\n", "")},
      {"bare LF line ends", "GET /x HTTP/1.1\nHost: h\n\n"},
      {"bare CR in a value", post("X-A: 1\rContent-Length: 3\r\nContent-Length: 0\r\n", "")},
      {"NUL in a value", post("X-A: 1\0z\r\nContent-Length: 0\r\n"s, "")},
      {"no Host", "GET /x HTTP/1.1\r\n\r\n"},
      {"two Hosts", "GET /x HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n"},
      {"chunk extension with a bare LF", post(kChunked, "3;a\nX\r\nabc\r\n0\r\n\r\n")},
      {"chunk size with 0x", post(kChunked, "0x3\r\nabc\r\n0\r\n\r\n")},
      {"chunk size that overflows", post(kChunked, "10000000000000003\r\nabc\r\n0\r\n\r\n")},
      {"chunk without its line end", post(kChunked, "3\r\nabcX0\r\n\r\n")},
      {"trailer with a length", post(kChunked, "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n")},
      {"trailer with credentials", post(kChunked, "3\r\nabc\r\n0\r\nAuthorization: Bearer X\r\n\r\n")},
      {"raw UTF-8 in the target", "GET /\xC3\xA9 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"absolute-form target", "GET http://g/x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"HTTP/1.9", "GET /x HTTP/1.9\r\nHost: h\r\n\r\n"},
      {"HTTP/2.0", "GET /x HTTP/2.0\r\nHost: h\r\n\r\n"},
      // Beyond the 33: what passed Beast's header limit, and more ways to say two things at once.
      {"trailers beyond the header limit", post(kChunked, "0\r\nX: " + std::string(800'000, 'x') + "\r\n\r\n")},
      {"long chunk extension", post(kChunked, "1;" + std::string(200'000, 'x') + "\r\na\r\n0\r\n\r\n")},
      {"empty transfer encoding", post("Transfer-Encoding:\r\nContent-Length: 0\r\n", "")},
      {"upper case transfer encoding", post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n")},
      {"empty length", post("Content-Length:\r\n", "")},
      {"negative length", post("Content-Length: -1\r\n", "")},
      {"no length", post("", "")},
      {"first field folded", "GET /x HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n"},
      {"field without a colon", "GET /x HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n"},
      {"field without a name", "GET /x HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n"},
      {"empty Host", "GET /x HTTP/1.1\r\nHost:\r\n\r\n"},
      {"Host with a path", "GET /x HTTP/1.1\r\nHost: h/x\r\n\r\n"},
      {"two credentials", "GET /x HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"},
      {"two event ids", post("ce-id: a\r\nce-id: b\r\nContent-Length: 0\r\n", "")},
      {"line before the request", "\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"HTTP/0.9", "GET /x\r\n\r\n"},
      {"two blanks", "GET  /x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"tab for a blank", "GET\t/x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"fragment in the target", "GET /x#y HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"broken escape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"NUL escape", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"escape that is no UTF-8", "GET /?a=%ff HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"CONNECT", "CONNECT g:443 HTTP/1.1\r\nHost: g:443\r\n\r\n"},
      {"TRACE", "TRACE /x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"method in lower case", "get /x HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"TLS", "\x16\x03\x01\x02"s + "\0\x01"s},
      {"raw UTF-8 in a value", "GET /x HTTP/1.1\r\nHost: h\r\nX: \xC3\xA9\r\n\r\n"},
      {"another expectation", post("Expect: 200-ok\r\nContent-Length: 0\r\n", "")},
  };
}

class FramingGate : public ::testing::Test {
 protected:
  FramingGate() {
    auto listener = Listener::start({}, [this](const Request& request, Responder responder) {
      ++seen_;
      responder({.status = 200, .body = request.path});
    });
    listener_ = std::move(*listener);
  }

  std::string send(const std::string& bytes) {
    RawConnection connection(listener_->port());
    connection.send(bytes);
    connection.end_sending();
    return connection.read_to_end();
  }

  std::atomic<int> seen_{0};
  std::unique_ptr<Listener> listener_;
};

TEST_F(FramingGate, EveryProbeIsRefusedAndTheConnectionCloses) {
  std::uint64_t count = 0;
  for (const Probe& probe : probes()) {
    SCOPED_TRACE(probe.name);
    const std::string answer = send(probe.bytes + kSmuggled);
    EXPECT_TRUE(answer.substr(0, 10) == "HTTP/1.1 4" || answer.substr(0, 10) == "HTTP/1.1 5") << answer;
    EXPECT_EQ(count_of(answer, "\r\nDate: "), 1U) << answer;
    EXPECT_EQ(count_of(answer, "\r\nConnection: close\r\n"), 1U) << answer;
    EXPECT_EQ(count_of(answer, "urn:granary:problem:"), 1U) << answer;
    EXPECT_EQ(seen_, 0);
    seen_ = 0;
    EXPECT_EQ(listener_->metrics().requests_refused, ++count);
  }
}

TEST_F(FramingGate, WellFormedRequestsPassTheSameWay) {
  for (const std::string& bytes :
       {post("Content-Length: 3\r\n", "abc"), post("content-length:3\t\r\nX-Empty:\r\n", "abc"),
        "GET /a%20b?x=1 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"s, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"s}) {
    SCOPED_TRACE(bytes);
    seen_ = 0;
    const std::string answer = send(bytes + kSmuggled);
    EXPECT_EQ(count_of(answer, " 200 OK\r\n"), 2U) << answer;
    EXPECT_EQ(seen_, 2);
  }
}

TEST(FramingScan, EveryWayToCutTheBytesGivesTheSameHead) {
  const std::string head = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string data = head + "GET /";
  std::size_t from = 0;
  for (std::size_t size = 0; size < head.size(); ++size) {
    const HeadScan scan = scan_head(std::string_view(data).substr(0, size), from, {});
    ASSERT_EQ(scan.state, HeadScan::State::incomplete) << size;
    from = scan.bytes;
  }
  const HeadScan scan = scan_head(data, from, {});
  EXPECT_EQ(scan.state, HeadScan::State::complete);
  EXPECT_EQ(scan.bytes, head.size());
}

TEST(FramingScan, TheLimitIsExact) {
  const std::string head = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  Limits limits;
  limits.header_bytes = head.size();
  EXPECT_EQ(scan_head(head, 0, limits).state, HeadScan::State::complete);
  limits.header_bytes = head.size() - 1;
  EXPECT_EQ(scan_head(head, 0, limits).state, HeadScan::State::too_large);
}

TEST(FramingHead, FieldsComeOutInLowerCaseAndTrimmed) {
  const auto result = parse_head("POST /p?a=1 HTTP/1.1\r\nHOST: h\r\nX-A: \t b \t\r\nContent-Length: 7\r\n\r\n", {});
  const auto* head = std::get_if<Head>(&result);
  ASSERT_NE(head, nullptr);
  EXPECT_EQ(head->request.method, "POST");
  EXPECT_EQ(head->request.path, "/p");
  EXPECT_EQ(query(head->request, "a"), "1");
  EXPECT_EQ(header(head->request, "x-a"), "b");
  EXPECT_EQ(header(head->request, "host"), "h");
  EXPECT_EQ(head->content_length, 7U);
  EXPECT_FALSE(head->expects_continue);
}

TEST(FramingOut, FieldValuesLoseWhatEndsALine) {
  EXPECT_EQ(clean_field_value("a\r\nSet-Cookie: b\0c"s), "a  Set-Cookie: b c");
}

}  // namespace
}  // namespace granary::http
