// One CloudEvent for tests of the doors, with changes to order, written in each of the three modes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shared/base/check.h"
#include "shared/http/message.h"
#include "shared/http/uri.h"

namespace granary::test {

inline constexpr const char* kUsageData =
    R"({"project":"aurora-llm","resources":[{"class":"gpu:h200","quantity":"2"}],)"
    R"("start":"2026-10-31T23:30:00Z","end":"2026-11-01T00:30:00Z","activity":"train"})";

enum class Mode { binary, structured, batch };
inline constexpr Mode kModes[] = {Mode::binary, Mode::structured, Mode::batch};

struct CloudSample {
  // Values as JSON, such as "\"1.0\"".
  std::vector<std::pair<std::string, std::string>> attributes = {
      {"specversion", R"("1.0")"},
      {"id", R"("81234-1793489400")"},
      {"source", R"("slurm://aif1")"},
      {"type", R"("granary.usage.reported.v1")"},
      {"time", R"("2026-11-01T00:30:07.123456Z")"},
      {"actor", R"("agent-7")"},
      {"traceparent", R"("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")"},
  };
  std::string data = kUsageData;

  // Changes or adds an attribute; an empty value removes it.
  CloudSample with(const std::string& name, const std::string& value) const {
    CloudSample changed = *this;
    std::erase_if(changed.attributes, [&name](const auto& one) { return one.first == name; });
    if (!value.empty()) changed.attributes.emplace_back(name, value);
    return changed;
  }
  CloudSample with_id(const std::string& id) const { return with("id", '"' + id + '"'); }
  // Replaces the one `from` in the data.
  CloudSample with_data(const std::string& from, const std::string& to) const {
    CloudSample changed = *this;
    const auto at = changed.data.find(from);
    GRANARY_CHECK(at != std::string::npos && changed.data.find(from, at + 1) == std::string::npos,
                  from + " has to stand once in " + changed.data);
    changed.data.replace(at, from.size(), to);
    return changed;
  }

  [[nodiscard]] std::string json() const {
    std::string text = "{";
    for (const auto& [name, value] : attributes) text += '"' + name + "\":" + value + ',';
    return text + "\"data\":" + data + '}';
  }

  [[nodiscard]] http::Request request(Mode mode) const {
    http::Request request;
    request.method = "POST";
    request.path = "/v1/events";
    if (mode != Mode::binary) {
      request.headers.push_back({"content-type", mode == Mode::batch ? "application/cloudevents-batch+json"
                                                                     : "application/cloudevents+json; charset=UTF-8"});
      request.body = mode == Mode::batch ? '[' + json() + ']' : json();
      return request;
    }
    request.headers.push_back({"content-type", "application/json"});
    for (const auto& [name, value] : attributes) {
      GRANARY_CHECK(value.size() >= 2 && value.front() == '"', "binary mode has strings only, not " + value);
      request.headers.push_back({"ce-" + name, http::percent_encode(value.substr(1, value.size() - 2))});
    }
    request.body = data;
    return request;
  }
};

inline http::Request batch_of(const std::vector<CloudSample>& samples) {
  http::Request request = CloudSample().request(Mode::batch);
  request.body = "[";
  for (const CloudSample& sample : samples) request.body += (request.body.size() > 1 ? "," : "") + sample.json();
  request.body += ']';
  return request;
}

}  // namespace granary::test
