#include "shared/entry/event_door.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "shared/ask/read.h"
#include "shared/ask/token_wait.h"
#include "shared/base/probe.h"
#include "shared/entry/cloud_events.h"
#include "shared/entry/event_answer.h"
#include "shared/entry/raw_record.h"
#include "shared/http/deadlines.h"
#include "shared/http/problem.h"
#include "shared/telemetry/log.h"

namespace granary::entry {

using codec::FormError;
using http::Request;
using http::Responder;
using http::Response;
using runtime::Place;
using telemetry::Level;
using units::Instant;

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// What answers in flight share with the door; lives as long as any of them.
struct EventDoor::Shared {
  std::mutex mutex;
  std::condition_variable idle;
  std::size_t uses = 0;
  bool closed = false;
  std::optional<Error> failure;
  EventDoorCounters counters;
  // Clients can cause these without end.
  telemetry::LineBudget request_lines{5};
  telemetry::LineBudget event_lines{5};
  telemetry::LineBudget failure_lines{1};
};

// While one lives, close() does not return, so journal, runtime and clock are there.
class EventDoor::Use {
 public:
  // nullptr: the door is closed.
  static std::unique_ptr<Use> begin(const std::shared_ptr<Shared>& shared) {
    const std::lock_guard lock(shared->mutex);
    if (shared->closed) return nullptr;
    ++shared->uses;
    return std::unique_ptr<Use>(new Use(shared));
  }
  ~Use() {
    const std::lock_guard lock(shared_->mutex);
    if (--shared_->uses == 0) shared_->idle.notify_all();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  explicit Use(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<Shared> shared_;
};

// One request on its way: its events by partition, and what is known of each.
struct EventDoor::Post : std::enable_shared_from_this<Post> {
  struct Group {
    machine::Topic topic{};
    std::uint16_t partition = 0;
    std::vector<journal::Record> records;
    std::vector<std::size_t> rows;  // the result of each record
    SteadyTime handed_over;         // to the journal
  };

  Post(EventDoor& the_door, std::unique_ptr<Use> the_use, Responder the_responder)
      : door(the_door), shared(the_door.shared_), use(std::move(the_use)), responder(std::move(the_responder)) {
    token.ledger = the_door.runtime_.ledger_mark();
  }

  void read(std::vector<Received> events, Instant recorded_at, const http::Caller& caller);
  void wait_for(const runtime::Token& token);
  void append();
  void appended(std::size_t group, const Result<journal::Offsets>& offsets);
  void give_up();
  void ask_outcomes();
  void judged(std::size_t group, std::vector<std::optional<machine::Outcome>> outcomes);
  void answer();
  void refuse(const std::string& type, Response response);
  void count();
  void log_refused_events();
  void log_failed_append(const Group& group, const Error& error);
  // The answer goes out.
  void respond(Response response);

  EventDoor& door;  // only while `use` is held
  std::shared_ptr<Shared> shared;
  std::unique_ptr<Use> use;
  Responder responder;
  const SteadyTime received = std::chrono::steady_clock::now();
  std::optional<std::int64_t> outcome_wait_ms;  // where outcomes were asked for
  bool waits_for_token = false;
  std::uint16_t rules_missing = 0;  // an event's form needs this rules version, which its shard does not fold by yet
  std::vector<Group> groups;

  std::mutex mutex;  // guards what follows once appends are under way
  std::size_t left = 0;
  bool appending = false;  // some appends are not answered yet
  bool answered = false;
  std::optional<Error> failure;
  runtime::Token token;
  std::vector<EventResult> results;
  std::shared_ptr<void> alive;  // the runtime forgets its waits without it
};

void EventDoor::Post::read(std::vector<Received> events, Instant recorded_at, const http::Caller& caller) {
  results.resize(events.size());
  for (std::size_t row = 0; row < events.size(); ++row) {
    EventResult& result = results[row];
    result.id = std::move(events[row].id);
    if (auto* error = std::get_if<FormError>(&events[row].outcome)) {
      result.problem = std::move(*error);
      continue;
    }
    auto made = make_raw_record(std::move(std::get<CloudEvent>(events[row].outcome)), door.options_.name, caller,
                                recorded_at, door.runtime_.ledger());
    if (auto* error = std::get_if<FormError>(&made)) {
      result.problem = std::move(*error);
      continue;
    }
    auto& record = std::get<RawRecord>(made);
    if (record.form > 1 && !door.runtime_.folds_by({machine::reader_of(record.topic), record.partition}, record.form))
      rules_missing = std::max(rules_missing, record.form);
    auto group = std::find_if(groups.begin(), groups.end(), [&record](const Group& one) {
      return one.topic == record.topic && one.partition == record.partition;
    });
    if (group == groups.end()) group = groups.insert(group, Group{record.topic, record.partition, {}, {}, {}});
    group->records.emplace_back().value = std::move(record.bytes);
    group->rows.push_back(row);
  }
}

void EventDoor::Post::refuse(const std::string& type, Response response) {
  {
    const std::lock_guard lock(shared->mutex);
    ++shared->counters.requests_refused[type];
  }
  if (const auto left_out = shared->request_lines.take())
    telemetry::log(Level::info, "request_refused", "A request that posts events is refused as a whole",
                   {{"cause", type}, {"left_out", *left_out}});
  use.reset();
  respond(std::move(response));
}

void EventDoor::Post::respond(Response response) {
  {
    const std::lock_guard lock(shared->mutex);
    EventDoorCounters& counters = shared->counters;
    auto& seconds = outcome_wait_ms || waits_for_token ? counters.folded_seconds : counters.durable_seconds;
    seconds.observe(seconds_since(received));
  }
  responder(std::move(response));
}

void EventDoor::Post::log_refused_events() {
  for (const EventResult& result : results) {
    if (!result.problem) continue;
    const auto left_out = shared->event_lines.take();
    if (!left_out) continue;
    telemetry::log(Level::info, "event_refused", "The door refuses an event; nothing of it is kept",
                   {{"cause", result.problem->reason},
                    {"field", result.problem->field},
                    {"id", result.id},
                    {"left_out", *left_out}});
  }
}

void EventDoor::Post::log_failed_append(const Group& group, const Error& error) {
  const auto left_out = shared->failure_lines.take();
  if (!left_out) return;
  telemetry::log(error.can_retry() ? Level::warn : Level::error, "append_failed",
                 "Events could not be appended; their sender was told",
                 {{"topic", machine::topic_name(group.topic)},
                  {"partition", group.partition},
                  {"cause", error.message},
                  {"left_out", *left_out}});
}

void EventDoor::Post::wait_for(const runtime::Token& after) {
  struct Waits {
    std::atomic<std::size_t> left;
    std::atomic<ask::Folded> folded = ask::Folded::yes;
  };
  const auto waits = std::make_shared<Waits>();
  waits->left = groups.size();
  const auto one_is_over = [self = shared_from_this(), waits](ask::Folded folded) {
    if (folded != ask::Folded::yes) waits->folded = folded;
    if (--waits->left > 0) return;
    self->use = Use::begin(self->shared);
    if (self->use == nullptr) {
      GRANARY_PROBE("the door closes while a request waits for its token");
      return self->refuse("closing", http::unavailable("closing", "This server is stopping", "", "try again"));
    }
    if (waits->folded == ask::Folded::yes) return self->append();
    if (waits->folded == ask::Folded::beyond_the_log) return self->refuse("bad_parameter", ask::token_beyond_the_log());
    self->refuse("not_folded_yet",
                 http::unavailable("not_folded_yet", "What the token names is not folded yet", "nothing was appended",
                                   "send the request again with the same token"));
  };
  // The wait itself holds nothing up: the door may close meanwhile. The last of the waits may end before this returns.
  const auto held = std::move(use);
  std::vector<std::pair<machine::Topic, std::uint16_t>> shards;
  for (const Group& group : groups) shards.emplace_back(group.topic, group.partition);
  for (const auto& [topic, partition] : shards)
    ask::wait_folded(door.runtime_, after, machine::reader_of(topic), partition, door.options_.after_wait_ms_max,
                     one_is_over);
}

void EventDoor::Post::append() {
  left = groups.size();
  if (groups.empty()) {
    count();
    return answer();
  }
  appending = true;
  http::deadlines().call_after(door.options_.append_wait_ms_max, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->give_up();
  });
  // The last callback may come within append() and give `use` back: nothing of the door is touched after that.
  const std::size_t all = groups.size();
  {
    const std::lock_guard lock(shared->mutex);
    shared->counters.appends_in_flight += all;
  }
  for (std::size_t i = 0; i < all; ++i) {
    Group& group = groups[i];
    group.handed_over = std::chrono::steady_clock::now();
    door.journal_.append(
        {std::string(machine::topic_name(group.topic)), group.partition}, std::move(group.records),
        [self = shared_from_this(), i](const Result<journal::Offsets>& offsets) { self->appended(i, offsets); });
  }
}

void EventDoor::Post::appended(std::size_t number, const Result<journal::Offsets>& offsets) {
  const Group& group = groups[number];
  {
    const std::lock_guard lock(shared->mutex);
    --shared->counters.appends_in_flight;
    shared->counters.append_seconds.observe(seconds_since(group.handed_over));
  }
  if (!offsets.ok()) log_failed_append(group, offsets.error());
  {
    const std::lock_guard lock(mutex);
    if (offsets.ok()) {
      for (std::size_t i = 0; i < group.rows.size(); ++i)
        results[group.rows[i]].place = Place{group.topic, group.partition, (*offsets)[i]};
      token.places.push_back({group.topic, group.partition, offsets->back()});
    } else if (!failure || offsets.error().code == ErrorCode::out_of_space) {
      failure = offsets.error();
    }
    if (--left > 0) return;
    appending = false;
    if (failure && !token.places.empty()) GRANARY_PROBE("an append of a request fails where another stands");
    if (answered) GRANARY_PROBE("the log answers a request after its sender was told that it does not");
  }
  count();
  if (outcome_wait_ms && !failure && !token.places.empty()) return ask_outcomes();
  answer();
}

// The log has not answered in time. The appends go on, and hold the door open; their answers only count.
void EventDoor::Post::give_up() {
  {
    const std::lock_guard lock(mutex);
    if (!appending) return;
    GRANARY_PROBE("the log does not answer a request in time");
    if (!failure)
      failure = Error{ErrorCode::unavailable, "expected the log to make the events durable within " +
                                                  std::to_string(door.options_.append_wait_ms_max / units::kSecondMs) +
                                                  " s, but it has not answered yet: they may stand later"};
  }
  answer();
}

void EventDoor::Post::ask_outcomes() {
  left = groups.size();
  alive = std::make_shared<char>();
  const std::weak_ptr<void> while_alive = alive;
  std::vector<std::vector<std::uint64_t>> offsets(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (const std::size_t row : groups[i].rows) offsets[i].push_back(results[row].place->offset);
  // The deadline holds this alive: an owner elsewhere that dies forgets what it was asked. Of what is answered little
  // is left by then.
  http::deadlines().call_after(*outcome_wait_ms, [self = shared_from_this()] { self->answer(); });
  const std::size_t all = groups.size();  // the last answer, or the deadline, may come within the loop
  for (std::size_t i = 0; i < all; ++i) {
    door.runtime_.when_judged(groups[i].topic, groups[i].partition, offsets[i], while_alive,
                              [self = shared_from_this(), i](std::vector<std::optional<machine::Outcome>> outcomes) {
                                self->judged(i, std::move(outcomes));
                              });
  }
  use.reset();
}

void EventDoor::Post::judged(std::size_t group, std::vector<std::optional<machine::Outcome>> outcomes) {
  {
    const std::lock_guard lock(mutex);
    if (answered) {
      GRANARY_PROBE("outcomes come after the answer has gone");
      return;
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) results[groups[group].rows[i]].outcome = std::move(outcomes[i]);
    if (--left > 0) return;
  }
  answer();
}

void EventDoor::Post::answer() {
  Response response;
  {
    const std::lock_guard lock(mutex);
    if (std::exchange(answered, true)) return;
    alive.reset();
    response = event_answer(results, token, outcome_wait_ms ? Outcomes::shown : Outcomes::left_out, failure);
    results = {};
  }
  respond(std::move(response));
}

void EventDoor::Post::count() {
  log_refused_events();
  const std::lock_guard lock(shared->mutex);
  EventDoorCounters& counters = shared->counters;
  for (const EventResult& result : results) {
    if (result.place)
      ++counters.accepted;
    else if (result.problem)
      ++counters.refused[result.problem->reason];
    else
      ++counters.failed;
  }
}

EventDoor::EventDoor(journal::Journal& journal, runtime::Runtime& runtime, const clock::ClockKeeper& clock,
                     EventDoorOptions options)
    : journal_(journal),
      runtime_(runtime),
      clock_(clock),
      options_(std::move(options)),
      shared_(std::make_shared<Shared>()) {}

EventDoor::~EventDoor() {
  close();
}

void EventDoor::post(Request request, Responder responder) {
  auto use = Use::begin(shared_);
  std::optional<Error> failure;
  {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->counters.requests;
    failure = shared_->failure;
  }
  const bool closed = use == nullptr;
  const auto post = std::make_shared<Post>(*this, std::move(use), std::move(responder));
  if (closed || failure)
    return post->refuse("closing", http::unavailable("closing", "This server is stopping",
                                                     failure ? failure->message : "", "try again once it runs"));
  if (!clock_.runs() && !clock_.needs_confirmation())
    return post->refuse(
        "clock_compares",
        http::unavailable("clock_compares", "The clock is compared with what others tick",
                          "the ledger's last tick is more than a minute old", "try again in some seconds"));
  if (clock_.needs_confirmation())
    return post->refuse(
        "clock_needs_confirmation",
        http::unavailable("clock_needs_confirmation", "The clock waits for a person",
                          "this server's clock is far ahead of the ledger's last tick, or ahead of others",
                          "look at GET /v1/clock; if the clock is right, say `granary clock confirm`"));
  const Instant recorded_at = clock_.now();
  auto received = read_cloud_events(request.headers, request.body, recorded_at, options_.json);
  if (const auto* problem = std::get_if<http::Problem>(&received))
    return post->refuse(problem->type, make_response(*problem));
  if (const auto wait = preferred_wait_s(request.headers))
    post->outcome_wait_ms = std::min(*wait * units::kSecondMs, options_.outcome_wait_ms_max);
  const auto after = ask::token_of(request, runtime_);
  if (!after.ok()) return post->refuse("bad_parameter", http::bad_parameter("after", after.error()));
  post->waits_for_token = after->has_value();
  post->read(std::move(std::get<std::vector<Received>>(received)), recorded_at, request.caller);
  if (post->rules_missing > 0)
    return post->refuse(
        "rules_not_in_force",
        http::unavailable("rules_not_in_force", "The rules that this event needs are not in force yet",
                          "an event came in a form of rules version " + std::to_string(post->rules_missing) +
                              "; nothing was appended",
                          "send the request again; `granary rules` shows which version is in force where"));
  if (*after && !post->groups.empty()) return post->wait_for(**after);
  post->append();
}

void EventDoor::fail(const Error& error) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->failure) shared_->failure = error;
}

void EventDoor::close() {
  std::unique_lock lock(shared_->mutex);
  shared_->closed = true;
  shared_->idle.wait(lock, [this] { return shared_->uses == 0; });
}

EventDoorCounters EventDoor::counters() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->counters;
}

}  // namespace granary::entry
