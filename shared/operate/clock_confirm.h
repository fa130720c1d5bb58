// POST /v1/clock/confirm: a person says that the clock is right, of this process and of all its peers. Threads: any.
#pragma once

#include <set>
#include <string>

#include "shared/clock/clock_keeper.h"
#include "shared/http/message.h"
#include "shared/peers/forward.h"

namespace granary::operate {

// Confirms this process's clock, then passes that on to the processes at `peers`, unless the request came from one. The
// answer has a row for each of them: its clock, or why it has none. It comes within 10 s; who has not answered by then
// is named, and may confirm yet. 409 if this process's own clock is behind the log: nobody else is asked then.
void confirm_clock(clock::ClockKeeper& clock, const std::set<std::string>& peers, peers::Forwarder& forwarder,
                   const http::Request& request, http::Responder responder);

}  // namespace granary::operate
