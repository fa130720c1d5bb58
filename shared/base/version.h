// What this build calls itself. A partition that a build had to park is tried again by another one.
#pragma once

namespace granary {

extern const char* const kVersion;

}  // namespace granary
