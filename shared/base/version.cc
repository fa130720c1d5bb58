#include "shared/base/version.h"

namespace granary {

const char* const kVersion = GRANARY_VERSION;

}  // namespace granary
