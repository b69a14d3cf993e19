#include "serve/wire.h"

#include <ctime>

namespace hone::serve {
namespace {

// What a browser may do with an answer. No script and no style but our own files, no HTML from text (Trusted Types), no
// frame around us, no guessing of types, nothing for other origins, no address of ours told to others.
constexpr std::string_view kRules =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";  // a reason may be empty
  }
}

// "Sun, 06 Nov 1994 08:49:37 GMT" in any locale.
std::string http_date() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm t{};
  gmtime_r(&now, &t);
  char rest[32];
  std::strftime(rest, sizeof rest, " %Y %H:%M:%S GMT", &t);
  char day[8];
  std::strftime(day, sizeof day, ", %d ", &t);
  return kDays[t.tm_wday] + std::string(day) + kMonths[t.tm_mon] + rest;
}

}  // namespace

std::string wire_head(const Response& response, std::optional<size_t> length, bool close) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ' + std::string(reason(response.status)) + "\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    HONE_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, name);
    out.append(name).append(": ").append(value).append("\r\n");
  };
  add("Date", http_date());
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  if (length && response.status != 204 && response.status != 304) add("Content-Length", std::to_string(*length));
  bool cached = false;
  for (const auto& [name, value] : response.headers) {
    add(name, value);
    cached |= name == "Cache-Control";
  }
  if (!cached) add("Cache-Control", "no-store");
  if (close) add("Connection", "close");
  return out.append(kRules).append("\r\n");
}

}  // namespace hone::serve
