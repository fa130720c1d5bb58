#include "tests/scenario/scenario.h"

#include <algorithm>
#include <sstream>

#include "services/allocation/core/machine.h"
#include "services/billing/core/machine.h"
#include "services/metering/core/machine.h"
#include "shared/base/check.h"
#include "shared/fold/outward.h"
#include "shared/json/strict_json.h"

namespace granary::scenario {
namespace {

using allocation::AllocationMachine;
using billing::BillingMachine;
using metering::MeteringMachine;
using units::Instant;

constexpr const char* kSource = "slurm://aif1";
constexpr const char* kCluster = "aif1";

// "2026-10-31", "2026-10-31T23:30" or the whole of it.
Instant at(const std::string& text) {
  const auto parsed = units::parse_time(text + (text.size() == 10 ? "T00:00:00Z" : text.size() == 16 ? ":00Z" : ""));
  GRANARY_CHECK(parsed.trouble == units::TimeTrouble::none, "no time: " + text);
  return parsed.at;
}

units::Int128 decimal(const std::string& text, int decimals) {
  const auto parsed = units::parse_decimal(text, decimals);
  GRANARY_CHECK(parsed.trouble == units::DecimalTrouble::none, "no number: " + text);
  return parsed.scaled;
}

template <class E>
E named(const std::string& text) {
  for (int value = 1; value < 16; ++value)
    if (codec::enum_name(static_cast<E>(value)) == text) return static_cast<E>(value);
  GRANARY_CHECK(false, "no such word: " + text);
  return {};
}

// Hours of a resource to four decimals, items as they are.
std::string people(units::Amount amount, units::UnitKind unit) {
  if (unit == units::UnitKind::item) return units::format_integer(amount.value());
  const auto size = units::named_unit(unit == units::UnitKind::byte_ms ? "gib-hour" : "resource-hour");
  return units::format_decimal(*units::mul_div_half_even(amount.value(), 10'000, size->base_units), 4);
}

std::string money(units::Money amount) {
  return units::format_decimal(amount.value(), 9);
}

// The words of a line, and what comes next.
class Words {
 public:
  explicit Words(std::string line) : line_(std::move(line)) {
    std::istringstream in(line_);
    for (std::string word; in >> word;) words_.push_back(word);
  }
  [[nodiscard]] bool done() const { return next_ == words_.size(); }
  std::string next() {
    GRANARY_CHECK(!done(), "a word is missing: " + line_);
    return words_[next_++];
  }
  // Takes `word` where it comes next.
  bool has(std::string_view word) {
    if (done() || words_[next_] != word) return false;
    ++next_;
    return true;
  }
  void expect(std::string_view word) { GRANARY_CHECK(has(word), "expected \"" + std::string(word) + "\": " + line_); }
  // The next word without the comma behind it; false: none stood there, so the list ends with it.
  bool item(std::string& word) {
    word = next();
    const bool more = word.ends_with(',');
    if (more) word.pop_back();
    return more;
  }
  [[nodiscard]] const std::string& line() const { return line_; }

 private:
  std::string line_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

class Player {
 public:
  explicit Player(Ledger& ledger) : ledger_(ledger) {}

  std::string play(const std::string& line) {
    Words words(line);
    const std::string verb = words.next();
    const std::string said = verb == "clock"          ? clock(words)
                             : verb == "classes"      ? classes(words)
                             : verb == "window"       ? window(words)
                             : verb == "overdraft"    ? overdraft(words)
                             : verb == "burn"         ? burn(words)
                             : verb == "holds"        ? holds(words)
                             : verb == "bind"         ? bind(words)
                             : verb == "prices"       ? prices(words)
                             : verb == "organisation" ? organisation(words)
                             : verb == "project"      ? project(words)
                             : verb == "award"        ? award(words)
                             : verb == "usage"        ? usage(words)
                             : verb == "running"      ? running(words)
                             : verb == "complete"     ? complete(words)
                             : verb == "balance"      ? balance(words.next())
                             : verb == "charges"      ? charges(words.next())
                             : verb == "sources"      ? sources()
                             : verb == "unbound"      ? unbound()
                             : verb == "rejected"     ? rejected()
                                                      : "";
    GRANARY_CHECK(words.done() && !said.empty(), "no sentence of a scenario: " + line);
    return said;
  }

 private:
  std::string send(const events::Event& event, const std::string& id = "", const std::string& source = "portal") {
    const auto outcome = ledger_.send(source, id.empty() ? "event-" + std::to_string(++sent_) : id, event);
    const std::string reason(outcome.reason);
    switch (outcome.judgement) {
      case machine::Judgement::accepted:
        return "new\n" + notices();
      case machine::Judgement::repeat:
        return "repeat\n" + notices();
      case machine::Judgement::waiting:
        return "waiting: " + reason + "\n" + notices();
      case machine::Judgement::refused:
        break;
    }
    return "refused: " + reason + (outcome.field.empty() ? "" : " at " + outcome.field) + "\n  " + outcome.hint + "\n";
  }

  // What portals and sites are told, in no order but that of the text.
  std::string notices() {
    std::vector<std::string> lines;
    for (const journal::Record& record : ledger_.news(Topic::notices)) {
      const auto value = json::parse(record.value);
      GRANARY_CHECK(value.ok(), "a notice is JSON");
      std::string kind(runtime::header(record, "ce_type"));
      kind = kind.substr(kind.find('.') + 1);
      std::string line = "notice " + kind.substr(0, kind.rfind('.'));
      const auto text = [&value](const char* name) {
        const json::Value* found = value->find(name);
        return found == nullptr                ? std::string()
               : found->is(json::Kind::string) ? found->string()
               : found->is(json::Kind::number) ? found->number_text()
                                               : std::string();
      };
      line += " " + text("project");
      if (!text("class").empty())
        line += " " + text("class") + (text("lot").empty() ? " of " + text("id") : " lot " + text("lot")) + ": " +
                people(units::Amount(*units::parse_integer(text("amount"))), *units::unit_from_name(text("unit")));
      lines.push_back(line + "\n");
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) all += line;
    return all;
  }

  std::string clock(Words& words) {
    ledger_.tick(at(words.next()));
    return "it is so\n" + notices();
  }
  std::string publish(events::PolicyKind kind, events::PolicyContent content, Instant effective = Instant()) {
    return send(events::PolicyPublished{kind, std::to_string(++versions_), effective, std::move(content)});
  }
  std::string classes(Words& words) {
    events::PolicyContent content;
    for (bool more = true; more;) {
      events::ResourceClass one;
      one.class_name = words.next();
      one.unit = named<units::UnitKind>(words.next());
      std::string charging;
      more = words.item(charging);
      one.charging = named<events::Charging>(charging);
      content.classes.push_back(one);
    }
    return publish(events::PolicyKind::resource_classes, content, words.has("from") ? at(words.next()) : Instant());
  }
  std::string window(Words& words) {
    events::PolicyContent content;
    content.window_days = static_cast<std::uint64_t>(decimal(words.next(), 0));
    words.expect("days");
    return publish(events::PolicyKind::acceptance_window, content);
  }
  std::string overdraft(Words& words) {
    events::PolicyContent content;
    content.mode = named<events::OverdraftMode>(words.next());
    if (words.has("at")) content.seller = words.next();
    if (words.has("of")) content.project = words.next();
    return publish(events::PolicyKind::overdraft, content, words.has("from") ? at(words.next()) : Instant());
  }
  std::string burn(Words& words) {
    words.expect("order");
    events::PolicyContent content;
    std::string rule;
    for (bool more = true; more;) {
      more = words.item(rule);
      content.order.push_back(named<events::BurnRule>(rule));
    }
    return publish(events::PolicyKind::burn_order, content);
  }
  std::string holds(Words& words) {
    words.expect("silent");
    events::PolicyContent content;
    content.silent_hours_max = static_cast<std::uint64_t>(decimal(words.next(), 0));
    words.expect("hours");
    return publish(events::PolicyKind::holds, content);
  }
  std::string bind(Words& words) {
    events::AccountBound bound;
    bound.cluster = kCluster;
    bound.account = words.next();
    words.expect("to");
    bound.project = words.next();
    if (words.has("from")) bound.from = at(words.next());
    if (words.has("to")) bound.to = at(words.next());
    bound.refs = refs(words);
    return send(bound);
  }
  // `known as SYSTEM:ID`, or nothing.
  static std::vector<events::Ref> refs(Words& words) {
    if (!words.has("known")) return {};
    words.expect("as");
    const auto ref = events::read_ref(words.next());
    GRANARY_CHECK(ref.has_value(), "no SYSTEM:ID: " + words.line());
    return {*ref};
  }
  // `of PROJECT`, or `of account ACCOUNT`.
  template <class Usage>
  static void payer(Words& words, Usage& usage) {
    words.expect("of");
    if (!words.has("account")) {
      usage.project = words.next();
      return;
    }
    usage.cluster = kCluster;
    usage.account = words.next();
  }
  std::string prices(Words& words) {
    events::PriceBookPublished book;
    words.expect("of");
    book.seller = words.next();
    words.expect("from");
    book.effective = at(words.next());
    words.expect("in");
    book.currency = words.next();
    book.version = std::to_string(++versions_);
    for (bool more = true; more;) {
      events::PriceEntry entry;
      entry.class_name = words.next();
      entry.price = units::Price(decimal(words.next(), 9));
      words.expect("per");
      more = words.item(entry.per);
      if (!more && words.has("for")) {
        std::string kind;
        more = words.item(kind);
        entry.customer_kinds.push_back(named<events::CustomerKind>(kind));
      }
      book.prices.push_back(entry);
    }
    if (words.has("without"))
      for (bool more = true; more;) more = words.item(book.without.emplace_back());
    return send(book);
  }
  std::string organisation(Words& words) {
    events::OrganisationRegistered registered;
    registered.organisation = registered.name = words.next();
    registered.kind = named<events::CustomerKind>(words.next());
    registered.country = "FI";
    if (words.has("legal")) {
      events::LegalId& legal = registered.legal_ids.emplace_back();
      legal.scheme = words.next();
      legal.id = words.next();
    }
    registered.refs = refs(words);
    return send(registered);
  }
  std::string project(Words& words) {
    events::ProjectRegistered registered;
    registered.project = words.next();
    words.expect("of");
    registered.organisation = words.next();
    registered.refs = refs(words);
    return send(registered);
  }
  // An application, its screening and the decision; what became of the last, or of the first that was refused.
  std::string award(Words& words) {
    events::GrantAwarded grant;
    events::ApplicationSubmitted application;
    application.application = "application-" + std::to_string(++sent_);
    application.project = words.next();
    application.access_mode = "fast_lane";
    grant.machine = grant.seller = "aif";
    grant.legal_basis = "access";
    grant.member_state = "FI";
    grant.funding.kind = named<events::FundingKind>(words.next());
    if (grant.funding.kind == events::FundingKind::share) grant.funding.share = units::Price(decimal(words.next(), 9));
    const bool screened = !words.has("unscreened");
    for (bool more = true; more;) {
      events::LotAwarded lot;
      lot.quantity = units::Quantity(decimal(words.next(), 3));
      lot.class_name = words.next();
      lot.unit = "resource-hour";
      words.expect("from");
      lot.from = at(words.next());
      words.expect("to");
      std::string to;
      more = words.item(to);
      lot.to = at(to);
      if (!more && words.has("priority")) {
        std::string priority;
        more = words.item(priority);
        lot.priority = static_cast<std::uint64_t>(decimal(priority, 0));
      }
      application.resources.push_back({lot.class_name, lot.quantity, lot.unit});
      grant.lots.push_back(lot);
    }
    application.period_from = grant.lots.front().from;
    application.period_to = grant.lots.back().to;
    std::string said = send(application);
    if (screened && said.starts_with("new"))
      said = send(
          events::ScreeningDecided{application.application, "", "trial", "", events::ScreeningOutcome::cleared, ""});
    if (said.starts_with("new"))
      said = send(events::ApplicationDecided{application.application, application.project,
                                             events::DecisionOutcome::awarded, "", grant});
    return said;
  }
  static std::vector<events::ResourceUsed> resources(Words& words) {
    std::vector<events::ResourceUsed> used;
    for (bool more = true; more;) {
      events::ResourceUsed one;
      one.quantity = units::Quantity(decimal(words.next(), 3));
      more = words.item(one.class_name);
      used.push_back(one);
    }
    return used;
  }
  std::string usage(Words& words) {
    events::UsageReported used;
    const std::string id = words.next();
    payer(words, used);
    used.resources = resources(words);
    words.expect("from");
    used.start = at(words.next());
    words.expect("to");
    used.end = at(words.next());
    used.state = words.has("as") ? words.next() : "COMPLETED";
    return send(used, id, kSource);
  }
  std::string running(Words& words) {
    events::UsageInterim interim;
    interim.root = {kSource, words.next()};
    payer(words, interim);
    interim.resources = resources(words);
    words.expect("from");
    interim.start = at(words.next());
    words.expect("until");
    const std::string until = words.next();
    interim.measured_at = at(until);
    return send(interim, interim.root.id + "/" + until, kSource);
  }
  std::string complete(Words& words) {
    words.expect("through");
    const std::string through = words.next();
    return send(events::SourceStated{kSource, at(through), 0}, "complete/" + through);
  }

  std::string balance(const std::string& project) {
    std::string said;
    ledger_.ask<AllocationMachine>(MachineKind::allocation, ledger_.shard_of(project), [&](AllocationMachine& machine) {
      const auto found = machine.balance(project, ledger_.now());
      if (!found) {
        said = "unknown, " + std::to_string(machine.waiting_of(project)) + " usages wait for it\n";
        return;
      }
      for (const allocation::ClassBalance& one : found->classes) {
        const auto amount = [&](const char* name, units::Amount value) {
          said += "  " + std::string(name) + " " + people(value, one.unit);
        };
        const auto sum = [&](const auto& row) {
          amount("granted", row.granted);
          amount("used", row.used);
          if (!row.reserved.is_zero()) amount("reserved", row.reserved);
          if (!row.expired.is_zero()) amount("expired", row.expired);
          amount("available", row.available);
        };
        said += one.class_name;
        sum(one);
        if (one.usable != one.available) amount("usable", one.usable);
        amount("uncovered", one.uncovered);
        said += "\n";
        for (const allocation::Lot& lot : one.lots) {
          said += "  lot " + std::to_string(lot.ordinal) + " until " + units::format_time(lot.to);
          sum(lot);
          said += "\n";
        }
      }
      if (found->classes.empty()) said = "nothing granted or used\n";
    });
    return said;
  }

  std::string charges(const std::string& organisation) {
    std::string said;
    ledger_.ask<BillingMachine>(MachineKind::billing, ledger_.shard_of(organisation), [&](BillingMachine& machine) {
      machine.charges(
          BillingMachine::organisation_prefix(organisation), [&](BytesView, const billing::ChargesLine& line) {
            if (line.organisation != organisation) return false;
            said += line.period + " " + line.project + " " + line.resource;
            for (const auto& [name, amount] : {std::pair{"used", line.sums.used},
                                               {"covered", line.sums.covered},
                                               {"billed", line.sums.billed},
                                               {"unrated", line.sums.unrated}})
              if (!amount.is_zero()) said += std::string("  ") + name + " " + people(amount, line.unit);
            if (!line.currency.empty())
              said += "  worth " + money(line.sums.list_amount) + "  covered " + money(line.sums.covered_amount) +
                      "  to pay " + money(line.sums.billed_amount) + " " + line.currency;
            said += "\n";
            return true;
          });
    });
    return said.empty() ? "none\n" : said;
  }

  std::string unbound() {
    std::map<std::string, std::array<std::uint64_t, 2>> all;
    ledger_.ask_each<MeteringMachine>(MachineKind::metering, [&](MeteringMachine& machine) {
      machine.each_waiting([&](std::string_view cluster, std::string_view account, const metering::WaitingHead& head) {
        auto& [for_binding, for_classes] = all[std::string(cluster) + " " + std::string(account)];
        for_binding += head.count - head.unmeasured;
        for_classes += head.unmeasured;
      });
    });
    std::string said;
    for (const auto& [name, counts] : all)
      said += name + ": " + std::to_string(counts[0]) + " wait for a binding, " + std::to_string(counts[1]) +
              " for a class list\n";
    return said.empty() ? "nothing waits\n" : said;
  }
  std::string sources() {
    std::map<std::string, metering::SourceRow> all;
    ledger_.ask_each<MeteringMachine>(MachineKind::metering, [&](MeteringMachine& machine) {
      machine.each_source([&](std::string_view name, const metering::SourceRow& row) {
        metering::SourceRow& sum = all[std::string(name)];
        sum.received += row.received;
        sum.metered += row.metered;
        sum.repeated += row.repeated;
        sum.rejected += row.rejected;
        sum.pending += row.pending;
      });
    });
    std::string said;
    for (const auto& [name, row] : all)
      said += name + ": received " + std::to_string(row.received) + " = metered " + std::to_string(row.metered) +
              " + repeated " + std::to_string(row.repeated) + " + rejected " + std::to_string(row.rejected) +
              " + pending " + std::to_string(row.pending) + "\n";
    return said.empty() ? "none\n" : said;
  }

  std::string rejected() {
    std::vector<std::string> lines;
    for (const journal::Record& record : ledger_.news(Topic::rejected)) {
      const auto value = json::parse(record.value);
      GRANARY_CHECK(value.ok(), "a refusal is JSON");
      lines.push_back(value->find("machine")->string() + " refused " + value->find("id")->string() + ": " +
                      value->find("reason")->string() + "\n");
    }
    std::sort(lines.begin(), lines.end());
    std::string said;
    for (const std::string& line : lines) said += line;
    return said.empty() ? "none\n" : said;
  }

  Ledger& ledger_;
  int sent_ = 0;
  int versions_ = 0;
};

}  // namespace

std::string run(const std::string& text, Ledger& ledger, const AfterStep& after_step) {
  // A line of the text that is kept as it stands, or one that happens or asks.
  struct Line {
    std::string text;
    bool is_step = false;
  };
  std::vector<Line> lines;
  std::istringstream in(text);
  bool in_answer = false;
  for (std::string line; std::getline(in, line);) {
    if (in_answer && !line.empty()) continue;  // what was said the last time
    in_answer = line == "----";
    if (in_answer) continue;
    const bool is_step = !line.empty() && !line.starts_with('#');
    in_answer = is_step;
    lines.push_back({line, is_step});
  }
  const auto all =
      static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const Line& one) { return one.is_step; }));
  Player player(ledger);
  std::string out;
  std::size_t done = 0;
  for (const Line& line : lines) {
    out += line.text + "\n";
    if (!line.is_step) continue;
    out += "----\n" + player.play(line.text);
    if (++done < all && after_step) after_step(ledger, done, all);
  }
  return out;
}

}  // namespace granary::scenario
