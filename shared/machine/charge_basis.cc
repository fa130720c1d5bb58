#include "shared/machine/charge_basis.h"

#include <algorithm>
#include <array>

#include "shared/proof/hash.h"

namespace granary::machine {
namespace {

// What follows a class: thousandths of the resource times milliseconds, however it was told; thousandths if the
// usage has no duration; a count of items.
enum class Measure : std::uint8_t { held = 1, instant, items };

constexpr std::size_t kPart = 8;  // bytes of each of the four

// `value` times `factor`, modulo 2^128: doors refuse what would pass 2^96, and only equality counts here.
void append_product(Bytes& out, units::Int128 value, std::int64_t factor) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(value) * static_cast<Wide>(factor);
  append_u64(out, static_cast<std::uint64_t>(product >> 64));
  append_u64(out, static_cast<std::uint64_t>(product));
}

}  // namespace

Hash32 ChargeBasis::of(const events::UsageReported& usage) {
  ordered_.clear();
  for (const events::ResourceUsed& used : usage.resources) ordered_.push_back(&used);
  std::sort(ordered_.begin(), ordered_.end(),
            [](const events::ResourceUsed* a, const events::ResourceUsed* b) { return a->class_name < b->class_name; });
  scratch_.clear();
  for (const events::ResourceUsed* used : ordered_) append(*used, usage.end.ms() - usage.start.ms());
  const Hash32 of_resources = proof::sha256(scratch_);
  const Hash32 of_payer = proof::sha256_of_parts({usage.project, usage.cluster, usage.account});
  scratch_.assign(view_of(of_payer).substr(0, kPart));
  append_i64(scratch_, usage.start.ms());
  append_i64(scratch_, usage.end.ms());
  scratch_.append(view_of(of_resources).substr(0, kPart));
  return *hash_from(scratch_);
}

void ChargeBasis::append(const events::ResourceUsed& used, std::int64_t duration_ms) {
  append_part(scratch_, used.class_name);
  if (used.unit.empty()) {
    const bool is_held = duration_ms != 0;
    append_u8(scratch_, static_cast<std::uint8_t>(is_held ? Measure::held : Measure::instant));
    append_product(scratch_, used.quantity.value(), is_held ? duration_ms : 1);
    return;
  }
  const auto unit = units::unit_from_name(used.unit);
  append_u8(scratch_, static_cast<std::uint8_t>(unit == units::UnitKind::item ? Measure::items : Measure::held));
  append_product(scratch_, used.amount.value(), unit == units::UnitKind::byte_ms ? 1000 : 1);
}

BasisDifference ChargeBasis::compare(const Hash32& one, const Hash32& other) {
  constexpr std::array kOrder{BasisDifference::payer, BasisDifference::start, BasisDifference::end,
                              BasisDifference::resources};
  for (std::size_t i = 0; i < kOrder.size(); ++i)
    if (!std::equal(one.begin() + i * kPart, one.begin() + (i + 1) * kPart, other.begin() + i * kPart))
      return kOrder[i];
  return BasisDifference::none;
}

}  // namespace granary::machine
