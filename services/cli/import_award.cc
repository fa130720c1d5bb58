#include "services/cli/import_award.h"

#include <algorithm>

#include "services/cli/import_events.h"
#include "services/cli/poster.h"

namespace granary::cli {

using units::Instant;

Result<std::string> award_all(Api& api, const TrialAward& award, const std::string& after, const Judge& judge,
                              const import::Summary& summary) {
  const Instant from(*summary.start_ms_min);
  const Instant to(std::max(*summary.end_ms_max, *summary.start_ms_min + 1));
  const std::string source = "urn:granary:import:" + award.sha256 + ":award";
  Poster poster(api, after, award.retry_for_ms);
  std::string lots;
  std::string asked;
  for (const auto& [name, base_unit] : judge.lots) {
    const char* unit = base_unit == "resource-us" ? "resource-hour" : base_unit == "byte-ms" ? "gib-hour" : "item";
    std::string lot = "{";
    add_member(lot, "class", name);
    add_member(lot, "quantity", award.hours);
    add_member(lot, "unit", unit);
    asked += (asked.empty() ? "" : ",") + lot + "}";
    add_member(lot, "from", units::format_time(from));
    add_member(lot, "to", units::format_time(to));
    lots += (lots.empty() ? "" : ",") + lot + "}";
  }
  if (lots.empty())
    return Error{ErrorCode::invalid_input,
                 "--award-all: none of the file's classes is charged to lots at the start of its usage; hint: publish "
                 "them with charging lots, effective by then"};
  for (const std::string& project : judge.projects) {
    const std::string application = "trial-" + award.sha256.substr(0, 12) + "-" + project;
    const auto send = [&](const char* type, const char* step, const std::string& data) {
      return poster.add({0, project}, cloud_event(type, source, project + "/" + step + "/" + award.hours, from, data));
    };
    std::string organisation = "{";
    add_member(organisation, "organisation", "trial-" + project);
    add_member(organisation, "name", "Trial of " + project);
    add_member(organisation, "kind", "research");
    add_member(organisation, "country", "EU");
    GRANARY_TRY(send("granary.organisation.registered.v1", "organisation", organisation + "}"));
    std::string registered = "{";
    add_member(registered, "project", project);
    add_member(registered, "organisation", "trial-" + project);
    GRANARY_TRY(send("granary.project.registered.v1", "project", registered + "}"));
    std::string submitted = "{";
    add_member(submitted, "application", application);
    add_member(submitted, "project", project);
    add_member(submitted, "access_mode", "trial");
    add_member(submitted, "period_from", units::format_time(from));
    add_member(submitted, "period_to", units::format_time(to));
    GRANARY_TRY(send("granary.application.submitted.v1", "application", submitted + ",\"resources\":[" + asked + "]}"));
    std::string screened = "{";
    add_member(screened, "application", application);
    add_member(screened, "basis", "trial");
    add_member(screened, "outcome", "cleared");
    GRANARY_TRY(send("granary.screening.decided.v1", "screening", screened + "}"));
    std::string grant = "{";
    for (const auto& [name, value] :
         {std::pair{"machine", "trial"}, {"seller", "trial"}, {"legal_basis", "trial"}, {"member_state", "EU"}})
      add_member(grant, name, value);
    grant += R"(,"funding":{"kind":"covered"},"lots":[)" + lots + "]}";
    std::string decided = "{";
    add_member(decided, "application", application);
    add_member(decided, "project", project);
    add_member(decided, "outcome", "awarded");
    GRANARY_TRY(send("granary.application.decided.v1", "decision", decided + ",\"grant\":" + grant + "}"));
  }
  GRANARY_TRY(poster.flush());
  for (const Refused& refused : poster.refused)
    if (refused.reason != "organisation_exists" && refused.reason != "project_exists")
      return Error{ErrorCode::invalid_input,
                   "--award-all was refused: " + refused.reason + ": " + refused.hint +
                       "; hint: this file was awarded before with other hours or another period: leave --award-all "
                       "out, or repeat its options"};
  return poster.token();
}

}  // namespace granary::cli
