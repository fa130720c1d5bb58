// `granary sources`: what became of the usage of each source.
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <memory>

#include "services/cli/command.h"
#include "services/cli/json_rows.h"
#include "services/cli/question.h"
#include "services/cli/table.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

using Counts = std::map<std::string, std::int64_t>;  // by source

// A count of events: what is none is not reckoned with.
Result<std::int64_t> count_of(const json::Value& row, const char* name) {
  constexpr std::int64_t kCountMax = std::int64_t{1} << 60;  // the sum of two such counts is one of 64 bits
  const auto count = integer_of(row, name);
  if (count.ok() && (*count < 0 || *count > kCountMax))
    return strange_answer(fmt::format("a count as `{}`", name), std::to_string(*count));
  return count;
}

// Usage that waits in allocation for its project.
Result<Counts> unassigned_of(Api& api, const ClientOptions& options) {
  Counts unassigned;
  const auto add = [&unassigned](const json::Value& row) -> Result<void> {
    const auto waiting = count_of(row, "waiting");
    if (!waiting.ok()) return waiting.error();
    std::int64_t& sum = unassigned[text_of(row, "source")];
    if (__builtin_add_overflow(sum, *waiting, &sum)) return strange_answer("counts", "ones beyond 64 bits");
    return {};
  };
  const auto listed = api.each_row(after_token(options, "/v1/unassigned"), add);
  if (!listed.ok()) return listed.error();
  return unassigned;
}

// What metering passed on and allocation keeps waiting for its project is pending still.
Result<json::Value> with_pending(const json::Value& row, const Counts& unassigned) {
  const auto of_source = unassigned.find(text_of(row, "source"));
  const std::int64_t here = of_source == unassigned.end() ? 0 : of_source->second;
  const auto metered = count_of(row, "metered");
  if (!metered.ok()) return metered.error();
  const auto pending = count_of(row, "pending");
  if (!pending.ok()) return pending.error();
  std::int64_t more_pending = 0;
  if (__builtin_add_overflow(*pending, here, &more_pending)) return strange_answer("counts", "ones beyond 64 bits");
  const auto number = [](std::int64_t value) { return json::Value(json::Value::Number{std::to_string(value)}); };
  std::vector<json::Member> members;
  for (const json::Member& member : row.members())
    members.push_back({member.name, member.name == "metered"   ? number(*metered - here)
                                    : member.name == "pending" ? number(more_pending)
                                                               : member.value});
  return json::Value(std::move(members));
}

int sources(const ClientOptions& options) {
  auto api = Api::connect(options.url);
  if (!api.ok()) return fail(api.error());
  const auto unassigned = unassigned_of(*api, options);
  if (!unassigned.ok()) return fail(unassigned.error());
  const std::vector<Column> columns{{"source"},   {"received"}, {"metered"},         {"repeated"},
                                    {"rejected"}, {"pending"},  {"complete_through"}};
  Table table(headings_of(columns));
  JsonRows rows(service::write_output);
  const auto show = [&](const json::Value& row) -> Result<void> {
    const auto told = with_pending(row, *unassigned);
    if (!told.ok()) return told.error();
    if (options.json) return rows.add(*told);
    table.add(cells_of(*told, columns, options));
    return {};
  };
  auto done = api->each_row(after_token(options, "/v1/sources"), show);
  if (done.ok() && options.json) done = rows.finish();
  if (!done.ok()) return fail(done.error());
  if (!options.json) table.print(stdout);
  return kDone;
}

Run declare(CLI::App& command) {
  const auto options = std::make_shared<ClientOptions>();
  add_question_options(command, *options);
  return [options] { return sources(*options); };
}

const Registered registered({Users::portals, "sources",
                             "What became of the usage of each source: received = metered + repeated + rejected + "
                             "pending",
                             declare});

}  // namespace
}  // namespace granary::cli
