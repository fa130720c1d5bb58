#include "tests/unit/import/import_support.h"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include <fstream>

#include "shared/base/check.h"

namespace granary::import {

std::string TempFolder::file(const std::string& name, std::string_view content) const {
  const std::string path = directory_ / name;
  std::ofstream out(path, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  GRANARY_CHECK(out.good(), "the test's file was not written");
  return path;
}

std::string gzip_of(std::string_view content) {
  z_stream stream{};
  GRANARY_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string out(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  GRANARY_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out(1U << 22, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    GRANARY_CHECK(archive_write_header(writer, entry) == ARCHIVE_OK, "libarchive");
    archive_write_data(writer, content.data(), content.size());
    archive_entry_free(entry);
  }
  GRANARY_CHECK(archive_write_close(writer) == ARCHIVE_OK, "libarchive");
  archive_write_free(writer);
  out.resize(used);
  return out;
}

Result<void> KeepingSink::on_row(const UsageRow& row) {
  rows.push_back(row);
  return {};
}

Result<void> KeepingSink::on_remark(Fate fate, const Remark& remark) {
  (fate == Fate::skipped ? skips : fate == Fate::refused ? refusals : notes).push_back(remark);
  return {};
}

ReadFile read_text(std::string_view content, const Options& options) {
  const TempFolder folder;
  auto input = Input::open(folder.file("workload", content));
  GRANARY_CHECK(input.ok(), input.error().message);
  KeepingSink sink;
  auto summary = read(*input, options, sink);
  return {std::move(summary), std::move(sink)};
}

std::string resources_of(const UsageRow& row) {
  std::string out;
  for (const ResourceQuantity& resource : row.resources) {
    out += (out.empty() ? "" : " ") + resource.class_name + "=" + resource.quantity;
  }
  return out;
}

std::string words_of(const Remark& remark) {
  return remark.job + (remark.job.empty() ? "" : " ") + remark.reason + " " + remark.field;
}

std::string refusal_of(std::string_view content, const Options& options) {
  const ReadFile file = read_text(content, options);
  if (file.summary.ok()) return "";
  return file.summary.error().code == ErrorCode::invalid_input ? file.summary.error().message : "another code";
}

}  // namespace granary::import
