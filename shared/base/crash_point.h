// Named places at which the kill test ends the process, as `kill -9` would. Inert unless GRANARY_CRASH_AT=NAME:N stands
// in the environment: then the N-th visit of NAME does not return. Called per commit and append, never per event. Any
// thread.
#pragma once

namespace granary {

void crash_point(const char* name);

}  // namespace granary
