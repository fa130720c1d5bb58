#include "services/cli/export_command.h"

#include <functional>
#include <utility>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/json_rows.h"
#include "services/cli/output_file.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::vector<std::string> columns_of(const std::string& what) {
  if (what == "usage") return {"project", "resource", "unit", "records", "quantity"};
  return {"organisation", "project", "resource", "period",      "unit",           "used",         "covered",
          "billed",       "unrated", "currency", "list_amount", "covered_amount", "billed_amount"};
}

Result<void> write_rows(const ClientOptions& options, const ExportArguments& arguments, const Write& write) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return api.error();
  const std::string path = after_token(options, "/v1/" + arguments.what);
  if (arguments.format == "json") {
    JsonRows rows(write);
    GRANARY_TRY(api->each_row(path, [&rows](const json::Value& row) { return rows.add(row); }));
    return rows.finish();
  }
  const std::vector<std::string> columns = columns_of(arguments.what);
  const auto line_of = [&columns](const std::function<std::string(const std::string&)>& cell) {
    std::string line;
    for (const std::string& column : columns) line += csv_cell(cell(column)) + ',';
    line.back() = '\n';
    return line;
  };
  std::string headings = line_of([](const std::string& column) { return column; });
  GRANARY_TRY(api->each_row(path, [&](const json::Value& row) {
    return write(std::exchange(headings, "") + line_of([&row](const std::string& name) { return text_of(row, name); }));
  }));
  return write(headings);  // if there was no row
}

}  // namespace

int export_rows(const ClientOptions& options, const ExportArguments& arguments) {
  if (arguments.out.empty()) {
    const auto written = write_rows(options, arguments, service::write_output);
    return written.ok() ? 0 : fail(written.error());
  }
  auto file = OutputFile::create(arguments.out);
  if (!file.ok()) {
    service::complain(file.error().message);
    return file.error().code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
  }
  auto written = write_rows(options, arguments, [&file](std::string_view text) { return file->write(text); });
  if (written.ok()) written = file->finish();
  return written.ok() ? 0 : fail(written.error());
}

}  // namespace granary::cli
