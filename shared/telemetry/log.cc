#include "shared/telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>

#include "shared/base/check.h"
#include "shared/json/writer.h"

namespace granary::telemetry {
namespace {

std::string_view level_name(Level level) {
  constexpr std::string_view kNames[] = {"info", "warn", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

// Synchronous, so that the last lines of a process that aborts are written. Its sink has the lock that keeps lines
// whole. Never destroyed: threads may log until the process ends.
spdlog::logger& transport() {
  static spdlog::logger& logger = *[] {
    auto* made = new spdlog::logger("granary", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

std::atomic<Format> chosen = Format::text;
std::atomic<bool> is_started = false;

struct TestSink {
  std::mutex mutex;
  std::function<void(std::string_view)> write;
};
TestSink& test_sink() {
  static TestSink& sink = *new TestSink;
  return sink;
}

// Escaped as in JSON, so that a line stays one line and a terminal gets no control characters.
std::string escaped(std::string_view text) {
  std::string quoted;
  json::append_json_string(quoted, text);
  return quoted;
}

void append_text_value(std::string& line, std::string_view text) {
  const std::string quoted = escaped(text);
  const bool plain = quoted.size() == text.size() + 2 && text.find_first_of(" =") == std::string_view::npos;
  line += plain ? std::string_view(quoted).substr(1, text.size()) : std::string_view(quoted);
}

bool left_out(const Field& field) {
  const auto* text = std::get_if<std::string_view>(&field.value);
  return text != nullptr && text->empty();
}

std::string render_json(units::Instant at, Level level, std::string_view event, std::string_view message,
                        Fields fields) {
  std::string line;
  json::Writer out(line);
  out.begin_object()
      .member("time", units::format_time(at))
      .member("level", level_name(level))
      .member("event", event)
      .member("message", message);
  for (const Field& field : fields)
    if (!left_out(field)) std::visit([&](const auto& value) { out.member(field.name, value); }, field.value);
  out.end_object();
  return line;
}

}  // namespace

std::string render(Format format, units::Instant at, Level level, std::string_view event, std::string_view message,
                   Fields fields) {
  if (format == Format::json) return render_json(at, level, event, message, fields);
  std::string line = units::format_time(at) + ' ';
  line += level_name(level);
  line += ' ';
  line += event;
  line += ": ";
  const std::string words = escaped(message);
  line += std::string_view(words).substr(1, words.size() - 2);
  for (const Field& field : fields) {
    if (left_out(field)) continue;
    line += ' ';
    line += field.name;
    line += '=';
    if (const auto* number = std::get_if<std::uint64_t>(&field.value))
      line += std::to_string(*number);
    else
      append_text_value(line, std::get<std::string_view>(field.value));
  }
  return line;
}

void log(Level level, std::string_view event, std::string_view message, Fields fields) {
  const std::string line = render(chosen, units::Instant(system_clock().wall_ms()), level, event, message, fields);
  {
    const std::lock_guard lock(test_sink().mutex);
    if (test_sink().write) return test_sink().write(line);
  }
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  transport().log(kLevels[static_cast<std::size_t>(level)], spdlog::string_view_t(line.data(), line.size()));
}

bool started() {
  return is_started;
}

void start(Format format) {
  chosen = format;
  is_started = true;
  transport();
  set_stop_reporter([](const std::string& message) {
    log(Level::error, "cannot_go_on", "The process cannot go on and aborts", {{"cause", message}});
  });
  set_check_reporter([](const char* expression, const char* file, int line, const std::string& message) {
    log(Level::error, "law_broken", "A law of the program is broken; the process aborts",
        {{"cause", message}, {"expression", expression}, {"file", file}, {"line", static_cast<std::uint64_t>(line)}});
  });
}

void set_sink(std::function<void(std::string_view line)> sink) {
  const std::lock_guard lock(test_sink().mutex);
  test_sink().write = std::move(sink);
}

std::optional<std::uint64_t> LineBudget::take() {
  const std::int64_t second = clock_.monotonic_ms() / units::kSecondMs;
  const std::lock_guard lock(mutex_);
  if (second != second_) taken_ = 0;
  second_ = second;
  if (taken_ == lines_per_second_) {
    ++left_out_;
    return std::nullopt;
  }
  ++taken_;
  return std::exchange(left_out_, 0);
}

}  // namespace granary::telemetry
