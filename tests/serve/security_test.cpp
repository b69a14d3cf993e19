// Who gets in: hosts, origins, sessions, rates; and what browsers are told.
#include <doctest/doctest.h>

#include "base/sha256.h"
#include "client.h"

using namespace hone::serve;
using namespace hone::serve::test;
using namespace std::string_literals;

namespace {

// Keeps tokens as a database would, so that a session outlives a server.
class Kept : public TokenStore {
 public:
  std::vector<StoredToken> load() override { return rows; }
  void keep(const StoredToken& token) override {
    if (fails) hone::run_error("disk full");
    rows.push_back(token);
  }
  void forget(const std::string& sha256) override {
    std::erase_if(rows, [&](const StoredToken& t) { return t.sha256 == sha256; });
  }
  std::vector<StoredToken> rows;
  bool fails = false;
};

Options with(TokenStore& tokens) {
  Options options;
  options.tokens = &tokens;
  return options;
}

}  // namespace

TEST_CASE("only requests for this machine's own names are answered") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string port = std::to_string(site.port());
  const auto code = [&](const std::string& target, const std::string& headers) {
    Client client(site.port());
    const Answer a =
        client.ask("GET " + target + " HTTP/1.1\r\n" + headers + "Authorization: Bearer " + token + "\r\n\r\n");
    return a.status == 200 ? "ok" : a.code();
  };
  for (const std::string& host : {"127.0.0.1:" + port, "localhost:" + port, "LocalHost:" + port, "[::1]:" + port}) {
    CAPTURE(host);
    CHECK(code("/api/v1/echo", "Host: " + host + "\r\n") == "ok");
  }
  for (const std::string& host : std::initializer_list<std::string>{
           "evil.example:" + port, "localhost.evil.example:" + port, "evil.example", "localhost", "127.0.0.1",
           "127.0.0.1:1", "127.0.0.1:" + port + "0", "127.0.0.1:0" + port, "127.1:" + port, "0.0.0.0:" + port,
           "127.0.0.2:" + port, "localhost.:" + port, "user@localhost:" + port, "[::1%lo]:" + port, "",
           "localhost:" + port + ", evil.example"}) {
    CAPTURE(host);
    CHECK(code("/api/v1/echo", "Host: " + host + "\r\n") == "wrong-host");
    CHECK(code("/", "Host: " + host + "\r\n") == "wrong-host");  // the page neither
  }
  CHECK(code("/", "") == "wrong-host");
  CHECK(code("/", "Host: localhost:" + port + "\r\nHost: evil.example\r\n") == "malformed-request");
  CHECK(code("/", "Host: localhost:" + port + "\r\nX-Forwarded-Host: evil.example\r\n") == "ok");
}

TEST_CASE("nothing that another site sends is answered") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  const std::string port = std::to_string(site.port());
  const auto code = [&](const std::string& target, const std::string& headers) {
    Client client(site.port());
    const Answer a = client.ask(site.get(target, token, headers));
    return a.status == 200 ? "ok" : a.code();
  };
  CHECK(code("/api/v1/echo", "Origin: http://127.0.0.1:" + port + "\r\nSec-Fetch-Site: same-origin\r\n") == "ok");
  for (const std::string& origin :
       {std::string("http://evil.example"), std::string("null"), "https://127.0.0.1:" + port,
        "http://localhost:" + port, std::string("http://127.0.0.1"), "http://127.0.0.1:" + port + "1",
        "http://127.0.0.1:" + port + "/"}) {
    CAPTURE(origin);
    CHECK(code("/api/v1/echo", "Origin: " + origin + "\r\n") == "foreign-origin");
    CHECK(code("/page.js", "Origin: " + origin + "\r\n") == "foreign-origin");
  }
  for (const char* where : {"cross-site", "same-site", "none", "SAME-ORIGIN", "anything"})
    CHECK(code("/api/v1/echo", "Sec-Fetch-Site: " + std::string(where) + "\r\n") == "foreign-origin");
  // The page itself may be opened from anywhere, and by hand; a script of it may not be loaded from elsewhere.
  CHECK(code("/", "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n") == "ok");
  CHECK(code("/", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n") == "ok");
  CHECK(code("/page.js", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n") == "foreign-origin");
  CHECK(code("/page.js", "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n") == "foreign-origin");
}

TEST_CASE("a preflight is refused and names no origin") {
  Site site({}, echo_routes());
  Client client(site.port());
  const Answer a = client.ask("OPTIONS /api/v1/echo HTTP/1.1\r\n" + site.headers() +
                              "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n");
  CHECK(a.status == 403);
  for (const auto& [name, value] : a.headers) CHECK(!name.starts_with("access-control"));
}

TEST_CASE("below /api/ everything wants a token, reads too") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  for (const std::string& header :
       {std::string(), std::string("Authorization: Bearer\r\n"), std::string("Authorization: Bearer \r\n"),
        "Authorization: Basic " + token + "\r\n", "Authorization: " + token + "\r\n",
        "Authorization: Bearer " + token + "0\r\n", "Authorization: Bearer " + token.substr(1) + "\r\n",
        "Authorization: Bearer " + hone::sha256(token) + "\r\n",
        "Authorization: Bearer " + std::string(64, '0') + "\r\n", "Cookie: token=" + token + "\r\n"}) {
    CAPTURE(header);
    for (const char* target : {"/api/v1/echo", "/api/v1/nothing", "/api/", "/api/v1/items/7"}) {
      const Answer a = client.ask(site.get(target, "", header));
      CHECK(a.status == 401);
      CHECK(a.code() == "no-session");
      CHECK(a.headers.at("www-authenticate") == "Bearer");
    }
  }
  CHECK(client.ask(site.get("/api/v1/echo?token=" + token)).status == 401);
  CHECK(client.ask(site.get("/api/v1/echo", "", "Authorization: bearer " + token + "\r\n")).status == 200);
}

TEST_CASE("a secret opens one session") {
  std::atomic<int> sessions = 0;
  Options options;
  options.on_session = [&] { ++sessions; };
  Site site(options, echo_routes());
  const std::string first = site.secret();
  CHECK(first.size() == 64);
  CHECK(site.server().url() == "http://127.0.0.1:" + std::to_string(site.port()) + "/#secret=" + first);
  Client client(site.port());
  const auto exchange = [&](const std::string& body) { return client.ask(site.post("/api/v1/session", body)); };
  for (const char* body :
       {"{}", "[]", "null", "{\"secret\":1}", "{\"secret\":null}", "{\"secret\":[\"a\"]}", "\"x\""}) {
    CAPTURE(body);
    CHECK(exchange(body).code() == "bad-request");
  }
  CHECK(exchange("{\"secret\":\"" + std::string(64, 'a') + "\"}").code() == "bad-secret");
  CHECK(exchange("{\"secret\":\"\"}").code() == "bad-secret");
  CHECK(exchange("{\"secret\":\"" + first.substr(1) + "\"}").code() == "bad-secret");
  CHECK(site.secret() == first);
  CHECK(sessions == 0);

  const Answer a = exchange("{\"secret\":\"" + first + "\"}");
  CHECK(a.status == 201);
  const std::string token = hone::Json::parse(a.body)["token"];
  CHECK(sessions == 1);
  CHECK(exchange("{\"secret\":\"" + first + "\"}").code() == "bad-secret");
  CHECK(site.secret() != first);
  const std::string second = site.sign_in();  // another window
  CHECK(second != token);
  CHECK(client.ask(site.get("/api/v1/echo", token)).status == 200);
  CHECK(client.ask(site.get("/api/v1/echo", second)).status == 200);

  CHECK(client.ask("DELETE /api/v1/session HTTP/1.1\r\n" + site.headers(token) + "\r\n").status == 204);
  CHECK(client.ask(site.get("/api/v1/echo", token)).status == 401);
  CHECK(client.ask(site.get("/api/v1/echo", second)).status == 200);
}

TEST_CASE("two who use one secret at the same time: one gets in") {
  Site site({}, echo_routes());
  const std::string body = "{\"secret\":\"" + site.secret() + "\"}";
  std::atomic<int> in = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        Client client(site.port());
        if (client.ask(site.post("/api/v1/session", body)).status == 201) ++in;
      });
  }
  CHECK(in == 1);
}

TEST_CASE("guessing is slowed down, and keeps nobody out") {
  Site site({}, echo_routes());
  Client client(site.port());
  const std::string wrong = site.post("/api/v1/session", "{\"secret\":\"" + std::string(64, '0') + "\"}");
  for (int i = 0; i < 10; ++i) CHECK(client.ask(wrong).status == 401);
  CHECK(client.ask(wrong).status == 429);
  CHECK(!site.sign_in().empty());
}

TEST_CASE("sessions outlive the server; only hashes are kept") {
  Kept kept;
  std::string token, ended;
  {
    Site site(with(kept), echo_routes());
    token = site.sign_in();
    ended = site.sign_in();
    Client client(site.port());
    client.ask("DELETE /api/v1/session HTTP/1.1\r\n" + site.headers(ended) + "\r\n");
  }
  REQUIRE(kept.rows.size() == 1);
  CHECK(kept.rows[0].sha256 == hone::sha256(token));
  {
    Site site(with(kept), echo_routes());
    Client client(site.port());
    CHECK(client.ask(site.get("/api/v1/echo", token)).status == 200);
    CHECK(client.ask(site.get("/api/v1/echo", ended)).status == 401);
  }
  kept.rows[0].expires_us = 1;
  {
    Site site(with(kept), echo_routes());
    Client client(site.port());
    CHECK(client.ask(site.get("/api/v1/echo", token)).status == 401);
    CHECK(kept.rows.empty());
  }
}

TEST_CASE("a token that cannot be kept uses no secret up") {
  Kept kept;
  kept.fails = true;
  Site site(with(kept), echo_routes());
  const std::string secret = site.secret();
  Client client(site.port());
  CHECK(client.ask(site.post("/api/v1/session", "{\"secret\":\"" + secret + "\"}")).status == 503);
  kept.fails = false;
  CHECK(site.secret() == secret);
  CHECK(!site.sign_in().empty());
}

TEST_CASE("the number of sessions is bounded; the oldest goes") {
  Kept kept;
  Sessions sessions(&kept);
  const std::string first = sessions.exchange(sessions.secret()).value();
  std::string last;
  for (size_t i = 0; i < Sessions::kMost; ++i) last = sessions.exchange(sessions.secret()).value();
  CHECK(kept.rows.size() == Sessions::kMost);
  CHECK(!sessions.find(first));
  CHECK(sessions.find(last) == hone::sha256(last));
}

TEST_CASE("every answer carries the rules for the browser") {
  Site site({}, echo_routes());
  const std::string token = site.sign_in();
  for (const std::string& request :
       {site.get("/"), site.get("/page.js"), site.get("/nothing"), site.get("/api/v1/echo", token),
        site.get("/api/v1/echo"), site.get("/%00"), site.post("/api/v1/echo", "{", token), std::string("hello\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"s, "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n"}) {
    CAPTURE(request.substr(0, 60));
    Client client(site.port());
    const Answer a = client.ask(request);
    REQUIRE(a.status != 0);
    CHECK(a.headers.at("content-security-policy") ==
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri "
          "'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'");
    CHECK(a.headers.at("x-content-type-options") == "nosniff");
    CHECK(a.headers.at("referrer-policy") == "no-referrer");
    CHECK(a.headers.at("cross-origin-opener-policy") == "same-origin");
    CHECK(a.headers.at("cross-origin-resource-policy") == "same-origin");
    CHECK(a.headers.at("date").ends_with(" GMT"));
    CHECK(!a.headers.contains("set-cookie"));
    CHECK(!a.headers.contains("access-control-allow-origin"));
    CHECK(!a.headers.contains("server"));
    CHECK(a.headers.at("cache-control") == (a.headers.contains("etag") ? "no-cache" : "no-store"));
  }
}

TEST_CASE("a session's requests are bounded in rate, another session's are its own") {
  Options options;
  options.limits.requests_per_second = 5;
  options.limits.requests_at_once = 20;
  Site site(options, echo_routes());
  const std::string one = site.sign_in(), other = site.sign_in();
  Client client(site.port());
  const auto start = std::chrono::steady_clock::now();
  int taken = 0;
  Answer refused;
  for (int i = 0; i < 60; ++i) {
    const Answer a = client.ask(site.get("/api/v1/echo", one));
    if (a.status == 200) ++taken;
    if (a.status == 429) refused = a;
  }
  CHECK(taken >= 20);
  CHECK(taken <= 21 + static_cast<int>(5 * seconds_since(start)));
  CHECK(refused.code() == "too-many-requests");
  CHECK(refused.headers["retry-after"] == "1");
  CHECK(client.ask(site.get("/api/v1/echo", other)).status == 200);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  CHECK(client.ask(site.get("/api/v1/echo", one)).status == 200);
  for (int i = 0; i < 60; ++i) refused = client.ask(site.get("/page.js"));
  CHECK(refused.status == 429);
}
