#include "shared/base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>

namespace granary {
namespace {

struct Seen {
  std::string name;
  int nice = 0;
};

Seen seen_by(const char* name, Urgency urgency) {
  Seen seen;
  std::thread([&] {
    enter_thread(name, urgency);
    std::array<char, 16> own{};
    pthread_getname_np(pthread_self(), own.data(), own.size());
    seen = {own.data(), getpriority(PRIO_PROCESS, 0)};
  }).join();
  return seen;
}

TEST(EnterThread, NamesTheThreadAndLetsThePatientStandBack) {
  const int own = getpriority(PRIO_PROCESS, 0);
  const Seen prompt = seen_by("answers", Urgency::prompt);
  EXPECT_EQ(prompt.name, "answers");
  EXPECT_EQ(prompt.nice, own);
  const Seen patient = seen_by("folds", Urgency::patient);
  EXPECT_EQ(patient.name, "folds");
  EXPECT_EQ(patient.nice, std::min(own + 10, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own) << "of others nothing changes";
}

}  // namespace
}  // namespace granary
