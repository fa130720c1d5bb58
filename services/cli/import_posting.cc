#include "services/cli/import_posting.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "services/cli/import_award.h"
#include "services/cli/import_passes.h"
#include "services/cli/poster.h"
#include "services/import/cloud_event.h"
#include "shared/service/program.h"
#include "shared/units/instant.h"

namespace granary::cli {
namespace {

using units::Instant;

std::int64_t retry_for_ms(const CheckedImport& checked) {
  return checked.arguments.retry_for_s * units::kSecondMs;
}

// A statement that the ledger refuses is told, but the usage stays.
void tell_refused(const Poster& statements, const char* what) {
  for (const Refused& refused : statements.refused)
    service::complain(fmt::format("{}: {}; hint: {}", what, refused.reason, refused.hint));
}

// Has the ledger remember how the file is read, before any of it counts.
Result<void> remember(Api& api, const CheckedImport& checked, const std::string& after) {
  Poster statements(api, after, retry_for_ms(checked));
  for (const std::string& event : checked.to_remember) GRANARY_TRY(statements.add({}, event));
  GRANARY_TRY(statements.flush());
  tell_refused(statements, "how the file is read could not be remembered");
  return {};
}

// Says of each source that all that it has through `through` is here, once what was posted is folded.
Result<void> state_complete(Api& api, const CheckedImport& checked, Poster& posted,
                            const std::map<std::string, std::uint64_t>& sources, Instant through) {
  Poster statements(api, posted.token(), retry_for_ms(checked));
  const std::string id = fmt::format("complete/{}/{}", units::format_time(through), checked.options.file_sha256);
  for (const auto& [source, records] : sources)
    GRANARY_TRY(statements.add({}, import::stated_event(source, id, through, records)));
  GRANARY_TRY(statements.flush());
  GRANARY_TRY(posted.cover(statements));
  tell_refused(statements, "a source could not be stated complete");
  return {};
}

// The instant through which the file's sources are complete; nullopt: nothing says that they are. The file's own source
// is complete with the file; a cluster only if somebody says so.
std::optional<Instant> complete_through(const CheckedImport& checked, const import::Summary& sent) {
  const bool is_of_file = !import::source_prefix(checked.options).empty();
  if (sent.truncated || !sent.end_ms_max || (!is_of_file && !checked.complete_through_ms)) return std::nullopt;
  return Instant(checked.complete_through_ms.value_or(*sent.end_ms_max));
}

}  // namespace

Result<std::string> post_before(Api& api, const CheckedImport& checked, std::string after) {
  if (checked.summary.usages == 0) return after;
  if (!checked.arguments.award_all.empty()) {
    const TrialAward award{checked.arguments.award_all, checked.options.file_sha256, retry_for_ms(checked)};
    auto awarded = award_all(api, award, after, checked.judge, checked.summary);
    if (!awarded.ok()) return awarded.error();
    if (!awarded->empty()) after = std::move(*awarded);
  }
  GRANARY_TRY(remember(api, checked, after));
  return after;
}

Result<PostedImport> post_usage(Api& api, const CheckedImport& checked, const std::string& after) {
  Poster poster(api, after, retry_for_ms(checked));
  Sender sender(poster, checked.options, checked.summary.usages, checked.arguments.client.json);
  auto sent = read_file(checked.arguments.file, checked.options, sender);
  auto posted = sent.ok() ? poster.flush() : Result<void>(sent.error());
  if (posted.ok())
    if (const auto through = complete_through(checked, *sent))
      posted = state_complete(api, checked, poster, sender.sources, *through);
  if (!posted.ok())
    return Error{posted.error().code,
                 fmt::format("{}; stopped after {} of {} usages; hint: run the same command again, what was taken "
                             "counts once",
                             posted.error().message, poster.answered, checked.summary.usages)};
  for (const Refused& refused : poster.refused)
    sender.remarks.add(import::Fate::refused,
                       {refused.origin.line, refused.origin.job, refused.field, refused.reason, refused.hint});
  return PostedImport{poster.accepted,           poster.repeats,  poster.waiting, poster.token(),
                      std::move(sender.remarks), std::move(*sent)};
}

}  // namespace granary::cli
