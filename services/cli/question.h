// What the commands that ask a server for lists share: paths, tables for people, exit codes. One thread.
#pragma once

#include <string>
#include <vector>

#include "services/cli/api.h"
#include "services/cli/options.h"

namespace granary::cli {

inline constexpr int kDone = 0, kRefused = 1;

// Says what is wrong; the exit code: 1 refused or not found, 3 no server that answers as Granary does.
int fail(const Error& error);
// A path with ?after= of `options`, if they name a token.
std::string after_token(const ClientOptions& options, std::string path);

// What a column's cells are, for people.
enum class Cell { text, amount, money };
struct Column {
  std::string name;
  Cell cell = Cell::text;
};

std::vector<std::string> headings_of(const std::vector<Column>& columns);
// A row as people read it.
std::vector<std::string> cells_of(const json::Value& row, const std::vector<Column>& columns,
                                  const ClientOptions& options);

// Prints the rows of a list: as JSON one array, row by row; as a table of the named columns, as people read them. The
// exit code: 0, or that of fail().
int print_list(const ClientOptions& options, const std::string& path, const std::vector<Column>& columns);

}  // namespace granary::cli
