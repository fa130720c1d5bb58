// A table of typed rows over a shard's store: hot rows stay in memory as structs, bytes exist only at load and flush,
// and a row that changed is written once per commit. A row type lists its fields as events do (codec/field.h).
//
// Threads: belongs to its machine's thread. A pointer to a row lives until the next erase of that row or committed().
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/events/event_codec.h"
#include "shared/machine/table_set.h"
#include "shared/store/store.h"

namespace granary::machine {

template <class Row>
class RowTable final : public AnyTable {
 public:
  // At most `rows_max` rows stay in memory over a commit, but for those that were used since the commit before.
  // `law`, if there is one, sees each row that is written.
  template <TablePrefix Prefix>
  RowTable(TableSet& set, Prefix prefix, std::size_t rows_max, RowLaw<Row>* law = nullptr)
      : AnyTable(set, static_cast<std::uint8_t>(prefix)), rows_max_(rows_max), law_(law) {}

  void open(const store::View& view) override { show(view); }
  void show(const store::View& view) override {
    view_ = &view;
    entries_.clear();
    dirty_.clear();
    holds_all_.reset();
  }

  // The row to look at, nullptr if there is none.
  const Row* find(BytesView key) {
    Entry& entry = load(key);
    return entry.present ? &entry.row : nullptr;
  }

  // The row to change; made from Row{} if there is none.
  Row& edit(BytesView key) {
    Entry& entry = load(key);
    if (!entry.present) {
      entry.row = Row{};
      entry.present = true;
    }
    touch(entry);
    return entry.row;
  }

  void erase(BytesView key) {
    Entry& entry = load(key);
    if (!entry.present) return;
    entry.present = false;
    entry.row = Row{};
    touch(entry);
  }

  // Visits rows in key order from `from_key` on (without the table's prefix) until false, as they are now, changes
  // included. For queries and start-up, not for the fold's hot path.
  template <class Visit>
  void scan(BytesView from_key, Visit visit) const {
    std::vector<const Entry*> changed;
    for (const Entry* entry : dirty_)
      if (BytesView(entry->key).substr(1) >= from_key) changed.push_back(entry);
    std::sort(changed.begin(), changed.end(), [](const Entry* a, const Entry* b) { return a->key < b->key; });
    auto next = changed.begin();
    bool go_on = true;
    const auto visit_changed = [&](const Entry& entry) {
      if (entry.present && go_on) go_on = visit(BytesView(entry.key).substr(1), entry.row);
    };
    const Bytes from = full_key(from_key);
    view_->scan(from, prefix_end(BytesView(from).substr(0, 1)), [&](BytesView key, BytesView value) {
      while (next != changed.end() && (*next)->key < key && go_on) visit_changed(**next++);
      if (!go_on) return false;
      if (next != changed.end() && (*next)->key == key) {
        visit_changed(**next++);
        return go_on;
      }
      Row row;
      GRANARY_CHECK(codec::decode(value, row), "a row does not decode");
      return go_on = visit(key.substr(1), row);
    });
    while (next != changed.end() && go_on) visit_changed(**next++);
  }

  // In key order.
  void flush(store::WriteSet& rows) override {
    std::sort(dirty_.begin(), dirty_.end(), [](const Entry* a, const Entry* b) { return a->key < b->key; });
    for (Entry* entry : dirty_) {
      if (law_ != nullptr) law_->check(entry->key, entry->present ? &entry->row : nullptr);
      if (entry->present) {
        Bytes value;
        codec::encode(entry->row, value);
        rows.put(entry->key, std::move(value));
      } else {
        rows.erase(entry->key);
      }
      entry->dirty = false;
    }
    dirty_.clear();
    if (law_ != nullptr) law_->checked_all();
  }

  // Forgets rows that were not used since the commit before, if there are too many.
  void committed() override {
    if (entries_.size() > rows_max_)
      boost::unordered::erase_if(entries_, [this](const auto& item) {
        const Entry& entry = *item.second;
        const bool goes = entry.used < age_ && !entry.dirty;
        if (goes && entry.present) {
          GRANARY_PROBE("a row leaves the memory");
          holds_all_ = false;
        }
        return goes;
      });
    ++age_;
  }

 private:
  struct Entry {
    Bytes key;  // with the prefix
    Row row;
    bool present = false;
    bool dirty = false;
    std::uint64_t used = 0;
  };
  Bytes full_key(BytesView key) const {
    Bytes full;
    full.reserve(key.size() + 1);
    append_u8(full, prefix());
    full.append(key);
    return full;
  }

  bool holds_all() {
    if (!holds_all_) {
      holds_all_ = true;
      const Bytes from(1, static_cast<char>(prefix()));
      view_->scan(from, prefix_end(from), [this](BytesView, BytesView) { return *(holds_all_ = false); });
    }
    return *holds_all_;
  }

  Entry& load(BytesView key) {
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      auto entry = std::make_unique<Entry>();
      entry->key = full_key(key);
      if (auto value = holds_all() ? std::nullopt : view_->get(entry->key)) {
        GRANARY_CHECK(codec::decode(*value, entry->row), "a row does not decode");
        entry->present = true;
      }
      const BytesView own_key = BytesView(entry->key).substr(1);
      found = entries_.emplace(own_key, std::move(entry)).first;
    }
    found->second->used = age_;
    return *found->second;
  }

  void touch(Entry& entry) {
    if (!entry.dirty) dirty_.push_back(&entry);
    entry.dirty = true;
  }

  std::size_t rows_max_;
  RowLaw<Row>* law_;
  const store::View* view_ = nullptr;
  // Every row of the table that the store has is in memory: what is not there is nowhere, and costs no look into the
  // store. So from an empty table on, until committed() drops a row.
  std::optional<bool> holds_all_;  // not known until a row is missed
  // By the key in the entry itself, without the prefix.
  boost::unordered_flat_map<BytesView, std::unique_ptr<Entry>, std::hash<BytesView>> entries_;
  std::vector<Entry*> dirty_;
  std::uint64_t age_ = 0;
};

}  // namespace granary::machine
