// What lasts does not depend on when it is flushed, and comes back when the process starts again.
#include "tests/unit/intake/intake_shard.h"

namespace granary::intake {
namespace {

// Accepted ones, repeats, conflicts and refusals, over some days.
void play(IntakeShard& shard, const std::function<void(int)>& after_each) {
  int step = 0;
  const auto send = [&](const events::Event& event, const std::string& id) {
    (void)shard.send(event, id);
    after_each(step++);
  };
  const auto events = example::all();
  for (int day = 1; day <= 9; ++day) {
    const std::string today = "2026-09-0" + std::to_string(day);
    shard.recorded_at = at((today + "T06:00:00Z").c_str());
    shard.tick(at((today + "T05:00:00Z").c_str()));
    after_each(step++);
    for (std::size_t i = 0; i < events.size(); ++i) {
      send(events[i], "first-" + std::to_string(i));                        // from the second day on a repeat
      send(events[i], "again-" + std::to_string(i));                        // refused, or a fact once more
      send(events[(i + 1) % events.size()], "first-" + std::to_string(i));  // conflicting
    }
    auto application = example::application();
    application.application = "app-" + today;
    send(application, "submitted-" + today);
  }
}

std::vector<Bytes> sent_by(const IntakeShard& shard) {
  std::vector<Bytes> all;
  for (const auto& one : shard.out.sent) {
    Bytes bytes;
    append_u8(bytes, static_cast<std::uint8_t>(one.topic));
    append_u16(bytes, one.partition);
    append_u64(bytes, one.number);
    events::encode_event(one.event, bytes);
    all.push_back(std::move(bytes));
  }
  return all;
}

TEST(IntakeState, IsTheSameWhereverItIsFlushedOrReopened) {
  IntakeShard once;
  play(once, [](int) {});
  once.flush();
  ASSERT_GT(once.rows().size(), 20U);
  for (const int reopened : {0, 1, 7, 30}) {
    IntakeShard often;
    play(often, [&](int step) {
      if (reopened == 0 || step % reopened == 0) often.flush();
      if (reopened != 0 && step % reopened == 0) often.reopen();
    });
    often.flush();
    EXPECT_EQ(often.rows(), once.rows()) << "reopened every " << reopened;
    EXPECT_EQ(sent_by(often), sent_by(once)) << "reopened every " << reopened;
  }
}

TEST(IntakeState, ARepeatChangesNothingBeforeAndAfterAReopening) {
  IntakeShard shard;
  const auto events = example::all();
  for (std::size_t i = 0; i < events.size(); ++i)
    ASSERT_EQ(shard.send(events[i], "id-" + std::to_string(i)).judgement, Judgement::accepted);
  shard.flush();
  const auto rows = shard.rows();
  const std::size_t sent = shard.out.sent.size();
  for (const bool reopen : {false, true}) {
    if (reopen) shard.reopen();
    for (std::size_t i = 0; i < events.size(); ++i)
      EXPECT_EQ(shard.send(events[i], "id-" + std::to_string(i)).judgement, Judgement::repeat) << i;
  }
  shard.flush();
  EXPECT_EQ(shard.rows(), rows);
  EXPECT_EQ(shard.out.sent.size(), sent);
}

TEST(IntakeState, IdsAreForgottenADayAfterTheAcceptanceWindow) {
  IntakeShard shard;
  ASSERT_EQ(shard.send(example::window(30)).judgement, Judgement::accepted);
  ASSERT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::accepted);  // on 1 September
  shard.tick(at("2026-10-02T23:59:59Z"));
  EXPECT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::repeat);
  shard.tick(at("2026-10-03T00:00:00Z"));
  EXPECT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::accepted);
}

TEST(IntakeState, IdsStayWhereNoWindowIsPublishedOrInForce) {
  IntakeShard shard;
  auto window = example::window(30);
  window.effective = at("2030-01-01T00:00:00Z");
  ASSERT_EQ(shard.send(window).judgement, Judgement::accepted);
  ASSERT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::accepted);
  shard.tick(at("2029-12-31T00:00:00Z"));
  EXPECT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::repeat);
}

TEST(IntakeState, AnIdThatCameBeforeTheFirstTickIsNotForgottenWithIt) {
  IntakeShard shard;
  shard.tick(units::Instant(0));
  ASSERT_EQ(shard.send(example::window(30)).judgement, Judgement::accepted);
  ASSERT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::accepted);
  shard.tick(at("2026-09-01T12:00:10Z"));
  EXPECT_EQ(shard.send(example::stated(), "stated").judgement, Judgement::repeat);
}

TEST(IntakeStateDeathTest, NothingComesByALane) {
  IntakeMachine intake;
  test::RecordingOut out;
  const events::Event event = events::LaneCompleted{};
  EXPECT_DEATH(intake.apply_lane({machine::MachineKind::metering, 0, 1, event}, {}, out), "no lane leads to intake");
}

}  // namespace
}  // namespace granary::intake
