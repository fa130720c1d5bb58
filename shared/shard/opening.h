// What a start leaves behind if it dies while it opens the state of a shard: a file that says what was being opened
// and, if the process had a say in it, what it died of. The next start then does not die of the same again.
//
// The file is written before, and deleted once the process has lived through it. What counts is a cause in it: a broken
// law of the opening thread, or a signal that a fault raises (SIGSEGV, SIGABRT and the like, in whatever thread). A
// file without a cause was left by `kill -9`, a power cut or a disk that does not answer (stop_process); nobody is to
// blame.
//
// Threads: the one that opens shards; one of these at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace granary::runtime {

class Opening {
 public:
  enum class Step : std::uint8_t {
    old_state = 1,  // one that only answers questions
    state,
    anew  // an empty one, as the one before it could not be opened
  };
  struct Death {
    Step step{};
    std::string cause;
  };

  // Reads what a process of this build has left there; what another build left counts no more.
  explicit Opening(std::string path);
  // The process lives.
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // What the process before died of; nullopt: of nothing, or of nothing that it knew.
  [[nodiscard]] const std::optional<Death>& died() const { return died_; }
  // Whether the process before was opening an empty state after a death, whatever it then died of.
  [[nodiscard]] bool was_anew() const { return was_anew_; }

  // From now on this is what is being opened.
  void enter(Step step);
  // Leaves the file as the process before did, for all starts to come.
  void leave_as_it_was();

  // Writes down why the process dies; nothing where this thread opens no shard. For the handler of broken laws.
  static void note_broken_law(const std::string& message);

 private:
  void close_file();

  std::string path_;
  std::optional<Death> died_;
  bool was_anew_ = false;
  int file_ = -1;
};

}  // namespace granary::runtime
