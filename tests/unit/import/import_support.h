// What the tests of the import readers share: files that live as long as a test, archives of them, and a sink that
// keeps what it is given. One thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/import/reader.h"
#include "tests/support/temp_directory.h"

namespace granary::import {

// A folder that goes with the object.
class TempFolder {
 public:
  // The path of a new file with that content.
  [[nodiscard]] std::string file(const std::string& name, std::string_view content) const;

 private:
  testing_support::TempDirectory directory_;
};

std::string gzip_of(std::string_view content);
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& members);

class KeepingSink : public RowSink {
 public:
  Result<void> on_row(const UsageRow& row) override;
  Result<void> on_remark(Fate fate, const Remark& remark) override;

  std::vector<UsageRow> rows;
  std::vector<Remark> skips, refusals, notes;
};

struct ReadFile {
  Result<Summary> summary;
  KeepingSink sink;
};

// Reads text as a file of that format.
ReadFile read_text(std::string_view content, const Options& options);

// "cpu=2 gpu:a100=1" of a row.
std::string resources_of(const UsageRow& row);

// "1101 unmapped gres/shard" of a remark: job, reason, field.
std::string words_of(const Remark& remark);

// The message of the refusal; empty where the file was read.
std::string refusal_of(std::string_view content, const Options& options);

}  // namespace granary::import
