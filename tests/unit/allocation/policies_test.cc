// Which overdraft policy holds.
#include "tests/unit/allocation/world.h"

namespace granary::allocation::test {
namespace {

using events::OverdraftMode;
using events::PartFunding;

struct Answer {
  PartFunding funding;
  std::string seller;
  bool operator==(const Answer&) const = default;
};

Answer answer(const std::vector<events::PolicyPublished>& policies) {
  World world;
  for (const auto& policy : policies) world.intake(policy);
  world.open_project();
  world.metering(usage("a", "2026-06-01T00:00:00Z", "2026-06-01T01:00:00Z", hours(1)));
  const auto parts = world.last_parts();
  return {parts.at(0).funding, parts.at(0).seller};
}

TEST(Overdraft, of_the_project_before_the_general_one_and_later_before_earlier) {
  const auto general = overdraft("2026-01-01T00:00:00Z", OverdraftMode::bill, "general");
  const auto own = overdraft("2026-02-01T00:00:00Z", OverdraftMode::record, "own", "p");
  const auto other = overdraft("2026-02-01T00:00:00Z", OverdraftMode::bill, "other", "q");
  const auto own_future = overdraft("2026-06-01T00:00:00.001Z", OverdraftMode::bill, "future", "p");
  const auto general_later = overdraft("2026-06-01T00:00:00Z", OverdraftMode::record, "later");
  const auto general_earlier = overdraft("2025-06-01T00:00:00Z", OverdraftMode::record, "earlier");
  const Answer none{PartFunding::uncovered_record, ""};
  EXPECT_EQ(answer({}), none);
  EXPECT_EQ(answer({other}), none);
  EXPECT_EQ(answer({own_future}), none);
  EXPECT_EQ(answer({general}), (Answer{PartFunding::uncovered_bill, "general"}));
  EXPECT_EQ(answer({general, own, other}), (Answer{PartFunding::uncovered_record, "own"}));
  EXPECT_EQ(answer({own, general}), (Answer{PartFunding::uncovered_record, "own"}));
  EXPECT_EQ(answer({general, own_future}), (Answer{PartFunding::uncovered_bill, "general"}));
  EXPECT_EQ(answer({general, general_later}), (Answer{PartFunding::uncovered_record, "later"}));
  EXPECT_EQ(answer({general_later, general}), (Answer{PartFunding::uncovered_record, "later"}));
  EXPECT_EQ(answer({general, general_earlier}), (Answer{PartFunding::uncovered_bill, "general"}));
}

TEST(Overdraft, other_kinds_of_policies_leave_no_trace) {
  World world;
  events::PolicyPublished policy;
  policy.kind = events::PolicyKind::acceptance_window;
  policy.effective = at("2026-01-01T00:00:00Z");
  policy.content.window_days = 30;
  world.intake(policy);
  world.flush();
  EXPECT_TRUE(world.rows().empty());
}

}  // namespace
}  // namespace granary::allocation::test
