#include "shared/runtime/question_thread.h"

#include "shared/base/check.h"
#include "shared/base/probe.h"
#include "shared/base/thread.h"
#include "shared/fold/layout.h"
#include "shared/shard/shard_state.h"

namespace granary::runtime {
namespace {

// A question and stop() wake the thread, so this only bounds a wait that nobody ends.
constexpr std::int64_t kIdleWaitMs = 1000;

// The shard whose old state this thread reads, and the directory in which a broken law of it is written down.
struct ReadingOld {
  const std::string* marker_directory = nullptr;
  ShardName shard;
};
thread_local ReadingOld reading_old;

}  // namespace

void QuestionThread::start() {
  thread_ = std::thread([this] {
    enter_thread("questions", Urgency::prompt);
    while (!stopping_)
      for (const auto& job : mailbox_.take(kIdleWaitMs)) job();
  });
}

void QuestionThread::stop() {
  stopping_ = true;
  mailbox_.wake();
  if (thread_.joinable()) thread_.join();
}

void QuestionThread::add_old(const ShardName& shard, std::unique_ptr<store::Store> old) {
  Shard& found = shards_.at(shard);
  found.waits = old == nullptr;
  found.old = std::move(old);
}

bool QuestionThread::ask(const ShardName& shard, Question question) {
  const auto found = shards_.find(shard);
  GRANARY_CHECK(found != shards_.end(), "a question to a shard that is not here");
  if (found->second.waits) return false;
  mailbox_.post(
      [this, &asked = *found, question = std::move(question)] { answer(asked.first, asked.second, question); });
  return true;
}

void QuestionThread::pass_old(const ShardName& shard, std::function<void()> closed) {
  Shard& found = shards_.at(shard);
  found.waits = false;
  mailbox_.post([&found, closed = std::move(closed)] {
    found.old.reset();
    closed();
  });
}

void QuestionThread::answer(const ShardName& name, Shard& shard, const Question& question) {
  if (!shard.machine) shard.machine = make_machine_(name.first, name.second);
  const bool is_old = shard.old != nullptr;
  if (is_old) {
    GRANARY_PROBE("an old state answers a question");
    reading_old = {&marker_directory_, name};
  }
  const std::unique_ptr<store::View> rows = (is_old ? *shard.old : *shard.rows).snapshot();
  const DomainView domain(*rows);
  shard.machine->show(domain);
  AsOf as_of = stored_as_of(*rows, name.first, name.second, partitions_);
  as_of.folding_again = is_old;
  question(*shard.machine, as_of);
  reading_old = {};
}

void QuestionThread::note_broken_law(const std::string& message) {
  if (reading_old.marker_directory == nullptr) return;
  GRANARY_PROBE("an old state breaks a law when it is asked");
  ShardState::note_unreadable(*reading_old.marker_directory, name_of(reading_old.shard), message);
}

}  // namespace granary::runtime
