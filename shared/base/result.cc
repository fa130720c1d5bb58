#include "shared/base/result.h"

namespace granary {

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "invalid_input";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::out_of_space:
      return "out_of_space";
    case ErrorCode::io_error:
      return "io_error";
  }
  return "unknown";
}

}  // namespace granary
