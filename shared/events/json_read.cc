#include <algorithm>
#include <set>

#include "shared/events/json.h"
#include "shared/events/wire.h"

namespace granary::events {
namespace {

using json::Kind;
using json::Value;
using units::DecimalTrouble;
using units::TimeTrouble;

constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kItemsMax = 256;
constexpr std::uint64_t kSilentHoursMax = 8760;  // a year: no job is silent for longer and still runs

std::string shown(const Value& value) {
  std::string text;
  if (value.is(Kind::string)) text = value.string();
  if (value.is(Kind::number)) text = value.number_text();
  if (value.is(Kind::boolean)) text = value.boolean() ? "true" : "false";
  if (text.size() > 100) text.resize(100);
  return text;
}

// Reads one JSON object into the fields of a struct; stops at the first trouble.
class ObjectReader {
 public:
  ObjectReader(const Value& object, std::string pointer) : object_(object), pointer_(std::move(pointer)) {
    if (!object_.is(Kind::object)) fail("malformed", pointer_, object_, "send a JSON object here");
  }

  template <class T>
  void operator()(int, std::string_view name, T& value, Presence presence) {
    known_.push_back(name);
    if (error_) return;
    const Value* found = object_.find(name);
    if (found == nullptr) {
      if (presence == Presence::required) fail("malformed", at(name), Value(), "add the field: it is required");
      return;
    }
    if constexpr (wire::IsVector<T>::value) {
      read_list(*found, at(name), value);
      if (!error_ && presence == Presence::required && value.empty())
        fail("malformed", at(name), *found, "list at least one");
    } else {
      read(*found, at(name), value);
    }
  }

  // To be called after the fields: names that nobody asked for.
  std::optional<FormError> finish() {
    if (error_) return error_;
    for (const json::Member& member : object_.members())
      if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
        std::string names;
        for (const auto name : known_) names += (names.empty() ? "" : ", ") + std::string(name);
        fail("unknown_field", at(member.name), member.value, "leave it out; known here are: " + names);
        break;
      }
    return error_;
  }

 private:
  std::string at(std::string_view name) const {
    std::string pointer = pointer_;
    json::append_pointer_token(pointer, name);
    return pointer;
  }
  void fail(std::string reason, std::string field, const Value& value, std::string hint) {
    if (!error_) error_ = FormError{std::move(reason), std::move(field), shown(value), std::move(hint)};
  }

  template <class T>
  void read_list(const Value& value, const std::string& pointer, std::vector<T>& list) {
    if (!value.is(Kind::array)) return fail("malformed", pointer, value, "send a JSON array here");
    if (value.items().size() > kItemsMax) return fail("malformed", pointer, value, "list at most 256");
    for (std::size_t i = 0; i < value.items().size() && !error_; ++i)
      read(value.items()[i], pointer + "/" + std::to_string(i), list.emplace_back());
  }

  template <class T>
  void read(const Value& value, const std::string& pointer, std::optional<T>& out) {
    read(value, pointer, out.emplace());
  }

  void read(const Value& value, const std::string& pointer, std::string& out) {
    if (!value.is(Kind::string)) return fail("malformed", pointer, value, "send a string here");
    const std::string& text = value.string();
    const bool control =
        std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (text.empty() || text.size() > kTextBytesMax || control)
      return fail("malformed", pointer, value,
                  "send 1 to 256 bytes without control characters, or leave an optional field out");
    out = text;
  }

  void read(const Value& value, const std::string& pointer, Instant& out) {
    if (!value.is(Kind::string))
      return fail("malformed", pointer, value, "send a time as a string: 2026-10-31T23:30:00Z");
    const auto parsed = units::parse_time(value.string());
    switch (parsed.trouble) {
      case TimeTrouble::none:
        out = parsed.at;
        return;
      case TimeTrouble::no_zone:
        return fail("time_without_zone", pointer, value, "add Z or an offset such as +01:00");
      case TimeTrouble::too_precise:
        return fail("time_too_precise", pointer, value, "send at most milliseconds");
      case TimeTrouble::out_of_range:
        return fail("time_out_of_range", pointer, value, "send a time of the years 1970 to 9999");
      case TimeTrouble::malformed:
        return fail("malformed", pointer, value, "send RFC 3339 with a zone: 2026-10-31T23:30:00Z");
    }
  }

  void read(const Value& value, const std::string& pointer, std::uint64_t& out) {
    const auto number = value.integer();
    if (!number || *number < 0)
      return fail("malformed", pointer, value, "send a JSON integer of 0 or more, without point and exponent");
    out = static_cast<std::uint64_t>(*number);
  }

  void read_decimal(const Value& value, const std::string& pointer, int decimals, units::Int128& out) {
    const std::string example = decimals == 0 ? "\"7200000000\"" : "\"2.5\"";
    if (!value.is(Kind::string)) return fail("malformed", pointer, value, "send a decimal string: " + example);
    const auto parsed = units::parse_decimal(value.string(), decimals);
    switch (parsed.trouble) {
      case DecimalTrouble::none:
        out = parsed.scaled;
        return;
      case DecimalTrouble::malformed:
        return fail("malformed", pointer, value, "send a decimal string: " + example);
      case DecimalTrouble::too_precise:
        return fail("quantity_too_precise", pointer, value, "send at most " + std::to_string(decimals) + " decimals");
      case DecimalTrouble::overflow:
        return fail("quantity_overflow", pointer, value, "send at most 2^96 of the smallest unit");
    }
  }
  void read_positive(const Value& value, const std::string& pointer, int decimals, units::Int128& out) {
    read_decimal(value, pointer, decimals, out);
    if (!error_ && out <= 0) fail("quantity_not_positive", pointer, value, "send more than 0");
  }

  void read(const Value& value, const std::string& pointer, Quantity& out) {
    units::Int128 number = 0;
    read_positive(value, pointer, 3, number);
    out = Quantity(number);
  }
  void read(const Value& value, const std::string& pointer, Amount& out) {
    units::Int128 number = 0;
    read_positive(value, pointer, 0, number);
    out = Amount(number);
  }
  void read(const Value& value, const std::string& pointer, Price& out) {
    units::Int128 number = 0;
    read_decimal(value, pointer, 9, number);
    if (!error_ && number < 0) fail("price_negative", pointer, value, "send 0 or more");
    out = Price(number);
  }

  template <class T>
  void read(const Value& value, const std::string& pointer, T& out) {
    if constexpr (std::is_enum_v<T>) {
      if (value.is(Kind::string) && enum_from_name(value.string(), out)) return;
      std::string names;
      for (const auto name : EnumNames<T>::kNames) names += (names.empty() ? "" : ", ") + std::string(name);
      fail("malformed", pointer, value, "send one of: " + names);
    } else {
      ObjectReader nested(value, pointer);
      if (!nested.error_) T::fields(out, nested);
      if (auto trouble = nested.finish()) error_ = std::move(trouble);
    }
  }

  const Value& object_;
  std::string pointer_;
  std::vector<std::string_view> known_;
  std::optional<FormError> error_;
};

using Trouble = std::optional<FormError>;

Trouble check_unit(const std::string& unit, const std::string& pointer) {
  if (units::named_unit(unit)) return std::nullopt;
  return FormError{"malformed", pointer, unit,
                   "send one of: resource-hour, resource-us, gib-hour, tib-hour, byte-hour, byte-ms, item"};
}

bool upper_letters(const std::string& text, std::size_t size) {
  return text.size() == size && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

template <class Usage>
Trouble check_usage(const Usage& usage, Instant end, const char* end_name, const std::string& at) {
  const bool by_account = !usage.cluster.empty() || !usage.account.empty();
  if (usage.project.empty() != by_account || (by_account && (usage.cluster.empty() || usage.account.empty())))
    return FormError{"malformed", at + "/project", usage.project, "name either the project, or cluster and account"};
  if (end < usage.start)
    return FormError{"end_before_start", at + "/" + end_name, units::format_time(end),
                     "send an end that is not before the start"};
  std::set<std::string> seen;
  for (std::size_t i = 0; i < usage.resources.size(); ++i) {
    const ResourceUsed& used = usage.resources[i];
    const std::string here = at + "/resources/" + std::to_string(i);
    if (!seen.insert(used.class_name).second)
      return FormError{"malformed", here + "/class", used.class_name, "name each class once"};
    if (used.quantity.is_zero() == used.amount.is_zero() || used.amount.is_zero() != used.unit.empty())
      return FormError{"malformed", here, "", "send either quantity, or amount and unit"};
    if (!used.unit.empty() && !units::unit_from_name(used.unit))
      return FormError{"malformed", here + "/unit", used.unit, "send one of: resource-us, byte-ms, item"};
    if (units::hold(used.quantity, end.ms() - usage.start.ms(), UnitKind::resource_us).trouble ==
        units::HoldTrouble::overflow)
      return FormError{"quantity_overflow", here + "/quantity", units::format_decimal(used.quantity.value(), 3),
                       "send at most 2^96 resource-us in one usage"};
  }
  return std::nullopt;
}

Trouble check(const UsageReported& usage, const std::string& at) {
  return check_usage(usage, usage.end, "end", at);
}
Trouble check(const UsageInterim& usage, const std::string& at) {
  return check_usage(usage, usage.measured_at, "measured_at", at);
}

Trouble check(const OrganisationRegistered& organisation, const std::string& at) {
  if (upper_letters(organisation.country, 2)) return std::nullopt;
  return FormError{"malformed", at + "/country", organisation.country, "send two capital letters (ISO 3166-1): FI"};
}

Trouble check(const AccountBound& bound, const std::string& at) {
  if (!bound.from || !bound.to || *bound.from < *bound.to) return std::nullopt;
  return FormError{"end_before_start", at + "/to", units::format_time(*bound.to), "send a `to` after `from`"};
}

Trouble check(const ApplicationSubmitted& application, const std::string& at) {
  for (std::size_t i = 0; i < application.resources.size(); ++i)
    if (auto trouble = check_unit(application.resources[i].unit, at + "/resources/" + std::to_string(i) + "/unit"))
      return trouble;
  if (application.period_from < application.period_to) return std::nullopt;
  return FormError{"end_before_start", at + "/period_to", units::format_time(application.period_to),
                   "send a `period_to` after `period_from`"};
}

Trouble check(const ScreeningDecided& screening, const std::string& at) {
  if (screening.questionnaire.empty() != screening.basis.empty()) return std::nullopt;
  return FormError{"malformed", at + "/questionnaire", "",
                   "send either the questionnaire's version, or a basis (trial)"};
}

Trouble check(const ApplicationDecided& decided, const std::string& at) {
  if ((decided.outcome == DecisionOutcome::awarded) != decided.grant.has_value())
    return FormError{"malformed", at + "/grant", "", "send the grant with outcome awarded, and only then"};
  if (!decided.grant) return std::nullopt;
  const std::string grant = at + "/grant";
  const Funding& funding = decided.grant->funding;
  const bool is_share = funding.kind == FundingKind::share;
  if (is_share != !funding.share.is_zero() || funding.share > Price(1'000'000'000))
    return FormError{"malformed", grant + "/funding/share", units::format_decimal(funding.share.value(), 9),
                     "send a share above 0 and at most 1 with kind share, and only then"};
  for (std::size_t i = 0; i < decided.grant->lots.size(); ++i) {
    const LotAwarded& lot = decided.grant->lots[i];
    const std::string here = grant + "/lots/" + std::to_string(i);
    if (auto trouble = check_unit(lot.unit, here + "/unit")) return trouble;
    if (lot.from >= lot.to)
      return FormError{"lot_period_empty", here + "/to", units::format_time(lot.to), "send a `to` after `from`"};
    if (!units::mul_div_half_even(lot.quantity.value(), units::named_unit(lot.unit)->base_units, 1000))
      return FormError{"quantity_overflow", here + "/quantity", units::format_decimal(lot.quantity.value(), 3),
                       "send at most 2^96 base units in one lot"};
  }
  return std::nullopt;
}

Trouble check(const PolicyPublished& policy, const std::string& at) {
  const PolicyContent& content = policy.content;
  const bool overdraft = content.mode != OverdraftMode{} || !content.seller.empty() || !content.project.empty();
  const auto fits = [&](PolicyKind kind, bool filled) { return (policy.kind == kind) == filled; };
  if (!fits(PolicyKind::resource_classes, !content.classes.empty()) ||
      !fits(PolicyKind::acceptance_window, content.window_days != 0) ||
      !fits(PolicyKind::burn_order, !content.order.empty()) || !fits(PolicyKind::overdraft, overdraft) ||
      !fits(PolicyKind::holds, content.silent_hours_max != 0))
    return FormError{"malformed", at + "/content", std::string(enum_name(policy.kind)),
                     "send what belongs to the kind, and only that: classes, window_days, order, silent_hours_max, or "
                     "mode with seller "
                     "and project"};
  if (content.window_days > 36500)
    return FormError{"malformed", at + "/content/window_days", std::to_string(content.window_days),
                     "send at most 36500 days"};
  if (content.silent_hours_max > kSilentHoursMax)
    return FormError{"malformed", at + "/content/silent_hours_max", std::to_string(content.silent_hours_max),
                     "send at most " + std::to_string(kSilentHoursMax) + " hours"};
  if (overdraft && (content.mode == OverdraftMode{} || (content.mode == OverdraftMode::bill && content.seller.empty())))
    return FormError{"malformed", at + "/content/mode", "", "send a mode; with bill the seller too, whose prices hold"};
  std::set<std::string> seen;
  for (const ResourceClass& published : content.classes)
    if (!seen.insert(published.class_name).second)
      return FormError{"malformed", at + "/content/classes", published.class_name, "name each class once"};
  return std::nullopt;
}

// The kinds of customer that an entry is for, a bit each.
unsigned kinds_of(const PriceEntry& entry) {
  unsigned kinds = entry.customer_kinds.empty() ? ~0U : 0U;
  for (const CustomerKind kind : entry.customer_kinds) kinds |= 1U << static_cast<unsigned>(kind);
  return kinds;
}

// Whether `entry` never holds, for `first` stands before it.
bool is_hidden_by(const PriceEntry& first, const PriceEntry& entry) {
  return first.class_name == entry.class_name && (kinds_of(entry) & ~kinds_of(first)) == 0 &&
         (first.purposes.empty() || first.purposes == entry.purposes) &&
         units::named_unit(first.per)->kind == units::named_unit(entry.per)->kind;
}

Trouble check(const PriceBookPublished& book, const std::string& at) {
  if (!upper_letters(book.currency, 3))
    return FormError{"malformed", at + "/currency", book.currency, "send three capital letters (ISO 4217): EUR"};
  for (std::size_t i = 0; i < book.prices.size(); ++i)
    if (auto trouble = check_unit(book.prices[i].per, at + "/prices/" + std::to_string(i) + "/per")) return trouble;
  for (std::size_t i = 0; i < book.prices.size(); ++i)
    for (std::size_t before = 0; before < i; ++before) {
      if (!is_hidden_by(book.prices[before], book.prices[i])) continue;
      return FormError{"price_hidden", at + "/prices/" + std::to_string(i), book.prices[i].class_name,
                       "entry " + std::to_string(before) +
                           " holds for all that this one names: put the narrower entry first, or leave one out"};
    }
  return std::nullopt;
}

template <class T>
Trouble check(const T&, const std::string&) {
  return std::nullopt;
}

// Doors read these and no other; derived events have no way in.
template <class T>
inline constexpr bool kRaw =
    std::is_same_v<T, OrganisationRegistered> || std::is_same_v<T, ProjectRegistered> ||
    std::is_same_v<T, AccountBound> || std::is_same_v<T, ApplicationSubmitted> || std::is_same_v<T, ScreeningDecided> ||
    std::is_same_v<T, ApplicationDecided> || std::is_same_v<T, PolicyPublished> ||
    std::is_same_v<T, PriceBookPublished> || std::is_same_v<T, SourceStated> || std::is_same_v<T, UsageReported> ||
    std::is_same_v<T, UsageInterim>;

template <std::size_t I = 1>
Trouble read_as(EventType type, const Value& data, const std::string& pointer, Event& event, UsageNotes& notes) {
  if constexpr (I == std::variant_size_v<Event>) {
    return FormError{"unknown_type", "/type", std::string(type_name(type)), "send an event that doors take"};
  } else {
    using T = std::variant_alternative_t<I, Event>;
    if constexpr (kRaw<T>) {
      if (TypeOf<T>::kType == type) {
        ObjectReader reader(data, pointer);
        T& value = event.emplace<I>();
        notes = {};
        if (data.is(Kind::object)) {
          T::fields(value, reader);
          if constexpr (std::is_same_v<T, UsageReported> || std::is_same_v<T, UsageInterim>)
            UsageNotes::fields(notes, reader);
        }
        if (auto trouble = reader.finish()) return trouble;
        return check(value, pointer);
      }
    }
    return read_as<I + 1>(type, data, pointer, event, notes);
  }
}

}  // namespace

std::optional<FormError> read_raw_event(EventType type, const json::Value& data, const std::string& pointer,
                                        Event& event, UsageNotes& notes) {
  return read_as(type, data, pointer, event, notes);
}

}  // namespace granary::events
