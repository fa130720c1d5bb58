#include "shared/base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace granary {
namespace {

constexpr int kPatientNice = 10;
constexpr std::uint64_t kPromptSliceNs = 100'000;  // the shortest that Linux takes

// sched_setattr(2); glibc 2.36 has neither the call nor its structure.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;  // SCHED_OTHER
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of SCHED_OTHER: the slice
  std::uint64_t deadline_ns = 0, period_ns = 0;
};

}  // namespace

void enter_thread(const char* name, Urgency urgency) {
  pthread_setname_np(pthread_self(), name);
  const int nice = getpriority(PRIO_PROCESS, 0);  // of the thread, as Linux has it
  if (urgency == Urgency::patient) {
    setpriority(PRIO_PROCESS, 0, nice + kPatientNice);
    return;
  }
  SchedulingAttributes wanted;
  wanted.nice = nice;
  wanted.runtime_ns = kPromptSliceNs;
  syscall(SYS_sched_setattr, 0, &wanted, 0);
}

}  // namespace granary
