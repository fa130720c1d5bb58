// Flipped bits in the files of a real ledger: the embedded log's (write-ahead log, tables, MANIFEST, CURRENT, HEAD),
// the state's, and checkpoints. Each trial damages one file of a copy, starts everything again and lets it come to
// rest. Either it refuses, loudly and with a reason, or all that it says (balances, charges, streams, digests, and what
// a few more usages come to) is what stood. Damaged state needs no person: within three starts it is folded again from
// the log. Damaged logs are never mended silently.
//
//   flips          GRANARY_SEED=N repeats a run, GRANARY_FLIPS=N asks for so many trials, GRANARY_TRIAL=N runs one of
//   them
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <string>

#include "tests/crash/flips_damage.h"
#include "tests/crash/flips_ledger.h"

namespace granary::test {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kLifeSeconds = 30;
constexpr int kStarts = 3;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs `process` in a child whose stderr goes to the file `log`. Its exit code, or minus its signal.
int run(const std::string& log, const std::function<void()>& process) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0 || dup2(file, STDERR_FILENO) < 0) _exit(126);
    alarm(kLifeSeconds);
    process();
    _exit(125);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const auto start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1,
                     end - (start == std::string::npos ? 0 : start + 1) + 1);
}

std::string first_difference(const std::string& expected, const std::string& got) {
  for (std::size_t from = 0; from < expected.size();) {
    const auto end = std::min(expected.find('\n', from), expected.size());
    if (got.compare(from, end - from, expected, from, end - from) != 0)
      return "expected: " + expected.substr(from, end - from) +
             "\n      got: " + got.substr(from, got.find('\n', from) - from);
    from = end + 1;
  }
  return "more than expected";
}

// What came of a trial. Those from `wrong` on fail.
enum class Outcome { harmless, folded_again, refused, wrong, silent, unmended, count };
constexpr const char* kOutcomes[] = {"harmless", "state folded again", "refused",
                                     "WRONG",    "DIED SILENTLY",      "NEEDS A PERSON"};

class Trials {
 public:
  Trials(std::string folder, std::uint64_t seed) : folder_(std::move(folder)), seed_(seed) {}

  // Makes the ledger and hears what it says undamaged. False: that fails already.
  bool prepare() {
    const std::string log = folder_ + "/log.txt";
    const std::string copy = folder_ + "/copy";
    if (run(log, [&] { build_ledger(base()); }) == kSaid) {
      fs::copy(base(), copy, fs::copy_options::recursive);
      if (run(log, [&] { live(copy, folder_ + "/says"); }) == kSaid) expected_ = read_file(folder_ + "/says");
      fs::remove_all(copy);
      // Nothing that is said may depend on whether state is there.
      fs::copy(base(), copy, fs::copy_options::recursive);
      fs::remove_all(copy + "/state");
      const bool same =
          run(log, [&] { live(copy, folder_ + "/says"); }) == kSaid && read_file(folder_ + "/says") == expected_;
      if (!same) std::printf("%s\n", first_difference(expected_, read_file(folder_ + "/says")).c_str());
      fs::remove_all(copy);
      if (!expected_.empty() && same) return true;
    }
    std::printf("the undamaged ledger fails:\n%s\n", read_file(log).c_str());
    return false;
  }

  void trial(int number) {
    std::mt19937_64 random(seed_ + 1000003ULL * static_cast<std::uint64_t>(number));
    const std::string data = folder_ + "/trial";
    const std::string log = folder_ + "/trial-log.txt";
    fs::remove_all(data);
    fs::remove(log);
    fs::copy(base(), data, fs::copy_options::recursive);
    int total = 0;
    for (const Kind& kind : kinds()) total += kind.weight;
    int pick = static_cast<int>(random() % static_cast<unsigned>(total));
    const Kind* kind = nullptr;
    for (const Kind& one : kinds()) {
      kind = &one;
      if ((pick -= one.weight) < 0) break;
    }
    std::string done;
    if (kind->name == kCheckpointRow) {
      const auto which = random();
      if (run(log, [&] { rewrite_checkpoint(data, which); }) != 0)
        return fail(number, *kind, Outcome::silent, log, "cannot rewrite");
      done = "a checkpoint rewritten, " + std::to_string(which);
    } else {
      const auto damaged = damage(data, *kind, random);
      if (!damaged) return;
      done = *damaged;
    }
    // What is folded is not read again: without state the whole log counts.
    if (kind->where == Where::log && (kind->name == kCheckpointRow || random() % 3 == 0)) {
      fs::remove_all(data + "/state");
      done += ", state removed";
    }
    judge(number, *kind, data, log, done);
  }

  [[nodiscard]] int report() const {
    std::printf("%-16s", "");
    for (const char* name : kOutcomes) std::printf("%20s", name);
    std::printf("\n");
    int failed = 0;
    int all = 0;
    std::map<Outcome, int> sums;
    for (const Kind& kind : kinds()) {
      std::printf("%-16s", kind.name);
      for (int i = 0; i < static_cast<int>(Outcome::count); ++i) {
        const auto found = counts_.find({kind.name, static_cast<Outcome>(i)});
        const int count = found == counts_.end() ? 0 : found->second;
        std::printf("%20d", count);
        sums[static_cast<Outcome>(i)] += count;
        all += count;
        if (i >= static_cast<int>(Outcome::wrong)) failed += count;
      }
      std::printf("\n");
    }
    std::printf("%-16s", "all");
    for (int i = 0; i < static_cast<int>(Outcome::count); ++i) std::printf("%20d", sums[static_cast<Outcome>(i)]);
    std::printf("\n%d trials, %d failed; %d lives ended by a signal and left a reason\n", all, failed, aborts_);
    return failed == 0 && all > 0 ? 0 : 1;
  }

 private:
  [[nodiscard]] std::string base() const { return folder_ + "/base"; }

  void count(const Kind& kind, Outcome outcome) { ++counts_[{kind.name, outcome}]; }

  void fail(int number, const Kind& kind, Outcome outcome, const std::string& log, const std::string& what) {
    count(kind, outcome);
    std::printf("FAILED trial %d (%s: %s), %s\n  %s\n", number, kind.name, kOutcomes[static_cast<int>(outcome)],
                what.c_str(), last_line(read_file(log)).c_str());
  }

  void judge(int number, const Kind& kind, const std::string& data, const std::string& log, const std::string& done) {
    const std::string says = folder_ + "/says";
    int ended = 0;
    for (int start = 0; start < kStarts; ++start) {
      const auto heard = read_file(log).size();
      ended = run(log, [&] { live(data, says); });
      const std::string told = read_file(log).substr(heard);
      if (std::getenv("GRANARY_TRIAL") != nullptr)
        std::printf("trial %d, %s: start %d ends with %d\n%s", number, done.c_str(), start, ended, told.c_str());
      if (ended == kSaid) {
        const std::string said = read_file(says);
        if (said != expected_)
          return fail(number, kind, Outcome::wrong, log, done + "\n  " + first_difference(expected_, said));
        const bool again = read_file(log).find("state_damaged") != std::string::npos;
        return count(kind, again ? Outcome::folded_again : Outcome::harmless);
      }
      if (ended == -SIGALRM || ended == kUnsettled)
        return fail(number, kind, Outcome::silent, log, done + "\n  it does not come to rest");
      if (last_line(told).empty())
        return fail(number, kind, Outcome::silent, log, done + "\n  ended with " + std::to_string(ended));
      if (ended < 0) ++aborts_;
    }
    if (kind.where == Where::state)
      return fail(number, kind, Outcome::unmended, log, done + "\n  ended with " + std::to_string(ended));
    count(kind, Outcome::refused);
  }

  std::string folder_;
  std::uint64_t seed_;
  std::string expected_;
  std::map<std::pair<std::string, Outcome>, int> counts_;
  int aborts_ = 0;
};

int main_of_flips() {
  const auto number_of = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  const auto seed = number_of("GRANARY_SEED", std::random_device{}());
  const auto trials = static_cast<int>(number_of("GRANARY_FLIPS", 1000));
  std::printf("seed %llu, %d trials; again: GRANARY_SEED=%llu GRANARY_FLIPS=%d flips\n",
              static_cast<unsigned long long>(seed), trials, static_cast<unsigned long long>(seed), trials);
  std::error_code no_memory_disk;
  const fs::path parent =
      fs::is_directory("/dev/shm", no_memory_disk) ? fs::path("/dev/shm") : fs::temp_directory_path();
  std::string folder = (parent / "granary-flips-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return std::printf("no directory can be made: %s\n", folder.c_str()), 1;
  Trials all(folder, seed);
  int code = 1;
  if (all.prepare()) {
    if (const char* one = std::getenv("GRANARY_TRIAL"); one != nullptr) {
      all.trial(static_cast<int>(std::strtol(one, nullptr, 10)));
    } else {
      for (int number = 0; number < trials; ++number) all.trial(number);
    }
    code = all.report();
  }
  fs::remove_all(folder);
  return code;
}

}  // namespace
}  // namespace granary::test

int main() {
  return granary::test::main_of_flips();
}
