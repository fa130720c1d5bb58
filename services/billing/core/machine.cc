#include "services/billing/core/machine.h"

#include <algorithm>

#include "shared/base/probe.h"

namespace granary::billing {
namespace {

using events::ChargePart;
using events::PartFunding;
using machine::Context;
using machine::Judgement;
using machine::Outcome;

// Rows kept in memory per shard and table.
constexpr std::size_t kHotRowsMax = 200'000;
constexpr std::size_t kFewRowsMax = 10'000;

constexpr std::uint8_t prefix(TablePrefix table) {
  return static_cast<std::uint8_t>(table);
}

Bytes totals_key() {
  return Bytes(1, static_cast<char>(prefix(TablePrefix::totals)));
}

Bytes source_key(std::string_view source, std::uint16_t allocation_shard) {
  Bytes key;
  append_part(key, source);
  append_u16(key, allocation_shard);
  return key;
}

}  // namespace

BillingMachine::BillingMachine()
    : organisations_(prefix(TablePrefix::organisation), kFewRowsMax),
      projects_(prefix(TablePrefix::project), kHotRowsMax),
      published_(prefix(TablePrefix::price_book), kFewRowsMax),
      charges_(prefix(TablePrefix::charges), kHotRowsMax),
      sources_(prefix(TablePrefix::source), kFewRowsMax),
      money_(kHotRowsMax),
      waiting_(kHotRowsMax) {}

void BillingMachine::open(const store::View& rows) {
  show(rows);
  if (const auto totals = rows.get(totals_key()))
    GRANARY_CHECK(codec::decode(*totals, totals_), "the totals of a shard do not decode");
  published_.scan({}, [this](BytesView key, const events::PriceBookPublished& book) {
    books_.add(read_u64(key), book);
    return true;
  });
}

void BillingMachine::show(const store::View& rows) {
  organisations_.open(rows);
  projects_.open(rows);
  published_.open(rows);
  charges_.open(rows);
  sources_.open(rows);
  money_.open(rows);
  waiting_.open(rows);
}

const BillingMachine::Rules& BillingMachine::rules() {
  static const Rules kRules = Rules()
                                  .lane<events::UsageCharged, &BillingMachine::take_charge>()
                                  .lane<events::UnitsPosted, &BillingMachine::take_posting>()
                                  .lane<events::PriceBookPublished, &BillingMachine::learn_price_book>()
                                  .lane<events::ProjectOpened, &BillingMachine::open_project>()
                                  .lane<events::OrganisationRegistered, &BillingMachine::register_organisation>()
                                  .lane<events::SourceCompleted, &BillingMachine::state_source>();
  return kRules;
}

bool BillingMachine::has_rule(machine::Way way, const events::Event& event, std::uint64_t version) const {
  return rules().has(way, event, version);
}

Outcome BillingMachine::apply_raw(const machine::RawInput& input, const Context& context, machine::Out& out) {
  return rules().apply(*this, input, context, out);
}

void BillingMachine::apply_lane(const machine::LaneInput& input, const Context& context, machine::Out& out) {
  rules().apply(*this, input, context, out);
}

void BillingMachine::apply_tick(Instant, const Context&, machine::Out&) {}

void BillingMachine::flush(store::WriteSet& rows) {
  organisations_.flush(rows);
  projects_.flush(rows);
  published_.flush(rows);
  charges_.flush(rows);
  money_.flush(rows);
  waiting_.flush(rows);
  sources_.flush(rows);
  if (!totals_changed_) return;
  Bytes totals;
  codec::encode(totals_, totals);
  rows.put(totals_key(), std::move(totals));
  totals_changed_ = false;
}

void BillingMachine::committed() {
  organisations_.shrink();
  projects_.shrink();
  published_.shrink();
  charges_.shrink();
  sources_.shrink();
  money_.committed();
  waiting_.committed();
}

std::vector<machine::Figure> BillingMachine::figures() {
  return {
      {"unrated", "unrated_charges", "Parts of charges that wait for a price, or for their project", totals_.waiting}};
}

void BillingMachine::take_charge(const events::UsageCharged& charged, const Input&, const Context& context, Out& out) {
  totals_changed_ = true;
  ++totals_.charges;
  const Usage usage{charged.organisation, charged.project, charged.source,
                    charged.id,           charged.job,     charged.reservation};
  const ProjectRow* project = projects_.find(charged.project);
  for (const ChargePart& part : charged.parts) {
    GRANARY_CHECK(part.from_account != part.to_account, "a part of a charge does not move between two accounts");
    GRANARY_CHECK(part.amount.value() > 0, "a part of a charge moves nothing, or backwards");
    ++totals_.parts;
    if (project == nullptr) {
      GRANARY_PROBE("a charge comes to billing before its project");
      cut(part, {}, PriceBooks(), pieces_);  // by months only
      for (const Piece& piece : pieces_)
        wait(QueueKind::unknown_project, charged.project, waiting_row(usage, part, piece));
      continue;
    }
    cut_part(part, *project);
    for (const Piece& piece : pieces_) {
      if (piece.price)
        rate(usage, part, piece, context, out);
      else
        wait(QueueKind::unpriced, part.class_name, waiting_row(usage, part, piece));
    }
  }
}

void BillingMachine::take_posting(const events::UnitsPosted& posted, const Input&, const Context&, Out&) {
  GRANARY_CHECK(posted.from_account != posted.to_account, "units are posted from an account to itself");
  GRANARY_CHECK(posted.amount.value() > 0, "units are posted that are none, or backwards");
  totals_changed_ = true;
  ++totals_.postings;
}

void BillingMachine::learn_price_book(const events::PriceBookPublished& published, const Input&, const Context& context,
                                      Out& out) {
  totals_changed_ = true;
  const std::uint64_t number = ++totals_.books;
  key_.clear();
  append_u64(key_, number);
  published_.edit(key_) = published;
  books_.add(number, published);

  std::vector<std::string_view> reviewed;
  for (const events::PriceEntry& entry : published.prices) {
    if (std::find(reviewed.begin(), reviewed.end(), entry.class_name) != reviewed.end()) continue;
    reviewed.push_back(entry.class_name);
    waiting_.review(
        QueueKind::unpriced, entry.class_name, [&](const WaitingRow& row, std::vector<WaitingRow>& instead) {
          if (!row.part.seller.empty() && row.part.seller != published.seller) {
            GRANARY_PROBE("a part waits on for its own seller's price");
            return WaitingRoom::Fate::stays;
          }
          const ProjectRow* project = projects_.find(row.project);
          GRANARY_CHECK(project != nullptr, "a part of an unknown project waits for a price");
          cut_part(row.part, *project);
          if (std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return bool(piece.price); })) {
            GRANARY_PROBE("a new price book has no price for a part that waits");
            return WaitingRoom::Fate::stays;
          }
          const Usage usage{row.organisation, row.project, row.source, row.id, row.job, row.reservation};
          count_unrated(row, Change::take);
          for (const Piece& piece : pieces_) {
            if (piece.price) {
              rate(usage, row.part, piece, context, out);
            } else {
              GRANARY_PROBE("a new price book prices some of a part that waits");
              instead.push_back(waiting_row(usage, row.part, piece));
              count_unrated(instead.back(), Change::add);
            }
          }
          return WaitingRoom::Fate::goes;
        });
  }
}

void BillingMachine::open_project(const events::ProjectOpened& opened, const Input&, const Context& context, Out& out) {
  ProjectRow& changed = projects_.edit(opened.project);
  changed.organisation = opened.organisation;
  changed.customer_kind = opened.customer_kind;
  changed.purpose = opened.purpose;
  const ProjectRow& project = changed;
  waiting_.review(QueueKind::unknown_project, opened.project, [&](const WaitingRow& row, std::vector<WaitingRow>&) {
    totals_changed_ = true;
    const Usage usage{row.organisation, row.project, row.source, row.id, row.job, row.reservation};
    count_unrated(row, Change::take);
    cut_part(row.part, project);
    for (const Piece& piece : pieces_) {
      if (piece.price) {
        GRANARY_PROBE("a charge that came before its project is rated");
        rate(usage, row.part, piece, context, out);
      } else {
        GRANARY_PROBE("a charge that came before its project waits on for a price");
        wait(QueueKind::unpriced, row.part.class_name, waiting_row(usage, row.part, piece));
      }
    }
    return WaitingRoom::Fate::goes;
  });
}

void BillingMachine::register_organisation(const events::OrganisationRegistered& registered, const Input&,
                                           const Context&, Out&) {
  OrganisationRow& row = organisations_.edit(registered.organisation);
  row.name = registered.name;
  row.kind = registered.kind;
  row.country = registered.country;
  row.undertaking = registered.undertaking;
}

void BillingMachine::state_source(const events::SourceCompleted& completed, const Input& input, const Context&, Out&) {
  SourceRow& row = sources_.edit(source_key(completed.source, input.shard));
  row.complete_through = completed.complete_through;
  row.records = completed.records;
}

void BillingMachine::cut_part(const ChargePart& part, const ProjectRow& project) {
  cut(part,
      {part.seller, part.class_name, part.unit, project.customer_kind,
       part.purpose.empty() ? std::string_view(project.purpose) : std::string_view(part.purpose)},
      books_, pieces_);
}

void BillingMachine::rate(const Usage& usage, const ChargePart& part, const Piece& piece, const Context& context,
                          machine::Out& out) {
  const PriceBooks::Book& book = *piece.price.book;
  const units::Month month = units::month_of(piece.from);
  const Shares shares = divide(part, piece.amount, piece.list);

  char id[machine::kOutwardIdMax];
  const std::uint64_t number = out.next_number(machine::Topic::billing, context.shard);
  line_.line.assign(id, machine::write_outward_id(id, context.shard, number));
  line_.organisation = usage.organisation;
  line_.project = usage.project;
  line_.resource = part.class_name;
  line_.period = units::format_month(month);
  line_.booked = line_.period;  // no period closes yet
  line_.from = piece.from;
  line_.to = piece.to;
  line_.unit = part.unit;
  line_.amount = piece.amount;
  line_.funding = part.funding;
  line_.grant = part.grant;
  line_.lot = part.lot;
  line_.root.source = usage.source;
  line_.root.id = usage.id;
  line_.job = usage.job;
  line_.reservation = usage.reservation;
  line_.seller = book.seller;
  line_.price_book = book.version;
  line_.currency = book.currency;
  line_.price = piece.price.entry->price;
  line_.per = piece.price.entry->per;
  line_.list_amount = piece.list;
  line_.covered_amount = shares.covered_amount;
  line_.billed_amount = shares.billed_amount;
  out.publish(context.shard, line_);
  ++totals_.lines;

  ChargesRow& sums = sums_of(usage.organisation, usage.project, part.class_name, month, part.unit, book.currency);
  sums.used += piece.amount;
  sums.covered += shares.covered;
  sums.billed += shares.billed;
  sums.list_amount += piece.list;
  sums.covered_amount += shares.covered_amount;
  sums.billed_amount += shares.billed_amount;
  ++sums.lines;

  money_.post_covered(book.seller, part.grant, usage.organisation, book.currency, shares.covered_amount);
  money_.post_billed(book.seller, usage.organisation, book.currency, shares.billed_amount);
}

WaitingRow BillingMachine::waiting_row(const Usage& usage, const ChargePart& part, const Piece& piece) {
  WaitingRow row{usage.organisation, usage.project, usage.source, usage.id, usage.job, usage.reservation, part};
  row.part.from = piece.from;
  row.part.to = piece.to;
  row.part.amount = piece.amount;
  return row;
}

void BillingMachine::wait(QueueKind kind, std::string_view name, const WaitingRow& row) {
  waiting_.append(kind, name, row);
  count_unrated(row, Change::add);
}

void BillingMachine::count_unrated(const WaitingRow& row, Change change) {
  ChargesRow& sums =
      sums_of(row.organisation, row.project, row.part.class_name, units::month_of(row.part.from), row.part.unit, "");
  if (change == Change::add) {
    sums.unrated += row.part.amount;
    ++totals_.waiting;
    return;
  }
  sums.unrated -= row.part.amount;
  --totals_.waiting;
  if (sums.unrated.is_zero()) charges_.erase(key_);
}

ChargesRow& BillingMachine::sums_of(std::string_view organisation, std::string_view project,
                                    std::string_view class_name, units::Month month, units::UnitKind unit,
                                    std::string_view currency) {
  key_.clear();
  append_part(key_, organisation);
  append_part(key_, project);
  append_part(key_, class_name);
  append_u32(key_, static_cast<std::uint32_t>(month.index));
  append_u8(key_, static_cast<std::uint8_t>(unit));
  append_part(key_, currency);
  return charges_.edit(key_);
}

void BillingMachine::charges(BytesView from_key,
                             const std::function<bool(BytesView key, const ChargesLine&)>& visit) const {
  charges_.scan(from_key, [&visit](BytesView key, const ChargesRow& sums) {
    BytesView rest = key;
    const auto organisation = take_part(rest);
    const auto project = take_part(rest);
    const auto resource = take_part(rest);
    GRANARY_CHECK(organisation && project && resource && rest.size() > 5, "the key of monthly sums is cut short");
    const units::Month month{static_cast<std::int32_t>(read_u32(rest))};
    const auto unit = static_cast<units::UnitKind>(rest[4]);
    rest.remove_prefix(5);
    const auto currency = take_part(rest);
    GRANARY_CHECK(currency.has_value(), "the key of monthly sums has no currency");
    return visit(key, {Bytes(*organisation), Bytes(*project), Bytes(*resource), units::format_month(month), unit,
                       Bytes(*currency), sums});
  });
}

Bytes BillingMachine::organisation_prefix(std::string_view organisation) {
  Bytes key;
  append_part(key, organisation);
  return key;
}

void BillingMachine::accounts(BytesView from_key,
                              const std::function<bool(BytesView key, const AccountLine&)>& visit) const {
  money_.scan(from_key, visit);
}

void BillingMachine::waiting(
    const std::function<bool(QueueKind kind, std::string_view name, const WaitingRow&)>& visit) const {
  waiting_.scan(visit);
}

const OrganisationRow* BillingMachine::organisation(std::string_view name) {
  return organisations_.find(name);
}

const SourceRow* BillingMachine::source(std::string_view name, std::uint16_t allocation_shard) {
  return sources_.find(source_key(name, allocation_shard));
}

}  // namespace granary::billing
