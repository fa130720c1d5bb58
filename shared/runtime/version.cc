#include "shared/runtime/version.h"

namespace granary {

const char* const kVersion = GRANARY_VERSION;

}  // namespace granary
