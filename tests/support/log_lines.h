// What is logged while one of these lives.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "shared/telemetry/log.h"

namespace granary::testing_support {

class LogLines {
 public:
  LogLines() {
    telemetry::start(telemetry::Format::json);
    telemetry::set_sink([this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    });
  }
  ~LogLines() { telemetry::set_sink(nullptr); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  // The lines so far of that event.
  [[nodiscard]] std::vector<std::string> of(std::string_view event) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const std::string& line : lines_)
      if (line.find("\"event\":\"" + std::string(event) + "\"") != std::string::npos) found.push_back(line);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace granary::testing_support
