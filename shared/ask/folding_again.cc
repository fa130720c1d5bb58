#include "shared/ask/folding_again.h"

#include "shared/http/problem.h"
#include "shared/json/writer.h"

namespace granary::ask {
namespace {

constexpr std::string_view kHeader = "Granary-Folding-Again";
constexpr std::string_view kHeaderAsRead = "granary-folding-again";

std::string marked(const std::string& object) {
  std::string text;
  json::Writer(text).begin_object().members_of(object).member("folding_again", true).end_object();
  return text;
}

}  // namespace

void FoldingAgainMarks::note(machine::MachineKind machine, const runtime::AsOf& as_of) {
  if (as_of.folding_again) shards_.insert(runtime::name_of({machine, as_of.shard}));
}

void FoldingAgainMarks::note(const http::Response& response) {
  const auto names = http::header(response, kHeaderAsRead);
  if (!names) return;
  for (std::string_view rest = *names; !rest.empty();) {
    const std::size_t comma = rest.find(", ");
    shards_.emplace(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 2);
  }
}

http::Response FoldingAgainMarks::on(http::Response response) const {
  if (shards_.empty()) return response;
  std::string names;
  for (const std::string& shard : shards_) names += (names.empty() ? "" : ", ") + shard;
  response.headers.push_back({std::string(kHeader), std::move(names)});
  if (response.body.starts_with('{') && response.body.ends_with('}')) response.body = marked(response.body);
  return response;
}

std::string marked_row(std::string row, const runtime::AsOf& as_of) {
  return as_of.folding_again ? marked(row) : row;
}

http::Response folding_again(const runtime::ShardName& shard) {
  http::Problem problem;
  problem.status = 503;
  problem.type = "folding_again";
  problem.title = "The state that answers this is folded again";
  problem.detail = runtime::name_of(shard) + ": this build cannot read the state that the one before it left";
  problem.hint = "ask again later; /v1/status tells how far it is";
  http::Response response = make_response(problem);
  response.headers.push_back({"Retry-After", "5"});
  return response;
}

}  // namespace granary::ask
