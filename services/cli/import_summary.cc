#include "services/cli/import_summary.h"

#include <fmt/format.h>

#include "shared/json/writer.h"

namespace granary::cli {

using import::Fate;

std::string dry_run_text(const import::Summary& summary, const Judge& judge) {
  return fmt::format("{} rows: {} usages of {} projects in {} classes; nothing was posted\n{}", summary.rows(),
                     summary.usages, judge.projects.size(), judge.classes.size(), judge.remarks.lines());
}

std::string dry_run_json(const import::Summary& summary, const Judge& judge) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("rows", summary.rows()).member("usages", summary.usages).member("steps", summary.steps);
  out.member("projects", judge.projects.size()).member("truncated", summary.truncated);
  judge.remarks.write(out);
  out.end_object();
  return text + '\n';
}

std::string posted_text(const PostedImport& posted) {
  const Remarks& remarks = posted.remarks;
  const auto reasons = [&remarks](Fate fate) {
    const std::string counts = remarks.by_reason(fate);
    return counts.empty() ? counts : fmt::format(" ({})", counts);
  };
  return fmt::format("{} rows: {} accepted, {} repeats, {} waiting, {} refused{}, {} skipped{}\n{}", posted.sent.rows(),
                     posted.accepted, posted.repeats, posted.waiting, remarks.count(Fate::refused),
                     reasons(Fate::refused), remarks.count(Fate::skipped), reasons(Fate::skipped), remarks.lines());
}

std::string posted_json(const PostedImport& posted) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("rows", posted.sent.rows()).member("steps", posted.sent.steps);
  out.member("accepted", posted.accepted).member("repeats", posted.repeats).member("waiting", posted.waiting);
  out.member("truncated", posted.sent.truncated);
  posted.remarks.write(out);
  if (!posted.token.empty()) out.member("after", posted.token);
  out.end_object();
  return text + '\n';
}

}  // namespace granary::cli
