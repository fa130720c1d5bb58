#include "shared/http/message.h"

#include <algorithm>

#include "shared/base/check.h"
#include "shared/http/problem.h"
#include "shared/json/utf8.h"

namespace granary::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_well_formed(const Caller& caller) {
  if (caller.kind < CallerKind::open || caller.kind > CallerKind::mtls) return false;
  if (caller.id.empty()) return caller.kind == CallerKind::open;
  return caller.id.size() <= kCallerIdBytesMax && json::is_utf8(caller.id) &&
         std::none_of(caller.id.begin(), caller.id.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '@'; });
}

std::optional<std::string_view> find_field(const Fields& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> header(const Response& response, std::string_view name) {
  for (const Field& field : response.headers) {
    if (std::equal(field.name.begin(), field.name.end(), name.begin(), name.end(),
                   [](char a, char b) { return lower(a) == lower(b); })) {
      return field.value;
    }
  }
  return std::nullopt;
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    drop();
    send_ = std::exchange(other.send_, nullptr);
  }
  return *this;
}

void Responder::operator()(Response response) {
  GRANARY_CHECK(send_ != nullptr, "a request was answered twice");
  std::exchange(send_, nullptr)(std::move(response));
}

void Responder::drop() noexcept {
  if (send_ == nullptr) return;
  std::exchange(send_, nullptr)(make_response({.status = 500,
                                               .type = "no_answer",
                                               .title = "The service gave no answer",
                                               .detail = "The request was taken but nothing answered it.",
                                               .hint = "send it again; a repeat with the same id changes nothing"}));
}

}  // namespace granary::http
