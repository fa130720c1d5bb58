// The runtime's own checks of a record, before a machine sees it. A raw event is refused if it is in the wrong
// partition, if the rules of its form are not in force, or if it breaks a rule of form. An event of a lane without a
// rule parks. Also: what is published of a refusal.
//
// Threads: any; the functions depend on their arguments alone.
#pragma once

#include <optional>
#include <string>

#include "shared/ledger/ledger.h"
#include "shared/machine/machine.h"

namespace granary::runtime {

// "rules version 7, of which this build knows nothing; it knows up to 3"
std::string unknown_version(std::uint64_t version);

// Why a raw event is refused; nullopt: the machine judges it. The event is at `context` and was read from `raw`;
// envelope and event need rules version `form`.
std::optional<machine::Outcome> why_refused(const events::Raw& raw, const events::Event& event, std::uint16_t form,
                                            const events::Entry& entry, const Id16& identity,
                                            const machine::Context& context);

// Why an event of a lane cannot be folded by `rules`; empty: it can. After a rules.activated, `rules` is its version.
std::string why_no_rule(const events::Event& event, std::uint16_t form, const machine::Machine& machine,
                        std::uint64_t& rules);

// What is published of a record that was refused at `context`.
events::RecordRefused refusal_of_record(BytesView record, std::string_view reason, std::string_view hint,
                                        const machine::Context& context);
// The same of a raw record that was read.
events::RecordRefused refusal_of_raw(const events::Raw& raw, const events::Event& event,
                                     const machine::Outcome& outcome, const machine::Context& context);

}  // namespace granary::runtime
