// The facts that intake told metering: resource classes, the acceptance window, accounts' bindings. They are few, so
// all of them stay in memory; rows keep them in the order of publication. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "services/metering/core/rows.h"
#include "shared/machine/row_table.h"

namespace granary::metering {

// A published list of classes, ready to be looked up.
class ClassBook {
 public:
  explicit ClassBook(const events::PolicyPublished& policy);
  [[nodiscard]] const events::ResourceClass* find(const std::string& class_name) const;
  [[nodiscard]] const std::string& version() const { return version_; }
  Instant effective;

 private:
  std::string version_;
  std::unordered_map<std::string, events::ResourceClass> classes_;
};

class Facts {
 public:
  explicit Facts(machine::TableSet& tables);
  // Once, after the tables were opened and before all else.
  void read();
  void publish(const events::PolicyPublished& policy, ShardRow& shard);
  void bind(const events::AccountBound& binding, ShardRow& shard);

  // The classes in force at a usage's start (machine/effective.h, as for all facts). nullptr: none.
  [[nodiscard]] const ClassBook* classes_at(Instant start) const;
  // The acceptance window in days, as in force at `now`. nullopt: no window was published, so nothing is too old.
  [[nodiscard]] std::optional<std::int64_t> window_days_at(Instant now) const;
  // The most days that one usage may last, as in force at `now`.
  [[nodiscard]] std::int64_t usage_days_max_at(Instant now) const;
  // The project that an account means for usage of that start: of the bindings whose interval holds it, the one with
  // the latest `from` (none said: the earliest instant); of equal ones the one made last, which withdraws the other.
  // Empty: none.
  [[nodiscard]] const std::string& project_of(const std::string& cluster, const std::string& account,
                                              Instant start) const;

 private:
  void take(const events::PolicyPublished& policy);
  void take(const events::AccountBound& binding);

  machine::RowTable<events::PolicyPublished> policy_rows_;
  machine::RowTable<events::AccountBound> binding_rows_;
  struct Window {
    Instant effective;
    std::int64_t days;
    std::int64_t usage_days_max;
  };
  std::vector<ClassBook> class_books_;
  std::vector<Window> windows_;
  std::map<std::pair<std::string, std::string>, std::vector<events::AccountBound>> bindings_;
};

}  // namespace granary::metering
