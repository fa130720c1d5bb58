// Usage that waits: for the binding of its account, or, if it is bound, for a class list that measures it. A usage is
// measured before it begins to wait, so the second comes about by a class list that was published since.
#include "services/metering/core/machine.h"
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

namespace {

// `refused_by` of usage whose account is bound and whose turn has not come: it is let go by the sweep that it waits
// for.
constexpr std::string_view kQueued = "queued";

}  // namespace

void MeteringMachine::wait(const machine::RawInput& input, const events::UsageReported& usage, Waits why) {
  const bool is_queued = why == Waits::for_its_turn;
  const Bytes account = account_key(usage.cluster, usage.account);
  WaitingHead& head = waiting_heads_.edit(account);
  waiting_.edit(waiting_key(account, head.next++)) = {input.raw.source,
                                                      input.raw.id,
                                                      input.identity,
                                                      input.raw.recorded_at,
                                                      usage,
                                                      input.raw.notes,
                                                      std::string(is_queued ? kQueued : std::string_view())};
  ++head.count;
  if (is_queued) ++head.unmeasured;
  ++(is_queued ? unmeasured_ : unbound_);
}

bool MeteringMachine::is_swept(const Bytes& account) {
  if (sweeps_.find(static_cast<std::uint64_t>(Sweep::account), account) != nullptr) return true;
  const machine::SweepRow* classes = sweeps_.find(static_cast<std::uint64_t>(Sweep::classes));
  if (classes == nullptr || account < classes->name) return false;
  const WaitingHead* head = waiting_heads_.find(account);
  return head != nullptr && head->unmeasured > 0;
}

void MeteringMachine::sweep(std::size_t rows, const Context& context, Out& out) {
  sweeps_.go_on(rows, sweep_step(context, out));
}

machine::Sweeps::Step MeteringMachine::sweep_step(const Context& context, Out& out) {
  return [this, &context, &out](machine::SweepRow& sweep, std::size_t rows, bool& is_done) {
    return sweep.kind == static_cast<std::uint64_t>(Sweep::account)
               ? release(sweep.name, sweep.next, rows, context, out, is_done)
               : release_unmeasured(sweep, rows, context, out, is_done);
  };
}

// In the order in which it came, by the facts of now.
std::size_t MeteringMachine::release(const Bytes& account, std::uint64_t& place, std::size_t rows,
                                     const Context& context, Out& out, bool& is_done) {
  is_done = true;
  if (waiting_heads_.find(account) == nullptr) return 0;
  WaitingHead& head = waiting_heads_.edit(account);
  // A queue that was emptied and filled again meanwhile begins at its first place.
  place = place > head.next ? head.first : std::max(place, head.first);
  std::size_t looked_at = 0;
  for (; place < head.next && looked_at < rows; ++place, ++looked_at) {
    const Bytes key = waiting_key(account, place);
    const WaitingUsage* waiting = waiting_.find(key);
    bool is_gone = true;
    if (waiting == nullptr) {
      GRANARY_PROBE("usage that waits comes after a hole of its queue");
    } else if (const std::string& project =
                   facts_.project_of(waiting->usage.cluster, waiting->usage.account, waiting->usage.start);
               project.empty()) {
      GRANARY_PROBE("usage waits on after its account was bound");
      keep_waiting(head, key, *waiting, {});
      is_gone = false;
    } else if (const auto refused = measure(waiting->usage.resources, waiting->usage.start, waiting->usage.end,
                                            metered_.amounts, metered_.classes_version)) {
      GRANARY_PROBE("usage of a bound account waits for a class list");
      keep_waiting(head, key, *waiting, refused->reason);
      is_gone = false;
    } else {
      const auto [partition, sent] = send(waiting->source, waiting->id, project, waiting->usage, waiting->notes,
                                          waiting->recorded_at, context, out);
      // Its bucket may have been dropped while it waited; then a repeat is too old and is not looked up.
      if (ids_.find(waiting->identity))
        ids_.set_lane(waiting->identity, partition, sent);
      else
        GRANARY_PROBE("the id of a usage has gone while the usage waited");
      SourceRow& source = sources_.edit(waiting->source);
      --source.pending;
      ++source.metered;
      keep_waiting(head, key, *waiting, {});
      waiting_.erase(key);
      --head.count;
      --unbound_;
    }
    if (is_gone && place == head.first) head.first = place + 1;
  }
  is_done = place >= head.next;
  if (head.count > 0) return looked_at;
  waiting_heads_.erase(account);
  is_done = true;
  return looked_at;
}

void MeteringMachine::keep_waiting(WaitingHead& head, const Bytes& key, const WaitingUsage& waiting,
                                   std::string_view refused_by) {
  if (waiting.refused_by == refused_by) return;
  const auto is_unmeasured = [](std::string_view reason) { return std::uint64_t{reason.empty() ? 0U : 1U}; };
  const std::uint64_t was = is_unmeasured(waiting.refused_by), is = is_unmeasured(refused_by);
  head.unmeasured += is - was;
  unmeasured_ += is - was;
  unbound_ += was - is;
  waiting_.edit(key).refused_by = refused_by;
}

// One look at the heads a turn: it costs as much as there are heads that changed since the last commit.
std::size_t MeteringMachine::release_unmeasured(machine::SweepRow& sweep, std::size_t rows, const Context& context,
                                                Out& out, bool& is_done) {
  std::vector<Bytes> accounts;
  std::size_t looked_at = 0;  // heads without such usage, and places
  Bytes last;                 // head that was looked at
  is_done = true;
  const bool is_within = sweep.next > 0;  // an account
  if (is_within) accounts.push_back(sweep.name);
  waiting_heads_.scan(is_within ? sweep.name + '\0' : sweep.name, [&](BytesView key, const WaitingHead& head) {
    if (accounts.size() + looked_at >= rows) return is_done = false;
    last = key;
    if (head.unmeasured > 0)
      accounts.emplace_back(key);
    else
      ++looked_at;
    return true;
  });
  for (const Bytes& account : accounts) {
    if (looked_at >= rows) {
      is_done = false;
      if (sweep.name != account) sweep.next = 0;
      sweep.name = account;
      return looked_at;
    }
    if (sweep.name != account) sweep.next = 0;
    sweep.name = account;
    bool is_whole = false;
    looked_at += 1 + release(account, sweep.next, rows - looked_at, context, out, is_whole);
    if (!is_whole) return is_done = false, looked_at;
    sweep.name += '\0';  // the place behind it
    sweep.next = 0;
  }
  if (!last.empty() && sweep.name <= last) sweep.name = last + '\0';
  return looked_at;
}

}  // namespace granary::metering
