// schemas/examples: a door would take each, in the order of their names they tell the worked example's story, and every
// raw type has one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "shared/events/json.h"
#include "tests/unit/events/worked_example.h"

namespace granary::events {
namespace {

using json::Kind;
using testing::at;
using testing::file_text;

struct Example {
  std::string file, source, id;
  Instant time;
  Event event;
  UsageNotes notes;
};

std::string text_of(const json::Value& object, std::string_view name) {
  const json::Value* found = object.find(name);
  return found != nullptr && found->is(Kind::string) ? found->string() : "";
}

std::vector<Example> read_examples() {
  const std::string folder = "schemas/examples/";
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(GRANARY_SOURCE_DIR) + "/" + folder))
    if (entry.is_regular_file()) files.push_back(entry.path().filename());
  std::sort(files.begin(), files.end());
  files.emplace_back("next/rules.activated.json");  // of a version that this build's doors refuse
  const std::vector<std::string_view> attributes = {"specversion", "type",  "source",          "id",
                                                    "time",        "actor", "datacontenttype", "data"};
  std::vector<Example> examples;
  for (const std::string& file : files) {
    const auto document = json::parse(file_text(folder + file));
    EXPECT_TRUE(document.ok()) << file << ": " << (document.ok() ? "" : document.error().message);
    if (!document.ok()) continue;
    std::vector<std::string_view> names;
    for (const json::Member& member : document->members()) names.push_back(member.name);
    EXPECT_EQ(text_of(*document, "specversion"), "1.0") << file;
    EXPECT_EQ(text_of(*document, "datacontenttype"), "application/json") << file;
    EXPECT_NE(text_of(*document, "actor"), "") << file;
    const TypeInfo* type = type_by_name(text_of(*document, "type"));
    EXPECT_NE(type, nullptr) << file;
    const json::Value* data = document->find("data");
    if (type == nullptr || data == nullptr) continue;
    // What machines report names the program that reports it.
    std::vector<std::string_view> expected = attributes;
    if (type->enters == Topic::usage) expected.insert(expected.begin() + 6, "collector");
    EXPECT_EQ(names, expected) << file;
    // "04-price_book.published-3.json" is of the type that it names.
    const std::string noun(type->name.substr(8, type->name.size() - 11));
    EXPECT_EQ(file.substr(file.starts_with("next/") ? 5 : 3, noun.size()), noun) << file;
    Example example{file, text_of(*document, "source"), text_of(*document, "id"), at(text_of(*document, "time")), {},
                    {}};
    const auto error = read_raw_event(type->type, *data, "/data", example.event, example.notes);
    EXPECT_FALSE(error) << file << ": " << error->reason << " " << error->field << ", " << error->hint;
    EXPECT_EQ(type_of(example.event), type->type) << file;
    examples.push_back(std::move(example));
  }
  return examples;
}

TEST(Examples, AreTakenAndThereIsOneOfEachType) {
  std::set<EventType> types;
  std::set<std::pair<std::string, std::string>> identities;
  Instant before;
  for (const Example& example : read_examples()) {
    types.insert(type_of(example.event));
    EXPECT_TRUE(identities.insert({example.source, example.id}).second) << example.file << ": an identity stands twice";
    EXPECT_NE(example.source, "") << example.file;
    EXPECT_NE(example.id, "") << example.file;
    EXPECT_GE(example.time, before) << example.file << ": told out of order";
    before = example.time;
  }
  for (const TypeInfo& info : vocabulary())
    EXPECT_EQ(types.contains(info.type), info.status == Status::enters) << info.name;
}

// Whoever is named has been introduced, and the figures are the worked example's.
TEST(Examples, TellOneStory) {
  std::set<std::string> organisations, projects, applications, cleared, classes, price_books, overdrafts;
  int usages = 0;
  for (const Example& example : read_examples()) {
    const Event& event = example.event;
    if (const auto* e = std::get_if<OrganisationRegistered>(&event)) organisations.insert(e->organisation);
    if (const auto* e = std::get_if<ProjectRegistered>(&event)) {
      EXPECT_TRUE(organisations.contains(e->organisation)) << example.file;
      projects.insert(e->project);
    }
    if (const auto* e = std::get_if<AccountBound>(&event)) {
      EXPECT_TRUE(projects.contains(e->project)) << example.file;
    }
    if (const auto* e = std::get_if<PolicyPublished>(&event)) {
      for (const ResourceClass& published : e->content.classes) classes.insert(published.class_name);
      if (e->kind == PolicyKind::overdraft) overdrafts.insert(e->content.project);
    }
    if (const auto* e = std::get_if<PriceBookPublished>(&event)) price_books.insert(e->version);
    if (const auto* e = std::get_if<ApplicationSubmitted>(&event)) {
      EXPECT_TRUE(projects.contains(e->project)) << example.file;
      applications.insert(e->application);
    }
    if (const auto* e = std::get_if<ScreeningDecided>(&event)) {
      EXPECT_TRUE(applications.contains(e->application)) << example.file;
      cleared.insert(e->application);
    }
    if (const auto* e = std::get_if<ApplicationDecided>(&event)) {
      EXPECT_TRUE(cleared.contains(e->application)) << example.file;
      EXPECT_EQ(example.source, testing::kDecisions);
      EXPECT_EQ(example.id, testing::kDecision);
      ASSERT_EQ(e->grant->lots.size(), 2U);
      EXPECT_EQ(e->grant->lots[0].quantity, Quantity(10'000));
      EXPECT_EQ(e->grant->lots[1].quantity, Quantity(750));
    }
    if (const auto* e = std::get_if<UsageReported>(&event)) {
      ++usages;
      EXPECT_TRUE(projects.contains(e->project)) << example.file;
      for (const ResourceUsed& used : e->resources) EXPECT_TRUE(classes.contains(used.class_name)) << example.file;
      EXPECT_EQ(example.source, testing::kSlurm);
      EXPECT_EQ(example.id, testing::kJob);
      EXPECT_EQ(example.notes.activity, "train");
      Bytes read, by_hand;
      encode_event(event, read);
      encode_event(Event(testing::job_usage()), by_hand);
      EXPECT_EQ(to_hex(read), to_hex(by_hand));
    }
    if (const auto* e = std::get_if<UsageInterim>(&event)) {
      EXPECT_EQ(e->root, (Root{testing::kSlurm, testing::kJob})) << example.file;
    }
  }
  EXPECT_EQ(usages, 1);
  EXPECT_EQ(classes, (std::set<std::string>{"cpu", "gpu:h200"}));
  EXPECT_EQ(price_books, (std::set<std::string>{"3", "4"}));
  EXPECT_EQ(overdrafts, std::set<std::string>{"aurora-llm"});
}

}  // namespace
}  // namespace granary::events
