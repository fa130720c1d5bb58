// What the runtime itself has against a record, before a machine sees it: a raw event at the wrong place, of a form
// whose rules are not in force, or against a rule of form is refused; an event of a lane without a rule parks. And what
// is published of a refusal.
//
// Threads: any; all here depends on its arguments alone.
#pragma once

#include <optional>
#include <string>

#include "shared/ledger/ledger.h"
#include "shared/machine/machine.h"

namespace granary::runtime {

// "rules version 7, of which this build knows nothing; it knows up to 3"
std::string unknown_version(std::uint64_t version);

// Of a raw event at `context`, which was read from `raw`; envelope and event need rules version `form`: why it is
// refused; nullopt: the machine judges it.
std::optional<machine::Outcome> why_refused(const events::Raw& raw, const events::Event& event, std::uint16_t form,
                                            const events::Entry& entry, const Id16& identity,
                                            const machine::Context& context);

// Of an event of a lane that was read: why it cannot be folded by `rules`; empty: it can. `rules` follows a
// rules.activated.
std::string why_no_rule(const events::Event& event, std::uint16_t form, const machine::Machine& machine,
                        std::uint64_t& rules);

// What is published of a record that was refused at `context`.
events::RecordRefused refusal_of_record(BytesView record, std::string_view reason, std::string_view hint,
                                        const machine::Context& context);
// The same of a raw record that was read.
events::RecordRefused refusal_of_raw(const events::Raw& raw, const events::Event& event,
                                     const machine::Outcome& outcome, const machine::Context& context);

}  // namespace granary::runtime
