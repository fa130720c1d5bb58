// What RocksDB's statuses leave out: whose fault it is that a database cannot be opened. Any thread.
#pragma once

#include <optional>
#include <string>

namespace granary::rocks {

// The first path of a database that this process may not use, with the system's words: "DIR/LOCK: Permission denied";
// nullopt: there is none. It looks at the directory and at what lies in it, by the rights of the process.
std::optional<std::string> denied_path(const std::string& directory);

// Whether `error_number`, of taking a database's lock that nothing but another holder kept from being taken, says that
// it is held.
bool is_lock_held(int error_number);

}  // namespace granary::rocks
