// `granary export`: usage or charges as they were posted, row by row, to standard output or to a file that has its name
// only once it is whole.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "services/cli/command.h"
#include "services/cli/json_rows.h"
#include "services/cli/output_file.h"
#include "services/cli/question.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

struct Arguments {
  ClientOptions client;
  std::string what;  // usage or charges
  std::string format = "csv";
  std::string out;  // empty: standard output
};

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

Result<void> write_rows(const Arguments& arguments, const Write& write) {
  auto api = Api::connect(arguments.client.url);
  if (!api.ok()) return api.error();
  const std::string path = after_token(arguments.client, "/v1/" + arguments.what);
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

int export_rows(const Arguments& arguments) {
  if (arguments.out.empty()) {
    const auto written = write_rows(arguments, service::write_output);
    return written.ok() ? kDone : fail(written.error());
  }
  auto file = OutputFile::create(arguments.out);
  if (!file.ok()) {
    service::complain(file.error().message);
    return file.error().code == ErrorCode::invalid_input ? service::kUsage : service::kCannotRun;
  }
  auto written = write_rows(arguments, [&file](std::string_view text) { return file->write(text); });
  if (written.ok()) written = file->finish();
  return written.ok() ? kDone : fail(written.error());
}

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  add_question_options(command, arguments->client);
  command.add_option("WHAT", arguments->what)->required()->check(CLI::IsMember({"usage", "charges"}));
  command.add_option("--format", arguments->format)->check(CLI::IsMember({"csv", "json"}))->capture_default_str();
  command.add_option("--out", arguments->out,
                     "To this file (default: standard output), which has its name only once it is whole");
  command.footer("Exit codes: 0 all rows are written, 1 refused, 2 usage, 3 cannot run (no server, no room).");
  return [arguments] {
    if (arguments->client.json) arguments->format = "json";
    return export_rows(*arguments);
  };
}

const Registered registered({Users::finance, "export", "Write usage or charges as they were posted, row by row",
                             declare});

}  // namespace
}  // namespace granary::cli
