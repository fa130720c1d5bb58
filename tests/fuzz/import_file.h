// A workload file of foreign bytes, read twice as `granary import` does: both passes yield the same, and every row is
// one that may be sent (that it ends after it began is the door's to judge). The first byte says in which pieces the
// file comes in.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "services/import/reader.h"
#include "shared/base/check.h"
#include "shared/json/utf8.h"
#include "tests/fuzz/target.h"

namespace granary::fuzz {

class PiecesOfMemory : public import::ByteSource {
 public:
  PiecesOfMemory(std::string_view bytes, std::size_t piece) : rest_(bytes), piece_(piece) {}
  Result<std::size_t> read(char* buffer, std::size_t capacity) override {
    const std::size_t size = std::min({piece_, capacity, rest_.size()});
    std::memcpy(buffer, rest_.data(), size);
    rest_.remove_prefix(size);
    return size;
  }
  [[nodiscard]] bool truncated() const override { return false; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return 0; }

 private:
  std::string_view rest_;
  std::size_t piece_;
};

class CheckingSink : public import::RowSink {
 public:
  Result<void> on_row(const import::UsageRow& row) override {
    GRANARY_CHECK(!row.id.empty() && !row.source.empty(), "a usage has an identity");
    GRANARY_CHECK(!row.resources.empty(), "a usage has resources");
    std::set<std::string_view> classes;
    for (const import::ResourceQuantity& resource : row.resources) {
      GRANARY_CHECK(classes.insert(resource.class_name).second, "each class stands once");
      const std::string& text = resource.quantity;
      GRANARY_CHECK(!text.empty() && text.find_first_not_of("0123456789.") == std::string::npos &&
                        text.find_first_not_of("0.") != std::string::npos,
                    "a quantity is a decimal above 0, not " + text);
    }
    GRANARY_CHECK(json::is_utf8(row.account + row.cluster + row.qos + row.partition + row.advance_reservation),
                  "what is sent is UTF-8");
    GRANARY_CHECK(!row.ran_ms || (*row.ran_ms > 0 && *row.ran_ms < row.end_ms - row.start_ms),
                  "a suspended job ran for a part of its interval");
    said += row.id + '\n' + row.source + '\n' + std::to_string(row.start_ms) + ' ' + std::to_string(row.end_ms) + '\n';
    ++rows;
    return {};
  }
  Result<void> on_remark(import::Fate fate, const import::Remark& remark) override {
    GRANARY_CHECK(!remark.reason.empty() && !remark.field.empty(), "what is remarked on says why and of what");
    said += remark.reason + ' ' + remark.detail + '\n';
    if (fate == import::Fate::skipped) ++skips;
    if (fate == import::Fate::refused) ++refusals;
    return {};
  }

  std::string said;
  std::uint64_t rows = 0, skips = 0, refusals = 0;
};

// What one pass comes to, as text.
inline std::string read_once(std::string_view bytes, std::size_t piece, const import::Options& options) {
  import::Input input(std::make_unique<PiecesOfMemory>(bytes, piece), bytes.size());
  CheckingSink sink;
  const auto summary = import::read(input, options, sink);
  if (!summary.ok()) {
    GRANARY_CHECK(summary.error().code == ErrorCode::invalid_input && !summary.error().message.empty(),
                  "bytes alone are no other trouble: " + summary.error().message);
    return sink.said + summary.error().message;
  }
  GRANARY_CHECK(
      summary->usages == sink.rows && summary->rows() == sink.rows + sink.skips + sink.refusals + summary->steps,
      "the summary counts what was yielded");
  GRANARY_CHECK(summary->start_ms_min.has_value() == (sink.rows > 0), "a period is that of usages");
  return sink.said;
}

inline void check_file(const std::uint8_t* data, std::size_t size, const import::Options& options) {
  if (size == 0) return;
  const std::string_view bytes = text_of(data + 1, size - 1);
  const std::string first = read_once(bytes, 1 + data[0], options);
  GRANARY_CHECK(first == read_once(bytes, std::string_view::npos, options), "two passes over a file differ");
}

}  // namespace granary::fuzz
