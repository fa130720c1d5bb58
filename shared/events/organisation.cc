#include "shared/events/organisation.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/events/form.h"

namespace granary::events {
namespace {

bool digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A section ("J"), or a division, group or class of NACE ("62", "62.0", "62.01").
bool nace(std::string_view code) {
  if (code.size() == 1) return code[0] >= 'A' && code[0] <= 'V';
  if (code.size() < 2 || !digits(code.substr(0, 2))) return false;
  const std::string_view rest = code.substr(2);
  return rest.empty() || (rest[0] == '.' && (rest.size() == 2 || rest.size() == 3) && digits(rest.substr(1)));
}

Trouble check_country(const std::string& country, const std::string& at) {
  if (upper_letters(country, 2)) return std::nullopt;
  return FormError{"malformed", at, country, "send two capital letters (ISO 3166-1): FI"};
}

Trouble check(const std::vector<LegalId>& ids, const std::string& at) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const LegalId& one = ids[i];
    const std::string here = at + "/" + std::to_string(i);
    const bool is_named = one.scheme == "VAT" || one.scheme == "EUID" || one.scheme == "PIC";
    if (!is_named && (one.scheme.size() != 4 || !digits(one.scheme)))
      return FormError{"malformed", here + "/scheme", one.scheme,
                       "send VAT, EUID, PIC, or the four digits of an ISO 6523 code (0199: LEI)"};
    if (one.id.size() > kForeignNameBytesMax)
      return FormError{"malformed", here + "/id", one.id.substr(0, 100), "send at most 64 bytes"};
    if (one.from && one.to && *one.from >= *one.to)
      return FormError{"end_before_start", here + "/to", units::format_time(*one.to), "send a `to` after `from`"};
    for (std::size_t before = 0; before < i; ++before)
      if (ids[before].scheme == one.scheme && ids[before].id == one.id)
        return FormError{"malformed", here, fmt::format("{} {}", one.scheme, one.id), "name each legal id once"};
  }
  return std::nullopt;
}

}  // namespace

Trouble check(const OrganisationRegistered& organisation, const std::string& at) {
  if (auto trouble = check_country(organisation.country, at + "/country")) return trouble;
  if (auto trouble = check(organisation.legal_ids, at + "/legal_ids")) return trouble;
  if (!organisation.activity.empty() && !nace(organisation.activity))
    return FormError{"malformed", at + "/activity", organisation.activity, "send a code of NACE: 62.01"};
  if (!organisation.established_in.empty())
    if (auto trouble = check_country(organisation.established_in, at + "/established_in")) return trouble;
  for (std::size_t i = 0; i < organisation.controlled_from.size(); ++i)
    if (auto trouble = check_country(organisation.controlled_from[i], at + "/controlled_from/" + std::to_string(i)))
      return trouble;
  return check(organisation.refs, at + "/refs");
}

}  // namespace granary::events
