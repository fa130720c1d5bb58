#include "shared/runtime/reader.h"

#include "shared/base/check.h"
#include "shared/base/thread.h"
#include "shared/runtime/fold.h"

namespace granary::runtime {
namespace {

constexpr std::int64_t kIdleWaitMs = 1000;

}  // namespace

void Reader::start() {
  thread_ = std::thread([this] {
    enter_thread("reader", Urgency::prompt);
    while (!stopping_)
      for (const auto& job : mailbox_.take(kIdleWaitMs)) job();
  });
}

void Reader::stop() {
  stopping_ = true;
  mailbox_.wake();
  if (thread_.joinable()) thread_.join();
}

void Reader::ask(const ShardName& shard, Question question) {
  const auto found = shards_.find(shard);
  GRANARY_CHECK(found != shards_.end(), "a question to a shard that is not here");
  mailbox_.post(
      [this, &asked = *found, question = std::move(question)] { answer(asked.first, asked.second, question); });
}

void Reader::answer(const ShardName& name, Shard& shard, const Question& question) {
  if (!shard.machine) shard.machine = make_machine_(name.first, name.second);
  const std::unique_ptr<store::View> rows = shard.rows->snapshot();
  const DomainView domain(*rows);
  shard.machine->show(domain);
  question(*shard.machine, stored_as_of(*rows, name.first, name.second, partitions_));
}

}  // namespace granary::runtime
