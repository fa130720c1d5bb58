// Slurm's trackable resources (TRES) as resource classes. Internal to this room. Pure: any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "services/import/row.h"

namespace granary::import {

// A number as sacct writes it.
struct Count {
  std::int64_t value = 0;
  bool is_rounded = false;  // the text is no whole number of units: it was rounded when it was written
};

// "4096", "4K", "7.81G": K, M, G, T and P are powers of 1024; without one of them the number counts `unit`s. Rounded to
// the nearest whole. nullopt: not a number, below zero, or beyond 2^63.
std::optional<Count> parse_count(std::string_view text, std::int64_t unit = 1);

// What an allocation holds, gathered TRES by TRES.
class AllocatedTres {
 public:
  // Whether this TRES is one that is sent: CPUs, GPUs, memory, nodes.
  static bool is_sent(std::string_view type, std::string_view name);

  // `type` and `name` as in `sacct --json`: "cpu" and "", "gres" and "gpu:a100"; of "mem" `count` is MiB. What has no
  // class is in unmapped() then; what is 0 or below is passed over. False if the class came before, or if the count
  // is beyond what bytes can say.
  bool add(std::string_view type, std::string_view name, std::int64_t count);

  // Adds what `sacct --parsable2` writes as AllocTRES: "cpu=4,gres/gpu:a100=1,mem=16G,node=1"; memory without a unit is
  // MiB. False if that is not the form.
  bool add_text(std::string_view text);

  // Adds what older releases write as AllocGRES: "gpu:2", "gpu:a100:2,shard:4", "gpu:2(IDX:0-1)". False if that is not
  // the form.
  bool add_gres_text(std::string_view text);

  [[nodiscard]] bool has_gpus() const;
  // What has no class and was allocated: "gres/shard", "license/x", ... Not what Slurm reckons or measures by itself
  // (billing, energy).
  [[nodiscard]] const std::set<std::string>& unmapped() const { return unmapped_; }
  // A value that is rounded ("mem=7.81G"); empty: none is.
  [[nodiscard]] const std::string& rounded() const { return rounded_; }

  // The resources by class name, so that two exports of one job agree. `gres/gpu` is the total of all GPUs: what the
  // types do not explain of it is class `gpu`. Leaves no resources here.
  std::vector<ResourceQuantity> take();

 private:
  bool put(const std::string& class_name, std::int64_t quantity);

  std::map<std::string, std::int64_t> counts_;  // by class
  std::set<std::string> unmapped_;
  std::string rounded_;
};

}  // namespace granary::import
