// POST /v1/events over a journal in memory and the real runtime.
#include "shared/entry/event_door.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/cloud_sample.h"
#include "tests/support/door_ledger.h"

namespace granary::entry {
namespace {

using journal::MemoryJournal;
using test::batch_of;
using test::CloudSample;
using test::DoorLedger;
using test::Mode;
using test::parsed;
using test::text_at;

const journal::Partition kApplications{"granary.applications.v1", 0};

CloudSample project(const std::string& id) {
  CloudSample sample = CloudSample().with_id(id).with("type", R"("granary.project.registered.v1")");
  sample.data = R"({"project":"aurora-llm","organisation":"aurora"})";
  return sample;
}

http::Request with_header(http::Request request, const std::string& name, const std::string& value) {
  request.headers.push_back({name, value});
  return request;
}
http::Request with_query(http::Request request, const std::string& name, const std::string& value) {
  request.query.push_back({name, value});
  return request;
}

TEST(EventDoor, AnswersAcceptedAndRefusedInTheOrderOfTheRequest) {
  DoorLedger ledger;
  ledger.start();
  const auto bad =
      CloudSample().with_id("b").with_data(R"("start":"2026-10-31T23:30:00Z")", R"("start":"2026-11-01T01:00:00Z")");
  const auto response = ledger.post(batch_of({bad, project("a")}));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.content_type, "application/json");
  // After the genesis and the first tick.
  const std::string token =
      runtime::Token{{{machine::Topic::applications, 0, 2}}, ledger.runtime->ledger_mark()}.text();
  EXPECT_EQ(response.body,
            R"({"accepted":1,"refused":1,"after":")" + token +
                R"(","results":[{"index":0,"id":"b","status":"refused","problem":)"
                R"({"type":"urn:granary:problem:end_before_start","field":"/data/end","value":"2026-11-01T00:30:00Z",)"
                R"("hint":"send an end that is not before the start"}},)"
                R"({"index":1,"id":"a","status":"accepted","receipt":)"
                R"({"topic":"granary.applications.v1","partition":0,"offset":"2"}}]})");
}

TEST(EventDoor, TakesTheSameEventInEachMode) {
  DoorLedger ledger;
  ledger.start();
  std::string judgements;
  for (const Mode mode : test::kModes) {
    const auto response = ledger.post(with_header(CloudSample().request(mode), "prefer", "wait=10"));
    EXPECT_EQ(response.status, 202) << response.body;
    judgements += text_at(parsed(response.body), {"results", "0", "outcome", "judgement"}) + ' ';
  }
  EXPECT_EQ(judgements, "new repeat repeat ");
}

TEST(EventDoor, WritesWhoCalledAndNoClientCanSayIt) {
  DoorLedger ledger;
  ledger.start();
  http::Request request = batch_of({project("a").with("actor", R"("operator-17")"), project("b").with("actor", ""),
                                    project("c").with("caller", R"("token")")});
  request.headers.push_back({"ce-caller", "token"});  // attributes of a batch stand in its events
  request.caller = {http::CallerKind::mtls, "m-1"};
  const auto response = ledger.post(request);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(text_at(parsed(response.body), {"results", "2", "problem", "type"}), "urn:granary:problem:unknown_field");
  EXPECT_EQ(text_at(parsed(response.body), {"results", "2", "problem", "field"}), "/caller");
  const auto records = ledger.records(kApplications);
  ASSERT_GE(records.size(), 2U);
  for (std::size_t i = records.size() - 2; i < records.size(); ++i) {
    events::Raw raw;
    ASSERT_TRUE(codec::decode(events::body_of(records[i].value), raw));
    EXPECT_EQ(raw.actor, raw.id == "a" ? "operator-17" : "");
    EXPECT_EQ(raw.caller.kind, events::CallerKind::mtls);
    EXPECT_EQ(raw.caller.id, "m-1");
  }
}

TEST(EventDoor, AnotherCallerActorOrCollectorSendsARepeat) {
  DoorLedger ledger;
  ledger.start();
  std::string judgements;
  for (const auto* who : {R"("granary-import/1.2")", R"("slurm-agent/0.4.1")", ""}) {
    http::Request request = batch_of({CloudSample().with("collector", who).with("actor", who)});
    request.caller = {http::CallerKind::token, who};
    const auto response = ledger.post(with_header(request, "prefer", "wait=10"));
    judgements += text_at(parsed(response.body), {"results", "0", "outcome", "judgement"}) + ' ';
  }
  EXPECT_EQ(judgements, "new repeat repeat ");
}

TEST(EventDoor, AppendsNothingWhereAllIsRefused) {
  DoorLedger ledger;
  ledger.start();
  const auto before = ledger.records(kApplications).size();
  const auto response = ledger.post(batch_of({project("a").with("time", ""), project("b").with("type", "")}));
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto body = parsed(response.body);
  EXPECT_EQ(text_at(body, {"type"}), "urn:granary:problem:events_refused");
  EXPECT_EQ(text_at(body, {"status"}), "422");
  EXPECT_EQ(text_at(body, {"accepted"}), "0");
  EXPECT_EQ(text_at(body, {"refused"}), "2");
  EXPECT_EQ(text_at(body, {"results", "0", "problem", "field"}), "/time");
  EXPECT_EQ(text_at(body, {"results", "1", "problem", "field"}), "/type");
  EXPECT_EQ(body.find("after"), nullptr);
  EXPECT_EQ(ledger.records(kApplications).size(), before);
  EXPECT_EQ(ledger.events->counters().refused.at("malformed"), 2U);
}

TEST(EventDoor, TakesAnEmptyBatch) {
  DoorLedger ledger;
  ledger.start();
  const auto response = ledger.post(batch_of({}));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, R"({"accepted":0,"refused":0,"results":[]})");
}

TEST(EventDoor, RefusesWholeRequestsAsProblems) {
  DoorLedger ledger;
  ledger.start();
  http::Request request = CloudSample().request(Mode::structured);
  request.body = "{";
  EXPECT_EQ(ledger.post(request).status, 400);
  request.headers.clear();
  const auto response = ledger.post(request);
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(text_at(parsed(response.body), {"type"}), "urn:granary:problem:unsupported_content_type");
  EXPECT_EQ(ledger.events->counters().requests_refused.at("malformed"), 1U);
  EXPECT_EQ(ledger.events->counters().requests, 2U);
}

TEST(EventDoor, SpreadsUsageByItsRootAndKeepsTheOrder) {
  DoorLedger ledger;
  ledger.start();
  std::vector<CloudSample> samples;
  for (int i = 0; i < 100; ++i) samples.push_back(CloudSample().with_id(std::to_string(i)));
  const auto response = ledger.post(batch_of(samples));
  ASSERT_EQ(response.status, 202) << response.body;
  const auto body = parsed(response.body);
  const auto token = runtime::Token::parse(text_at(body, {"after"}));
  ASSERT_TRUE(token.ok());
  std::map<std::uint16_t, std::uint64_t> last;
  for (int i = 0; i < 100; ++i) {
    const std::string row = std::to_string(i);
    EXPECT_EQ(text_at(body, {"results", row, "id"}), row);
    const auto partition =
        static_cast<std::uint16_t>(std::stoul(text_at(body, {"results", row, "receipt", "partition"})));
    const std::uint64_t offset = std::stoull(text_at(body, {"results", row, "receipt", "offset"}));
    EXPECT_TRUE(!last.contains(partition) || last[partition] + 1 == offset) << "row " << i;
    last[partition] = offset;
    events::Raw raw;
    const auto records = ledger.records({"granary.usage.v1", partition});
    ASSERT_TRUE(codec::decode(events::body_of(records.at(offset).value), raw));
    EXPECT_EQ(raw.id, row);
  }
  EXPECT_EQ(last.size(), 4U);
  ASSERT_EQ(token->places.size(), 4U);
  for (const runtime::Place& place : token->places) EXPECT_EQ(place.offset, last.at(place.partition));
  EXPECT_EQ(ledger.events->counters().accepted, 100U);
}

TEST(EventDoor, TellsWhatTheFoldMadeOfIt) {
  DoorLedger ledger;
  ledger.start();
  const CloudSample sample;
  const auto response =
      ledger.post(with_header(batch_of({sample, sample, sample.with_data("aurora-llm", "other"),
                                        sample.with_id("w").with_data("aurora-llm", "nobody"),
                                        sample.with_id("c").with_data("gpu:h200", "bad"), sample.with("time", "")}),
                              "prefer", "respond-async, Wait=10"));
  ASSERT_EQ(response.status, 202) << response.body;
  const auto body = parsed(response.body);
  const auto outcome = [&body](int row, const char* name) {
    return text_at(body, {"results", std::to_string(row), "outcome", name});
  };
  EXPECT_EQ(outcome(0, "judgement"), "new");
  EXPECT_EQ(outcome(1, "judgement"), "repeat");
  EXPECT_EQ(outcome(2, "judgement"), "refused");
  EXPECT_EQ(outcome(2, "reason"), "conflicting_duplicate");
  EXPECT_EQ(outcome(3, "judgement"), "waiting");
  EXPECT_EQ(outcome(3, "reason"), "unassigned");
  EXPECT_EQ(outcome(4, "judgement"), "refused");
  EXPECT_EQ(outcome(4, "field"), "/data/resources/0/class");
  EXPECT_EQ(outcome(4, "hint"), "publish it first");
  EXPECT_EQ(body.find("results")->items()[5].find("outcome"), nullptr);
}

TEST(EventDoor, DoesNotWaitForTheFoldForEver) {
  DoorLedger ledger(1);
  ledger.append({"granary.usage.v1", 0}, test::a_newer_record());
  EventDoorOptions options;
  options.outcome_wait_ms_max = 20;
  ledger.start(options);
  const auto response = ledger.post(with_header(batch_of({project("a"), CloudSample()}), "prefer", "wait=30"));
  ASSERT_EQ(response.status, 202) << response.body;
  EXPECT_EQ(text_at(parsed(response.body), {"results", "1", "outcome", "judgement"}), "unknown");
}

// An owner in another process that dies with what it was asked.
class ForgetfulPeers final : public runtime::Elsewhere {
 public:
  [[nodiscard]] std::string owner_of(const runtime::ShardName&) const override { return "http://127.0.0.1:1"; }
  void when_met(const runtime::ShardName&, const runtime::Needs&, std::weak_ptr<void>, runtime::Met) override {}
  void when_judged(machine::Topic, std::uint16_t, const std::vector<std::uint64_t>&, std::weak_ptr<void>,
                   std::function<void(std::vector<std::optional<machine::Outcome>>)>) override {}
};

TEST(EventDoor, AnswersThoughTheOwnerOfTheShardForgetsTheQuestion) {
  DoorLedger ledger;
  ForgetfulPeers peers;
  ledger.options.owned.emplace();
  ledger.options.elsewhere = &peers;
  EventDoorOptions options;
  options.outcome_wait_ms_max = 20;
  ledger.start(options);
  const auto response = ledger.post(with_header(batch_of({project("a"), CloudSample()}), "prefer", "wait=30"));
  ASSERT_EQ(response.status, 202) << response.body;
  for (const auto* row : {"0", "1"})
    EXPECT_EQ(text_at(parsed(response.body), {"results", row, "outcome", "judgement"}), "unknown");
}

// An owner in another process that answers when the test lets it.
class LatePeers final : public runtime::Elsewhere {
 public:
  [[nodiscard]] std::string owner_of(const runtime::ShardName&) const override { return "http://127.0.0.1:1"; }
  void when_met(const runtime::ShardName&, const runtime::Needs&, std::weak_ptr<void>, runtime::Met) override {}
  void when_judged(machine::Topic, std::uint16_t, const std::vector<std::uint64_t>&, std::weak_ptr<void>,
                   std::function<void(std::vector<std::optional<machine::Outcome>>)> done) override {
    answer = std::move(done);
  }
  std::function<void(std::vector<std::optional<machine::Outcome>>)> answer;
};

TEST(EventDoor, AnOutcomeThatComesAfterTheAnswerChangesNothing) {
  DoorLedger ledger;
  LatePeers peers;
  ledger.options.owned.emplace();
  ledger.options.elsewhere = &peers;
  EventDoorOptions options;
  options.outcome_wait_ms_max = 20;
  ledger.start(options);
  const auto response = ledger.post(with_header(batch_of({project("a")}), "prefer", "wait=30"));
  ASSERT_EQ(response.status, 202) << response.body;
  EXPECT_EQ(text_at(parsed(response.body), {"results", "0", "outcome", "judgement"}), "unknown");
  ASSERT_TRUE(peers.answer);
  peers.answer({machine::Outcome{}});
  std::exchange(peers.answer, nullptr);  // a second answer of the same request would end the process
}

TEST(EventDoor, ClosesWhileARequestWaitsForItsToken) {
  DoorLedger ledger(1);
  ledger.start();
  const auto next = *ledger.journal.end(kApplications);
  const std::string ahead =
      runtime::Token{{{machine::Topic::applications, 0, next}}, ledger.runtime->ledger_mark()}.text();
  std::promise<http::Response> answer;
  ledger.events->post(with_query(batch_of({project("b")}), "after", ahead),
                      http::Responder([&answer](http::Response response) { answer.set_value(std::move(response)); }));
  ledger.events->close();
  ledger.append_tick(kApplications, test::kNoonMs + 10'000);  // the record that the token names
  const auto response = answer.get_future().get();
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(text_at(parsed(response.body), {"type"}), "urn:granary:problem:closing");
  EXPECT_EQ(ledger.records(kApplications).size(), next + 1) << "nothing of the request is appended";
}

TEST(EventDoor, AppendsAfterWhatATokenNames) {
  DoorLedger ledger;
  EventDoorOptions options;
  options.after_wait_ms_max = 20;
  ledger.start(options);
  const auto first = ledger.post(batch_of({project("a")}));
  const std::string token = text_at(parsed(first.body), {"after"});
  const auto before = ledger.records(kApplications).size();
  const runtime::LedgerMark mark = ledger.runtime->ledger_mark();
  const std::string ahead = runtime::Token{{{machine::Topic::applications, 0, 1000}}, mark}.text();
  const auto refused = ledger.post(with_query(batch_of({project("b")}), "after", ahead));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(text_at(parsed(refused.body), {"type"}), "urn:granary:problem:not_folded_yet");
  EXPECT_EQ(http::header(refused, "retry-after"), "5");
  EXPECT_EQ(ledger.records(kApplications).size(), before);
  const std::string foreign = runtime::Token{{{machine::Topic::usage, 4, 1}}, mark}.text();
  EXPECT_EQ(ledger.post(with_query(batch_of({project("b")}), "after", foreign)).status, 400);
  EXPECT_EQ(ledger.post(with_query(batch_of({project("b")}), "after", "?")).status, 400);
}

TEST(EventDoor, RefusesATokenOfAnotherLedgerAndOneBeyondItsLogByName) {
  DoorLedger ledger;
  ledger.options.doubt_after = std::chrono::milliseconds(1);
  ledger.start();
  const runtime::LedgerMark mark = ledger.runtime->ledger_mark();
  const auto before = ledger.records(kApplications).size();
  for (const auto& [token, said] : std::vector<std::pair<runtime::Token, std::string>>{
           {{{{machine::Topic::applications, 0, 0}}, mark + 1}, "one of another"},
           {{{{machine::Topic::applications, 0, 1000}}, mark}, "beyond the end of the log"}}) {
    const auto refused = ledger.post(with_query(batch_of({project("b"), CloudSample()}), "after", token.text()));
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(text_at(parsed(refused.body), {"type"}), "urn:granary:problem:bad_parameter");
    EXPECT_NE(text_at(parsed(refused.body), {"detail"}).find(said), std::string::npos) << refused.body;
    EXPECT_FALSE(text_at(parsed(refused.body), {"hint"}).empty());
  }
  EXPECT_EQ(ledger.records(kApplications).size(), before);
}

TEST(EventDoor, AppendsOnceTheTokenIsFolded) {
  DoorLedger ledger;
  ledger.start();
  const auto first = ledger.post(batch_of({project("a")}));
  std::vector<CloudSample> samples;
  for (int i = 0; i < 20; ++i) samples.push_back(CloudSample().with_id(std::to_string(i)));
  const auto then = ledger.post(with_query(batch_of(samples), "after", text_at(parsed(first.body), {"after"})));
  EXPECT_EQ(then.status, 202) << then.body;
  EXPECT_EQ(text_at(parsed(then.body), {"accepted"}), "20");
}

TEST(EventDoor, SaysWhatIsDurableWhereAnAppendFails) {
  struct Case {
    ErrorCode code;
    int status;
    std::string type;
  };
  for (const Case& c : {Case{ErrorCode::unavailable, 503, "append_failed"},
                        {ErrorCode::io_error, 503, "append_failed"},
                        {ErrorCode::out_of_space, 507, "out_of_space"}}) {
    DoorLedger ledger(1);
    ledger.start();
    ledger.journal.fail_next_append(kApplications, MemoryJournal::Fault::before_write, Error{c.code, "ordered"});
    const auto response =
        ledger.post(batch_of({project("a"), CloudSample(), CloudSample().with_id("x").with("time", "")}));
    EXPECT_EQ(response.status, c.status) << response.body;
    EXPECT_TRUE(http::header(response, "retry-after"));
    const auto body = parsed(response.body);
    EXPECT_EQ(text_at(body, {"type"}), "urn:granary:problem:" + c.type);
    EXPECT_EQ(text_at(body, {"accepted"}), "1");
    EXPECT_EQ(text_at(body, {"refused"}), "1");
    EXPECT_EQ(text_at(body, {"results", "0", "status"}), "failed");
    EXPECT_EQ(text_at(body, {"results", "0", "problem", "type"}), "urn:granary:problem:" + c.type);
    EXPECT_EQ(text_at(body, {"results", "1", "status"}), "accepted");
    EXPECT_EQ(text_at(body, {"results", "2", "status"}), "refused");
    EXPECT_EQ(ledger.events->counters().failed, 1U);
    // Sent again with the same ids, all of it stands, and what stood is a repeat.
    const auto again = ledger.post(with_header(batch_of({project("a"), CloudSample()}), "prefer", "wait=10"));
    EXPECT_EQ(again.status, 202);
    EXPECT_EQ(text_at(parsed(again.body), {"results", "0", "outcome", "judgement"}), "new");
    EXPECT_EQ(text_at(parsed(again.body), {"results", "1", "outcome", "judgement"}), "repeat");
  }
}

TEST(EventDoor, AnswersOnlyOnceAllIsDurable) {
  DoorLedger ledger(1);
  ledger.start();
  ledger.journal.delay(kApplications);
  std::atomic<int> status = 0;
  ledger.events->post(batch_of({project("a"), CloudSample()}),
                      http::Responder([&status](const http::Response& response) { status = response.status; }));
  EXPECT_EQ(status, 0);
  ledger.journal.release(kApplications);
  // The answer may come on a thread that is calling back already.
  while (status == 0) std::this_thread::yield();
  EXPECT_EQ(status, 202);
}

TEST(EventDoor, ALogThatDoesNotAnswerInTimeIsA503AndWhatStandsLaterIsARepeat) {
  DoorLedger ledger(1);
  EventDoorOptions options;
  options.append_wait_ms_max = 500;  // what is not held answers within it, on a busy machine too
  ledger.start(options);
  ledger.journal.delay(kApplications);
  const auto request = batch_of({project("a"), CloudSample()});  // the usage stands at once
  const auto response = ledger.post(request);
  EXPECT_EQ(response.status, 503);
  const auto body = parsed(response.body);
  EXPECT_EQ(text_at(body, {"type"}), "urn:granary:problem:append_failed");
  EXPECT_EQ(text_at(body, {"results", "0", "status"}), "failed");
  EXPECT_EQ(text_at(body, {"results", "1", "status"}), "accepted");
  ledger.journal.release(kApplications);
  EXPECT_EQ(ledger.events->counters().accepted, 2U) << "they came to be in the log, though their sender was told 503";
  auto again = request;
  again.headers.push_back({"prefer", "wait=20"});
  const auto answer = parsed(ledger.post(again).body);
  EXPECT_EQ(text_at(answer, {"results", "0", "outcome", "judgement"}), "repeat");
  EXPECT_EQ(text_at(answer, {"results", "1", "outcome", "judgement"}), "repeat");
  EXPECT_EQ(ledger.events->counters().failed, 0U);  // all of it was appended
}

TEST(EventDoor, CountsWhatTheLogAnswersWhileItsSenderIsToldThatItDoesNot) {
  DoorLedger ledger(1);
  EventDoorOptions options;
  options.append_wait_ms_max = 1;
  ledger.start(options);
  constexpr std::uint64_t kRequests = 200;
  std::uint64_t told_accepted = 0;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    ledger.journal.delay(kApplications);
    std::promise<int> status;
    ledger.events->post(
        batch_of({project(std::to_string(i)), project("").with("time", "")}),
        http::Responder([&status](const http::Response& response) { status.set_value(response.status); }));
    const std::int64_t due = system_clock().monotonic_ms() + 1;
    while (system_clock().monotonic_ms() < due) std::this_thread::yield();
    ledger.journal.release(kApplications);  // at about the time when the door gives up
    told_accepted += status.get_future().get() == 202 ? 1 : 0;
  }
  ledger.events->close();
  const auto counters = ledger.events->counters();
  EXPECT_EQ(counters.accepted, kRequests) << told_accepted << " senders were told so";
  EXPECT_EQ(counters.refused.at("malformed"), kRequests);
  EXPECT_EQ(counters.failed, 0U);
  EXPECT_EQ(counters.appends_in_flight, 0U);
}

TEST(EventDoor, TakesNothingOnceItIsClosedOrHasFailed) {
  DoorLedger ledger;
  ledger.start();
  ledger.events->fail(Error{ErrorCode::io_error, "the disk is gone"});
  const auto failed = ledger.post(batch_of({project("a")}));
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(text_at(parsed(failed.body), {"detail"}), "the disk is gone");
  ledger.events->close();
  EXPECT_EQ(ledger.post(batch_of({project("a")})).status, 503);
}

TEST(EventDoor, ClosesThoughAJournalForgetsItsAppends) {
  DoorLedger ledger;
  ledger.start();
  ledger.journal.delay(kApplications);
  std::atomic<int> status = 0;
  ledger.events->post(batch_of({project("a")}),
                      http::Responder([&status](const http::Response& response) { status = response.status; }));
  ledger.journal.crash();
  EXPECT_EQ(status, 500);
  ledger.events->close();
}

TEST(EventDoor, TakesNothingWhileTheClockWaitsForAPerson) {
  DoorLedger ledger;
  ledger.append_tick(kApplications, test::kNoonMs - 8 * units::kDayMs);
  ledger.start();
  const auto response = ledger.post(batch_of({project("a")}));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(text_at(parsed(response.body), {"type"}), "urn:granary:problem:clock_needs_confirmation");
  EXPECT_EQ(ledger.records(kApplications).size(), 2U);
  ASSERT_TRUE(ledger.keeper->confirm().ok());
  EXPECT_EQ(ledger.post(batch_of({project("a")})).status, 202);
  // The tick stands before what was taken after it.
  EXPECT_EQ(events::kind_of(ledger.records(kApplications).at(2).value), events::RecordKind::tick);
}

}  // namespace
}  // namespace granary::entry
