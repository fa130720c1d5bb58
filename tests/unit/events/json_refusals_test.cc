// What a door refuses of each raw event, one line per case: a document that is taken, one change, the rule and the
// field.
#include <gtest/gtest.h>

#include <map>

#include "shared/events/json.h"

namespace granary::events {
namespace {

const std::map<EventType, std::string> kGood = {
    {kType<OrganisationRegistered>,
     R"({"organisation":"aurora","name":"Aurora Oy","kind":"sme","country":"FI","undertaking":"aurora-group",)"
     R"("from":"2026-09-01T00:00:00Z","legal_ids":[{"scheme":"0199","id":"LEI","from":"2026-02-01T00:00:00Z",)"
     R"("to":"2028-02-01T00:00:00Z"}],"activity":"62.01","established_in":"DK","controlled_from":["NO","SE"],)"
     R"("refs":[{"system":"federation","id":"org:1"}]})"},
    {kType<ProjectRegistered>, R"({"project":"aurora-llm","organisation":"aurora","purpose":"research"})"},
    {kType<AccountBound>, R"({"cluster":"aif1","account":"p200","project":"aurora-llm","from":"2026-10-01T00:00:00Z",)"
                          R"("to":"2026-12-01T00:00:00Z"})"},
    {kType<ApplicationSubmitted>,
     R"({"application":"A-7","project":"aurora-llm","access_mode":"fast-lane","resources":[{"class":"gpu:h200",)"
     R"("quantity":"10.75","unit":"resource-hour"}],"period_from":"2026-10-01T00:00:00Z",)"
     R"("period_to":"2026-12-01T00:00:00Z","declarations":["no-prohibited-practice"]})"},
    {kType<ScreeningDecided>, R"({"application":"A-7","questionnaire":"2026-1","outcome":"cleared"})"},
    {kType<ApplicationDecided>,
     R"({"application":"A-7","project":"aurora-llm","outcome":"awarded","grant":{"machine":"aif1","seller":"aif1",)"
     R"("legal_basis":"de-minimis-2023-2831","member_state":"FI","funding":{"kind":"share","share":"0.4"},)"
     R"("lots":[{"class":"gpu:h200","quantity":"10","unit":"resource-hour","from":"2026-10-01T00:00:00Z",)"
     R"("to":"2026-11-01T00:00:00Z","priority":1}]}})"},
    {kType<PolicyPublished>,
     R"({"kind":"resource_classes","version":"1","effective":"2026-01-01T00:00:00Z","content":{"classes":)"
     R"([{"class":"gpu:h200","unit":"resource-us","charging":"lots"}]}})"},
    {kType<PriceBookPublished>,
     R"({"seller":"aif1","version":"3","effective":"2026-01-01T00:00:00Z","currency":"EUR","prices":)"
     R"([{"class":"gpu:h200","price":"2.50","per":"resource-hour","customer_kinds":["sme"]}]})"},
    {kType<RulesActivated>, R"({"version":2})"},
    {kType<SourceStated>, R"({"source":"slurm://aif1","complete_through":"2026-11-01T00:00:00Z","records":12})"},
    {kType<UsageReported>,
     R"({"project":"aurora-llm","resources":[{"class":"gpu:h200","quantity":"2"},{"class":"calls","amount":"7",)"
     R"("unit":"item"}],"start":"2026-10-31T23:30:00Z","end":"2026-11-01T00:30:00Z","activity":"train"})"},
    {kType<UsageInterim>,
     R"({"root":{"source":"slurm://aif1","id":"81234"},"cluster":"aif1","account":"p200","resources":)"
     R"([{"class":"gpu:h200","quantity":"2"}],"start":"2026-10-31T23:30:00Z","measured_at":"2026-11-01T00:00:00Z"})"},
};

struct Case {
  EventType type;
  std::string from, to;  // the one change to the good document
  std::string reason, field;
};

std::optional<FormError> read(EventType type, const std::string& text, Event& event, UsageNotes& notes) {
  const auto value = json::parse(text);
  EXPECT_TRUE(value.ok()) << text << "\n" << (value.ok() ? "" : value.error().message);
  if (!value.ok()) return std::nullopt;
  return read_raw_event(type, *value, "/data", event, notes);
}

void expect_refused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    std::string text = kGood.at(c.type);
    const std::size_t at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    ASSERT_EQ(text.find(c.from, at + 1), std::string::npos) << c.from << " stands twice";
    text.replace(at, c.from.size(), c.to);
    Event event;
    UsageNotes notes;
    const auto error = read(c.type, text, event, notes);
    ASSERT_TRUE(error) << "was taken: " << text;
    EXPECT_EQ(error->reason, c.reason) << text << "\n" << error->field << ": " << error->hint;
    EXPECT_EQ(error->field, c.field) << text << "\n" << error->hint;
    EXPECT_FALSE(error->hint.empty()) << text;
  }
}

void expect_taken(EventType type, const std::string& from, const std::string& to) {
  std::string text = kGood.at(type);
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  Event event;
  UsageNotes notes;
  const auto error = read(type, text, event, notes);
  EXPECT_FALSE(error) << text << "\n" << error->reason << " " << error->field << ": " << error->hint;
  EXPECT_EQ(type_of(event), type);
}

TEST(ReadRawEvent, TakesTheGoodDocuments) {
  for (const auto& [type, text] : kGood) expect_taken(type, "", "");
  Event event;
  UsageNotes notes;
  ASSERT_FALSE(read(kType<UsageReported>, kGood.at(kType<UsageReported>), event, notes));
  const auto& usage = std::get<UsageReported>(event);
  EXPECT_EQ(usage.project, "aurora-llm");
  EXPECT_EQ(usage.resources[0].quantity, Quantity(2000));
  EXPECT_EQ(usage.resources[1].amount, Amount(7));
  EXPECT_EQ(usage.end.ms() - usage.start.ms(), 3'600'000);
  EXPECT_EQ(notes.activity, "train");
}

TEST(ReadRawEvent, RefusesWrongNumbers) {
  const auto usage = kType<UsageReported>;
  const std::string two = R"("quantity":"2")";
  const std::string quantity = "/data/resources/0/quantity";
  expect_refused({
      {usage, two, R"("quantity":"-2")", "quantity_not_positive", quantity},
      {usage, two, R"("quantity":"0")", "quantity_not_positive", quantity},
      {usage, two, R"("quantity":"0.000")", "quantity_not_positive", quantity},
      {usage, two, R"("quantity":"0.0001")", "quantity_too_precise", quantity},
      {usage, two, R"("quantity":"2.5000")", "quantity_too_precise", quantity},
      {usage, two, R"("quantity":"79228162514264337593543950336")", "quantity_overflow", quantity},
      {usage, two, R"("quantity":"79228162514264337593543950.337")", "quantity_overflow", quantity},
      {usage, two, R"("quantity":"79228162514264337593543950.336")", "quantity_overflow", quantity},
      {usage, two, R"("quantity":"2e1")", "malformed", quantity},
      {usage, two, R"("quantity":"+2")", "malformed", quantity},
      {usage, two, R"("quantity":"02")", "malformed", quantity},
      {usage, two, R"("quantity":"2.")", "malformed", quantity},
      {usage, two, R"("quantity":"2,5")", "malformed", quantity},
      {usage, two, R"("quantity":" 2")", "malformed", quantity},
      {usage, two, R"("quantity":"")", "malformed", quantity},
      {usage, two, R"("quantity":2)", "malformed", quantity},
      {usage, two, R"("quantity":null)", "malformed", quantity},
      {usage, R"("amount":"7")", R"("amount":"7.5")", "quantity_too_precise", "/data/resources/1/amount"},
      {usage, R"("amount":"7")", R"("amount":"-7")", "quantity_not_positive", "/data/resources/1/amount"},
      {usage, R"("amount":"7")", R"("amount":"79228162514264337593543950337")", "quantity_overflow",
       "/data/resources/1/amount"},
      {kType<SourceStated>, "12", "-1", "malformed", "/data/records"},
      {kType<SourceStated>, "12", "1.0", "malformed", "/data/records"},
      {kType<SourceStated>, "12", "1e2", "malformed", "/data/records"},
      {kType<SourceStated>, "12", "\"12\"", "malformed", "/data/records"},
      {kType<SourceStated>, "12", "9223372036854775808", "malformed", "/data/records"},
  });
  expect_taken(usage, R"("amount":"7")", R"("amount":"79228162514264337593543950336")");
  expect_taken(usage, two, R"("quantity":"0.001")");
  expect_taken(kType<SourceStated>, "12", "0");
}

TEST(ReadRawEvent, RefusesWrongTimes) {
  const auto usage = kType<UsageReported>;
  const std::string start = R"("start":"2026-10-31T23:30:00Z")";
  expect_refused({
      {usage, start, R"("start":"2026-10-31T23:30:00")", "time_without_zone", "/data/start"},
      {usage, start, R"("start":"2026-10-31T23:30:00.0001Z")", "time_too_precise", "/data/start"},
      {usage, start, R"("start":"1969-12-31T23:59:59Z")", "time_out_of_range", "/data/start"},
      {usage, start, R"("start":"2026-10-31 23:30:00Z")", "malformed", "/data/start"},
      {usage, start, R"("start":"yesterday")", "malformed", "/data/start"},
      {usage, start, R"("start":1793489400000)", "malformed", "/data/start"},
      {usage, start, R"("start":"2026-11-01T00:30:00.001Z")", "end_before_start", "/data/end"},
      {kType<UsageInterim>, "2026-11-01T00:00:00Z", "2026-10-31T23:29:59Z", "end_before_start", "/data/measured_at"},
      {kType<AccountBound>, "2026-12-01", "2026-10-01", "end_before_start", "/data/to"},
      {kType<ApplicationSubmitted>, "2026-12-01", "2026-10-01", "end_before_start", "/data/period_to"},
      {kType<ApplicationDecided>, "2026-11-01", "2026-10-01", "lot_period_empty", "/data/grant/lots/0/to"},
      {kType<ApplicationDecided>, "2026-11-01", "2026-09-01", "lot_period_empty", "/data/grant/lots/0/to"},
      {kType<PriceBookPublished>, R"("2026-01-01T00:00:00Z")", "null", "malformed", "/data/effective"},
  });
  expect_taken(usage, start, R"("start":"2026-11-01T00:30:00Z")");
  expect_taken(usage, start, R"("start":"2026-11-01T01:30:00+01:00")");
}

TEST(ReadRawEvent, RefusesWrongShapes) {
  const auto usage = kType<UsageReported>;
  const auto organisation = kType<OrganisationRegistered>;
  const std::string whole = kGood.at(kType<ProjectRegistered>);
  const std::string project = R"("project":"aurora-llm")";
  const std::string gpu = R"({"class":"gpu:h200","quantity":"2"})";
  std::string many = R"("declarations":["a")";
  for (int i = 0; i < 256; ++i) many += R"(,"a")";
  expect_refused({
      {kType<ProjectRegistered>, whole, "[]", "malformed", "/data"},
      {kType<ProjectRegistered>, whole, "null", "malformed", "/data"},
      {kType<ProjectRegistered>, whole, "{}", "malformed", "/data/project"},
      {usage, R"("activity")", R"("activty")", "unknown_field", "/data/activty"},
      {usage, R"("activity")", R"("a/b~c")", "unknown_field", "/data/a~1b~0c"},
      {usage, R"("quantity")", R"("qty":"1","quantity")", "unknown_field", "/data/resources/0/qty"},
      {usage, R"("activity")", R"("Project")", "unknown_field", "/data/Project"},
      {kType<ProjectRegistered>, R"("purpose")", R"("activity")", "unknown_field", "/data/activity"},
      {kType<AccountBound>, R"("cluster")", R"("corrects":"1","cluster")", "unknown_field", "/data/corrects"},
      {kType<PriceBookPublished>, R"("seller")", R"("order":"1","seller")", "unknown_field", "/data/order"},
      {usage, R"("end":"2026-11-01T00:30:00Z",)", "", "malformed", "/data/end"},
      {organisation, R"("country":"FI",)", "", "malformed", "/data/country"},
      {kType<UsageInterim>, R"("root":{"source":"slurm://aif1","id":"81234"},)", "", "malformed", "/data/root"},
      {kType<UsageInterim>, R"(,"id":"81234")", "", "malformed", "/data/root/id"},
      {usage, project, R"("project":7)", "malformed", "/data/project"},
      {usage, project, R"("project":"")", "malformed", "/data/project"},
      {usage, project, R"("project":null)", "malformed", "/data/project"},
      {usage, project, R"("project":"a\nb")", "malformed", "/data/project"},
      {usage, project, R"("project":"a\u0000b")", "malformed", "/data/project"},
      {usage, project, R"("project":")" + std::string(257, 'a') + "\"", "malformed", "/data/project"},
      {usage, gpu, "7", "malformed", "/data/resources/0"},
      {kType<UsageInterim>, R"([{"class":"gpu:h200","quantity":"2"}])", "[]", "malformed", "/data/resources"},
      {kType<UsageInterim>, R"([{"class":"gpu:h200","quantity":"2"}])", "{}", "malformed", "/data/resources"},
      {kType<ApplicationSubmitted>, R"("declarations":["no-prohibited-practice")", many, "malformed",
       "/data/declarations"},
      {kType<ApplicationSubmitted>, R"("no-prohibited-practice")", "true", "malformed", "/data/declarations/0"},
      {organisation, R"("sme")", R"("SME")", "malformed", "/data/kind"},
      {organisation, R"("sme")", R"("")", "malformed", "/data/kind"},
      {organisation, R"("sme")", "2", "malformed", "/data/kind"},
      {kType<PriceBookPublished>, R"(["sme"])", R"(["sme","all"])", "malformed", "/data/prices/0/customer_kinds/1"},
  });
  expect_taken(usage, project, R"("project":")" + std::string(256, 'a') + "\"");
}

TEST(ReadRawEvent, RefusesUsageThatContradictsItself) {
  const auto usage = kType<UsageReported>;
  const std::string project = R"("project":"aurora-llm")";
  const std::string calls = R"("amount":"7","unit":"item")";
  expect_refused({
      {usage, project + ",", "", "malformed", "/data/project"},
      {usage, project, R"("cluster":"aif1")", "malformed", "/data/project"},
      {usage, project, R"("account":"p200")", "malformed", "/data/project"},
      {usage, project, project + R"(,"cluster":"aif1","account":"p200")", "malformed", "/data/project"},
      {usage, project, project + R"(,"account":"p200")", "malformed", "/data/project"},
      {usage, R"("calls")", R"("gpu:h200")", "malformed", "/data/resources/1/class"},
      {usage, "," + calls, "", "malformed", "/data/resources/1"},
      {usage, calls, R"("amount":"7","unit":"item","quantity":"1")", "malformed", "/data/resources/1"},
      {usage, calls, R"("amount":"7")", "malformed", "/data/resources/1"},
      {usage, R"("quantity":"2")", R"("quantity":"2","unit":"item")", "malformed", "/data/resources/0"},
      {usage, R"("item")", R"("gib-hour")", "malformed", "/data/resources/1/unit"},
      {usage, R"("quantity":"2")", R"("quantity":"70000000000000000000000000")", "quantity_overflow",
       "/data/resources/0/quantity"},
  });
  expect_taken(usage, project, R"("cluster":"aif1","account":"p200")");
}

TEST(ReadRawEvent, RefusesDecisionsThatContradictThemselves) {
  const auto decided = kType<ApplicationDecided>;
  const auto asked = kType<ApplicationSubmitted>;
  const auto screening = kType<ScreeningDecided>;
  const std::string share = R"("kind":"share","share":"0.4")";
  const std::string funding = "/data/grant/funding/share";
  const std::string lot = "/data/grant/lots/0";
  expect_refused({
      {kType<OrganisationRegistered>, R"("FI")", R"("fi")", "malformed", "/data/country"},
      {kType<OrganisationRegistered>, R"("FI")", R"("FIN")", "malformed", "/data/country"},
      {asked, R"("resource-hour")", R"("gpu-hour")", "malformed", "/data/resources/0/unit"},
      {asked, R"("10.75")", R"("10.7555")", "quantity_too_precise", "/data/resources/0/quantity"},
      {screening, R"("questionnaire":"2026-1",)", "", "malformed", "/data/questionnaire"},
      {screening, R"("outcome")", R"("basis":"trial","outcome")", "malformed", "/data/questionnaire"},
      {decided, R"("awarded")", R"("declined")", "malformed", "/data/grant"},
      {decided, share, R"("kind":"share")", "malformed", funding},
      {decided, share, R"("kind":"share","share":"0")", "malformed", funding},
      {decided, share, R"("kind":"share","share":"1.000000001")", "malformed", funding},
      {decided, share, R"("kind":"share","share":"-0.1")", "price_negative", funding},
      {decided, share, R"("kind":"share","share":"0.0000000001")", "quantity_too_precise", funding},
      {decided, share, R"("kind":"covered","share":"0.4")", "malformed", funding},
      {decided, share, R"("kind":"gift")", "malformed", "/data/grant/funding/kind"},
      {decided, R"("resource-hour")", R"("hours")", "malformed", lot + "/unit"},
      {decided, R"("quantity":"10")", R"("quantity":"70000000000000000000000000")", "quantity_overflow",
       lot + "/quantity"},
      {decided, R"("quantity":"10")", R"("quantity":"0")", "quantity_not_positive", lot + "/quantity"},
      {decided, R"("priority":1)", R"("priority":-1)", "malformed", lot + "/priority"},
      {decided, R"("priority":1)", R"("rank":1)", "unknown_field", lot + "/rank"},
  });
  expect_taken(decided, share, R"("kind":"share","share":"1")");
  expect_taken(decided, share, R"("kind":"pay_per_use")");
  expect_taken(screening, R"("questionnaire":"2026-1")", R"("basis":"trial")");
}

TEST(ReadRawEvent, RefusesNamesThatOtherSystemsDoNotGive) {
  const auto organisation = kType<OrganisationRegistered>;
  const std::string lei = R"({"scheme":"0199","id":"LEI")";
  const std::string ref = R"({"system":"federation","id":"org:1"})";
  const auto with_refs = [](EventType type) {
    const bool is_grant = type == kType<ApplicationDecided>;
    return Case{type, is_grant ? R"("machine":"aif1")" : R"("project":"aurora-llm")",
                std::string(is_grant ? R"("machine":"aif1")" : R"("project":"aurora-llm")") +
                    R"(,"refs":[{"system":"a:b","id":"1"}])",
                "malformed", is_grant ? "/data/grant/refs/0/system" : "/data/refs/0/system"};
  };
  std::vector<Case> cases{
      {organisation, R"("0199")", R"("LEI0")", "malformed", "/data/legal_ids/0/scheme"},
      {organisation, R"("0199")", R"("199")", "malformed", "/data/legal_ids/0/scheme"},
      {organisation, R"("0199")", R"("01999")", "malformed", "/data/legal_ids/0/scheme"},
      {organisation, R"("0199")", R"("vat")", "malformed", "/data/legal_ids/0/scheme"},
      {organisation, R"("LEI")", "\"" + std::string(65, 'x') + "\"", "malformed", "/data/legal_ids/0/id"},
      {organisation, R"(,"id":"LEI")", "", "malformed", "/data/legal_ids/0/id"},
      {organisation, "2028-02-01", "2026-02-01", "end_before_start", "/data/legal_ids/0/to"},
      {organisation, lei, lei + "}," + lei, "malformed", "/data/legal_ids/1"},
      {organisation, R"("62.01")", R"("62.")", "malformed", "/data/activity"},
      {organisation, R"("62.01")", R"("62.011")", "malformed", "/data/activity"},
      {organisation, R"("62.01")", R"("6201")", "malformed", "/data/activity"},
      {organisation, R"("62.01")", R"("6")", "malformed", "/data/activity"},
      {organisation, R"("62.01")", R"("W")", "malformed", "/data/activity"},
      {organisation, R"("62.01")", R"("software")", "malformed", "/data/activity"},
      {organisation, R"("DK")", R"("Denmark")", "malformed", "/data/established_in"},
      {organisation, R"(["NO","SE"])", R"(["NO","se"])", "malformed", "/data/controlled_from/1"},
      {organisation, R"("federation")", R"("fede:ration")", "malformed", "/data/refs/0/system"},
      {organisation, R"("federation")", "\"" + std::string(65, 'x') + "\"", "malformed", "/data/refs/0/system"},
      {organisation, R"("org:1")", "\"" + std::string(65, 'x') + "\"", "malformed", "/data/refs/0/id"},
      {organisation, ref, ref + "," + ref, "malformed", "/data/refs/1"},
      {organisation, R"("org:1")", R"("org:1","of":"1")", "unknown_field", "/data/refs/0/of"},
  };
  for (const EventType type :
       {kType<ProjectRegistered>, kType<AccountBound>, kType<ApplicationSubmitted>, kType<ApplicationDecided>})
    cases.push_back(with_refs(type));
  expect_refused(cases);
  for (const char* scheme : {"VAT", "EUID", "PIC", "0000"})
    expect_taken(organisation, R"("0199")", '"' + std::string(scheme) + '"');
  for (const char* activity : {"J", "V", "62", "62.0"})
    expect_taken(organisation, R"("62.01")", '"' + std::string(activity) + '"');
  expect_taken(organisation, lei, lei + R"(},{"scheme":"VAT","id":"LEI")");
  expect_taken(organisation, ref, ref + R"(,{"system":"federation","id":"org:2"},{"system":"other","id":"org:1"})");
}

TEST(ReadRef, SplitsAtTheFirstColon) {
  EXPECT_EQ(read_ref("a:b"), (Ref{"a", "b"}));
  EXPECT_EQ(read_ref("a:b:c"), (Ref{"a", "b:c"}));
  for (const char* text : {"", ":", "a", "a:", ":b"}) EXPECT_FALSE(read_ref(text)) << text;
}

TEST(ReadRawEvent, RefusesPoliciesAndPricesThatContradictThemselves) {
  const auto policy = kType<PolicyPublished>;
  const auto book = kType<PriceBookPublished>;
  const std::string kind = R"("resource_classes")";
  const std::string classes = R"("classes":[{"class":"gpu:h200","unit":"resource-us","charging":"lots"}])";
  const std::string one = R"({"class":"gpu:h200","unit":"resource-us","charging":"lots"})";
  const std::string all = kGood.at(policy);
  const auto with = [](const std::string& name, const std::string& content) {
    return R"({"kind":")" + name + R"(","version":"1","effective":"2026-01-01T00:00:00Z","content":)" + content + "}";
  };
  expect_refused({
      {policy, kind, R"("burn_order")", "malformed", "/data/content"},
      {policy, kind, R"("free_lunch")", "malformed", "/data/kind"},
      {policy, classes, "", "malformed", "/data/content"},
      {policy, classes, classes + R"(,"window_days":60)", "malformed", "/data/content"},
      {policy, classes, classes + R"(,"seller":"aif1")", "malformed", "/data/content"},
      {policy, classes, R"("classes":[])", "malformed", "/data/content"},
      {policy, one, one + "," + one, "malformed", "/data/content/classes"},
      {policy, R"("resource-us")", R"("resource-hour")", "malformed", "/data/content/classes/0/unit"},
      {policy, R"("lots")", R"("maybe")", "malformed", "/data/content/classes/0/charging"},
      {policy, all, with("acceptance_window", R"({"window_days":0})"), "malformed", "/data/content"},
      {policy, all, with("acceptance_window", R"({"window_days":36501})"), "malformed", "/data/content/window_days"},
      {policy, all, with("acceptance_window", R"({"window_days":"60"})"), "malformed", "/data/content/window_days"},
      {policy, all, with("acceptance_window", R"({"window_days":60,"usage_days_max":1101})"), "malformed",
       "/data/content/usage_days_max"},
      {policy, all, with("acceptance_window", R"({"usage_days_max":30})"), "malformed", "/data/content"},
      {policy, all, with("holds", R"({"silent_hours_max":48,"usage_days_max":30})"), "malformed", "/data/content"},
      {policy, all, with("burn_order", R"({"order":["alphabet"]})"), "malformed", "/data/content/order/0"},
      {policy, all, with("overdraft", R"({"mode":"bill"})"), "malformed", "/data/content/mode"},
      {policy, all, with("overdraft", R"({"seller":"aif1"})"), "malformed", "/data/content/mode"},
      {policy, all, with("overdraft", R"({"mode":"record","order":["priority"]})"), "malformed", "/data/content"},
      {book, R"("customer_kinds":["sme"]}])",
       R"("customer_kinds":["sme"]},{"class":"gpu:h200","price":"1","per":"resource-us","customer_kinds":["sme"],)"
       R"("purposes":["train"]}])",
       "price_hidden", "/data/prices/1"},
      {policy, all, with("holds", R"({"silent_hours_max":8761})"), "malformed", "/data/content/silent_hours_max"},
      {policy, all, with("holds", R"({"silent_hours_max":0})"), "malformed", "/data/content"},
      {policy, all, with("holds", R"({"window_days":1})"), "malformed", "/data/content"},
      {book, R"("EUR")", R"("eur")", "malformed", "/data/currency"},
      {book, R"("EUR")", R"("EURO")", "malformed", "/data/currency"},
      {book, R"("resource-hour")", R"("gpu-hour")", "malformed", "/data/prices/0/per"},
      {book, R"("2.50")", R"("-2.50")", "price_negative", "/data/prices/0/price"},
      {book, R"("2.50")", R"("2.5000000001")", "quantity_too_precise", "/data/prices/0/price"},
      {book, R"("2.50")", "2.50", "malformed", "/data/prices/0/price"},
  });
  expect_taken(policy, all, with("acceptance_window", R"({"window_days":36500})"));
  expect_taken(policy, all, with("acceptance_window", R"({"window_days":60,"usage_days_max":1100})"));
  expect_taken(policy, all, with("burn_order", R"({"order":["priority","earliest_expiry"]})"));
  expect_taken(policy, all, with("overdraft", R"({"mode":"record"})"));
  expect_taken(policy, all, with("overdraft", R"({"mode":"bill","seller":"aif1","project":"aurora-llm"})"));
  expect_taken(policy, all, with("holds", R"({"silent_hours_max":8760})"));
  expect_taken(book, R"("2.50")", R"("0")");
  // The narrower entry first; an entry in a unit of another kind hides nothing.
  expect_taken(book, R"("customer_kinds":["sme"]}])",
               R"("customer_kinds":["sme"]},{"class":"gpu:h200","price":"1","per":"resource-hour"},)"
               R"({"class":"gpu:h200","price":"1","per":"gib-hour"}],"without":["cpu","gpu:h200"])");
}

TEST(ReadRawEvent, RefusesEventsThatAreNotForDoors) {
  for (const TypeInfo& info : vocabulary()) {
    if (info.status == Status::enters) {
      EXPECT_TRUE(kGood.contains(info.type)) << info.name << " has no case here";
      continue;
    }
    Event event;
    UsageNotes notes;
    const auto error = read(info.type, "{}", event, notes);
    ASSERT_TRUE(error) << info.name;
    EXPECT_EQ(error->reason, "unknown_type") << info.name;
    EXPECT_EQ(error->field, "/type") << info.name;
  }
}

// What is shown of a value is bounded.
TEST(ReadRawEvent, ShowsAtMostAHundredBytes) {
  Event event;
  UsageNotes notes;
  const auto error = read(kType<ProjectRegistered>, R"({"project":")" + std::string(300, 'x') + "\"}", event, notes);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->value, std::string(100, 'x'));
}

}  // namespace
}  // namespace granary::events
