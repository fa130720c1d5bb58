// What exact dedupe costs: new ids per second (a find that misses and an add, 400 days, a flush every 50,000), repeats
// per second (in the order they came, and at random), dropping, and the memory of the index for each id.
// bench_id_buckets [IDS [DIRECTORY]]: with a directory over RocksDB, else over the memory store.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "shared/machine/id_buckets.h"
#include "shared/proof/hash.h"
#include "shared/store/memory_store.h"
#include "shared/store/rocks_store.h"

namespace {

using granary::Bytes;
using granary::Id16;

Id16 id_of_number(std::uint64_t number) {
  Bytes bytes;
  granary::append_u64(bytes, number);
  return granary::id_of(granary::proof::sha256(bytes));
}

template <class Work>
void measure(const char* name, std::uint64_t count, Work work) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t n = 0; n < count; ++n) work(n);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-24s %12.0f /s\n", name, static_cast<double>(count) / seconds);
}

enum class Prefix : std::uint8_t { ids = 1 };

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const granary::store::RocksEnvironment environment;
  std::unique_ptr<granary::store::Store> store = std::make_unique<granary::store::MemoryStore>();
  if (argc > 2) {
    auto opened = granary::store::open_rocks_store(environment, argv[2]);
    if (!opened) return std::fprintf(stderr, "%s\n", opened.error().message.c_str()), 1;
    store = std::move(*opened);
  }
  granary::machine::TableSet tables;
  granary::machine::IdBuckets ids(tables, Prefix::ids);
  ids.open(*store);
  std::uint64_t found = 0;
  const auto flush = [&] {
    granary::store::WriteSet rows;
    ids.flush(rows);
    GRANARY_CHECK(store->commit(rows).ok(), "the commit failed");
  };
  measure("sha-256 alone", count, [&](std::uint64_t n) { found += id_of_number(n)[0] == 0; });
  measure("new ids", count, [&](std::uint64_t n) {
    const Id16 id = id_of_number(n);
    found += ids.find(id).has_value();
    granary::Hash32 substance{};
    std::copy(id.begin(), id.end(), substance.begin());
    ids.add(id, substance, 20000 + static_cast<std::int64_t>(n * 400 / count), 0, n);
    if (n % 50'000 == 49'999) flush();
  });
  flush();
  const double bytes_per_id = static_cast<double>(ids.index_bytes()) / static_cast<double>(ids.size());
  measure("repeats in order", count, [&](std::uint64_t n) { found += ids.find(id_of_number(n)).has_value(); });
  measure("repeats at random", count / 10,
          [&](std::uint64_t n) { found += ids.find(id_of_number(n * 2'654'435'761 % count)).has_value(); });
  measure("opened", 1, [&](std::uint64_t) {
    granary::machine::TableSet again_tables;
    granary::machine::IdBuckets again(again_tables, Prefix::ids);
    again.open(*store);
    found += again.size();
  });
  measure("dropped (all at once)", 1, [&](std::uint64_t) { ids.drop_before(30000), flush(); });
  std::printf("index %.1f bytes an id; checksum %llu\n", bytes_per_id, static_cast<unsigned long long>(found));
  return 0;
}
