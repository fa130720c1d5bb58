// A usage is charged: each part is cut into pieces, and each piece is rated or waits.
#include "services/billing/core/machine.h"
#include "shared/base/probe.h"

namespace granary::billing {

using events::ChargePart;
using machine::Context;

namespace {

struct ChargesId {
  std::string_view organisation, project, class_name;
  units::Month month;
  units::UnitKind unit{};
  std::string_view currency;
};

// Table::charges. The key is built in `key`, whose memory is reused.
const Bytes& charges_key(const ChargesId& id, Bytes& key) {
  key.clear();
  append_part(key, id.organisation);
  append_part(key, id.project);
  append_part(key, id.class_name);
  append_u32(key, static_cast<std::uint32_t>(id.month.index));
  append_u8(key, static_cast<std::uint8_t>(id.unit));
  append_part(key, id.currency);
  return key;
}

}  // namespace

void BillingMachine::take_charge(const events::UsageCharged& charged, const Input&, const Context& context, Out& out) {
  TotalsRow& totals = this->totals();
  ++totals.charges;
  totals.parts += charged.parts.size();
  const Usage usage{charged.organisation, charged.project, charged.source,
                    charged.id,           charged.job,     charged.reservation};
  const ProjectRow* project = projects_.find(charged.project);
  for (const ChargePart& part : charged.parts) {
    GRANARY_CHECK(part.from_account != part.to_account, "a part of a charge does not move between two accounts");
    GRANARY_CHECK(part.amount.value() > 0, "a part of a charge has an amount that is not above 0");
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
        wait(QueueKind::unpriced, unpriced_queue(part.seller, part.class_name), waiting_row(usage, part, piece));
    }
  }
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
  ++totals().lines;

  ChargesRow& sums = charges_.edit(
      charges_key({usage.organisation, usage.project, part.class_name, month, part.unit, book.currency}, charges_key_));
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
  const units::Month month = units::month_of(row.part.from);
  const Bytes& key =
      charges_key({row.organisation, row.project, row.part.class_name, month, row.part.unit, ""}, charges_key_);
  ChargesRow& sums = charges_.edit(key);
  if (change == Change::add) {
    sums.unrated += row.part.amount;
    ++totals().waiting;
    return;
  }
  sums.unrated -= row.part.amount;
  --totals().waiting;
  if (sums.unrated.is_zero()) charges_.erase(key);
}

}  // namespace granary::billing
