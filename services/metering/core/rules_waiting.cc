// Usage that waits: for the binding of its account, or, if it is bound, for a class list that measures it. A usage is
// measured before it begins to wait, so the second comes about by a class list that was published since.
#include "services/metering/core/machine.h"
#include "shared/base/probe.h"

namespace granary::metering {

using machine::Context;
using machine::Out;

void MeteringMachine::wait(const machine::RawInput& input, const events::UsageReported& usage) {
  const Bytes account = account_key(usage.cluster, usage.account);
  WaitingHead& head = waiting_heads_.edit(account);
  waiting_.edit(waiting_key(account, head.next++)) = {
      input.raw.source, input.raw.id, input.identity, input.raw.recorded_at, usage, input.raw.notes, ""};
  ++head.count;
  ++unbound_;
}

// In the order in which it came, by the facts of now.
void MeteringMachine::release(const Bytes& account, const Context& context, Out& out) {
  if (waiting_heads_.find(account) == nullptr) return;
  WaitingHead& head = waiting_heads_.edit(account);
  bool at_front = true;
  for (std::uint64_t number = head.first; number < head.next; ++number) {
    const Bytes key = waiting_key(account, number);
    const WaitingUsage* waiting = waiting_.find(key);
    if (waiting == nullptr) {
      GRANARY_PROBE("usage that waits comes after a hole of its queue");
    } else if (const std::string& project =
                   facts_.project_of(waiting->usage.cluster, waiting->usage.account, waiting->usage.start);
               project.empty()) {
      GRANARY_PROBE("usage waits on after its account was bound");
      keep_waiting(head, key, *waiting, {});
      at_front = false;
    } else if (const auto refused = measure(waiting->usage.resources, waiting->usage.start, waiting->usage.end,
                                            metered_.amounts, metered_.classes_version)) {
      GRANARY_PROBE("usage of a bound account waits for a class list");
      keep_waiting(head, key, *waiting, refused->reason);
      at_front = false;
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
    if (at_front) head.first = number + 1;
  }
  if (head.count == 0) waiting_heads_.erase(account);
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

void MeteringMachine::release_unmeasured(const Context& context, Out& out) {
  if (unmeasured_ == 0) return;
  std::vector<Bytes> accounts;
  waiting_heads_.scan("", [&accounts](BytesView account, const WaitingHead& head) {
    if (head.unmeasured > 0) accounts.emplace_back(account);
    return true;
  });
  for (const Bytes& account : accounts) release(account, context, out);
}

}  // namespace granary::metering
