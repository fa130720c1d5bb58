#include "services/cli/question.h"

#include "services/cli/json_rows.h"
#include "services/cli/table.h"
#include "shared/http/uri.h"
#include "shared/service/program.h"
#include "shared/units/currency.h"

namespace granary::cli {

int fail(const Error& error) {
  service::complain(error.message);
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::io_error ? service::kCannotRun : kRefused;
}

std::string after_token(const ClientOptions& options, std::string path) {
  if (options.after.empty()) return path;
  path += path.find('?') == std::string::npos ? "?after=" : "&after=";
  return path + http::percent_encode(options.after);
}

std::vector<std::string> headings_of(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> cells_of(const json::Value& row, const std::vector<Column>& columns,
                                  const ClientOptions& options) {
  std::vector<std::string> cells;
  cells.reserve(columns.size());
  for (const Column& column : columns) {
    std::string text = text_of(row, column.name);
    if (column.cell == Cell::amount) text = people_amount(text, text_of(row, "unit"));
    if (column.cell == Cell::money && !options.exact) text = units::people_money(text, text_of(row, "currency"));
    cells.push_back(std::move(text));
  }
  return cells;
}

int print_list(const ClientOptions& options, const std::string& path, const std::vector<Column>& columns) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  Table table(headings_of(columns));
  JsonRows rows(service::write_output);
  const auto visit = [&](const json::Value& row) -> Result<void> {
    if (options.json) return rows.add(row);
    table.add(cells_of(row, columns, options));
    return {};
  };
  auto done = api->each_row(after_token(options, path), visit);
  if (done.ok() && options.json) done = rows.finish();
  if (!done.ok()) return fail(done.error());
  if (!options.json) table.print(stdout);
  return kDone;
}

}  // namespace granary::cli
