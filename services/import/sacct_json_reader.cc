// `sacct --json`: one object with an array `jobs`, in the layouts of Slurm 22.05 (openapi dbv0.0.38: plain numbers, the
// state one string) to 25.05 (data_parser v0.0.43: numbers as {set, infinite, number}, the state a list). The text is
// cut into its jobs' members as it comes, so that memory holds those of one job and not the file. What is used is read
// strictly; the rest (names, comments, scripts: what users write) is passed over as bytes, so that no user's text stops
// an import.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/import/formats.h"
#include "services/import/slurm_job.h"
#include "services/import/text.h"
#include "shared/json/strict_json.h"
#include "shared/json/utf8.h"

namespace granary::import {
namespace {

using json::Kind;
using json::Value;

constexpr json::Limits kLimits{.bytes = 64U << 20, .depth = 32};  // a job with thousands of steps
constexpr SlurmFieldNames kFieldNames{"/account", "/time/start", "/time/end", "/time/elapsed", "/tres/allocated"};
// A job's members that are used; if those of the second list are not UTF-8 the job is taken without them.
constexpr std::array<std::string_view, 11> kUsed{"job_id", "account", "cluster", "qos", "partition",  "state",
                                                 "time",   "tres",    "array",   "het", "reservation"};
constexpr std::array<std::string_view, 2> kUsedIfUtf8{"user", "group"};
constexpr std::size_t kMembersMax = 10'000;  // Slurm writes about a hundred
constexpr const char* kHint = "export with sacct --json (Slurm 22.05 or later) and import that file as it is";
// Slurm's own marks for "no value" and "infinite" (slurm.h), which older layouts write as they are.
constexpr std::int64_t kNoValue = 0xfffffffe;

bool is_blank(int byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

// The number, plain or in its wrapping; nullopt if it is unset, null, absent, or no integer.
std::optional<std::int64_t> integer_of(const Value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is(Kind::object)) {
    const Value* set = value->find("set");
    if (set == nullptr || !set->is(Kind::boolean) || !set->boolean()) return std::nullopt;
    return integer_of(value->find("number"));
  }
  const auto integer = value->integer();
  return integer && *integer < kNoValue ? integer : std::nullopt;
}

// The text; empty for what is unset, which the layouts write as null, 0 or nothing.
std::string text_of(const Value* value) {
  return value != nullptr && value->is(Kind::string) ? value->string() : std::string();
}

const Value* at(const Value* value, std::string_view name) {
  return value != nullptr ? value->find(name) : nullptr;
}

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether an escape in the JSON text means half a character (a lone surrogate).
bool has_half_a_character(std::string_view text) {
  const auto unit_at = [text](std::size_t at) -> unsigned {
    if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
    unsigned unit = 0;
    for (const char c : text.substr(at + 2, 4)) {
      const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
      const auto number = c >= '0' && c <= '9' ? static_cast<std::size_t>(c - '0') : digit;
      if (number == std::string_view::npos) return 0;
      unit = unit * 16 + static_cast<unsigned>(number);
    }
    return unit;
  };
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const unsigned unit = unit_at(at);
    const bool is_high = unit >= 0xd800 && unit < 0xdc00;
    const unsigned next = is_high ? unit_at(at + 6) : 0;
    if ((unit >= 0xdc00 && unit < 0xe000) || (is_high && (next < 0xdc00 || next >= 0xe000))) return true;
    at += is_high ? 12 : 2;
  }
  return false;
}

std::string shown(const Value* value) {
  if (value == nullptr) return "nothing";
  if (value->is(Kind::number)) return value->number_text();
  if (value->is(Kind::string)) return value->string();
  return json::kind_name(value->kind());
}

// A job that an export cuts off in the middle.
enum class Cut { whole, ends_within };

class SacctJsonReader {
 public:
  SacctJsonReader(Input& input, const Options& options, RowSink& sink) : input_(input), jobs_(options, sink) {}

  Result<Summary> read() {
    if (peek() != '{') return wrong("file", "a JSON object with jobs");
    input_.get();
    const auto end = members("file", [this](const std::string& name) { return member(name); });
    if (!end.ok()) return end.error();
    if (*end == Cut::whole && peek() >= 0) return wrong("file", "the end of the file");
    GRANARY_TRY(input_.status());
    if (!has_jobs_) return wrong("/jobs", "a list of jobs");
    jobs_.summary().truncated = *end == Cut::ends_within || input_.truncated();
    return jobs_.finish();
  }

 private:
  int peek() {
    while (is_blank(input_.peek())) input_.get();
    return input_.peek();
  }

  // An error about what comes next.
  Error wrong(const std::string& field, const char* expected) {
    if (const auto status = input_.status(); !status.ok()) return status.error();
    const int next = peek();
    return row_error(input_.line(), field, next < 0 ? "the end of the file" : std::string(1, static_cast<char>(next)),
                     expected, kHint);
  }

  // Takes the bytes of one value, into `text` if there is one. What is in them is for the parser to judge.
  Result<Cut> cut(std::string* text) {
    if (text != nullptr) text->clear();
    const auto take = [&] {
      const int byte = input_.get();
      if (text != nullptr) text->push_back(static_cast<char>(byte));
    };
    std::size_t depth = 0;
    bool in_string = false;
    for (peek();;) {
      const int byte = input_.peek();
      if (byte < 0) {
        GRANARY_TRY(input_.status());
        return Cut::ends_within;
      }
      const bool ends_scalar = byte == ',' || byte == ']' || byte == '}' || byte == ':' || is_blank(byte);
      if (!in_string && depth == 0 && ends_scalar) return Cut::whole;
      take();
      if (in_string) {
        if (byte == '\\' && input_.peek() >= 0) take();
        in_string = byte != '"';
        if (!in_string && depth == 0) return Cut::whole;
      } else if (byte == '"') {
        in_string = true;
      } else if (byte == '{' || byte == '[') {
        ++depth;
      } else if ((byte == '}' || byte == ']') && --depth == 0) {
        return Cut::whole;
      }
      if (text != nullptr && text->size() > kLimits.bytes) return wrong("value", "a value of at most 64 MiB");
    }
  }

  // Passes over one value.
  Result<Cut> pass_over(const std::string& field) {
    const int first = peek();
    if (first == ',' || first == ']' || first == '}' || first == ':') return wrong(field, "a value");
    return cut(nullptr);
  }

  // Takes one value and reads it; nullopt if the input ends within it.
  Result<std::optional<Value>> value(const std::string& field) {
    peek();
    const std::uint64_t line = input_.line();
    const auto taken = cut(&text_);
    if (!taken.ok()) return taken.error();
    if (*taken == Cut::ends_within) return std::optional<Value>();
    return parsed(line, field);
  }

  // The value in text_.
  Result<std::optional<Value>> parsed(std::uint64_t line, const std::string& field) const {
    auto parsed = json::parse(text_, kLimits);
    if (parsed.ok()) return std::optional<Value>(std::move(*parsed));
    return Error{ErrorCode::invalid_input,
                 fmt::format("line {}, field \"{}\": {}", line, field, parsed.error().message)};
  }

  // The members of an object, its opening brace taken; `take` takes each one's value.
  template <class Take>
  Result<Cut> members(const std::string& field, Take take) {
    if (peek() == '}') return input_.get(), Cut::whole;
    for (;;) {
      const auto name = value("name");
      if (!name.ok()) return name.error();
      if (!name->has_value()) return Cut::ends_within;
      if (!(*name)->is(Kind::string)) return wrong(field, "a member's name");
      if (peek() < 0) return Cut::ends_within;
      if (peek() != ':') return wrong(field, "a colon");
      input_.get();
      const Result<Cut> end = take((*name)->string());
      if (!end.ok() || *end == Cut::ends_within) return end;
      const int next = peek();
      if (next < 0) return Cut::ends_within;
      if (next != '}' && next != ',') return wrong(field, "a comma or the object's end");
      input_.get();
      if (next == '}') return Cut::whole;
    }
  }

  Result<Cut> member(const std::string& name) {
    if (name == "jobs") return jobs();
    if (name != "errors") return pass_over("/" + name);
    const auto errors = value("/errors");
    if (!errors.ok()) return errors.error();
    if (!errors->has_value()) return Cut::ends_within;
    if ((*errors)->is(Kind::array) && !(*errors)->items().empty()) {
      return row_error(input_.line(), "/errors", "errors of sacct", "an export without errors",
                       "jobs may be missing: see what sacct says there, and export again");
    }
    return Cut::whole;
  }

  Result<Cut> jobs() {
    if (peek() < 0) return Cut::ends_within;
    if (has_jobs_ || peek() != '[') return wrong("/jobs", "one list of jobs");
    has_jobs_ = true;
    input_.get();
    if (peek() == ']') return input_.get(), Cut::whole;
    for (std::uint64_t index = 0;; ++index) {
      pointer_ = fmt::format("/jobs/{}", index);
      const Result<Cut> end = next_job();
      if (!end.ok() || *end == Cut::ends_within) return end;
      const int next = peek();
      if (next < 0) return Cut::ends_within;
      if (next != ',' && next != ']') return wrong(pointer_, "a comma or the list's end behind it");
      input_.get();
      if (next == ']') return Cut::whole;
    }
  }

  // Takes one job, member by member.
  Result<Cut> next_job() {
    const int first = peek();
    line_ = input_.line();
    if (first != '{') {
      const auto other = value(pointer_);
      if (!other.ok()) return other.error();
      if (!other->has_value()) return Cut::ends_within;
      return refuse("", &**other, "a job");
    }
    input_.get();
    std::vector<json::Member> used;
    std::set<std::string> names;
    std::string not_utf8;  // the first such member
    const auto end = members(pointer_, [&](const std::string& name) -> Result<Cut> {
      std::string field = pointer_;
      json::append_pointer_token(field, name);
      if (!names.insert(name).second) return row_error(line_, field, "it twice", "each name once", kHint);
      if (names.size() > kMembersMax) return refuse("", nullptr, "a job of at most 10000 members");
      const bool is_needed = contains(kUsed, name);
      if (!is_needed && !contains(kUsedIfUtf8, name)) return pass_over(field);
      peek();
      const std::uint64_t line = input_.line();
      auto taken = cut(&text_);
      if (!taken.ok() || *taken == Cut::ends_within) return taken;
      if (!json::is_utf8(text_) || has_half_a_character(text_)) {
        if (is_needed && not_utf8.empty()) not_utf8 = field;
        return Cut::whole;
      }
      auto read = parsed(line, field);
      if (!read.ok()) return read.error();
      used.push_back({name, std::move(**read)});
      return Cut::whole;
    });
    if (!end.ok() || *end == Cut::ends_within) return end;
    const Value value(Value::Data(std::move(used)));
    if (not_utf8.empty()) {
      GRANARY_TRY(job(value));
    } else {
      const auto number = integer_of(value.find("job_id"));
      GRANARY_TRY(jobs_.tell(Fate::refused, {line_, number ? std::to_string(*number) : "", not_utf8, "not_utf8",
                                             "its text is not UTF-8"}));
    }
    return Cut::whole;
  }

  Error refuse(const std::string& field, const Value* value, const char* expected) const {
    return row_error(line_, pointer_ + field, shown(value), expected, kHint);
  }

  Result<void> job(const Value& value) {
    if (!value.is(Kind::object)) return refuse("", &value, "a job");
    SlurmJob job;
    const Value* number = value.find("job_id");
    const auto job_id = integer_of(number);
    if (!job_id || *job_id <= 0) return refuse("/job_id", number, "a job's number");
    job.row.line = line_;
    job.row.job = label(value, *job_id);
    job.field_prefix = pointer_;
    job.names = &kFieldNames;

    const Value* state = at(value.find("state"), "current");
    if (!states(state, job.states)) return refuse("/state/current", state, "a state");
    const Value* time = value.find("time");
    for (const auto& [name, seconds] : {std::pair("start", &job.start_s), std::pair("end", &job.end_s)}) {
      const Value* instant = at(time, name);
      // A wrapped number that is not set is a time that is not known.
      const bool is_unset = instant != nullptr && (instant->is(Kind::object) || instant->is(Kind::null));
      const auto got = is_unset ? integer_of(instant).value_or(0) : integer_of(instant);
      if (!got || *got < 0 || *got > kSecondsMax) {
        return refuse(std::string("/time/") + name, instant, "seconds since 1970 (0: not known)");
      }
      *seconds = *got;
    }
    const auto seconds = [time](const char* name) {
      const auto got = integer_of(at(time, name));
      return got && *got >= 0 && *got <= kSecondsMax ? got : std::nullopt;
    };
    job.submit_s = seconds("submission").value_or(0);
    job.eligible_s = seconds("eligible").value_or(0);
    job.elapsed_s = seconds("elapsed");
    job.suspended_s = seconds("suspended");
    GRANARY_TRY(resources(at(value.find("tres"), "allocated"), job.tres));

    job.row.group = text_of(value.find("group"));
    job.row.user = text_of(value.find("user"));
    job.row.account = text_of(value.find("account"));
    job.row.cluster = text_of(value.find("cluster"));
    job.row.qos = text_of(value.find("qos"));
    job.row.partition = text_of(value.find("partition"));
    job.row.advance_reservation = text_of(at(value.find("reservation"), "name"));
    return jobs_.take(job);
  }

  static std::string label(const Value& value, std::int64_t job_id) {
    const Value* array = value.find("array");
    const auto array_id = integer_of(at(array, "job_id"));
    const auto task = integer_of(at(array, "task_id"));
    if (array_id.value_or(0) > 0 && task) return fmt::format("{}_{}", *array_id, *task);
    const Value* het = value.find("het");
    const auto het_id = integer_of(at(het, "job_id"));
    const auto offset = integer_of(at(het, "job_offset"));
    if (het_id.value_or(0) > 0 && offset) return fmt::format("{}+{}", *het_id, *offset);
    return std::to_string(job_id);
  }

  // "COMPLETED" or ["COMPLETED"], as the layouts have it. False if it is neither.
  static bool states(const Value* value, std::vector<std::string>& out) {
    if (value == nullptr) return false;
    if (value->is(Kind::string)) out.push_back(value->string());
    if (value->is(Kind::array)) {
      for (const Value& item : value->items()) out.push_back(text_of(&item));
    }
    return !out.empty() && !out.front().empty();
  }

  Result<void> resources(const Value* allocated, AllocatedTres& tres) const {
    if (allocated == nullptr || allocated->is(Kind::null)) return {};
    if (!allocated->is(Kind::array)) return refuse("/tres/allocated", allocated, "a list");
    for (std::size_t i = 0; i < allocated->items().size(); ++i) {
      const Value& item = allocated->items()[i];
      const std::string field = fmt::format("/tres/allocated/{}", i);
      const std::string type = text_of(item.find("type"));
      if (type.empty()) return refuse(field + "/type", item.find("type"), "a resource's type");
      const std::string name = text_of(item.find("name"));
      const Value* count = item.find("count");
      const std::optional<std::int64_t> number = count != nullptr ? count->integer() : std::nullopt;
      // Of energy the count may be null, or beyond all bounds.
      if (!number && !AllocatedTres::is_sent(type, name)) continue;
      if (!number) return refuse(field + "/count", count, "an integer");
      if (!tres.add(type, name, *number)) {
        return refuse(field + "/count", count, "each resource once, and below 2^63 bytes");
      }
    }
    return {};
  }

  Input& input_;
  SlurmJobs jobs_;
  bool has_jobs_ = false;
  std::string text_;        // of the value at hand
  std::string pointer_;     // of the job at hand
  std::uint64_t line_ = 0;  // the number of its first line
};

}  // namespace

Result<Summary> read_sacct_json(Input& input, const Options& options, RowSink& sink) {
  return SacctJsonReader(input, options, sink).read();
}

}  // namespace granary::import
