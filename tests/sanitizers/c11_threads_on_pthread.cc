// C11's threads, mutexes, condition variables and call_once on pthread, for ThreadSanitizer: it intercepts pthread's
// functions and none of C11's, and librdkafka uses those: its threads crash at their first intercepted call, and what
// its queues hand over looks like races. Stands in every executable of the tsan build and in no other; a library's
// dynamic symbol finds it there before it finds libc's. Thread-specific storage, thrd_current and thrd_yield are libc's
// own: there pthread's stand behind them.
//
// The types are libc's: a mtx_t is a pthread_mutex_t, a thrd_t a pthread_t, and so on.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace {

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && alignof(mtx_t) == alignof(pthread_mutex_t));
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && alignof(cnd_t) == alignof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));
static_assert(std::is_same_v<thrd_t, pthread_t>);

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<Start> owned(static_cast<Start*>(start));
  const Start what = *owned;
  return reinterpret_cast<void*>(static_cast<intptr_t>(what.function(what.argument)));
}

pthread_mutex_t* mutex(mtx_t* mutex) {
  return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* condition(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}

int c11(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    case EBUSY:
      return thrd_busy;
    default:
      return thrd_error;
  }
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) {
    start.release();  // NOLINT(bugprone-unused-return-value): the thread owns it
  }
  return error == EAGAIN ? thrd_nomem : c11(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  const int error = pthread_join(thread, &value);
  if (result != nullptr) {
    *result = static_cast<int>(reinterpret_cast<intptr_t>(value));
  }
  return c11(error);
}

int thrd_detach(thrd_t thread) {
  return c11(pthread_detach(thread));
}

void thrd_exit(int result) {
  pthread_exit(reinterpret_cast<void*>(static_cast<intptr_t>(result)));
}

int mtx_init(mtx_t* mtx, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, (type & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
  const int error = pthread_mutex_init(mutex(mtx), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return c11(error);
}

int mtx_lock(mtx_t* mtx) {
  return c11(pthread_mutex_lock(mutex(mtx)));
}
int mtx_trylock(mtx_t* mtx) {
  return c11(pthread_mutex_trylock(mutex(mtx)));
}
int mtx_timedlock(mtx_t* mtx, const timespec* until) {
  return c11(pthread_mutex_timedlock(mutex(mtx), until));
}
int mtx_unlock(mtx_t* mtx) {
  return c11(pthread_mutex_unlock(mutex(mtx)));
}
void mtx_destroy(mtx_t* mtx) {
  pthread_mutex_destroy(mutex(mtx));
}

int cnd_init(cnd_t* cnd) {
  return c11(pthread_cond_init(condition(cnd), nullptr));
}
int cnd_signal(cnd_t* cnd) {
  return c11(pthread_cond_signal(condition(cnd)));
}
int cnd_broadcast(cnd_t* cnd) {
  return c11(pthread_cond_broadcast(condition(cnd)));
}
int cnd_wait(cnd_t* cnd, mtx_t* mtx) {
  return c11(pthread_cond_wait(condition(cnd), mutex(mtx)));
}
int cnd_timedwait(cnd_t* cnd, mtx_t* mtx, const timespec* until) {
  return c11(pthread_cond_timedwait(condition(cnd), mutex(mtx), until));
}
void cnd_destroy(cnd_t* cnd) {
  pthread_cond_destroy(condition(cnd));
}

void call_once(once_flag* flag, void (*function)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}

}  // extern "C"
