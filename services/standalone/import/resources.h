// Slurm's trackable resources (TRES) as resource classes. Internal to this room. Pure: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/standalone/import/row.h"

namespace granary::import {

// What an allocation holds, gathered TRES by TRES.
class AllocatedTres {
 public:
  // Whether this TRES is one that is sent: CPUs, GPUs, memory, nodes.
  static bool is_sent(std::string_view type, std::string_view name);

  // `type` and `name` as in `sacct --json`: "cpu" and "", "gres" and "gpu:a100". `count` is what stands there; of "mem"
  // it is MiB. What has no class (billing, energy, licences, ...) and what is 0 or below is passed over. False where
  // the class came before, or the count is beyond what bytes can say.
  bool add(std::string_view type, std::string_view name, std::int64_t count);

  // Adds what `sacct --parsable2` writes: "cpu=4,gres/gpu:a100=1,mem=16G,node=1"; memory without a unit is MiB. False
  // where that is not the form.
  bool add_text(std::string_view text);

  // The resources by class name, so that two exports of one job agree; `gpu` only where no typed one stands beside it.
  // Leaves this empty.
  std::vector<ResourceQuantity> take();

 private:
  bool put(std::string class_name, std::int64_t quantity);

  std::vector<ResourceQuantity> resources_;
};

}  // namespace granary::import
