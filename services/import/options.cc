#include "services/import/options.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "shared/http/uri.h"
#include "shared/units/instant.h"

namespace granary::import {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 4> kFormats{
    {{"swf", Format::swf}, {"openb", Format::openb}, {"sacct-json", Format::sacct_json}, {"sacct", Format::sacct}}};
constexpr std::array<std::pair<std::string_view, ProjectFrom>, 4> kProjectFroms{{{"group", ProjectFrom::group},
                                                                                 {"user", ProjectFrom::user},
                                                                                 {"account", ProjectFrom::account},
                                                                                 {"binding", ProjectFrom::binding}}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [name, named] : table) {
    if (named == value) return name;
  }
  return "";
}

bool is_slurm(Format format) {
  return format == Format::sacct_json || format == Format::sacct;
}

Error misfit(const char* flag, const Options& options, std::string_view expected, std::string_view hint) {
  return {ErrorCode::invalid_input, fmt::format("{}: expected {} for --format {}; hint: {}", flag, expected,
                                                name_in(kFormats, options.format), hint)};
}

std::string instant_text(std::int64_t ms) {
  return units::format_time(units::Instant(ms));
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  for (const auto& [text, format] : kFormats) {
    if (text == name) return format;
  }
  return std::nullopt;
}

std::optional<ProjectFrom> project_from_named(std::string_view name) {
  for (const auto& [text, from] : kProjectFroms) {
    if (text == name) return from;
  }
  return std::nullopt;
}

Result<void> check(const Options& options) {
  const bool by_people = options.project_from == ProjectFrom::group || options.project_from == ProjectFrom::user;
  if (options.format == Format::swf && options.project_from && !by_people) {
    return misfit("--project-from", options, "group or user", "the file knows no accounts");
  }
  if (options.format == Format::openb && options.project_from) {
    return misfit("--project-from", options, "nothing", "leave it out: projects are named by QOS");
  }
  if (is_slurm(options.format) && by_people) {
    return misfit("--project-from", options, "account or binding", "leave it out to name projects by account");
  }
  if (options.project_from == ProjectFrom::binding && !options.project_prefix.empty()) {
    return misfit("--project-prefix", options, "nothing beside --project-from binding",
                  "the bindings that were published name the projects");
  }
  if (!is_slurm(options.format) && !options.cluster.empty()) {
    return misfit("--cluster", options, "nothing", "leave it out: only Slurm's jobs have a cluster");
  }
  if (options.format != Format::sacct && !options.time_zone.empty()) {
    return misfit("--time-zone", options, "nothing", "leave it out: the file's times have their zone");
  }
  if (options.format != Format::sacct &&
      (options.delimiter != "|" || !options.columns.empty() || options.trusts_text)) {
    const char* flag = options.trusts_text ? "--trust-text" : options.columns.empty() ? "--delimiter" : "--columns";
    return misfit(flag, options, "nothing", "leave it out: it is for the text that sacct --parsable2 writes");
  }
  if (options.delimiter.empty() || options.delimiter.find_first_of("\r\n") != std::string::npos) {
    return misfit("--delimiter", options, "one or more characters, no line end",
                  "say what sacct was told, or leave it out");
  }
  if (options.format == Format::openb && !options.epoch_ms && !options.shift_end_to_ms) {
    return misfit("--epoch", options, "it or --shift-end-to",
                  "the file counts seconds from an unknown instant; say when that was, or when the last pod ended");
  }
  if (options.format != Format::openb && options.epoch_ms) {
    return misfit("--epoch", options, "nothing", "leave it out, or move the file with --shift-end-to");
  }
  return {};
}

std::string source_prefix(const Options& options) {
  return is_slurm(options.format) ? "" : "urn:granary:import:" + options.file_sha256 + ":";
}

std::string source_of(const Options& options, const std::string& cluster) {
  if (is_slurm(options.format)) return "slurm://" + cluster;
  std::string source = fmt::format("{}{}", source_prefix(options), name_in(kFormats, options.format));
  if (options.format == Format::swf)
    source += fmt::format(";from={}", name_in(kProjectFroms, options.project_from.value_or(ProjectFrom::group)));
  if (!options.project_prefix.empty())
    source += fmt::format(";prefix={}", http::percent_encode(options.project_prefix));
  if (options.shift_end_to_ms) {
    source += fmt::format(";end={}", instant_text(*options.shift_end_to_ms));  // moves any epoch away
  } else if (options.epoch_ms) {
    source += fmt::format(";epoch={}", instant_text(*options.epoch_ms));
  }
  return source;
}

std::optional<std::string> project_of(const UsageRow& row, const Options& options) {
  const std::string dashed = options.project_prefix.empty() ? "" : options.project_prefix + "-";
  if (options.format == Format::openb) return dashed + row.qos;
  if (options.format == Format::swf) {
    return dashed + (options.project_from == ProjectFrom::user ? "u" + row.user : "g" + row.group);
  }
  if (options.project_from == ProjectFrom::binding) return std::nullopt;
  return dashed + row.account;
}

}  // namespace granary::import
