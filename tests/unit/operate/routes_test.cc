// What a server answers beside its services: refusals of the machines, health, status, metrics, the clock.
#include "shared/operate/routes.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "shared/ask/list.h"
#include "shared/ask/rejected.h"
#include "shared/http/uri.h"
#include "tests/support/cloud_sample.h"
#include "tests/support/door_ledger.h"
#include "tests/support/forwarding_journal.h"
#include "tests/support/log_lines.h"

namespace granary::operate {
namespace {

using test::batch_of;
using test::CloudSample;
using test::DoorLedger;
using test::kNoonMs;
using test::parsed;
using test::text_at;

const journal::Partition kApplications{"granary.applications.v1", 0};

class Routes : public ::testing::Test {
 protected:
  void start() {
    ledger_.start();
    routes::add_to(router_, routes({ledger_.journal,
                                    *ledger_.runtime,
                                    ledger_.reach.forwarder,
                                    log_readers_,
                                    log_readers_,
                                    *ledger_.events,
                                    *ledger_.keeper,
                                    {},
                                    [] { return "http://me"; }},
                                   {}));
  }
  http::Response ask(const std::string& method, const std::string& target) {
    const auto split = http::parse_target(target);
    EXPECT_TRUE(split.ok()) << target;
    http::Request request;
    request.method = method;
    request.path = split->path;
    request.query = split->query;
    return serve(std::move(request));
  }
  http::Response get(const std::string& target) { return ask("GET", target); }
  http::Response serve(http::Request request) {
    auto answer = std::make_shared<std::promise<http::Response>>();
    auto future = answer->get_future();
    router_.serve(std::move(request),
                  http::Responder([answer](http::Response response) { answer->set_value(std::move(response)); }));
    return future.get();
  }
  // Asks until the answer has that status; a runtime that never gets there runs into the test's time limit.
  http::Response get_until(const std::string& target, int status) {
    http::Response response = get(target);
    while (response.status != status) response = get(target);
    return response;
  }

  DoorLedger ledger_{2};
  http::WorkPool log_readers_{1, 4};
  http::Router router_;
};

TEST_F(Routes, EventsAreTakenAndTheirRefusalsRead) {
  start();
  std::vector<CloudSample> samples;
  for (int i = 0; i < 7; ++i)
    samples.push_back(CloudSample().with_id("bad-" + std::to_string(i)).with_data("gpu:h200", "bad"));
  samples.push_back(CloudSample().with_id("good"));
  const auto posted = serve(batch_of(samples));
  ASSERT_EQ(posted.status, 202) << posted.body;
  const std::string after = "after=" + text_at(parsed(posted.body), {"after"});

  const auto all = parsed(get_until("/v1/rejected?" + after, 200).body);
  ASSERT_NE(all.find("rows"), nullptr);
  EXPECT_EQ(all.find("rows")->items().size(), 7U);
  EXPECT_EQ(all.find("next"), nullptr);
  EXPECT_EQ(text_at(all, {"rows", "0", "reason"}), "unknown_resource_class");
  EXPECT_EQ(text_at(all, {"rows", "0", "field"}), "/resources/0/class");
  // Partition 0 of the stream is intake's, 1 and 2 metering's.
  EXPECT_EQ(text_at(all, {"rows", "0", "ce_id"}), "1-1");

  const auto one = parsed(get("/v1/rejected?source=slurm://aif1&id=bad-3").body);
  ASSERT_EQ(one.find("rows")->items().size(), 1U);
  EXPECT_EQ(text_at(one, {"rows", "0", "id"}), "bad-3");
  EXPECT_TRUE(parsed(get("/v1/rejected?source=other&id=bad-3").body).find("rows")->items().empty());
  EXPECT_TRUE(parsed(get("/v1/rejected?machine=billing").body).find("rows")->items().empty());
  EXPECT_EQ(parsed(get("/v1/rejected?machine=metering").body).find("rows")->items().size(), 7U);

  std::vector<std::string> ids;
  std::string cursor;
  do {
    const auto page = parsed(get("/v1/rejected?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)).body);
    EXPECT_LE(page.find("rows")->items().size(), 2U);
    for (std::size_t i = 0; i < page.find("rows")->items().size(); ++i)
      ids.push_back(text_at(page, {"rows", std::to_string(i), "ce_id"}));
    cursor = text_at(page, {"next"});
  } while (!cursor.empty());
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < 7; ++i) expected.push_back(text_at(all, {"rows", std::to_string(i), "ce_id"}));
  EXPECT_EQ(ids, expected);
}

// Reads wait until they are let go.
class SlowLog final : public testing_support::ForwardingJournal {
 public:
  using ForwardingJournal::ForwardingJournal;
  Result<void> read(const journal::Partition& partition, journal::Offset from, std::size_t bytes_max,
                    journal::ReadBatch& batch) const override {
    gate_.wait();
    return ForwardingJournal::read(partition, from, bytes_max, batch);
  }
  void let_go() { open_.set_value(); }

 private:
  std::promise<void> open_;
  std::shared_future<void> gate_ = open_.get_future().share();
};

TEST_F(Routes, ALogThatDoesNotAnswerHoldsNoThreadOfTheListener) {
  ledger_.start();
  SlowLog slow(ledger_.journal);
  routes::add_to(router_, routes({slow,
                                  *ledger_.runtime,
                                  ledger_.reach.forwarder,
                                  log_readers_,
                                  log_readers_,
                                  *ledger_.events,
                                  *ledger_.keeper,
                                  {}},
                                 {}));
  std::vector<std::future<http::Response>> waiting;
  const auto begin = [&](const std::string& path) {  // as the listener's thread does: it does not wait for the answer
    auto answer = std::make_shared<std::promise<http::Response>>();
    waiting.push_back(answer->get_future());
    http::Request request;
    request.method = "GET";
    request.path = path;
    router_.serve(std::move(request),
                  http::Responder([answer](http::Response response) { answer->set_value(std::move(response)); }));
  };
  for (const char* path : {"/v1/rejected", "/v1/streams/billing", "/v1/rejected", "/v1/streams/notices"}) begin(path);
  EXPECT_EQ(get("/livez").status, 200);
  const auto too_many = get("/v1/rejected");
  EXPECT_EQ(too_many.status, 503);
  EXPECT_EQ(text_at(parsed(too_many.body), {"type"}), "urn:granary:problem:too_many_reads");
  slow.let_go();
  for (auto& answer : waiting) EXPECT_EQ(answer.get().status, 200);
  log_readers_.stop();
}

TEST_F(Routes, StreamsAreReadPageByPageAndPartitionByPartition) {
  start();
  std::vector<CloudSample> samples;
  for (int i = 0; i < 7; ++i)
    samples.push_back(CloudSample().with_id("bad-" + std::to_string(i)).with_data("gpu:h200", "bad"));
  const auto posted = serve(batch_of(samples));
  const std::string after = "after=" + text_at(parsed(posted.body), {"after"});
  get_until("/v1/rejected?" + after, 200);

  std::vector<std::string> ids;
  std::string cursor;
  do {
    const auto page = parsed(get("/v1/streams/rejected?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)).body);
    EXPECT_EQ(text_at(page, {"partitions"}), "7");  // of 2 partitions: intake's and twice 3
    EXPECT_LE(page.find("rows")->items().size(), 2U);
    for (std::size_t i = 0; i < page.find("rows")->items().size(); ++i)
      ids.push_back(text_at(page, {"rows", std::to_string(i), "id"}));
    cursor = text_at(page, {"next"});
  } while (!cursor.empty());
  EXPECT_EQ(ids.size(), 7U);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 7U);

  std::vector<std::string> by_partition;
  for (int partition = 0; partition < 7; ++partition) {
    const std::string where = "/v1/streams/rejected?partition=" + std::to_string(partition);
    const auto page = parsed(get(where).body);
    for (std::size_t i = 0; i < page.find("rows")->items().size(); ++i)
      by_partition.push_back(text_at(page, {"rows", std::to_string(i), "id"}));
    EXPECT_EQ(text_at(page, {"next"}), std::to_string(page.find("rows")->items().size()));
    EXPECT_TRUE(parsed(get(where + "&from=END").body).find("rows")->items().empty());
  }
  EXPECT_EQ(by_partition, ids);
  EXPECT_EQ(get("/v1/streams/nothing").status, 404);
  for (const char* wrong : {"partition=7", "partition=x", "partition=0&from=x", "partition=0&from=1", "from=0",
                            "limit=0", "cursor=x", "cursor=AAEC", "partition=0&cursor=AAEC"})
    EXPECT_EQ(get(std::string("/v1/streams/rejected?") + wrong).status, 400) << wrong;
}

TEST_F(Routes, RejectedNamesWrongParameters) {
  start();
  for (const char* target : {"/v1/rejected?machine=x", "/v1/rejected?limit=0", "/v1/rejected?cursor=x",
                             "/v1/rejected?cursor=AAEC", "/v1/rejected?after=x"}) {
    const auto response = get(target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_EQ(text_at(parsed(response.body), {"type"}), "urn:granary:problem:bad_parameter") << target;
  }
  const ask::LogCursors cursors(*ledger_.runtime, {"/v1/rejected", {"source", "id", "machine"}}, {}, {0, 7});
  EXPECT_EQ(get("/v1/rejected?cursor=" + cursors.text(1, 0)).status, 200);
  EXPECT_EQ(get("/v1/rejected?cursor=" + cursors.text(1, 99)).status, 400);
  EXPECT_EQ(get("/v1/rejected?id=x&cursor=" + cursors.text(1, 0)).status, 400);
  EXPECT_EQ(get("/v1/streams/rejected?cursor=" + cursors.text(1, 0)).status, 400);
}

TEST_F(Routes, APageOfRefusalsThatEndsForLongLookingSaysSo) {
  start();
  std::vector<journal::Record> refusals(ask::kRejectedScanMax + 1);
  for (journal::Record& refusal : refusals) refusal.value = R"({"id":"a"})";
  refusals.back().value = R"({"id":"z"})";
  ASSERT_TRUE(journal::append_and_wait(ledger_.journal, {"granary.rejected.v1", 5}, std::move(refusals)).ok());
  const auto first = parsed(get("/v1/rejected?id=z").body);
  EXPECT_TRUE(first.find("rows")->items().empty());
  ASSERT_NE(first.find("partial"), nullptr);
  const auto second = parsed(get("/v1/rejected?id=z&cursor=" + text_at(first, {"next"})).body);
  EXPECT_EQ(second.find("rows")->items().size(), 1U);
  EXPECT_EQ(second.find("next"), nullptr);
  EXPECT_EQ(parsed(get("/v1/rejected?id=a").body).find("partial"), nullptr) << "the page is full";
}

TEST_F(Routes, IsReadyOnceAllIsFoldedThoughAShardIsParked) {
  ledger_.append({"granary.usage.v1", 1}, test::a_newer_record());
  start();
  EXPECT_EQ(get("/livez").status, 200);
  const auto ready = parsed(get_until("/readyz", 200).body);
  EXPECT_EQ(ready.find("parked")->items().size(), 1U);
  EXPECT_EQ(text_at(ready, {"parked", "0", "machine"}), "metering");
  EXPECT_EQ(text_at(ready, {"parked", "0", "shard"}), "1");
  EXPECT_FALSE(text_at(ready, {"parked", "0", "parked"}).empty());
  const auto status = parsed(get("/v1/status").body);
  EXPECT_EQ(text_at(status, {"partitions"}), "2");
  EXPECT_EQ(status.find("shards")->items().size(), 7U);
  // intake's, metering's 0, and the parked one.
  EXPECT_EQ(text_at(status, {"shards", "0", "owner"}), "http://me");
  EXPECT_EQ(text_at(status, {"shards", "0", "lag_records"}), "0");
  EXPECT_EQ(text_at(status, {"shards", "0", "lag_seconds"}), "0");
  EXPECT_EQ(
      std::stoi(text_at(status, {"shards", "2", "lag_records"})),
      std::stoi(text_at(status, {"shards", "2", "end"})) - std::stoi(text_at(status, {"shards", "2", "position"})));
  EXPECT_EQ(text_at(status, {"shards", "2", "lag_seconds"}), "") << "it has folded no tick: nobody knows";
}

TEST_F(Routes, LagIsTheNewestTickMinusNowWhereSomethingIsLeftToFold) {
  ledger_.append_tick({"granary.usage.v1", 1}, kNoonMs - 90'500);
  ledger_.append({"granary.usage.v1", 1}, test::a_newer_record());
  start();
  get_until("/readyz", 200);
  EXPECT_EQ(text_at(parsed(get("/v1/status").body), {"shards", "2", "lag_seconds"}), "90");
  EXPECT_NE(get("/metrics").body.find("granary_shard_lag_seconds{machine=\"metering\",shard=\"1\"} 90.5\n"),
            std::string::npos);
}

TEST_F(Routes, WhatTheDoorRefusesIsALine) {
  const testing_support::LogLines log;
  start();
  serve(batch_of({CloudSample().with_id("bad-time").with("time", "")}));
  const auto lines = log.of("event_refused");
  ASSERT_EQ(lines.size(), 1U);
  const auto line = parsed(lines.front());
  EXPECT_EQ(text_at(line, {"level"}), "info");
  EXPECT_EQ(text_at(line, {"cause"}), "malformed");
  EXPECT_EQ(text_at(line, {"id"}), "bad-time");
  EXPECT_EQ(text_at(line, {"field"}), "/time");
}

TEST_F(Routes, IsNotReadyUntilTheClockIsConfirmed) {
  const testing_support::LogLines log;
  ledger_.append_tick(kApplications, kNoonMs - 30 * units::kDayMs);
  start();
  const auto waiting = get("/readyz");
  EXPECT_EQ(waiting.status, 503);
  EXPECT_EQ(text_at(parsed(waiting.body), {"clock", "state"}), "needs_confirmation");
  const auto clock = parsed(get("/v1/clock").body);
  EXPECT_EQ(text_at(clock, {"step", "from"}), "2026-10-02T12:00:00Z");
  EXPECT_EQ(text_at(clock, {"step", "to"}), "2026-11-01T12:00:00Z");
  EXPECT_NE(get("/metrics").body.find("granary_clock_needs_confirmation 1\n"), std::string::npos);

  const auto confirmed = ask("POST", "/v1/clock/confirm");
  EXPECT_EQ(confirmed.status, 200);
  EXPECT_EQ(text_at(parsed(confirmed.body), {"clock", "state"}), "running");
  EXPECT_EQ(text_at(parsed(confirmed.body), {"stepped", "from"}), "2026-10-02T12:00:00Z");
  ASSERT_EQ(log.of("clock_needs_confirmation").size(), 1U);
  ASSERT_EQ(log.of("clock_confirmed").size(), 1U);
  EXPECT_EQ(text_at(parsed(log.of("clock_confirmed").front()), {"to"}), "2026-11-01T12:00:00Z");
  EXPECT_EQ(parsed(ask("POST", "/v1/clock/confirm").body).find("stepped"), nullptr);
  EXPECT_EQ(get_until("/readyz", 200).status, 200);
  EXPECT_EQ(text_at(parsed(get("/v1/clock").body), {"last_tick"}), "2026-11-01T12:00:00Z");
}

TEST_F(Routes, AClockSetBehindTheLogIsNotConfirmed) {
  ledger_.append_tick(kApplications, kNoonMs - 30 * units::kDayMs);
  start();
  ledger_.clock.set_wall(kNoonMs - 31 * units::kDayMs);
  const auto response = ask("POST", "/v1/clock/confirm");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(text_at(parsed(response.body), {"type"}), "urn:granary:problem:clock_is_behind");
}

TEST_F(Routes, MetricsCountShardsAndDoors) {
  start();
  serve(batch_of({CloudSample(), CloudSample().with_id("x").with("time", "")}));
  get_until("/readyz", 200);
  const auto response = get("/metrics");
  EXPECT_EQ(response.status, 200);
  for (const char* line :
       {"granary_door_events_accepted_total 1\n", "granary_door_events_refused_total{reason=\"malformed\"} 1\n",
        "granary_door_requests_total 1\n", "granary_ready 1\n", "# TYPE granary_shard_lag_records gauge\n",
        "granary_shard_parked{machine=\"metering\",shard=\"1\"} 0\n", "# HELP granary_tiny_events What it has seen\n",
        "# TYPE granary_tiny_events gauge\n", "granary_shard_lane_alarms_total{machine=\"billing\",shard=\"0\"} 0\n",
        "granary_door_request_seconds_count{waits_for=\"append\"} 1\n",
        "granary_door_request_seconds_count{waits_for=\"fold\"} 0\n", "granary_door_append_seconds_count 1\n",
        "granary_door_appends_in_flight 0\n", "granary_clock_last_tick_seconds 1793534400\n"})
    EXPECT_NE(response.body.find(line), std::string::npos) << line << response.body;
}

TEST_F(Routes, WhatAMachineTellsIsShownOfEachShard) {
  start();
  const auto posted = parsed(serve(batch_of({CloudSample()})).body);
  const std::string shard = text_at(posted, {"results", "0", "receipt", "partition"});
  const std::string line = "granary_tiny_events{machine=\"metering\",shard=\"" + shard + "\"} ";
  // As of a commit: it gets there, or runs into the test's time limit.
  while (get("/metrics").body.find(line + "1\n") == std::string::npos) std::this_thread::yield();
  const auto status = parsed(get("/v1/status").body);
  for (const json::Value& one : status.find("shards")->items()) {
    const bool is_that = text_at(one, {"machine"}) == "metering" && text_at(one, {"shard"}) == shard;
    EXPECT_EQ(text_at(one, {"tiny"}), is_that ? "1" : "0");
  }
}

}  // namespace
}  // namespace granary::operate
