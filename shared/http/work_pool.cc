#include "shared/http/work_pool.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace granary::http {

struct WorkPool::Impl {
  Impl(std::size_t threads, std::size_t the_waiting_max) : waiting_max(the_waiting_max), pool(threads) {}
  const std::size_t waiting_max;
  std::atomic<std::size_t> waiting = 0;
  std::atomic<bool> stopped = false;
  boost::asio::thread_pool pool;
};

WorkPool::WorkPool(std::size_t threads, std::size_t waiting_max)
    : impl_(std::make_unique<Impl>(threads, waiting_max)) {}

WorkPool::~WorkPool() {
  stop();
}

bool WorkPool::run(std::function<void()> work) {
  if (impl_->stopped) return false;
  if (impl_->waiting.fetch_add(1) >= impl_->waiting_max) {
    --impl_->waiting;
    return false;
  }
  boost::asio::post(impl_->pool, [impl = impl_.get(), work = std::move(work)]() mutable {
    work();
    work = nullptr;
    --impl->waiting;
  });
  return true;
}

void WorkPool::stop() {
  if (impl_->stopped.exchange(true)) return;
  impl_->pool.stop();
  impl_->pool.join();
}

}  // namespace granary::http
