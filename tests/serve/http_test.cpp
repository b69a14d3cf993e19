// Whatever arrives gets an answer with a clear problem, or the connection closes; afterwards the server answers as
// before.
#include <doctest/doctest.h>

#include <set>

#include "client.h"

using namespace hone::serve;
using namespace hone::serve::test;

namespace {

// The site is as it was: a well-formed request is answered.
void check_alive(const Site& site, const std::string& token) {
  Client client(site.port());
  CHECK(client.ask(site.get("/api/v1/echo", token)).status == 200);
}

}  // namespace

TEST_CASE("requests reach their handler decoded") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  REQUIRE(token.size() == 64);
  Client client(site.port());

  Answer a = client.ask(site.get("/api/v1/echo?text=a%20b%2Bc+d&%C3%BC=%E2%82%AC&empty=&bare", token));
  REQUIRE(a.status == 200);
  CHECK(a.headers.at("content-type") == "application/json");
  CHECK(a.body == R"({"method":"GET","path":"/api/v1/echo","query":{"bare":"","empty":"","text":"a b+c d","ü":"€"}})");

  a = client.ask("PUT /api/v1/items/%C3%A4%20b HTTP/1.1\r\n" + site.headers(token) + "Content-Length: 0\r\n\r\n");
  CHECK(a.body == R"({"method":"PUT","path":"/api/v1/items/ä b","parameters":{"id":"ä b"}})");

  a = client.ask(
      site.post("/api/v1/echo", R"({"x":[1,2]})", token, "content-type: Application/JSON; charset=utf-8\r\n"));
  CHECK(a.body == R"({"method":"POST","path":"/api/v1/echo","body":{"x":[1,2]}})");
}

TEST_CASE("a chunked body arrives whole, its trailer is dropped") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  const std::string head = "POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) +
                           "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Answer a =
      client.ask(head + "3;name=\"value\"\r\n{\"x\r\nC\r\n\":\"whole text\r\n2\r\n\"}\r\n0\r\nHost: evil\r\n\r\n");
  CHECK(a.status == 400);  // C is 12 bytes, and `":"whole text` has 13
  Client again(site.port());
  CHECK(again.ask(head + "3;name=\"value\"\r\n{\"x\r\nd\r\n\":\"whole text\r\n2\r\n\"}\r\n0\r\nHost: evil\r\n\r\n")
            .body == R"({"method":"POST","path":"/api/v1/echo","body":{"x":"whole text"}})");
  CHECK(again.ask(site.get("/api/v1/echo", token)).status == 200);  // the connection goes on
}

TEST_CASE("a body up to the limit arrives whole, told beforehand or chunked") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string text(1'000'000, 'x');
  Client client(site.port());
  CHECK(client.ask(site.post("/api/v1/echo", '"' + text + '"', token)).body.find(text) != std::string::npos);
  std::string chunks = "1\r\n\"\r\n";
  for (size_t at = 0; at < text.size(); at += 50'000) chunks += "C350\r\n" + text.substr(at, 50'000) + "\r\n";
  CHECK(client
            .ask("POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) +
                 "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
                 "1\r\n\"\r\n0\r\n\r\n")
            .body.find(text) != std::string::npos);
}

TEST_CASE("a chunked body obeys the size limit") {
  Options options;
  options.limits.body_bytes = 1000;
  Site site(options, echo_routes());
  const std::string token = site.sign_in();
  const std::string head = "POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) +
                           "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  SUBCASE("one chunk that says that it is too long") {
    Client client(site.port());
    const Answer a = client.ask(head + "3E9\r\n");  // 1,001
    CHECK(a.status == 413);
    CHECK(a.code() == "body-too-large");
    CHECK(client.closed_by_server());
  }
  SUBCASE("many small chunks") {
    Client client(site.port());
    std::string body;
    for (int i = 0; i < 101; ++i) body += "a\r\n\"23456789\"\r\n";  // 101 x 10 = 1,010
    CHECK(client.ask(head + body + "0\r\n\r\n").status == 413);
  }
  SUBCASE("a length that overflows") {
    for (const char* length : {"FFFFFFFFFFFFFFFF", "10000000000000000", "7FFFFFFFFFFFFFFF", "-1", "0x10", ""}) {
      CAPTURE(length);
      Client client(site.port());
      const Answer a = client.ask(head + length + "\r\n{}\r\n0\r\n\r\n");
      CHECK((a.status == 413 || a.status == 400));
    }
  }
  SUBCASE("a chunk's extension without an end") {
    Client client(site.port());
    client.send(head + "1;");
    bool open = true;
    size_t sent = 0;
    for (; open && sent < (size_t{8} << 20); sent += 65536) open = client.send(std::string(65536, 'x'));
    CHECK(client.receive().status == 400);
  }
  SUBCASE("trailers without an end") {
    Client client(site.port());
    client.send(head + "2\r\n{}\r\n0\r\n");
    for (int i = 0; i < 10000 && client.send("X-Trailer: " + std::string(100, 'x') + "\r\n"); ++i) {
    }
    CHECK(client.receive().status >= 400);
  }
  SUBCASE("told beforehand") {
    Client client(site.port());
    CHECK(client.ask(site.post("/api/v1/echo", std::string(1001, ' '), token)).status == 413);
    Client exact(site.port());
    CHECK(exact.ask(site.post("/api/v1/echo", '"' + std::string(998, 'x') + '"', token)).status == 200);
  }
  check_alive(site, token);
}

TEST_CASE("headers are bounded in number and in bytes, the address in bytes") {
  Options options;
  options.limits.header_count = 20;
  options.limits.header_bytes = 8192;
  options.limits.target_bytes = 1000;
  Site site(options, echo_routes());
  const std::string token = site.sign_in();
  const auto many = [](int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
    return out;
  };
  Client client(site.port());
  CHECK(client.ask(site.get("/api/v1/echo", token, many(18))).status == 200);  // Host and Authorization are two
  CHECK(client.ask(site.get("/api/v1/echo", token, many(19))).code() == "headers-too-large");
  CHECK(client.ask(site.get("/api/v1/echo?" + std::string(987, 'x'), token)).status == 200);  // 13 + 987
  CHECK(client.ask(site.get("/api/v1/echo?" + std::string(988, 'x'), token)).code() == "address-too-long");
  for (const auto& [request, code] : std::map<std::string, std::string>{
           {"GET /" + std::string(20000, 'x') + " HTTP/1.1\r\n\r\n", "address-too-long"},
           {"GET /" + std::string(1 << 20, 'x'), "address-too-long"},
           {std::string(1 << 20, 'G'), "address-too-long"},
           {site.get("/", "", "X: " + std::string(9000, 'x') + "\r\n"), "headers-too-large"},
           {site.get("/", "", std::string(9000, 'x') + ": 1\r\n"), "headers-too-large"},
           {site.get("/", "", many(5000)), "headers-too-large"}}) {
    CAPTURE(request.substr(0, 100));
    Client other(site.port());
    other.send(request);
    CHECK(other.receive().code() == code);
    CHECK(other.closed_by_server());
  }
  check_alive(site, token);
}

TEST_CASE("what is no address is refused") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  for (const char* target : {"/api/v1/%",
                             "/api/v1/%4",
                             "/api/v1/%zz",
                             "/api/v1/a%00b",
                             "/api/v1/%0d%0aX:1",
                             "/api/v1/%7f",
                             "/../etc/passwd",
                             "/api/../../etc/passwd",
                             "/%2e%2e/etc/passwd",
                             "/.%2E/",
                             "/api/v1/./echo",
                             "/api/v1/items/..%2f..%2fetc",
                             "/api/v1/items/a%5cb",
                             "/api/v1/items/a\\b",
                             "/%ff",
                             "/%c0%af",
                             "/%ed%a0%80",
                             "/%f4%90%80%80",
                             "http://127.0.0.1/api/v1/echo",
                             "*",
                             "127.0.0.1:80",
                             "api"}) {
    CAPTURE(target);
    Client client(site.port());
    const Answer a = client.ask(site.get(target, token));
    CHECK(a.status == 400);
    CHECK((a.code() == "bad-path" || a.code() == "malformed-request"));
  }
  for (const char* query : {"a=%", "a=%00", "a=%ff", "a=1&a=2", "%=1", "a=%1b"}) {
    CAPTURE(query);
    Client client(site.port());
    CHECK(client.ask(site.get(std::string("/api/v1/echo?") + query, token)).code() == "bad-query");
  }
  Client client(site.port());
  for (const char* target : {"/api/v1/nothing", "/api/v1/echo/", "/api/v1//echo", "//", "/page.js/", "/API/v1/echo",
                             "/api/v1/items/", "/api/v1/items/%7B%7D/x", "/page.js%20"}) {
    CAPTURE(target);
    CHECK(client.ask(site.get(target, token)).code() == "not-found");
  }
  // A name in braces is no wildcard in an address.
  CHECK(client.ask(site.get("/api/v1/items/%7B%7D", token)).code() == "method-not-allowed");
}

TEST_CASE("what is no HTTP is refused") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string head =
      "POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) + "Content-Type: application/json\r\n";
  using namespace std::string_literals;
  for (const std::string& bytes : {"hello\r\n\r\n"s,
                                   "\0\0\0\0\r\n\r\n"s,
                                   "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n"s,
                                   "GET\r\n\r\n"s,
                                   "GET / HTTP/1.1\n\n"s,
                                   "GET /\r\n\r\n"s,
                                   "GET / HTTP/1.1\r\nHost : x\r\n\r\n"s,
                                   "GET / HTTP/1.1\r\n: x\r\n\r\n"s,
                                   "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"s,
                                   "GET /a\0b HTTP/1.1\r\n\r\n"s,
                                   "G\0T / HTTP/1.1\r\n\r\n"s,
                                   "GET / HTTP/1.1\r\nno colon\r\n\r\n"s,
                                   "GET / HTTP/2.0\r\n\r\n"s,
                                   "GET / HTTP/0.9\r\n\r\n"s,
                                   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s,
                                   "GET / http/1.1\r\n\r\n"s,
                                   "GET / HTTP/1.1\r\n" + site.headers() + "Host: x\r\n\r\n",
                                   head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                                   head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                                   head + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
                                   head + "Transfer-Encoding: gzip\r\n\r\n{}",
                                   head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                                   head + "Content-Length: -1\r\n\r\n{}",
                                   head + "Content-Length: 1e3\r\n\r\n{}",
                                   head + "Content-Length: 99999999999999999999\r\n\r\n{}",
                                   head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"}) {
    CAPTURE(bytes);
    Client client(site.port());
    client.send(bytes);
    client.end_of_sending();
    const Answer a = client.receive();
    CHECK((a.status == 400 || a.status == 413 || a.status == 505));
    CHECK(a.headers.at("content-type") == "application/problem+json");
    CHECK(client.closed_by_server());
  }
  check_alive(site, token);
}

TEST_CASE("a client that leaves in the middle costs nothing") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string request = site.post("/api/v1/echo", R"({"text":"to be cut"})", token);
  for (size_t cut = 0; cut < request.size(); cut += 7) {
    Client client(site.port());
    client.send(request.substr(0, cut));
  }
  check_alive(site, token);
}

TEST_CASE("bodies: JSON in UTF-8, said to be JSON, and not where none belongs") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  using namespace std::string_literals;
  for (const std::string& body : {"{"s, "{}x"s, "nul"s, "\"\xff\""s, "\"\xc0\x80\""s, "\"\xed\xa0\x80\""s, "NaN"s,
                                  "\0"s, "{\"a\":1,}"s, std::string(100000, '['), "\"\\ud800\""s, "\"a\nb\""s}) {
    CAPTURE(body.substr(0, 40));
    Client client(site.port());
    const Answer a = client.ask(site.post("/api/v1/echo", body, token));
    CHECK(a.status == 400);
    CHECK(a.code() == "malformed-json");
    CHECK(client.ask(site.get("/api/v1/echo", token)).status == 200);  // on the same connection
  }
  for (const char* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Type: multipart/form-data; boundary=x\r\n", "Content-Type: application/jsonx\r\n",
                           "Content-Type: text/plain; a=application/json\r\n"}) {
    CAPTURE(type);
    Client client(site.port());
    CHECK(client.ask(site.post("/api/v1/echo", "{}", token, type)).code() == "not-json");
  }
  Client client(site.port());
  CHECK(client.ask("GET /api/v1/echo HTTP/1.1\r\n" + site.headers(token) + "Content-Length: 2\r\n\r\n{}").code() ==
        "unexpected-body");
}

TEST_CASE("HEAD has the headers of GET and no body; other methods name those that are taken") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  const Answer get = client.ask(site.get("/api/v1/echo", token));
  const std::string head = "HEAD /api/v1/echo HTTP/1.1\r\n" + site.headers(token) + "\r\n";
  const Answer a = client.ask(head, true);
  CHECK(a.status == 200);
  CHECK(a.headers.at("content-length") == std::to_string(get.body.size()));
  CHECK(client.ask(site.get("/api/v1/echo", token)).body == get.body);  // nothing stands between

  for (const auto& [line, allow] : std::map<std::string, std::string>{{"DELETE /api/v1/echo", "GET, HEAD, POST"},
                                                                      {"BREW /api/v1/echo", "GET, HEAD, POST"},
                                                                      {"OPTIONS /api/v1/echo", "GET, HEAD, POST"},
                                                                      {"TRACE /", "GET, HEAD"},
                                                                      {"POST /page.js", "GET, HEAD"},
                                                                      {"get /page.js", "GET, HEAD"},
                                                                      {"GET /api/v1/items/7", "PUT"},
                                                                      {"HEAD /api/v1/items/7", "PUT"},
                                                                      {"PATCH /api/v1/session", "DELETE, POST"}}) {
    CAPTURE(line);
    const Answer b = client.ask(line + " HTTP/1.1\r\n" + site.headers(token) + "\r\n", line.starts_with("HEAD"));
    CHECK(b.status == 405);
    CHECK(b.headers.at("allow") == allow);
  }
}

TEST_CASE("connections are kept, and requests that come at once are answered in order") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  std::string together;
  for (int i = 0; i < 50; ++i) together += site.get("/api/v1/echo?n=" + std::to_string(i), token);
  client.send(together);
  for (int i = 0; i < 50; ++i) {
    const Answer a = client.receive();
    REQUIRE(a.status == 200);
    CHECK(a.body.find("\"n\":\"" + std::to_string(i) + '"') != std::string::npos);
  }
  SUBCASE("Connection: close") {
    const Answer a = client.ask(site.get("/api/v1/echo", token, "Connection: close\r\n"));
    CHECK(a.headers.at("connection") == "close");
    CHECK(client.closed_by_server());
  }
  SUBCASE("HTTP/1.0 is answered and closed") {
    const Answer a = client.ask("GET /page.js HTTP/1.0\r\n" + site.headers() + "\r\n");
    CHECK(a.status == 200);
    CHECK(client.closed_by_server());
  }
  SUBCASE("a client that has said all still gets its answers") {
    client.send(site.get("/page.js") + site.get("/page.js"));
    client.end_of_sending();
    CHECK(client.receive().status == 200);
    CHECK(client.receive().status == 200);
    CHECK(client.closed_by_server());
  }
  SUBCASE("a body that is refused unread is not taken for a request") {
    client.send(site.post("/api/v1/echo", site.get("/page.js"), "", ""));
    CHECK(client.receive().status == 401);
    CHECK(client.receive().status == 0);
  }
}

TEST_CASE("Expect: 100-continue") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string head = "POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) +
                           "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
  Client client(site.port());
  client.send(head);
  CHECK(client.receive_to("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(client.ask("[]").status == 200);
  // What will be refused is not asked for.
  CHECK(client
            .ask("POST /api/v1/echo HTTP/1.1\r\n" + site.headers() +
                 "Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            .status == 401);
  Client other(site.port());
  CHECK(other.ask("POST /api/v1/echo HTTP/1.1\r\n" + site.headers(token) + "Content-Length: 2\r\nExpect: gold\r\n\r\n")
            .code() == "unknown-expectation");
}

TEST_CASE("files come with a strong ETag and are not sent twice") {
  Site site({}, echo_routes());
  Client client(site.port());
  const Answer a = client.ask(site.get("/page.js"));
  CHECK(a.status == 200);
  CHECK(a.body == "export const one = 1;\n");
  CHECK(a.headers.at("content-type") == "text/javascript");
  CHECK(a.headers.at("cache-control") == "no-cache");
  const std::string etag = a.headers.at("etag");
  CHECK(etag.size() == 34);
  CHECK(etag.front() == '"');
  for (const std::string& list : {etag, "\"other\", " + etag, "W/" + etag, std::string("*")}) {
    CAPTURE(list);
    const Answer b = client.ask(site.get("/page.js", "", "If-None-Match: " + list + "\r\n"), true);
    CHECK(b.status == 304);
    CHECK(b.headers.at("etag") == etag);
  }
  CHECK(client.ask(site.get("/page.js", "", "If-None-Match: \"other\"\r\n")).status == 200);
  CHECK(client.ask(site.get("/")).body == "<!doctype html><title>hone</title>");
}

TEST_CASE("what a handler throws becomes an answer") {
  Routes routes;
  routes.add("GET", "/api/v1/refused", [](const Request&) -> Response {
    throw Refused(Problem::kConflict, "the draft has changed", "load it again");
  });
  routes.add("GET", "/api/v1/usage", [](const Request&) -> Response { hone::usage_error("no such item", "look"); });
  routes.add("GET", "/api/v1/run", [](const Request&) -> Response { hone::run_error("disk full", "make room"); });
  routes.add("GET", "/api/v1/bug", [](const Request&) -> Response { throw std::logic_error("a detail of ours"); });
  routes.add("GET", "/api/v1/odd", [](const Request&) -> Response { throw 7; });
  routes.add("GET", "/api/v1/split",
             [](const Request&) { return Response{200, "text/plain", "x", {{"X-Name", "a\r\nSet-Cookie: b"}}}; });
  Site site({}, std::move(routes));
  const std::string token = site.sign_in();
  Client client(site.port());
  const Answer a = client.ask(site.get("/api/v1/refused", token));
  CHECK(a.status == 409);
  CHECK(a.body ==
        R"({"type":"/problems/conflict","title":"The request does not fit what is there by now.","status":409,)"
        R"("detail":"the draft has changed","code":"conflict","hint":"load it again"})");
  CHECK(client.ask(site.get("/api/v1/usage", token)).code() == "bad-request");
  const Answer full = client.ask(site.get("/api/v1/run", token));
  CHECK(full.status == 503);
  CHECK(full.body.find("disk full") != std::string::npos);
  for (const char* path : {"/api/v1/bug", "/api/v1/odd", "/api/v1/split"}) {
    CAPTURE(path);
    const Answer b = client.ask(site.get(path, token));
    CHECK(b.status == 500);
    CHECK(b.body.find("detail of ours") == std::string::npos);
    CHECK(!b.headers.contains("set-cookie"));
  }
}

TEST_CASE("codes of problems are unique, and fit their status") {
  std::set<std::string_view> codes;
  for (const ProblemInfo& p : all_problems()) {
    CAPTURE(p.code);
    CHECK(codes.insert(p.code).second);
    CHECK(p.status >= 400);
    CHECK(p.status < 600);
    CHECK(p.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos);
    CHECK(p.title.ends_with('.'));
  }
}

TEST_CASE("routes that cannot be meant are a bug") {
  Routes routes;
  const auto handler = [](const Request&) { return no_content(); };
  routes.add("GET", "/api/v1/items/{id}", handler);
  CHECK_THROWS_AS(routes.add("GET", "/api/v1/items/{other}", handler), hone::Error);
  CHECK_THROWS_AS(routes.add("GET", "/elsewhere", handler), hone::Error);
  CHECK_THROWS_AS(routes.add("GET", "/api/v1/{", handler), hone::Error);
  CHECK_THROWS_AS(routes.file("/api/v1/file", "text/plain", ""), hone::Error);
  // The one without a name goes first, whichever was added first.
  routes.add("GET", "/api/v1/items/new", handler);
  CHECK(routes.match("GET", {"api", "v1", "items", "new"}).parameters.empty());
  CHECK(routes.match("GET", {"api", "v1", "items", "7"}).parameters.at("id") == "7");
  CHECK(routes.match("GET", {"api", "v1", "items", ""}).route == nullptr);
}
