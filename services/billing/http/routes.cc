#include "services/billing/http/routes.h"

#include <algorithm>
#include <utility>

#include "services/billing/core/machine.h"
#include "shared/ask/list.h"
#include "shared/ask/read.h"
#include "shared/http/problem.h"
#include "shared/json/writer.h"
#include "shared/proof/hash.h"

namespace granary::billing {
namespace {

using http::Request;
using http::Responder;
using machine::MachineKind;
using routes::Role;
using routes::Roles;
using routes::Scope;

// A filtered page ends after so many rows were looked at, so that a question stays short on the shard's thread.
constexpr std::size_t kLookedAtMax = 10'000;

using Json = json::Writer<std::string>;

void add(Json& out, std::string_view name, Amount value) {
  out.member(name, units::format_integer(value.value()));
}

void add(Json& out, std::string_view name, Money value) {
  out.member(name, units::format_fixed(value.value(), 9));
}

std::string to_json(const ChargesLine& line) {
  const ChargesRow& sums = line.sums;
  std::string text;
  Json out(text);
  out.begin_object()
      .member("organisation", line.organisation)
      .member("project", line.project)
      .member("resource", line.resource)
      .member("period", line.period)
      .member("unit", units::unit_name(line.unit));
  add(out, "used", sums.used);
  add(out, "covered", sums.covered);
  add(out, "billed", sums.billed);
  add(out, "unrated", sums.unrated);
  out.member("currency", line.currency);
  add(out, "list_amount", sums.list_amount);
  add(out, "covered_amount", sums.covered_amount);
  add(out, "billed_amount", sums.billed_amount);
  out.member("lines", sums.lines).end_object();
  return text;
}

std::string to_json(const AccountLine& line, std::uint16_t shard) {
  std::string text;
  Json out(text);
  out.begin_object()
      .member("account", codec::enum_name(line.kind))
      .member("owner", line.owner)
      .member("organisation", line.organisation)
      .member("currency", line.currency);
  add(out, "balance", line.balance);
  out.member("postings", line.postings).member("shard", shard).end_object();
  return text;
}

// The first key after `key`.
Bytes key_after(const Bytes& key) {
  return key.empty() ? key : key + '\0';
}

// Which rows of charges are wanted; empty: all.
struct Filter {
  std::string organisation, period;
};

std::optional<Bytes> charges_page(const BillingMachine& billing, const Filter& filter, const Bytes& after,
                                  std::size_t limit, std::vector<std::string>& rows) {
  const Bytes prefix = filter.organisation.empty() ? Bytes() : BillingMachine::organisation_prefix(filter.organisation);
  Bytes last;
  bool more = false;
  std::size_t looked_at = 0;
  billing.charges(std::max(prefix, key_after(after)), [&](BytesView key, const ChargesLine& line) {
    if (!key.starts_with(prefix)) return false;
    if (rows.size() == limit || looked_at == kLookedAtMax) return more = true, false;
    ++looked_at;
    last.assign(key);
    if (filter.period.empty() || filter.period == line.period) rows.push_back(to_json(line));
    return true;
  });
  return more ? std::optional(last) : std::nullopt;
}

const BillingMachine& billing_of(machine::Machine& rules) {
  return static_cast<BillingMachine&>(rules);
}

void read_charges(const ask::Reach& reach, Request request, Responder responder) {
  Filter filter;
  if (const auto period = http::query(request, "period")) {
    if (!units::parse_month(*period))
      return responder(http::bad_parameter(
          "period", {ErrorCode::invalid_input,
                     "expected a month as YYYY-MM, got \"" + std::string(period->substr(0, 40)) + "\""}));
    filter.period = *period;
  }
  std::optional<ask::ShardRange> shards;
  if (const auto organisation = http::query(request, "organisation")) {
    if (organisation->empty())
      return responder(http::bad_parameter(
          "organisation",
          {ErrorCode::invalid_input, "expected a name, got nothing; hint: leave the parameter out for all"}));
    filter.organisation = *organisation;
    // Its rows stand in one shard: the list begins and ends there.
    const std::uint16_t shard = proof::shard_of({filter.organisation}, reach.runtime.partitions());
    shards = {shard, static_cast<std::uint16_t>(shard + 1)};
  }
  ask::read_list(
      reach, std::move(request), std::move(responder), MachineKind::billing,
      {"/v1/charges", {"organisation", "period"}},
      [filter = std::move(filter)](machine::Machine& rules, const runtime::AsOf&, const Bytes& after, std::size_t limit,
                                   std::vector<std::string>& rows) {
        return charges_page(billing_of(rules), filter, after, limit, rows);
      },
      shards);
}

void read_accounts(const ask::Reach& reach, Request request, Responder responder) {
  ask::read_list(reach, std::move(request), std::move(responder), MachineKind::billing, {"/v1/accounts"},
                 [](machine::Machine& rules, const runtime::AsOf& as_of, const Bytes& after, std::size_t limit,
                    std::vector<std::string>& rows) -> std::optional<Bytes> {
                   Bytes last;
                   bool more = false;
                   billing_of(rules).accounts(key_after(after), [&](BytesView key, const AccountLine& line) {
                     if (rows.size() == limit) return more = true, false;
                     last.assign(key);
                     rows.push_back(to_json(line, as_of.shard));
                     return true;
                   });
                   return more ? std::optional(last) : std::nullopt;
                 });
}

constexpr Roles kMoney{Role::portal, Role::project, Role::finance, Role::auditor, Role::operates};

}  // namespace

routes::Table routes(const ask::Reach& reach) {
  routes::Table table;
  table.push_back({"GET", "/v1/charges", MachineKind::billing, kMoney, Scope::organisation,
                   [reach](Request request, const http::PathParameters&, Responder responder) {
                     read_charges(reach, std::move(request), std::move(responder));
                   }});
  table.push_back({"GET", "/v1/accounts", MachineKind::billing, kMoney, Scope::organisation,
                   [reach](Request request, const http::PathParameters&, Responder responder) {
                     read_accounts(reach, std::move(request), std::move(responder));
                   }});
  return table;
}

}  // namespace granary::billing
