// What a thread of ours is called, and how it stands to others where cores are scarce. Linux; any thread, of itself.
#pragma once

namespace granary {

enum class Urgency {
  prompt,   // somebody waits for what it does next: short slices, so that it need not wait for others' (Linux 6.12 on)
  patient,  // has much to do that may wait: nice 10
};

// Names the calling thread for top, perf and whoever looks at where time goes; at most 15 characters. A system that
// refuses an urgency is left as it is: nothing but waiting depends on it.
void enter_thread(const char* name, Urgency urgency);

}  // namespace granary
