// What a start leaves behind if it dies while it opens the state of a shard: a file that says what was being opened
// and, if the process had a say in it, what it died of. The next start then does not die of the same again.
//
// The file is written before the state is opened, and deleted after it was opened. Only a file with a cause counts: a
// broken law of the opening thread, or a signal of a fault in any thread (SIGSEGV, SIGABRT and the like). A file
// without a cause is left by `kill -9`, a power cut or a disk that does not answer (stop_process): the state is not the
// reason.
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

  // Reads the file that a process of this build has left there. A file of another build is ignored.
  explicit Opening(std::string path);
  // The state was opened and the process lives: deletes the file.
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // What the process before died of; nullopt: it did not die here, or it left no cause.
  [[nodiscard]] const std::optional<Death>& died() const { return died_; }
  // Whether the process before was opening an empty state after a death, whatever it then died of.
  [[nodiscard]] bool was_anew() const { return was_anew_; }

  // Says that this is opened from now on.
  void enter(Step step);
  // Leaves the file as the process before did, for all starts to come.
  void leave_as_it_was();

  // Writes down why the process dies, if this thread is opening a shard. For the handler of broken laws.
  static void note_broken_law(const std::string& message);

 private:
  void close_file();

  std::string path_;
  std::optional<Death> died_;
  bool was_anew_ = false;
  int file_ = -1;
};

}  // namespace granary::runtime
