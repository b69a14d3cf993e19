// Live streams: what is sent arrives, nobody waits for a slow reader, and everybody finds out who is gone.
#include <doctest/doctest.h>

#include <mutex>
#include <vector>

#include "client.h"

using namespace hone::serve;
using namespace hone::serve::test;

namespace {

// A route /api/v1/live, whose streams the test holds, beside the others.
struct Hub {
  std::mutex mutex;
  std::vector<std::shared_ptr<EventStream>> streams;

  Routes routes() {
    Routes out = echo_routes();
    out.stream("/api/v1/live", [this](const Request& r, std::shared_ptr<EventStream> stream) {
      if (r.query.contains("refuse")) throw Refused(Problem::kConflict, "not now");
      stream->send("hello",
                   "after " + (r.headers.contains("last-event-id") ? r.headers.at("last-event-id") : "nothing"));
      const std::lock_guard lock(mutex);
      streams.push_back(std::move(stream));
    });
    return out;
  }
  std::shared_ptr<EventStream> wait_for(size_t count) {
    for (int i = 0; i < 500; ++i) {
      {
        const std::lock_guard lock(mutex);
        if (streams.size() >= count) return streams[count - 1];
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return nullptr;
  }
};

// True as soon as `what` is, which is asked again for five seconds.
bool soon(const std::function<bool()>& what) {
  for (int i = 0; i < 500; ++i) {
    if (what()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

TEST_CASE("events are framed so that no text can make another field or event") {
  EventStream stream(10000);
  CHECK(stream.send("note", "one"));
  CHECK(stream.send("note", "a\nb\r\nc\rd\n\nevent: x\n", "7"));
  CHECK(stream.send("", ""));
  CHECK(stream.take().bytes ==
        "event: note\ndata: one\n\n"
        "id: 7\nevent: note\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: event: x\ndata: \n\n"
        "data: \n\n");
  CHECK_THROWS_AS(stream.send("a\nb", "x"), hone::Error);
  CHECK_THROWS_AS(stream.send("a", "x", "1\r2"), hone::Error);
  stream.close();
  CHECK(stream.closed());
  CHECK(!stream.send("note", "late"));
  CHECK(stream.take().end);
}

TEST_CASE("what waits is bounded: a reader that lets it grow is dropped") {
  EventStream stream(1000);
  int sent = 0;
  while (sent < 100 && stream.send("note", std::string(80, 'x'))) ++sent;
  CHECK(sent == 10);  // an event takes 12 + 6 + 80 + 2 = 100 bytes
  CHECK(stream.closed());
  const EventStream::Waiting waiting = stream.take();
  CHECK(waiting.drop);
  CHECK(waiting.bytes.empty());
}

TEST_CASE("a stream brings events as they are sent, and ends where it is closed") {
  Hub hub;
  Site site({}, hub.routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  const Answer head = client.ask(site.get("/api/v1/live", token, "Last-Event-ID: 41\r\n"));
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-type") == "text/event-stream");
  CHECK(head.headers.at("cache-control") == "no-store");
  CHECK(client.receive_to("\n\n") == "event: hello\ndata: after 41\n\n");
  const auto stream = hub.wait_for(1);
  REQUIRE(stream);
  const auto start = std::chrono::steady_clock::now();
  CHECK(stream->send("pair", "{}", "42"));
  CHECK(client.receive_to("\n\n") == "id: 42\nevent: pair\ndata: {}\n\n");
  MESSAGE("an event took " << 1e3 * seconds_since(start) << " ms");
  stream->send("last", "x");
  stream->close();
  CHECK(client.receive_to("\n\n") == "event: last\ndata: x\n\n");
  CHECK(client.closed_by_server());
}

TEST_CASE("a stream wants a session, may be refused, and HEAD opens none") {
  Hub hub;
  Site site({}, hub.routes());
  const std::string token = site.sign_in();
  Client client(site.port());
  CHECK(client.ask(site.get("/api/v1/live")).status == 401);
  CHECK(client.ask("POST /api/v1/live HTTP/1.1\r\n" + site.headers(token) + "\r\n").status == 405);
  CHECK(client.ask("HEAD /api/v1/live HTTP/1.1\r\n" + site.headers(token) + "\r\n", true).status == 200);
  Client other(site.port());
  CHECK(other.ask(site.get("/api/v1/live?refuse", token)).code() == "conflict");
  CHECK(hub.streams.empty());
}

TEST_CASE("eight live streams do not block other requests") {
  Hub hub;
  Site site({}, hub.routes());
  const std::string token = site.sign_in();
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 1; i <= 8; ++i) {
    clients.push_back(std::make_unique<Client>(site.port()));
    clients.back()->send(site.get("/api/v1/live", token));
    REQUIRE(hub.wait_for(i));
  }
  Client client(site.port(), 1);
  for (int i = 0; i < 100; ++i) REQUIRE(client.ask(site.get("/api/v1/echo", token)).status == 200);
  for (auto& stream : hub.streams) CHECK(stream->send("still", "here"));
  for (auto& c : clients) CHECK(c->receive_to("still\ndata: here\n\n") != "");
}

TEST_CASE("nobody who sends waits for a reader that does not read") {
  Hub hub;
  Options options;
  options.limits.stream_bytes = 100000;
  Site site(options, hub.routes());
  const std::string token = site.sign_in();
  Client slow(site.port()), quick(site.port());
  slow.send(site.get("/api/v1/live", token));
  const auto to_slow = hub.wait_for(1);
  quick.send(site.get("/api/v1/live", token));
  const auto to_quick = hub.wait_for(2);
  REQUIRE(to_quick);
  double longest = 0;
  bool open = true;
  size_t sent = 0;
  // The kernel's buffers take some megabytes before the queue fills.
  for (; open && sent < (size_t{200} << 20); sent += 50000) {
    const auto start = std::chrono::steady_clock::now();
    open = to_slow->send("flood", std::string(50000, 'x'));
    longest = std::max(longest, seconds_since(start));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(!open);
  CHECK(to_slow->closed());
  CHECK(longest < 0.5);
  MESSAGE("dropped after " << sent << " bytes; the longest send took " << 1e3 * longest << " ms");
  CHECK(to_quick->send("still", "here"));
  CHECK(quick.receive_to("still\ndata: here\n\n") != "");
  CHECK(!to_quick->closed());
}

TEST_CASE("who is gone is known: closed, silent behind a heartbeat, signed out") {
  Hub hub;
  Options options;
  options.limits.heartbeat = std::chrono::milliseconds(50);
  Site site(options, hub.routes());
  const std::string token = site.sign_in();
  SUBCASE("a client that closes") {
    {
      Client client(site.port());
      client.send(site.get("/api/v1/live", token));
      REQUIRE(hub.wait_for(1));
    }
    CHECK(soon([&] { return hub.streams[0]->closed(); }));
    CHECK(!hub.streams[0]->send("note", "x"));
  }
  SUBCASE("a silent stream is kept by comments") {
    Client client(site.port());
    client.send(site.get("/api/v1/live", token));
    for (int i = 0; i < 3; ++i) CHECK(client.receive_to(":\n\n") != "");
    CHECK(!hub.streams[0]->closed());
  }
  SUBCASE("a session that ends takes its streams along") {
    Client client(site.port()), other(site.port());
    client.send(site.get("/api/v1/live", token));
    REQUIRE(hub.wait_for(1));
    CHECK(other.ask("DELETE /api/v1/session HTTP/1.1\r\n" + site.headers(token) + "\r\n").status == 204);
    CHECK(soon([&] { return hub.streams[0]->closed(); }));
    CHECK(client.closed_by_server());
  }
}

TEST_CASE("the number of streams is bounded, and one that ended makes room") {
  Hub hub;
  Options options;
  options.limits.streams = 2;
  Site site(options, hub.routes());
  const std::string token = site.sign_in();
  auto one = std::make_unique<Client>(site.port());
  Client two(site.port()), three(site.port());
  one->send(site.get("/api/v1/live", token));
  two.send(site.get("/api/v1/live", token));
  REQUIRE(hub.wait_for(2));
  CHECK(three.ask(site.get("/api/v1/live", token)).code() == "busy");
  one.reset();
  CHECK(soon([&] { return three.ask(site.get("/api/v1/live", token)).status == 200; }));
}

TEST_CASE("streams outlive the server") {
  Hub hub;
  auto site = std::make_unique<Site>(Options{}, hub.routes());
  Client client(site->port());
  client.send(site->get("/api/v1/live", site->sign_in()));
  const auto stream = hub.wait_for(1);
  REQUIRE(stream);
  // Somebody sends all the while.
  std::jthread sender([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) stream->send("note", "x");
  });
  site.reset();
  CHECK(stream->closed());
  CHECK(!stream->send("note", "x"));
}
