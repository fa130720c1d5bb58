// Metering: validates usage, takes each once, turns it into base units by the published classes, and sends it on to its
// project. Folds `granary.usage.v1` (key: source and root id of the usage). Pure; belongs to its shard's thread.
#pragma once

#include "services/metering/core/facts.h"
#include "services/metering/core/refusals.h"
#include "shared/machine/id_buckets.h"
#include "shared/machine/machine.h"

namespace granary::metering {

class MeteringMachine final : public machine::Machine {
 public:
  MeteringMachine();

  void open(const store::View& rows) override;
  void show(const store::View& rows) override;
  machine::Outcome apply_raw(const machine::RawInput& input, const machine::Context& context,
                             machine::Out& out) override;
  void apply_lane(const machine::LaneInput& input, const machine::Context& context, machine::Out& out) override;
  void apply_tick(Instant before, const machine::Context& context, machine::Out& out) override;
  void flush(store::WriteSet& rows) override;
  void committed() override;

  // For questions.
  // Each source with what became of its usage here.
  void each_source(const std::function<void(std::string_view source, const SourceRow&)>& visit) const;
  // Each cluster and account whose usage waits for a binding.
  void each_waiting(
      const std::function<void(std::string_view cluster, std::string_view account, std::uint64_t count)>& visit) const;

 private:
  using Outcome = machine::Outcome;
  Outcome take(const machine::RawInput& input, const events::UsageReported& usage, const machine::Context& context,
               machine::Out& out);
  Outcome take_interim(const machine::RawInput& input, const events::UsageInterim& usage,
                       const machine::Context& context, machine::Out& out);
  std::optional<Outcome> too_old(Instant end, const machine::Context& context) const;
  // Fills metered_.amounts and .classes_version from the classes in force at `start`.
  std::optional<Outcome> measure(const std::vector<events::ResourceUsed>& resources, Instant start, Instant end,
                                 std::vector<events::MeteredAmount>& amounts, std::string& version) const;
  // Sends a usage whose amounts stand in metered_; returns partition and number in the lane.
  std::pair<std::uint16_t, std::uint64_t> send(const std::string& source, const std::string& id,
                                               const std::string& project, const events::UsageReported& usage,
                                               const events::UsageNotes& notes, Instant recorded_at,
                                               const machine::Context& context, machine::Out& out);
  void release(const events::AccountBound& binding, const machine::Context& context, machine::Out& out);
  void state(const events::SourceStated& stated, const machine::Context& context, machine::Out& out);
  ShardRow& shard();

  Facts facts_;
  machine::IdBuckets ids_;
  machine::RowTable<ShardRow> shard_;
  machine::RowTable<SourceRow> sources_;
  machine::RowTable<WaitingHead> waiting_heads_;
  machine::RowTable<WaitingUsage> waiting_;
  std::int64_t ids_kept_from_ = 0;
  events::UsageMetered metered_;  // reused: the hot path allocates nothing
};

}  // namespace granary::metering
