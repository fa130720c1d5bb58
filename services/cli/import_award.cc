#include "services/cli/import_award.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "services/cli/poster.h"
#include "services/import/cloud_event.h"
#include "shared/json/writer.h"

namespace granary::cli {
namespace {

using units::Instant;
using Writer = json::Writer<std::string>;

std::string object(const std::function<void(Writer&)>& members) {
  std::string text;
  Writer out(text);
  out.begin_object();
  members(out);
  out.end_object();
  return text;
}

// The unit in which people state how much of a class they award.
const char* people_unit_of(const std::string& base_unit) {
  if (base_unit == "resource-us") return "resource-hour";
  return base_unit == "byte-ms" ? "gib-hour" : "item";
}

// Posts the events by which a trial's projects get their awards.
class Awarding {
 public:
  Awarding(Poster& poster, const TrialAward& award, const Judge& judge, units::Interval period)
      : poster_(poster), award_(award), judge_(judge), period_(period) {}

  Result<void> award(const std::string& project) {
    const std::string application = fmt::format("trial-{}-{}", award_.sha256.substr(0, kShaDigits), project);
    const std::string organisation = "trial-" + project;
    GRANARY_TRY(send(project, "granary.organisation.registered.v1", "organisation", [&](Writer& out) {
      out.member("organisation", organisation).member("name", "Trial of " + project);
      out.member("kind", "research").member("country", "EU");
    }));
    GRANARY_TRY(send(project, "granary.project.registered.v1", "project",
                     [&](Writer& out) { out.member("project", project).member("organisation", organisation); }));
    GRANARY_TRY(send(project, "granary.application.submitted.v1", "application", [&](Writer& out) {
      out.member("application", application).member("project", project).member("access_mode", "trial");
      out.member("period_from", units::format_time(period_.from));
      out.member("period_to", units::format_time(period_.to));
      write_lots(out.name("resources"), Lots::asked_for);
    }));
    GRANARY_TRY(send(project, "granary.screening.decided.v1", "screening", [&](Writer& out) {
      out.member("application", application).member("basis", "trial").member("outcome", "cleared");
    }));
    return send(project, "granary.application.decided.v1", "decision", [&](Writer& out) {
      out.member("application", application).member("project", project).member("outcome", "awarded");
      write_grant(out.name("grant"));
    });
  }

 private:
  static constexpr std::size_t kShaDigits = 12;  // enough to tell files apart, and short for people
  enum class Lots { asked_for, granted };

  Result<void> send(const std::string& project, const char* type, const char* step,
                    const std::function<void(Writer&)>& members) {
    const std::string source = fmt::format("urn:granary:import:{}:award", award_.sha256);
    const std::string id = fmt::format("{}/{}/{}", project, step, award_.hours);
    return poster_.add({0, project}, import::cloud_event(type, source, id, period_.from, object(members)));
  }

  void write_lots(Writer& out, Lots lots) const {
    out.begin_array();
    for (const auto& [name, base_unit] : judge_.lots) {
      out.begin_object().member("class", name).member("quantity", award_.hours);
      out.member("unit", people_unit_of(base_unit));
      if (lots == Lots::granted)
        out.member("from", units::format_time(period_.from)).member("to", units::format_time(period_.to));
      out.end_object();
    }
    out.end_array();
  }

  void write_grant(Writer& out) const {
    out.begin_object().member("machine", "trial").member("seller", "trial").member("legal_basis", "trial");
    out.member("member_state", "EU").name("funding").begin_object().member("kind", "covered").end_object();
    write_lots(out.name("lots"), Lots::granted);
    out.end_object();
  }

  Poster& poster_;
  const TrialAward& award_;
  const Judge& judge_;
  units::Interval period_;
};

}  // namespace

Result<std::string> award_all(Api& api, const TrialAward& award, const std::string& after, const Judge& judge,
                              const import::Summary& summary) {
  if (judge.lots.empty())
    return Error{ErrorCode::invalid_input,
                 "--award-all: none of the file's classes is charged to lots at the start of its usage; hint: publish "
                 "them with charging lots, effective by then"};
  Poster poster(api, after, award.retry_for_ms);
  const units::Interval period{Instant(*summary.start_ms_min),
                               Instant(std::max(*summary.end_ms_max, *summary.start_ms_min + 1))};
  Awarding awarding(poster, award, judge, period);
  for (const std::string& project : judge.projects) GRANARY_TRY(awarding.award(project));
  GRANARY_TRY(poster.flush());
  for (const Refused& refused : poster.refused)
    if (refused.reason != "organisation_exists" && refused.reason != "project_exists")
      return Error{
          ErrorCode::invalid_input,
          fmt::format("--award-all was refused: {}: {}; hint: this file was awarded before with other hours or "
                      "another period: leave --award-all out, or repeat its options",
                      refused.reason, refused.hint)};
  return poster.token();
}

}  // namespace granary::cli
