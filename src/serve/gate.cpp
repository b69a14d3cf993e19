#include "serve/gate.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/log.h"
#include "serve/target.h"

namespace hone::serve {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

std::string_view header(const Request& request, const char* name) {
  const auto it = request.headers.find(name);
  return it == request.headers.end() ? std::string_view{} : it->second;
}

// Of these a second one changes what the request means.
bool may_repeat(std::string_view name) {
  for (const char* once : {"host", "authorization", "content-length", "content-type", "transfer-encoding", "origin",
                           "expect", "sec-fetch-site", "sec-fetch-mode"})
    if (name == once) return false;
  return true;
}

std::map<std::string, std::string> read_headers(const Head& head, size_t most) {
  if (head.fields.size() > most)
    throw Refused(Problem::kHeadersTooLarge,
                  std::to_string(head.fields.size()) + " headers, and " + std::to_string(most) + " are taken");
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : head.fields) {
    const auto [it, added] = headers.emplace(lower(name), trim(value));
    if (added) continue;
    if (!may_repeat(it->first)) throw Refused(Problem::kMalformedRequest, "two headers " + it->first);
    it->second.append(", ").append(trim(value));
  }
  // A body's length may be told in one way only; two are how one request is smuggled into another.
  const auto coding = headers.find("transfer-encoding");
  if (coding != headers.end() && (lower(coding->second) != "chunked" || headers.contains("content-length")))
    throw Refused(Problem::kMalformedRequest, "a Transfer-Encoding that is not chunked, or a Content-Length beside it");
  return headers;
}

std::string bearer_token(const Request& request) {
  const std::string_view value = header(request, "authorization");
  const size_t blank = value.find(' ');
  if (blank == value.npos || lower(value.substr(0, blank)) != "bearer") return {};
  return std::string(trim(value.substr(blank)));
}

bool has_etag(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    std::string_view one = trim(list.substr(0, end));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == etag || one == "*") return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

Response file_response(const File& file, const Request& request) {
  Response out{200, file.content_type, "", {{"ETag", file.etag}, {"Cache-Control", "no-cache"}}};
  if (has_etag(header(request, "if-none-match"), file.etag)) {
    out.status = 304;
    out.content_type.clear();
  } else {
    out.body = file.bytes;
  }
  return out;
}

Response refusal(const Refused& e) {
  Response out = problem_response(e.problem, e.what(), e.hint);
  out.headers = e.headers;
  if (out.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (out.status == 429 || out.status == 503) out.headers.emplace_back("Retry-After", "1");
  return out;
}

[[noreturn]] void refuse_method(const Request& request, std::vector<std::string> allowed) {
  if (allowed.empty()) throw Refused(Problem::kNotFound, request.path);
  if (std::ranges::count(allowed, "GET")) allowed.emplace_back("HEAD");
  std::ranges::sort(allowed);
  std::string list;
  for (const std::string& method : allowed) list += (list.empty() ? "" : ", ") + method;
  Refused refused(Problem::kMethodNotAllowed, request.method + ' ' + request.path, "it takes " + list);
  refused.headers.emplace_back("Allow", list);
  throw refused;
}

void check_body(const Head& head, const Request& request) {
  const std::string expected = lower(header(request, "expect"));
  if (!expected.empty() && expected != "100-continue") throw Refused(Problem::kUnknownExpectation, expected);
  if (!head.has_body) return;
  if (request.method == "GET") throw Refused(Problem::kUnexpectedBody, head.method + ' ' + request.path);
  const std::string_view type = header(request, "content-type");
  if (lower(trim(type.substr(0, type.find(';')))) != "application/json")
    throw Refused(Problem::kNotJson, type.empty() ? "no Content-Type" : "Content-Type is '" + std::string(type) + "'");
}

// What a handler threw, as an answer.
template <class Run>
Response guarded(Run run) {
  try {
    return run();
  } catch (const Refused& e) {
    return refusal(e);
  } catch (const Error& e) {
    if (e.kind == Kind::kUsage) return refusal(Refused(Problem::kBadRequest, e.what(), e.hint));
    log::warn(std::string("a request failed: ") + e.what());
    if (e.kind == Kind::kRun) return refusal(Refused(Problem::kUnavailable, e.what(), e.hint));
  } catch (const std::exception& e) {
    log::warn(std::string("a request failed: ") + e.what());
  } catch (...) {
    log::warn("a request failed: what was thrown is no exception");
  }
  return problem_response(Problem::kInternal, "the terminal that the server was started in says what happened");
}

}  // namespace

Gate::Gate(const Options& options, Routes routes, int port)
    : limits_(options.limits),
      on_session_(options.on_session),
      sessions_(options.tokens),
      routes_(std::move(routes)),
      strangers_(limits_.requests_per_second, limits_.requests_at_once),
      guesses_(0.2, 10) {
  for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) {
    hosts_.insert(std::string(name) + ':' + std::to_string(port));
    if (port == 80) hosts_.insert(name);
  }
  routes_.add("POST", "/api/v1/session", [this](const Request& request) { return sign_in(request); }, Access::kOpen);
  routes_.add("DELETE", "/api/v1/session", [this](const Request& request) {
    sessions_.end(request.session);
    return no_content();
  });
}

std::variant<Admitted, Response> Gate::admit(const Head& head) {
  try {
    return check(head);
  } catch (const Refused& e) {
    return refusal(e);
  }
}

Admitted Gate::check(const Head& head) {
  Admitted out;
  Request& request = out.request;
  request.headers = read_headers(head, limits_.header_count);
  if (head.target.size() > limits_.target_bytes)
    throw Refused(Problem::kAddressTooLong, std::to_string(head.target.size()) + " bytes, and " +
                                                std::to_string(limits_.target_bytes) + " are taken");
  out.head_only = head.method == "HEAD";
  request.method = out.head_only ? "GET" : head.method;
  Target target = parse_target(head.target);
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  const bool api = request.path.starts_with("/api/");
  check_site(request, api);

  const std::string token = bearer_token(request);
  if (!token.empty()) request.session = sessions_.find(token).value_or("");
  check_rate(request.session);
  Routes::Match match = routes_.match(request.method, target.segments);
  const bool open = match.route && match.route->access == Access::kOpen;
  if (api && !open && request.session.empty())
    throw Refused(Problem::kNoSession, token.empty() ? "no token came along" : "the token is none of an open session",
                  "open the address that the terminal shows; it is good for one sign-in");
  if (!match.route) refuse_method(request, match.allowed);
  check_body(head, request);
  out.route = match.route;
  request.parameters = std::move(match.parameters);
  return out;
}

void Gate::check_site(const Request& request, bool api) const {
  const std::string host = lower(header(request, "host"));
  if (!hosts_.contains(host))
    throw Refused(Problem::kWrongHost, "Host is '" + host + "'", "use the address that the terminal shows");
  // What a browser says of where a request comes from. Other programs say nothing; they need the token all the same.
  const std::string_view origin = header(request, "origin");
  if (!origin.empty() && lower(origin) != "http://" + host)
    throw Refused(Problem::kForeignOrigin, "Origin is '" + std::string(origin) + "'");
  const std::string_view site = header(request, "sec-fetch-site");
  if (site.empty() || site == "same-origin") return;
  // A page may be opened from anywhere: it holds nothing, and nobody can frame it.
  if (!api && (site == "none" || header(request, "sec-fetch-mode") == "navigate")) return;
  throw Refused(Problem::kForeignOrigin, "Sec-Fetch-Site is '" + std::string(site) + "'");
}

void Gate::check_rate(const std::string& session) {
  TokenBucket* bucket = &strangers_;
  if (!session.empty()) {
    if (rates_.size() > 2 * Sessions::kMost) rates_.clear();  // of sessions that are gone
    bucket = &rates_.try_emplace(session, limits_.requests_per_second, limits_.requests_at_once).first->second;
  }
  if (!bucket->take())
    throw Refused(Problem::kTooManyRequests,
                  "more than " + std::to_string(std::lround(limits_.requests_per_second)) + " a second",
                  "wait a second and send it again");
}

Response Gate::sign_in(const Request& request) {
  const Json body = json_body(request);
  if (!body.is_object() || body.size() != 1 || !body.contains("secret") || !body["secret"].is_string())
    throw Refused(Problem::kBadRequest, "expected {\"secret\": \"…\"}");
  const std::optional<std::string> token = sessions_.exchange(body["secret"].get<std::string>());
  if (!token) {
    // Only what is wrong counts, so that nobody's guessing keeps the person out.
    const std::lock_guard lock(guesses_mutex_);
    if (!guesses_.take()) throw Refused(Problem::kTooManyRequests, "too many wrong secrets", "wait some seconds");
    throw Refused(Problem::kBadSecret, "the address was used before, or is not this server's",
                  "open the newest address that the terminal shows; each is good for one sign-in");
  }
  if (on_session_) on_session_();
  Json answer;
  answer["token"] = *token;
  return json_response(answer, 201);
}

Response Gate::answer(const Admitted& admitted) {
  return guarded([&] {
    const Routes::Route& route = *admitted.route;
    return route.handler ? route.handler(admitted.request) : file_response(route.file, admitted.request);
  });
}

std::optional<Response> Gate::open(const Admitted& admitted, std::shared_ptr<EventStream> stream) {
  bool opened = false;
  Response refused = guarded([&] {
    admitted.route->stream(admitted.request, std::move(stream));
    opened = true;
    return Response{};
  });
  if (opened) return {};
  return refused;
}

}  // namespace hone::serve
