#include "shared/routes/route.h"

#include <array>

#include "shared/json/strict_json.h"
#include "shared/json/writer.h"

namespace granary::routes {
namespace {

constexpr std::array kRoles{Role::probe,      Role::process, Role::portal,  Role::scheduler, Role::project,
                            Role::allocation, Role::finance, Role::auditor, Role::operates};

// What Router::add() takes: "/", or segments that are literals or {names}.
bool is_pattern(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.size() > 200) return false;
  return text.find("//") == std::string_view::npos;
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::probe:
      return "probe";
    case Role::process:
      return "process";
    case Role::portal:
      return "portal";
    case Role::scheduler:
      return "scheduler";
    case Role::project:
      return "project";
    case Role::allocation:
      return "allocation";
    case Role::finance:
      return "finance";
    case Role::auditor:
      return "auditor";
    case Role::operates:
      return "operator";
  }
  return "";
}

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::process:
      return "process";
    case Scope::organisation:
      return "organisation";
    case Scope::ledger:
      return "ledger";
  }
  return "";
}

void add_to(http::Router& router, const Table& table) {
  for (const Route& route : table) router.add(std::string(route.method), route.pattern, route.handler);
}

std::string to_json(const Table& table) {
  std::string text;
  json::Writer out(text);
  out.begin_object().name("routes").begin_array();
  for (const Route& route : table) {
    out.begin_object().member("method", route.method).member("path", route.pattern);
    if (route.machine) out.member("machine", machine::machine_name(*route.machine));
    out.name("roles").begin_array();
    for (const Role role : kRoles)
      if (route.roles.has(role)) out.value(role_name(role));
    out.end_array().member("scope", scope_name(route.scope)).end_object();
  }
  out.end_array().end_object();
  return text;
}

std::optional<std::vector<std::string>> paths_of(std::string_view text, machine::MachineKind machine) {
  const auto body = json::parse(text);
  const json::Value* list = body.ok() ? body->find("routes") : nullptr;
  if (list == nullptr || !list->is(json::Kind::array)) return std::nullopt;
  const auto is = [](const json::Value& row, std::string_view name, std::string_view wanted) {
    const json::Value* value = row.find(name);
    return value != nullptr && value->is(json::Kind::string) && value->string() == wanted;
  };
  std::vector<std::string> paths;
  for (const json::Value& row : list->items()) {
    if (!row.is(json::Kind::object) || !is(row, "method", "GET") || !is(row, "machine", machine::machine_name(machine)))
      continue;
    const json::Value* path = row.find("path");
    if (path == nullptr || !path->is(json::Kind::string) || !is_pattern(path->string())) return std::nullopt;
    if (paths.size() == kPathsMax) return std::nullopt;
    paths.push_back(path->string());
  }
  return paths;
}

}  // namespace granary::routes
