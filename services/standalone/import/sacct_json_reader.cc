// `sacct --json`: one object with an array `jobs`, in the layouts of Slurm 22.05 (openapi dbv0.0.38: plain numbers, the
// state one string) to 25.05 (data_parser v0.0.43: numbers as {set, infinite, number}, the state a list). The text is
// cut into its jobs as it comes, so that memory holds one job and not the file; each is then read strictly.
#include <optional>
#include <string>
#include <vector>

#include "services/standalone/import/formats.h"
#include "services/standalone/import/slurm_job.h"
#include "services/standalone/import/text.h"
#include "shared/json/strict_json.h"

namespace granary::import {
namespace {

using json::Kind;
using json::Value;

constexpr json::Limits kLimits{.bytes = 64U << 20, .depth = 32};  // a job with thousands of steps
constexpr const char* kHint = "export with sacct --json (Slurm 22.05 or later) and import that file as it is";
// Slurm's own marks for "no value" and "infinite" (slurm.h), which older layouts write as they are.
constexpr std::int64_t kNoValue = 0xfffffffe;

bool is_blank(int byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

// The number, plain or in its wrapping; nullopt where it is unset, null, absent, or no integer.
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
  SacctJsonReader(Input& input, const Options& options, RowSink& sink)
      : input_(input), options_(options), emitter_(options, sink) {}

  Result<Summary> read() {
    if (peek() != '{') return wrong("file", "a JSON object with jobs");
    input_.get();
    const auto end = members();
    if (!end.ok()) return end.error();
    GRANARY_TRY(input_.status());
    if (!has_jobs_) return wrong("/jobs", "a list of jobs");
    emitter_.summary.truncated = *end == Cut::ends_within || input_.truncated();
    return emitter_.summary;
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

  // Takes the bytes of one value. What is in them is for the parser to judge.
  Result<Cut> cut(std::string& text) {
    text.clear();
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
      text.push_back(static_cast<char>(input_.get()));
      if (in_string) {
        if (byte == '\\' && input_.peek() >= 0) text.push_back(static_cast<char>(input_.get()));
        in_string = byte != '"';
        if (!in_string && depth == 0) return Cut::whole;
      } else if (byte == '"') {
        in_string = true;
      } else if (byte == '{' || byte == '[') {
        ++depth;
      } else if ((byte == '}' || byte == ']') && --depth == 0) {
        return Cut::whole;
      }
      if (text.size() > kLimits.bytes) return wrong("value", "a job of at most 64 MiB");
    }
  }

  // Takes one value and reads it; nullopt where the input ends within it.
  Result<std::optional<Value>> value(const std::string& field) {
    peek();
    const std::uint64_t line = input_.line();
    const auto taken = cut(text_);
    if (!taken.ok()) return taken.error();
    if (*taken == Cut::ends_within) return std::optional<Value>();
    auto parsed = json::parse(text_, kLimits);
    if (parsed.ok()) return std::optional<Value>(std::move(*parsed));
    return Error{ErrorCode::invalid_input,
                 "line " + std::to_string(line) + ", field \"" + field + "\": " + parsed.error().message};
  }

  // The members of the top object, its opening brace taken.
  Result<Cut> members() {
    if (peek() == '}') return close();
    for (;;) {
      const auto name = value("name");
      if (!name.ok()) return name.error();
      if (!name->has_value()) return Cut::ends_within;
      if (!(*name)->is(Kind::string)) return wrong("file", "a member's name");
      if (peek() < 0) return Cut::ends_within;
      if (input_.get() != ':') return wrong("file", "a colon");
      const auto end = member((*name)->string());
      if (!end.ok() || *end == Cut::ends_within) return end;
      const int next = peek();
      if (next < 0) return Cut::ends_within;
      if (next == '}') return close();
      if (next != ',') return wrong("file", "a comma or the object's end");
      input_.get();
    }
  }

  Result<Cut> close() {
    input_.get();
    if (peek() >= 0) return wrong("file", "the end of the file");
    return Cut::whole;
  }

  Result<Cut> member(const std::string& name) {
    if (name == "jobs") return jobs();
    const auto other = value("/" + name);
    if (!other.ok()) return other.error();
    if (!other->has_value()) return Cut::ends_within;
    if (name == "errors" && (*other)->is(Kind::array) && !(*other)->items().empty()) {
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
      pointer_ = "/jobs/" + std::to_string(index);
      peek();
      line_ = input_.line();
      const auto next_job = value(pointer_);
      if (!next_job.ok()) return next_job.error();
      if (!next_job->has_value()) return Cut::ends_within;
      GRANARY_TRY(job(**next_job));
      const int next = peek();
      if (next < 0) return Cut::ends_within;
      if (next != ',' && next != ']') return wrong(pointer_, "a comma or the list's end behind it");
      input_.get();
      if (next == ']') return Cut::whole;
    }
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
    job.label = label(value, *job_id);

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
    job.submit_s = integer_of(at(time, "submission")).value_or(0);
    GRANARY_TRY(resources(at(value.find("tres"), "allocated"), job.tres));

    job.row.line = line_;
    job.row.group = text_of(value.find("group"));
    job.row.user = text_of(value.find("user"));
    job.row.account = text_of(value.find("account"));
    job.row.cluster = text_of(value.find("cluster"));
    job.row.qos = text_of(value.find("qos"));
    job.row.partition = text_of(value.find("partition"));
    job.row.reservation = text_of(at(value.find("reservation"), "name"));
    return emit_job(emitter_, options_, job);
  }

  static std::string label(const Value& value, std::int64_t job_id) {
    const Value* array = value.find("array");
    const auto array_id = integer_of(at(array, "job_id"));
    const auto task = integer_of(at(array, "task_id"));
    if (array_id.value_or(0) > 0 && task) return std::to_string(*array_id) + "_" + std::to_string(*task);
    const Value* het = value.find("het");
    const auto het_id = integer_of(at(het, "job_id"));
    const auto offset = integer_of(at(het, "job_offset"));
    if (het_id.value_or(0) > 0 && offset) return std::to_string(*het_id) + "+" + std::to_string(*offset);
    return std::to_string(job_id);
  }

  // "COMPLETED" or ["COMPLETED"], as the layouts have it. False where it is neither.
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
      const std::string field = "/tres/allocated/" + std::to_string(i);
      const std::string type = text_of(item.find("type"));
      if (type.empty()) return refuse(field + "/type", item.find("type"), "a resource's type");
      const std::string name = text_of(item.find("name"));
      if (!AllocatedTres::is_sent(type, name)) continue;  // of energy the count may be null
      const Value* count = item.find("count");
      const std::optional<std::int64_t> number = count != nullptr ? count->integer() : std::nullopt;
      if (!number) return refuse(field + "/count", count, "an integer");
      if (!tres.add(type, name, *number)) {
        return refuse(field + "/count", count, "each resource once, and below 2^63 bytes");
      }
    }
    return {};
  }

  Input& input_;
  const Options& options_;
  Emitter emitter_;
  bool has_jobs_ = false;
  std::string text_;        // of the value at hand
  std::string pointer_;     // of the job at hand
  std::uint64_t line_ = 0;  // where it begins
};

}  // namespace

Result<Summary> read_sacct_json(Input& input, const Options& options, RowSink& sink) {
  return SacctJsonReader(input, options, sink).read();
}

}  // namespace granary::import
