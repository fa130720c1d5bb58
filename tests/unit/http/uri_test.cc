// Escapes, request targets and the client's URLs.
#include "shared/http/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace granary::http {
namespace {

TEST(PercentEscapes, GoBothWays) {
  const std::string text = "slurm://a b/\xC3\xA9+&=?#%~";
  EXPECT_EQ(percent_encode("a b/\xC3\xA9~"), "a%20b%2F%C3%A9~");
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_decode("%7e+"), "~+");
}

TEST(PercentEscapes, WhatIsNoTextIsRefused) {
  for (const char* text : {"%", "%1", "%g0", "a%0", "%00", "%0a", "%7F", "%ff", "%C3", "%ed%a0%80"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

TEST(RequestTarget, SplitsIntoPathAndQuery) {
  const auto target = parse_target("/a%2Fb/c?x=1&y=a+b%2Bc&&z&x=2=3&=e");
  ASSERT_TRUE(target.ok()) << target.error().message;
  EXPECT_EQ(target->path, "/a%2Fb/c");
  std::string all;
  for (const Field& field : target->query) all += field.name + '>' + field.value + ';';
  EXPECT_EQ(all, "x>1;y>a b+c;z>;x>2=3;>e;");
}

TEST(RequestTarget, WhatIsNoneIsRefused) {
  for (const char* text : {"", "*", "a", "http://h/", "/a b", "/\"", "/<", "/[", "/{x}", "/a#b", "/\x7f", "/\xC3\xA9",
                           "/%zz", "/?a=%f", "/\\"}) {
    EXPECT_FALSE(parse_target(text).ok()) << text;
  }
}

TEST(UriReference, IsWhatRfc3986HasAndNothingElse) {
  for (const char* text : {"", "slurm://CLUSTER", "slurm://10.0.0.1.cluster/a", "urn:granary:import:slurm:a%20b:",
                           "//h/x?y#z", "a/b", "?q", "#f", "mailto:a@b", "http://[::1]:80/"}) {
    EXPECT_TRUE(is_uri_reference(text)) << text;
  }
  for (const char* text :
       {"a b", "1a:b", ":a", "a#b#c", "%", "%g0", "a\\b", "\xC3\xA9", "a|b", "a[b", "//[::1", "a\n"}) {
    EXPECT_FALSE(is_uri_reference(text)) << text;
  }
}

TEST(ClientUrl, NamesHostPortAndPath) {
  struct Case {
    const char *text, *host;
    int port;
    const char *path, *authority;
  };
  for (const Case& c :
       {Case{"http://localhost", "localhost", 80, "", "localhost"},
        Case{"http://a.b:8080/", "a.b", 8080, "", "a.b:8080"},
        Case{"http://127.0.0.1:80/x/y/", "127.0.0.1", 80, "/x/y", "127.0.0.1"},
        Case{"http://10.0.0.1.example.org:81", "10.0.0.1.example.org", 81, "", "10.0.0.1.example.org:81"},
        Case{"http://[::1]:65535", "::1", 65535, "", "[::1]:65535"}}) {
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url.ok()) << url.error().message;
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->path, c.path);
    EXPECT_EQ(url->authority, c.authority);
  }
}

TEST(ClientUrl, WhatIsNoneIsRefused) {
  for (const char* text : {"",
                           "localhost:80",
                           "https://h",
                           "http://",
                           "http://:80",
                           "http://h:",
                           "http://h:0",
                           "http://h:65536",
                           "http://h:80080",
                           "http://h:8x",
                           "http://h:+1",
                           "http://u@h",
                           "http://h/?q",
                           "http://h#f",
                           "http://[::1",
                           "http://[]",
                           "http://[1]",
                           "http://[:1]",
                           "http://h\r\n",
                           "http://h /",
                           "HTTP://h"}) {
    EXPECT_FALSE(parse_url(text).ok()) << text;
  }
}

}  // namespace
}  // namespace granary::http
