#include "services/cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace granary::cli {
namespace {
constexpr std::size_t kWidth = 40;
}

std::string bar_text(std::uint64_t done, std::uint64_t total) {
  const auto filled = done >= total
                          ? kWidth
                          : static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) * kWidth);
  return fmt::format("[{:<{}}] {} of {}", std::string(filled, '#'), kWidth, done, total);
}

ProgressBar::ProgressBar(std::uint64_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1 && total > 0) {}

ProgressBar::~ProgressBar() {
  if (shown_) std::fputc('\n', stderr);
}

void ProgressBar::show(std::uint64_t done) const {
  if (shown_) std::fputs(("\r" + bar_text(done, total_)).c_str(), stderr);
}

}  // namespace granary::cli
