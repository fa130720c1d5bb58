// How far a long command is: a bar on a terminal, nothing elsewhere. One thread.
#pragma once

#include <cstdint>
#include <string>

namespace granary::cli {

// "[####    ] 10 of 20". There may be more done than was foreseen: a file grows.
std::string bar_text(std::uint64_t done, std::uint64_t total);

class ProgressBar {
 public:
  explicit ProgressBar(std::uint64_t total);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();
  void show(std::uint64_t done) const;

 private:
  std::uint64_t total_;
  bool shown_;
};

}  // namespace granary::cli
