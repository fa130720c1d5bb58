// Rows as one JSON array, a row a line, written as they come. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "services/cli/api.h"
#include "shared/json/writer.h"

namespace granary::cli {

// Where text goes; its errors end the output.
using Write = std::function<Result<void>(std::string_view text)>;

class JsonRows {
 public:
  explicit JsonRows(Write write) : write_(std::move(write)) {}
  Result<void> add(const json::Value& row) {
    std::string text = std::exchange(is_first_, false) ? "[" : ",\n";
    json::append_json(text, row);
    return write_(text);
  }
  Result<void> finish() { return write_(is_first_ ? "[]\n" : "]\n"); }

 private:
  Write write_;
  bool is_first_ = true;
};

}  // namespace granary::cli
