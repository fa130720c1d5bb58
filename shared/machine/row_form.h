// Which form the rows of a machine have (or the runtime's own): what a store's stamp holds, so that no build ever reads
// rows that another one wrote in a form that it does not know. Values; any thread.
//
// Each machine keeps its numbers beside its rows (services/*/core/rows.h); tests/golden/rows_test.cc holds the rows
// against a record of them and says which number to raise. When to raise which:
//
//   revision        by one, with a field at the end of a row (or of a message in one), a value of an enum or a table
//                   that is empty for all that was folded before. This build goes on from rows of a smaller revision
//                   without folding again; an older one folds again. It never goes back, also not with a new format.
//   format          by one, with every other change of what is in rows or keys or of what it means; also if
//                   folding an old history would fill the new field or table. The state is folded again.
//   readable_from   to `format`, if questions to this machine (Machine::show) would answer wrongly, or break a law,
//                   over rows of a format before. From that format on, an old state answers while it is folded again.
#pragma once

#include <cstdint>

namespace granary::machine {

struct RowForm {
  std::uint64_t format = 1;
  std::uint64_t revision = 1;
  std::uint64_t readable_from = 1;
};

// What rows of a form that another build wrote are to this one.
enum class RowsAre : std::uint8_t { known, readable, foreign };
constexpr RowsAre judge(const RowForm& own, std::uint64_t format, std::uint64_t revision) {
  if (revision > own.revision || format > own.format) return RowsAre::foreign;
  if (format == own.format) return RowsAre::known;
  return format >= own.readable_from ? RowsAre::readable : RowsAre::foreign;
}

}  // namespace granary::machine
