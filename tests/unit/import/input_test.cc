#include "services/import/input.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/import/import_support.h"

namespace granary::import {
namespace {

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i * 7919 % 10007) + " line\n";
  return text;
}

// All bytes; the status is the caller's to ask for.
std::string drain(Input& input) {
  std::string out;
  for (int byte = input.get(); byte >= 0; byte = input.get()) out.push_back(static_cast<char>(byte));
  return out;
}

struct Drained {
  std::string text;
  bool truncated = false;
  Result<void> status;
};

Drained drain_file(std::string_view stored) {
  const TempFolder folder;
  auto input = Input::open(folder.file("f", stored));
  if (!input.ok()) return {"", false, input.error()};
  std::string text = drain(*input);
  return {std::move(text), input->truncated(), input->status()};
}

TEST(Input, ReadsPlainGzipAndZipAlike) {
  const std::string text = numbered_lines(40'000);
  for (const std::string& stored : {text, gzip_of(text), zip_of({{"jobs.swf", text}})}) {
    const Drained drained = drain_file(stored);
    ASSERT_TRUE(drained.status.ok()) << drained.status.error().message;
    EXPECT_EQ(drained.text, text);
    EXPECT_FALSE(drained.truncated);
  }
}

TEST(Input, ReadsAllMembersOfAGzipFile) {
  const Drained drained = drain_file(gzip_of("one\n") + gzip_of("two\n"));
  ASSERT_TRUE(drained.status.ok());
  EXPECT_EQ(drained.text, "one\ntwo\n");
}

TEST(Input, CutGzipYieldsItsReadablePartAndSaysSo) {
  const std::string text = numbered_lines(40'000);
  const std::string stored = gzip_of(text);
  for (const std::size_t missing : {std::size_t{1}, std::size_t{8}, stored.size() / 2}) {
    const Drained drained = drain_file(stored.substr(0, stored.size() - missing));
    ASSERT_TRUE(drained.status.ok()) << drained.status.error().message;
    EXPECT_TRUE(drained.truncated) << missing;
    EXPECT_EQ(drained.text, text.substr(0, drained.text.size()));
    // With only the trailer gone all of the text is there.
    if (missing <= 8) {
      EXPECT_EQ(drained.text.size(), text.size());
    } else {
      EXPECT_GT(drained.text.size(), text.size() / 4);
    }
  }
}

TEST(Input, CutZipYieldsItsReadablePartAndSaysSo) {
  const std::string text = numbered_lines(40'000);
  const std::string stored = zip_of({{"jobs.swf", text}});
  for (const std::size_t missing : {std::size_t{4}, stored.size() / 2}) {
    const Drained drained = drain_file(stored.substr(0, stored.size() - missing));
    ASSERT_TRUE(drained.status.ok()) << drained.status.error().message;
    EXPECT_TRUE(drained.truncated) << missing;
    EXPECT_EQ(drained.text, text.substr(0, drained.text.size()));
    EXPECT_GT(drained.text.size(), text.size() / 4);
  }
}

TEST(Input, DamagedArchivesAreRefusedNotReadShort) {
  const std::string text = numbered_lines(40'000);
  std::string gzip = gzip_of(text);
  gzip[gzip.size() - 6] ^= 1;  // in the CRC
  std::string zip = zip_of({{"jobs.swf", text}});
  for (std::size_t i = 0; i < 64; ++i) zip[zip.size() / 2 + i] ^= 0x55;
  for (const std::string& stored : {gzip, zip, gzip_of(text) + "more"}) {
    const Drained drained = drain_file(stored);
    ASSERT_FALSE(drained.status.ok());
    EXPECT_EQ(drained.status.error().code, ErrorCode::corrupt);
    EXPECT_NE(drained.status.error().message.find("hint:"), std::string::npos);
  }
}

TEST(Input, RefusesWhatIsNotOneFile) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {zip_of({{"a", "1\n"}, {"b", "2\n"}}), "several"},
      {zip_of({}), "none"},
      {std::string("\xfd"
                   "7zXZ\0rest",
                   10),
       "xz"},
      {"BZh91AY", "bzip2"},
      {std::string(257, '\0') + "ustar", "tar"},
      {"", "empty"},
  };
  for (const auto& [stored, word] : cases) {
    const Drained drained = drain_file(stored);
    ASSERT_FALSE(drained.status.ok()) << word;
    EXPECT_EQ(drained.status.error().code, ErrorCode::invalid_input);
    EXPECT_NE(drained.status.error().message.find(word), std::string::npos) << drained.status.error().message;
  }
}

TEST(Input, NamesAMissingFileAndAFolder) {
  EXPECT_EQ(Input::open("/nowhere/at/all").error().code, ErrorCode::not_found);
  EXPECT_EQ(Input::open("/").error().code, ErrorCode::invalid_input);
  EXPECT_EQ(sha256_of_content("/").error().code, ErrorCode::invalid_input);
}

TEST(Input, APipeAndADeviceAreRefusedAtOnce) {
  const testing_support::TempDirectory folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, std::string("/dev/zero")}) {
    EXPECT_EQ(Input::open(path).error().code, ErrorCode::invalid_input) << path;
    EXPECT_EQ(sha256_of_content(path).error().code, ErrorCode::invalid_input) << path;
  }
}

TEST(Input, LinesKnowTheirNumberAndWhetherTheyEnded) {
  const TempFolder folder;
  auto input = Input::open(folder.file("f", "a\r\n\nlast"));
  ASSERT_TRUE(input.ok());
  Line line;
  ASSERT_TRUE(read_line(*input, line).value());
  EXPECT_EQ(line.text, "a");
  ASSERT_TRUE(read_line(*input, line).value());
  EXPECT_EQ(line.text, "");
  ASSERT_TRUE(read_line(*input, line).value());
  EXPECT_EQ(line.text, "last");
  EXPECT_EQ(line.number, 3U);
  EXPECT_FALSE(line.terminated);
  EXPECT_FALSE(read_line(*input, line).value());
}

TEST(Input, RefusesALineWithoutEnd) {
  const TempFolder folder;
  auto input = Input::open(folder.file("f", std::string((1U << 20) + 1, 'x')));
  ASSERT_TRUE(input.ok());
  Line line;
  EXPECT_EQ(read_line(*input, line).error().code, ErrorCode::invalid_input);
}

// A log that is imported again in another wrapping is the same source, or it would count twice.
TEST(Input, HashIsOfWhatTheFileHolds) {
  const TempFolder folder;
  const std::string plain = sha256_of_content(folder.file("f", "abc\ndef")).value();
  EXPECT_EQ(plain, "d53d6b91af7caf8fe3d8021f116270137c0079d579a1e16965da80c2ed138ffb");
  EXPECT_EQ(sha256_of_content(folder.file("g", gzip_of("abc\ndef"))).value(), plain);
  EXPECT_EQ(sha256_of_content(folder.file("h", "abc\r\ndef")).value(), plain);
  EXPECT_EQ(sha256_of_content(folder.file("i",
                                          "\xef\xbb\xbf"
                                          "abc\r\ndef"))
                .value(),
            plain);
  EXPECT_NE(sha256_of_content(folder.file("j", "abc\ndeg")).value(), plain);
  EXPECT_NE(sha256_of_content(folder.file("k", "abc\rdef")).value(), plain);
  EXPECT_EQ(sha256_of_content("/nowhere/at/all").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace granary::import
