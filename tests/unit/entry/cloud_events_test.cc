// What a door takes and refuses of a CloudEvent: a sample that is taken, one change, the rule and the field.
#include "shared/entry/cloud_events.h"

#include <gtest/gtest.h>

#include "shared/entry/raw_record.h"
#include "shared/events/record.h"
#include "shared/machine/machine.h"
#include "shared/proof/hash.h"
#include "tests/support/cloud_sample.h"
#include "tests/support/test_ledger.h"

namespace granary::entry {
namespace {

using http::Problem;
using test::CloudSample;
using test::kModes;
using test::Mode;
using units::Instant;

// 2026-11-01T12:00:00Z
constexpr Instant kRecordedAt{1793534400000};
const http::Caller kToken{http::CallerKind::token, "t-7f3a"};

const char* name_of(Mode mode) {
  return mode == Mode::binary ? "binary" : mode == Mode::structured ? "structured" : "batch";
}

std::variant<std::vector<Received>, Problem> read(const http::Request& request) {
  return read_cloud_events(request.headers, request.body, kRecordedAt);
}

void expect_refused(const CloudSample& sample, Mode mode, const std::string& reason, const std::string& field) {
  const auto read_all = read(sample.request(mode));
  ASSERT_EQ(read_all.index(), 0U) << name_of(mode) << ": " << sample.json() << "\n"
                                  << std::get<Problem>(read_all).detail;
  const auto& all = std::get<0>(read_all);
  ASSERT_EQ(all.size(), 1U);
  const auto* error = std::get_if<codec::FormError>(&all[0].outcome);
  ASSERT_NE(error, nullptr) << name_of(mode) << " took " << sample.json();
  EXPECT_EQ(error->reason, reason) << name_of(mode) << ": " << sample.json() << "\n" << error->field << error->hint;
  EXPECT_EQ(error->field, field) << name_of(mode) << ": " << sample.json() << "\n" << error->hint;
  EXPECT_FALSE(error->hint.empty()) << sample.json();
}

void expect_taken(const CloudSample& sample, Mode mode) {
  const auto read_all = read(sample.request(mode));
  ASSERT_EQ(read_all.index(), 0U) << name_of(mode) << ": " << std::get<Problem>(read_all).detail;
  const auto& received = std::get<0>(read_all).at(0);
  const auto* error = std::get_if<codec::FormError>(&received.outcome);
  EXPECT_EQ(error, nullptr) << name_of(mode) << ": " << sample.json() << "\n"
                            << error->reason << ' ' << error->field << ' ' << error->hint;
}

TEST(CloudEvents, RefusesWrongAttributes) {
  struct Case {
    std::string attribute, value;  // an empty value: left out
    std::string reason;
    bool in_headers = true;  // whether binary mode can say it
  };
  const std::string long_text = '"' + std::string(257, 'x') + '"';
  const std::vector<Case> cases = {
      {"specversion", "", "malformed"},
      {"specversion", R"("0.3")", "unsupported_version"},
      {"specversion", R"("1.0.2")", "unsupported_version"},
      {"specversion", "1", "malformed", false},
      {"id", "", "malformed"},
      {"id", R"("")", "malformed"},
      {"id", "81234", "malformed", false},
      {"id", "null", "malformed", false},
      {"id", long_text, "malformed"},
      {"id", R"("a\tb")", "malformed", false},
      {"source", "", "malformed"},
      {"source", R"("")", "malformed"},
      {"source", R"("two words")", "malformed"},
      {"source", R"("1a:b")", "malformed"},
      {"source", R"(":b")", "malformed"},
      {"source", R"("a%2")", "malformed"},
      {"source", R"("a#b#c")", "malformed"},
      {"source", R"("grün")", "malformed"},
      {"source", "{}", "malformed", false},
      {"type", "", "malformed"},
      {"type", R"("")", "malformed"},
      {"type", R"("granary.usage.reported.v2")", "unknown_type"},
      {"type", R"("granary.usage.reported")", "unknown_type"},
      {"type", R"("com.example.thing")", "unknown_type"},
      {"type", R"("granary.usage.corrected.v1")", "unknown_type"},  // reserved
      {"type", R"("granary.usage.metered.v1")", "unknown_type"},    // derived
      {"type", R"("granary.record.refused.v1")", "unknown_type"},
      {"time", "", "malformed"},
      {"time", R"("")", "malformed"},
      {"time", R"("2026-11-01T00:30:07")", "time_without_zone"},
      {"time", R"("2026-11-01")", "malformed"},
      {"time", R"("1969-12-31T23:59:59Z")", "time_out_of_range"},
      {"time", "1793493007", "malformed", false},
      {"actor", R"("")", "malformed"},
      {"actor", "true", "malformed", false},
      {"actor", long_text, "malformed"},
      {"actor", R"("ada@aurora.example")", "personal_data"},
      {"caller", R"("token")", "unknown_field"},  // the door's own
      {"caller", R"("")", "unknown_field"},
      {"caller", "7", "unknown_field", false},
      {"caller", "true", "unknown_field", false},
      {"collector", R"("")", "malformed"},
      {"collector", R"("a\tb")", "malformed", false},
      {"collector", '"' + std::string(65, 'x') + '"', "malformed"},
      {"collector", "7", "malformed", false},
      {"collector", "{}", "malformed", false},
      {"Collector", R"("slurm-agent/0.4.1")", "unknown_field", false},
      {"traceparent", "7", "malformed", false},
      {"datacontenttype", R"("application/xml")", "unsupported_content_type", false},
      {"datacontenttype", R"("application/json; charset=latin1")", "unsupported_content_type", false},
      {"data_base64", R"("e30=")", "malformed", false},
      {"Colour", R"("red")", "unknown_field", false},
      {"Colour", "7", "unknown_field", false},
      {"my_name", R"("red")", "unknown_field"},
      {"my-name", R"("red")", "unknown_field"},
      {"grün", R"("red")", "unknown_field", false},
      {"", "true", "unknown_field", false},
      {"colour", "7.5", "malformed", false},
      {"sequence", "7.5", "malformed", false},
      {"sequence", "[]", "malformed", false},
      {"colour", "{}", "malformed", false},
      {"colour", "1e3", "malformed", false},
      {"subject", "1", "malformed", false},
  };
  for (const Case& c : cases)
    for (const Mode mode : kModes)
      if (c.in_headers || mode != Mode::binary)
        expect_refused(CloudSample().with(c.attribute, c.value), mode, c.reason, '/' + c.attribute);
}

TEST(CloudEvents, RefusesWrongData) {
  struct Case {
    std::string from, to;
    std::string reason, field;
  };
  const std::string quantity = R"("quantity":"2")";
  const std::string start = R"("2026-10-31T23:30:00Z")";
  const std::string end = R"("2026-11-01T00:30:00Z")";
  const std::string at_quantity = "/data/resources/0/quantity";
  const std::vector<Case> cases = {
      {quantity, R"("quantity":"-2")", "quantity_not_positive", at_quantity},
      {quantity, R"("quantity":"0")", "quantity_not_positive", at_quantity},
      {quantity, R"("quantity":"1.2345")", "quantity_too_precise", at_quantity},
      {quantity, R"("quantity":"79228162514264337593543950336")", "quantity_overflow", at_quantity},
      {quantity, R"("quantity":"99999999999999999999999999999999999999999")", "quantity_overflow", at_quantity},
      {quantity, R"("quantity":2)", "malformed", at_quantity},
      {quantity, R"("quantity":1e400)", "malformed", at_quantity},
      {quantity, R"("quantity":"NaN")", "malformed", at_quantity},
      {quantity, R"("quantity":true)", "malformed", at_quantity},
      {start, R"("2026-11-01T00:30:00.001Z")", "end_before_start", "/data/end"},
      {start, R"("2026-10-31T23:30:00")", "time_without_zone", "/data/start"},
      {end, R"("2026-11-01T00:30:00")", "time_without_zone", "/data/end"},
      {end, "1793493000", "malformed", "/data/end"},
      {end, R"("2026-11-01T13:00:00.001Z")", "usage_in_future", "/data/end"},
      {end, R"("9999-01-01T00:00:00Z")", "usage_in_future", "/data/end"},
      {R"("activity")", R"("activty")", "unknown_field", "/data/activty"},
      {R"("quantity")", R"("amont":"1","quantity")", "unknown_field", "/data/resources/0/amont"},
      {R"("activity")", R"("caller":{"kind":"token","id":"t-1"},"activity")", "unknown_field", "/data/caller"},
      {R"("activity")", R"("collector":"slurm-agent/0.4.1","activity")", "unknown_field", "/data/collector"},
      {R"("activity")", R"("member":"ada@aurora.example","activity")", "personal_data", "/data/member"},
      {R"("aurora-llm")", "7", "malformed", "/data/project"},
      {R"("aurora-llm")", R"("")", "malformed", "/data/project"},
      {test::kUsageData, "[]", "malformed", "/data"},
      {test::kUsageData, "null", "malformed", "/data"},
      {test::kUsageData, R"("text")", "malformed", "/data"},
      {test::kUsageData, "{}", "malformed", "/data/resources"},
  };
  for (const Case& c : cases)
    for (const Mode mode : kModes) expect_refused(CloudSample().with_data(c.from, c.to), mode, c.reason, c.field);

  CloudSample interim = CloudSample().with("type", R"("granary.usage.interim.v1")");
  interim.data = R"({"root":{"source":"slurm://aif1","id":"81234"},"project":"p","resources":[{"class":"gpu",)"
                 R"("quantity":"1"}],"start":"2026-11-01T00:00:00Z","measured_at":"2026-11-01T13:00:00.001Z"})";
  for (const Mode mode : kModes) expect_refused(interim, mode, "usage_in_future", "/data/measured_at");
  interim = interim.with_data("13:00:00.001Z", "13:00:00Z");
  for (const Mode mode : kModes) expect_taken(interim, mode);
  interim = interim.with_data(R"("project")", R"("member":"@","project")");
  for (const Mode mode : kModes) expect_refused(interim, mode, "personal_data", "/data/member");
}

TEST(CloudEvents, TakesWhatTheSpecificationAllows) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"source", R"("urn:granary:import:0a1b")"},
      {"source", R"("/relative/path?q=1#f")"},
      {"source", R"("a%20b")"},
      {"time", R"("2026-11-01T01:30:07+01:00")"},
      {"time", R"("2026-11-01T00:30:07.123456789Z")"},
      {"id", R"("ein wäg")"},
      {"actor", ""},
      {"traceparent", ""},
      {"collector", R"("slurm-agent/0.4.1")"},
      {"collector", '"' + std::string(64, 'x') + '"'},
      {"subject", R"("job")"},
      {"dataschema", R"("https://example.org/schema")"},
      {"sequence", R"("12")"},
      {"partitionkey", R"("aurora")"},
      {"recordedtime", R"("2026-11-01T00:30:07Z")"},
      {"tracestate", '"' + std::string(500, 'a') + '"'},
  };
  for (const auto& [name, value] : changes)
    for (const Mode mode : kModes) expect_taken(CloudSample().with(name, value), mode);
  for (const Mode mode : {Mode::structured, Mode::batch}) {
    expect_taken(CloudSample().with("datacontenttype", R"("Application/JSON; charset=\"utf-8\"")"), mode);
    expect_taken(CloudSample().with("actor", "null"), mode);
    expect_taken(CloudSample().with("caller", "null"), mode);
    expect_taken(CloudSample().with("collector", "null"), mode);
    expect_taken(CloudSample().with("sequence", "12"), mode);
  }
}

TEST(CloudEvents, ExtensionsThatNobodyHereKnowsAreIgnored) {
  Bytes plain;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"knativearrivaltime", R"("2026-11-01T01:00:01Z")"},
           {"colour", R"("red")"},
           {"colour", R"("")"},
           {"colour", R"("a\tb grün")"},
           {"colour", "7"},
           {"colour", "-7"},
           {"colour", "true"},
           {"colour", "null"},
           {"0", R"("1")"},
           {"anattributewithmorethantwentycharacters", '"' + std::string(5000, 'x') + '"'}}) {
    for (const Mode mode : kModes) {
      if (mode == Mode::binary && (value.empty() || value.front() != '"' || value.find('\\') != std::string::npos))
        continue;
      SCOPED_TRACE(name + ": " + value + ", " + name_of(mode));
      const CloudSample sample = name.empty() ? CloudSample() : CloudSample().with(name, value);
      expect_taken(sample, mode);
      auto outcome = read(sample.request(mode));
      auto made = make_raw_record(std::get<CloudEvent>(std::move(std::get<0>(outcome).at(0).outcome)), "http", {},
                                  kRecordedAt, {test::kTestLedger, 8, 1});
      if (plain.empty()) plain = std::get<RawRecord>(made).bytes;
      EXPECT_EQ(to_hex(std::get<RawRecord>(made).bytes), to_hex(plain)) << "nothing of it is kept";
    }
  }
}

TEST(CloudEvents, AByteOrderMarkIsSkippedInEachMode) {
  for (const Mode mode : kModes) {
    http::Request request = CloudSample().request(mode);
    request.body.insert(0, "\xEF\xBB\xBF");
    const auto outcome = read(request);
    ASSERT_EQ(outcome.index(), 0U) << name_of(mode);
    EXPECT_TRUE(std::holds_alternative<CloudEvent>(std::get<0>(outcome).at(0).outcome)) << name_of(mode);
  }
}

TEST(CloudEvents, AnotherEncodingIsNamed) {
  for (const Mode mode : kModes) {
    http::Request request = CloudSample().request(mode);
    std::string wide("\xFF\xFE");
    for (const char c : request.body) wide += {c, '\0'};
    std::swap(request.body, wide);
    auto outcome = read(request);
    ASSERT_EQ(outcome.index(), 1U) << name_of(mode);
    EXPECT_EQ(std::get<Problem>(outcome).status, 400);
    EXPECT_NE(std::get<Problem>(outcome).detail.find("UTF-16"), std::string::npos) << std::get<Problem>(outcome).detail;
    EXPECT_NE(std::get<Problem>(outcome).hint.value_or("").find("iconv"), std::string::npos);
  }
  for (const char* type : {"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"}) {
    for (const auto& [parameter, charset] : std::vector<std::pair<std::string, std::string>>{
             {"; charset=UTF-16", "utf-16"}, {";x=y ; Charset=\"ISO-8859-1\"", "iso-8859-1"}}) {
      const auto outcome = read_cloud_events({{"content-type", type + parameter}}, "{}", kRecordedAt);
      ASSERT_EQ(outcome.index(), 1U) << type << parameter;
      const Problem& problem = std::get<Problem>(outcome);
      EXPECT_EQ(problem.status, 415) << type << parameter;
      EXPECT_NE(problem.detail.find("charset utf-8, got " + charset), std::string::npos) << problem.detail;
      EXPECT_NE(problem.hint.value_or("").find("UTF-8"), std::string::npos) << *problem.hint;
    }
  }
}

TEST(CloudEvents, RefusesWholeRequests) {
  struct Case {
    std::string content_type, body;
    int status;
    std::string type, field;
  };
  const std::string structured = "application/cloudevents+json";
  const std::string batch = "application/cloudevents-batch+json";
  const std::string good = CloudSample().json();
  const std::string deep = std::string(17, '[') + std::string(17, ']');
  const std::string twice = CloudSample().with_data(R"("activity")", R"("project":"b","activity")").json();
  const std::string nan = CloudSample().with_data(R"("2")", "NaN").json();
  const std::string nested = CloudSample().with_data(R"("train")", deep).json();
  std::string many = "[{}";
  for (int i = 0; i < 1000; ++i) many += ",{}";
  const std::vector<Case> cases = {
      {"", good, 415, "unsupported_content_type", ""},
      {"text/plain", good, 415, "unsupported_content_type", ""},
      {"application/xml", good, 415, "unsupported_content_type", ""},
      {"application/cloudevents+xml", good, 415, "unsupported_content_type", ""},
      {"application/cloudevents+json; charset=latin1", good, 415, "unsupported_content_type", ""},
      {structured, "", 400, "malformed", ""},
      {structured, "not json", 400, "malformed", ""},
      {structured, good.substr(0, good.size() / 2), 400, "malformed", "/traceparent"},
      {structured, good + "x", 400, "malformed", ""},
      {structured, "[" + good + "]", 400, "malformed", ""},
      {structured, twice, 400, "malformed", "/data/project"},
      {structured, nan, 400, "malformed", "/data/resources/0/quantity"},
      {structured, nested, 400, "malformed", "/data/activity/0/0/0/0/0/0/0/0/0/0/0/0/0/0"},
      {structured, "{\"id\":\"\xFF\"}", 400, "malformed", "/id"},
      {batch, good, 400, "malformed", ""},
      {batch, "[" + good + ",]", 400, "malformed", "/1"},
      {batch, "[" + good + "," + twice + "]", 400, "malformed", "/1/data/project"},
      {batch, "[" + nan + "]", 400, "malformed", "/0/data/resources/0/quantity"},
      {batch, many + "]", 413, "batch_too_large", ""},
      {"application/json", twice, 400, "malformed", "/data/project"},
      {"application/json", "{", 400, "malformed", ""},
      {batch, "[\"" + std::string(1U << 20, 'x') + "\"]", 413, "body_too_large", ""},
  };
  for (const Case& c : cases) {
    http::Fields headers;
    if (!c.content_type.empty()) headers.push_back({"content-type", c.content_type});
    const auto outcome = read_cloud_events(headers, c.body, kRecordedAt);
    const auto* problem = std::get_if<Problem>(&outcome);
    ASSERT_NE(problem, nullptr) << c.content_type << ' ' << c.body.substr(0, 400);
    EXPECT_EQ(problem->status, c.status) << c.content_type << ' ' << problem->detail;
    EXPECT_EQ(problem->type, c.type) << c.content_type << ' ' << problem->detail;
    EXPECT_EQ(problem->field.value_or(""), c.field) << c.content_type << ' ' << problem->detail;
    EXPECT_FALSE(problem->detail.empty());
    EXPECT_TRUE(problem->hint && !problem->hint->empty()) << problem->detail;
  }
}

TEST(CloudEvents, RefusesWrongHeaders) {
  const http::Request good = CloudSample().request(Mode::binary);
  const auto refused = [&good](const std::string& name, const std::string& value) {
    http::Request request = good;
    request.headers.push_back({name, value});
    const auto outcome = read(request);
    const auto* error = std::get_if<codec::FormError>(&std::get<0>(outcome).at(0).outcome);
    return error == nullptr ? std::string("taken") : error->reason + ' ' + error->field;
  };
  EXPECT_EQ(refused("ce-id", "again"), "malformed /id");
  EXPECT_EQ(refused("ce-subject", "%zz"), "malformed /subject");
  EXPECT_EQ(refused("ce-subject", "%FF"), "malformed /subject");
  EXPECT_EQ(refused("ce-subject", "\"open\\\""), "malformed /subject");
  EXPECT_EQ(refused("ce-subject", "\"a\\\"b\""), "taken");
  EXPECT_EQ(refused("ce-datacontenttype", "application/json"), "unknown_field /datacontenttype");
  EXPECT_EQ(refused("ce-data", "x"), "unknown_field /data");
  EXPECT_EQ(refused("x-request-id", "x"), "taken");

  http::Request bare;
  bare.headers = {{"content-type", "application/json"}};
  bare.body = CloudSample().json();
  const auto outcome = read(bare);
  const auto* error = std::get_if<codec::FormError>(&std::get<0>(outcome).at(0).outcome);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->field, "/specversion");
}

TEST(CloudEvents, EachOfABatchIsJudgedAlone) {
  http::Request request = test::batch_of({CloudSample(), CloudSample().with_id("b").with("type", R"("x")")});
  request.body.insert(request.body.size() - 1, ",17");
  const auto outcome = read(request);
  ASSERT_EQ(outcome.index(), 0U);
  const auto& all = std::get<0>(outcome);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<CloudEvent>(all[0].outcome));
  EXPECT_EQ(std::get<codec::FormError>(all[1].outcome).field, "/type");
  EXPECT_EQ(all[1].id, "b");
  EXPECT_EQ(std::get<codec::FormError>(all[2].outcome).reason, "malformed");
  request.body = "[]";
  const auto none = read(request);
  ASSERT_EQ(none.index(), 0U);
  EXPECT_TRUE(std::get<0>(none).empty());
}

TEST(CloudEvents, TheModeLeavesNoTrace) {
  std::vector<Bytes> records;
  for (const Mode mode : kModes) {
    auto outcome = read(CloudSample().with_id("ein wäg").with("collector", R"("slurm-agent/0.4.1")").request(mode));
    auto& received = std::get<0>(outcome).at(0);
    ASSERT_TRUE(std::holds_alternative<CloudEvent>(received.outcome)) << name_of(mode);
    auto made = make_raw_record(std::move(std::get<CloudEvent>(received.outcome)), "http", kToken, kRecordedAt,
                                {test::kTestLedger, 8, 1});
    records.push_back(std::get<RawRecord>(made).bytes);
    EXPECT_EQ(std::get<RawRecord>(made).partition, proof::shard_of({"slurm://aif1", "ein wäg"}, 8));
  }
  EXPECT_EQ(to_hex(records[0]), to_hex(records[1]));
  EXPECT_EQ(to_hex(records[0]), to_hex(records[2]));
  events::Raw raw;
  ASSERT_TRUE(codec::decode(events::body_of(records[0]), raw));
  EXPECT_EQ(raw.source, "slurm://aif1");
  EXPECT_EQ(raw.id, "ein wäg");
  EXPECT_EQ(raw.root, events::Root{});
  EXPECT_EQ(units::format_time(raw.time), "2026-11-01T00:30:07.123Z");
  EXPECT_EQ(raw.actor, "agent-7");
  EXPECT_EQ(raw.caller.kind, events::CallerKind::token);
  EXPECT_EQ(raw.caller.id, "t-7f3a");
  EXPECT_EQ(raw.collector, "slurm-agent/0.4.1");
  EXPECT_EQ(raw.door, "http");
  EXPECT_EQ(raw.trace, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(raw.recorded_at, kRecordedAt);
  EXPECT_EQ(raw.notes.activity, "train");
  EXPECT_EQ(events::peek_type(raw.substance), events::kType<events::UsageReported>);
}

CloudEvent event_of(const CloudSample& sample) {
  auto outcome = read(sample.request(Mode::structured));
  return std::move(std::get<CloudEvent>(std::get<0>(outcome).at(0).outcome));
}

events::Raw raw_of(const CloudSample& sample, const http::Caller& caller) {
  const auto made = make_raw_record(event_of(sample), "http", caller, kRecordedAt, {test::kTestLedger, 8, 1});
  events::Raw raw;
  EXPECT_TRUE(codec::decode(events::body_of(std::get<RawRecord>(made).bytes), raw));
  return raw;
}

TEST(RawRecord, AlwaysSaysWhoCalledBesideWhatTheSenderSays) {
  const struct {
    http::CallerKind called;
    events::CallerKind written;
  } kinds[] = {{http::CallerKind::open, events::CallerKind::open},
               {http::CallerKind::token, events::CallerKind::token},
               {http::CallerKind::oidc, events::CallerKind::oidc},
               {http::CallerKind::mtls, events::CallerKind::mtls}};
  for (const auto& [called, written] : kinds) {
    const events::Raw raw = raw_of(CloudSample(), {called, "c-1"});
    EXPECT_EQ(raw.caller.kind, written);
    EXPECT_EQ(raw.caller.id, "c-1");
    EXPECT_EQ(raw.actor, "agent-7") << "which stays what the sender said";
  }
  const events::Raw unsaid = raw_of(CloudSample().with("actor", ""), {});
  EXPECT_EQ(unsaid.actor, "") << "the door puts nobody in the place of an actor";
  EXPECT_EQ(unsaid.caller.kind, events::CallerKind::open);
  EXPECT_EQ(unsaid.caller.id, "");
}

TEST(RawRecord, AnOpenCallerCostsFourBytes) {
  const auto made = make_raw_record(event_of(CloudSample()), "http", {}, kRecordedAt, {test::kTestLedger, 8, 1});
  const std::string hex = to_hex(std::get<RawRecord>(made).bytes);
  EXPECT_TRUE(hex.ends_with("5a020801")) << hex;
}

TEST(RawRecord, KeepsTheCollectorOfUsageAlone) {
  const CloudSample sample = CloudSample().with("collector", R"("slurm-agent/0.4.1")");
  EXPECT_EQ(raw_of(sample, {}).collector, "slurm-agent/0.4.1");
  EXPECT_EQ(raw_of(CloudSample(), {}).collector, "");
  CloudSample interim = sample.with("type", R"("granary.usage.interim.v1")");
  interim.data = R"({"root":{"source":"slurm://aif1","id":"81234"},"project":"p","resources":[{"class":"gpu",)"
                 R"("quantity":"1"}],"start":"2026-11-01T00:00:00Z","measured_at":"2026-11-01T01:00:00Z"})";
  EXPECT_EQ(raw_of(interim, {}).collector, "slurm-agent/0.4.1");
  CloudSample decision = sample.with("type", R"("granary.project.registered.v1")");
  decision.data = R"({"project":"aurora-llm","organisation":"aurora"})";
  EXPECT_EQ(raw_of(decision, {}).collector, "") << "nobody collects a decision";
}

// So two paths that report one job agree.
TEST(RawRecord, WhoBroughtAUsageIsNoPartOfWhatItSays) {
  const events::Raw agent = raw_of(CloudSample().with("collector", R"("slurm-agent/0.4.1")"), kToken);
  const events::Raw import =
      raw_of(CloudSample().with("collector", R"("granary-import/1.2")").with("actor", R"("operator-17")"), {});
  EXPECT_EQ(to_hex(agent.substance), to_hex(import.substance));
  EXPECT_EQ(machine::identity_of(agent), machine::identity_of(import));
}

TEST(RawRecord, GoesWhereItsRootGoes) {
  CloudSample sample = CloudSample().with("type", R"("granary.usage.interim.v1")").with("actor", "");
  sample.data = R"({"root":{"source":"slurm://aif1","id":"81234"},"project":"p","resources":[{"class":"gpu",)"
                R"("quantity":"1"}],"start":"2026-11-01T00:00:00Z","measured_at":"2026-11-01T01:00:00Z"})";
  auto made = make_raw_record(event_of(sample), "http", {}, kRecordedAt, {test::kTestLedger, 1024, 1});
  const auto& record = std::get<RawRecord>(made);
  EXPECT_EQ(record.topic, machine::Topic::usage);
  EXPECT_EQ(record.partition, proof::shard_of({"slurm://aif1", "81234"}, 1024));
  events::Raw raw;
  ASSERT_TRUE(codec::decode(events::body_of(record.bytes), raw));
  EXPECT_EQ(raw.root, (events::Root{"slurm://aif1", "81234"}));

  sample = CloudSample().with("type", R"("granary.project.registered.v1")");
  sample.data = R"({"project":"aurora-llm","organisation":"aurora"})";
  auto decision = make_raw_record(event_of(sample), "http", {}, kRecordedAt, {test::kTestLedger, 1024, 1});
  EXPECT_EQ(std::get<RawRecord>(decision).topic, machine::Topic::applications);
  EXPECT_EQ(std::get<RawRecord>(decision).partition, 0);
}

TEST(RawRecord, IsRefusedWhereItIsTooLarge) {
  CloudSample sample = CloudSample().with("type", R"("granary.policy.published.v1")");
  sample.data = R"({"kind":"resource_classes","version":"1","effective":"2026-01-01T00:00:00Z","content":{"classes":[)";
  for (int i = 0; i < 250; ++i) {
    if (i > 0) sample.data += ',';
    sample.data +=
        R"({"class":")" + std::to_string(i) + std::string(250, 'x') + R"(","unit":"resource-us","charging":"lots"})";
  }
  sample.data += "]}}";
  const auto made = make_raw_record(event_of(sample), "http", {}, kRecordedAt, {test::kTestLedger, 8, 1});
  const auto* error = std::get_if<codec::FormError>(&made);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->reason, "record_too_large");
}

}  // namespace
}  // namespace granary::entry
