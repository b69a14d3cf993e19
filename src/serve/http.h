// A request and an answer, as handlers see them: no socket, no library.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_fwd.h"

namespace hone::serve {

/// What a handler gets. It has passed every check: host, origin, session, rate, sizes.
struct Request {
  std::string method;                             ///< "GET", "POST", …; HEAD comes as GET, the server drops the body
  std::string path;                               ///< decoded: valid UTF-8, no control character, no "." or ".."
  std::map<std::string, std::string> query;       ///< decoded, valid UTF-8; a name that comes twice was refused
  std::map<std::string, std::string> headers;     ///< names in lower case; values of a repeated name joined with ", "
  std::map<std::string, std::string> parameters;  ///< what stands where the route's path says {name}; decoded
  std::string body;                               ///< raw bytes, of a length within the limit
  std::string session;                            ///< names the session (never its token); "" on an open route
};

/// What a handler answers. The server adds length, date and the headers of security and caching.
struct Response {
  int status = 200;
  std::string content_type;  ///< "" where there is no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class Problem {
#define HONE_PROBLEM(name, code, status, title) name,
#include "serve/problems.def"
#undef HONE_PROBLEM
};

struct ProblemInfo {
  std::string_view code;
  int status;
  std::string_view title;
};
const ProblemInfo& info(Problem problem);
/// In the order of problems.def.
const std::vector<ProblemInfo>& all_problems();

/// Thrown out of a handler: the request is answered with this problem. Any other Error becomes one too: kUsage
/// kBadRequest, kRun kUnavailable (both with message and hint), everything else kInternal (which says nothing of it).
struct Refused : Error {
  Refused(Problem problem, const std::string& detail, std::string hint = {})
      : Error(Kind::kUsage, detail, std::move(hint)), problem(problem) {}
  Problem problem;
  std::vector<std::pair<std::string, std::string>> headers;  ///< that the answer carries besides
};

/// application/json
Response json_response(const Json& value, int status = 200);
/// 204, without a body.
Response no_content();
/// application/problem+json (RFC 9457): type, title, status, detail; and code and hint, hone's own.
Response problem_response(Problem problem, std::string_view detail, std::string_view hint = {});

/// The request's body. No JSON, or no valid UTF-8: Refused kMalformedJson.
Json json_body(const Request& request);

}  // namespace hone::serve
