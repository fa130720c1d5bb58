#include "shared/ask/follow.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "shared/ask/list.h"
#include "shared/ask/streams.h"
#include "shared/codec/wire.h"
#include "shared/http/problem.h"

namespace granary::ask {
namespace {

using http::Request;
using http::Response;

// Of a piece: it ends with the record that reaches this.
constexpr std::size_t kPieceBytes = 64U << 10;
// Between two looks at the end of the log: a reader hears of an event this much later at most.
constexpr std::int64_t kPauseMs = 250;
// A comment goes out after this much silence, so that whoever stands between both ends keeps the connection, and a
// reader that has gone without a word is found.
constexpr std::chrono::seconds kSilenceMax{15};
// What an EventSource waits before it comes again.
constexpr int kComeAgainMs = 3000;

// Where a follower stands: the next record of each of its partitions, in their order.
struct Place {
  std::uint16_t first = 0;
  std::vector<journal::Offset> next;
};

std::string id_of(const Cursors& cursors, const Place& place) {
  Cursor cursor{place.first, {}};
  for (const journal::Offset offset : place.next) codec::put_varint(cursor.after, offset);
  return cursors.text(cursor);
}

Result<void> read_id(const Cursors& cursors, std::string_view text, Place& place) {
  const auto cursor = cursors.parse(text);
  BytesView left = cursor.ok() ? BytesView(cursor->after) : BytesView();
  bool is_id = cursor.ok();
  for (journal::Offset& offset : place.next) is_id = is_id && codec::take_varint(left, offset);
  if (is_id && left.empty()) return {};
  return Error{ErrorCode::invalid_input,
               fmt::format("expected BEGINNING, END or the id of an event that this stream gave for the same "
                           "`partition`, got \"{}\"; hint: begin without one",
                           text.substr(0, 40))};
}

// A comment, which no reader takes for an event: for whoever looks at the bytes.
void append_comment(std::string& out, std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  out += ": " + text + "\n\n";
}

// One line of the log's own text each: a stranger's record may have several.
void append_event(std::string& out, const std::string& id, std::string_view data) {
  out += "id: " + id + '\n';
  for (std::size_t from = 0; from <= data.size();) {
    const std::size_t end = std::min(data.find_first_of("\r\n", from), data.size());
    out += "data: ";
    out += data.substr(from, end - from);
    out += '\n';
    from = end + 1;
  }
  out += '\n';
}

// The one at work: a look at the log on the pool's thread, a pause on the loop's, one after the other. Callbacks hold
// it weakly, so it goes with its body.
class Follower : public std::enable_shared_from_this<Follower> {
 public:
  Follower(const Follow& follow, std::string topic, Cursors cursors, Place place)
      : follow_(follow), topic_(std::move(topic)), cursors_(cursors), place_(std::move(place)) {}

  void next(http::StreamedBody::Take take) {
    take_ = std::move(take);
    // An id without data is kept, so that a reader that began at the end and comes again misses nothing.
    if (!std::exchange(has_begun_, true))
      return give("retry: " + std::to_string(kComeAgainMs) + "\nid: " + id_of(cursors_, place_) + "\n\n");
    if (failed_) return give(*failed_);
    quiet_since_ = std::chrono::steady_clock::now();
    look_soon();
  }
  void end_soon() { ends_ = true; }

 private:
  void give(Result<std::string> piece) { std::exchange(take_, nullptr)(std::move(piece)); }

  void look_soon() {
    if (ends_) return give(std::string());
    const bool taken = follow_.readers.run([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->look();
    });
    if (!taken) pause();
  }

  void pause() {
    const std::lock_guard lock(mutex_);
    pause_ = follow_.loop.set_timer(kPauseMs, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->look_soon();
    });
  }

  // Begins behind the partition that the last piece ended with, so that a long one does not hold up the others.
  void look() {
    std::string piece;
    for (std::size_t i = 0; i < place_.next.size() && piece.size() < kPieceBytes; ++i) {
      turn_ = (turn_ + 1) % place_.next.size();
      if (const auto read = add_events(piece); !read.ok()) {
        if (read.error().code == ErrorCode::unavailable) break;  // away: it is looked for again
        failed_ = read.error();
        append_comment(piece, failed_->message);
        return give(std::move(piece));
      }
    }
    if (piece.empty() && std::chrono::steady_clock::now() - quiet_since_ >= kSilenceMax)
      append_comment(piece, "nothing new");
    piece.empty() ? pause() : give(std::move(piece));
  }

  Result<void> add_events(std::string& piece) {
    journal::Offset& next = place_.next[turn_];
    const journal::Partition partition{topic_, static_cast<std::uint16_t>(place_.first + turn_)};
    GRANARY_TRY(follow_.journal.read(partition, next, kPieceBytes, batch_));
    for (const journal::Record& record : batch_.records) {
      ++next;
      append_event(piece, id_of(cursors_, place_), cloud_event_json(record));
    }
    return {};
  }

  const Follow follow_;
  const std::string topic_;
  const Cursors cursors_;
  Place place_;
  std::size_t turn_ = 0;  // of place_.next: the partition that was looked at last
  http::StreamedBody::Take take_;
  bool has_begun_ = false;
  std::optional<Error> failed_;  // the reader is told; then the body breaks off
  std::atomic<bool> ends_ = false;
  std::chrono::steady_clock::time_point quiet_since_;
  journal::ReadBatch batch_;
  std::mutex mutex_;  // guards the timer: one that rings at once may set the next before it is kept
  http::Loop::Timer pause_;
};

class FollowerBody final : public http::StreamedBody {
 public:
  explicit FollowerBody(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {}
  void next(Take take) override { follower_->next(std::move(take)); }
  void end_soon() override { follower_->end_soon(); }

 private:
  std::shared_ptr<Follower> follower_;
};

// Moves each partition to where `from` says, and looks whether the log reaches that far.
Result<void> find_start(const Follow& follow, const std::string& topic, const Cursors& cursors, std::string_view from,
                        Place& place) {
  const bool is_id = from != "BEGINNING" && from != "END";
  if (is_id) GRANARY_TRY(read_id(cursors, from, place));
  for (std::size_t i = 0; i < place.next.size(); ++i) {
    const journal::Partition partition{topic, static_cast<std::uint16_t>(place.first + i)};
    if (from == "BEGINNING") continue;
    const auto end = follow.journal.end(partition);
    if (!end.ok()) return end.error();
    if (is_id && place.next[i] > *end)
      return Error{
          ErrorCode::conflict,
          "expected the id of an event that the log has, got one behind its end; hint: is this the log that it is of?"};
    if (!is_id) place.next[i] = *end;
  }
  return {};
}

}  // namespace

bool wants_event_stream(const Request& request) {
  for (const http::Field& field : request.headers)
    if (field.name == "accept" && field.value.find(kEventStream) != std::string::npos) return true;
  return false;
}

Response follow_stream(const Follow& follow, machine::Topic stream, const Request& request) {
  const std::uint16_t count = machine::partitions_of(stream, follow.runtime.partitions());
  Place place{0, std::vector<journal::Offset>(count, 0)};
  if (const auto text = http::query(request, "partition")) {
    const auto number = partition_of(*text, count);
    if (!number.ok()) return http::bad_parameter("partition", number.error());
    place = {*number, {0}};
  }
  const std::string topic(machine::topic_name(stream));
  Cursors cursors(follow.runtime, {"/v1/streams/" + topic + "#events", {"partition"}}, request, {0, count});
  const auto last = http::header(request, "last-event-id");
  const auto from = http::query(request, "from");
  const std::string_view begin = last ? *last : from.value_or("BEGINNING");
  if (const auto found = find_start(follow, topic, cursors, begin, place); !found.ok())
    return last && found.error().code != ErrorCode::unavailable ? http::bad_header("Last-Event-ID", found.error())
                                                                : cannot_read("from", found.error());
  return {
      .content_type = std::string(kEventStream),
      .headers = {{"Cache-Control", "no-store"}},
      .streamed = std::make_shared<FollowerBody>(std::make_shared<Follower>(follow, topic, cursors, std::move(place)))};
}

}  // namespace granary::ask
