// What a command of `granary` is. Each is a file of its own, NAME_command.cc, with its options, its help and
// what it does, and registers itself there: no list names the commands. The files are linked as objects
// (granary_commands), as a linker leaves out of an archive what nobody calls.
//
// Threads: main's; registered before main begins.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace granary::cli {

// Who uses a command: its heading in `granary --help`, in this order.
enum class Users { operators, finance, portals };

// What a command does once its command line is parsed. The exit code.
using Run = std::function<int()>;

struct Command {
  Users users;
  const char* name;
  const char* does;  // one sentence for the help
  // Declares the options and the footer. What they fill in belongs to the Run, which outlives the parsing.
  Run (*declare)(CLI::App& command);
};

// Registers a command: one constant at the end of its file.
class Registered {
 public:
  explicit Registered(const Command& command) noexcept;
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

 private:
  friend int run(int argc, char** argv);
  Command command_;
  const Registered* next_;
};

// The whole program: parses, runs the command that was given. The exit code.
int run(int argc, char** argv);

}  // namespace granary::cli
