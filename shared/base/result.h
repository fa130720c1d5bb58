// Result and Error: the world failed, or foreign input is wrong; never a bug (that is check.h) and never a refusal by a
// machine's rules (that is a value of the machine). Plain values: safe on any thread, owned by whoever holds them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "shared/base/check.h"

namespace granary {

enum class ErrorCode {
  invalid_input,  // foreign bytes, flags or files that are wrong: the caller has to change them
  not_found,      // the named thing is not there
  unavailable,    // not now: a retry can help
  corrupt,        // stored bytes are not what was written: stop, look, restore
  conflict,      // the thing is there, but is another one (another ledger, another partition count, taken by a process)
  out_of_space,  // the disk is full or nearly so: free some, then retry
  io_error,      // the operating system or a library failed
};

// What the code is called in output: "invalid_input", ...
const char* error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::io_error;
  // One sentence: what was expected, what came instead, and after "hint: " what to do.
  std::string message;

  // Whether the same call can succeed later without a change by anybody.
  [[nodiscard]] bool can_retry() const { return code == ErrorCode::unavailable || code == ErrorCode::out_of_space; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // The value. Must be ok().
  [[nodiscard]] T& value() & { return check_ok(), std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return check_ok(), std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return check_ok(), std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

  // The error. Must not be ok().
  [[nodiscard]] const Error& error() const {
    GRANARY_CHECK(!ok(), "error() of a result that holds a value");
    return std::get<1>(state_);
  }

 private:
  void check_ok() const {
    GRANARY_CHECK(ok(), "value() of a result that holds an error: " + std::get<1>(state_).message);
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const {
    GRANARY_CHECK(!ok(), "error() of a result without one");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

// Returns the error of `expression` from the calling function, if it has one.
#define GRANARY_TRY(expression)                                                                              \
  do {                                                                                                       \
    if (auto granary_try_result = (expression); !granary_try_result.ok()) return granary_try_result.error(); \
  } while (false)

}  // namespace granary
