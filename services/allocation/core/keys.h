// Keys of allocation's tables (rows.h), built in memory that is reused, so that the hot path allocates nothing.
//
// Threads: belongs to its machine's thread. A key lives until the next call of the same function.
#pragma once

#include "services/allocation/core/rows.h"

namespace granary::allocation {

class Keys {
 public:
  // Of `projects` and `waiting`.
  BytesView project(BytesView project) {
    project_key(project, project_);
    return project_;
  }
  BytesView account(const AccountId& id) {
    account_key(id, account_);
    return account_;
  }
  BytesView waiting_usage(BytesView project, std::uint64_t place) {
    project_key(project, waiting_usage_);
    append_u64(waiting_usage_, place);
    return waiting_usage_;
  }
  BytesView end(Instant end, const AccountId& id) {
    end_.clear();
    append_i64(end_, end.ms());
    end_.append(account(id));
    return end_;
  }
  BytesView hold(BytesView project, BytesView source, BytesView id) {
    project_key(project, hold_);
    append_part(hold_, source);
    append_part(hold_, id);
    return hold_;
  }
  BytesView heard(Instant heard_at, BytesView hold) {
    heard_.clear();
    append_i64(heard_, heard_at.ms());
    heard_.append(hold);
    return heard_;
  }

 private:
  Bytes project_, account_, waiting_usage_, end_, hold_, heard_;
};

}  // namespace granary::allocation
