// What the blocking and the asynchronous client have in common: plain requests and answers as Beast's messages, and
// what went wrong as an Error. Pure functions, for this room alone; any thread.
#pragma once

#include <boost/beast/http.hpp>
#include <optional>

#include "shared/base/result.h"
#include "shared/http/client_request.h"
#include "shared/http/uri.h"

namespace granary::http {

using WireRequest = boost::beast::http::request<boost::beast::http::string_body>;
using WireResponseParser = boost::beast::http::response_parser<boost::beast::http::string_body>;

// Why `request` cannot be written (invalid_input); nullopt: it can.
std::optional<Error> check_request(const ClientRequest& request);

WireRequest wire_request(const Url& url, const ClientRequest& request);

// The answer that `parser` has read to its end; its body is moved.
Response response_of(WireResponseParser& parser);

// Why there is no answer: unavailable (nobody there, or too slow), io_error (an answer that is no HTTP, or too large).
Error no_answer(const Url& url, const boost::system::error_code& error);

}  // namespace granary::http
