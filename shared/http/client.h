// A small blocking HTTP/1.1 client for the command line and for tests. One thread at a time; the client owns its
// connection and keeps it open between requests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "shared/base/result.h"
#include "shared/http/client_request.h"
#include "shared/http/message.h"

namespace granary::http {

class Client {
 public:
  // For "http://HOST[:PORT][/PATH]"; nothing is sent yet. Errors: invalid_input.
  static Result<Client> create(std::string_view url, ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // The answer, whatever its status. A kept connection that the server closed in the meantime is opened once more and
  // the request sent again: safe, because everything that Granary takes has an identity. Errors: invalid_input (a
  // request that cannot be written), unavailable (nobody there, or too slow), io_error (an answer that is no HTTP, or
  // too large).
  Result<Response> send(const ClientRequest& request);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace granary::http
