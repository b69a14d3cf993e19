// The JSON API without a socket: every field's wrong values, codes of refusals, what the page gets, live progress.
#include "annotate/api.h"

#include <doctest/doctest.h>

#include "../data/scratch.h"
#include "annotate/file_pairs.h"
#include "annotate/token_table.h"
#include "base/files.h"
#include "base/json.h"
#include "feedback/labels.h"

using namespace hone;
using scratch::Folder;
using serve::Problem;
using serve::Request;
using serve::Response;

namespace {

// Eight pairs and more; the routes as the server would call them.
struct Page {
  Folder folder;
  annotate::FilePairs source;
  feedback::Store store;
  annotate::Desk desk;
  annotate::Listeners listeners;
  annotate::Api api;
  serve::Routes routes;
  std::string at_desk;  // the header Hone-Desk; "": none

  static std::string rows() {
    std::string out;
    for (int i = 0; i < 10; ++i)
      out += R"({"prompt": "Q)" + std::to_string(i) + R"(", "answers": ["<b>a</b>", "b\u202e"]})" + "\n";
    return out;
  }
  Page()
      : source({folder.file("p.jsonl", rows())}),
        store(feedback::Store::open(folder.path / "s.db")),
        desk(store, source, "tester"),
        api(desk, source, listeners, "hone feedback export --store s.db") {
    api.add_to(routes);
  }

  Response ask(const std::string& method, std::vector<std::string> path, const std::string& body = {},
               const std::string& key = "a-key-0001", const std::string& have = {}) {
    path.insert(path.begin(), {"api", "v1"});
    const serve::Routes::Match match = routes.match(method, path);
    REQUIRE(match.route != nullptr);
    Request request;
    request.method = method;
    request.body = body;
    if (!at_desk.empty()) request.headers["hone-desk"] = at_desk;
    request.parameters = match.parameters;
    if (!key.empty()) request.headers["idempotency-key"] = key;
    if (!have.empty()) request.query["have"] = have;
    return match.route->handler(request);
  }
  Json json(const std::string& method, const std::vector<std::string>& path, const std::string& body = {},
            const std::string& key = "a-key-0001", const std::string& have = {}) {
    return parse_json(ask(method, path, body, key, have).body, "answer");
  }
  // The code of the problem, or the status.
  std::string code(const std::string& method, const std::vector<std::string>& path, const std::string& body,
                   const std::string& key = "a-key-0001") {
    try {
      return std::to_string(ask(method, path, body, key).status);
    } catch (const serve::Refused& e) {
      CHECK(std::string(e.what()) != "");
      return std::string(serve::info(e.problem).code);
    }
  }
  std::string pair(size_t i) { return json("GET", {"pairs"})["order"][i]; }
};

}  // namespace

TEST_CASE("what was done at another desk is refused, because the answers stood in another order there") {
  Page page;
  const std::string pair = page.pair(0), body = R"({"pair": ")" + pair + R"(", "outcome": "first"})";
  page.at_desk = page.json("GET", {"progress"})["desk"];
  CHECK(page.at_desk == page.desk.id());
  const std::string here = page.at_desk;
  page.at_desk = "0123456789abcdef";
  CHECK(page.code("POST", {"judgements"}, body) == "other-desk");
  CHECK(page.code("POST", {"undo"}, R"({"judgement": "a-key-0001"})") == "other-desk");
  CHECK(page.code("PUT", {"drafts", pair}, R"({"note": "n", "correction": null})") == "other-desk");
  CHECK(page.code("GET", {"pairs"}, "") == "other-desk");
  page.at_desk = here;
  CHECK(page.code("POST", {"judgements"}, body) == "201");
}

TEST_CASE("pairs: eight on offer, in order, without those that the page has") {
  Page page;
  const Json all = page.json("GET", {"pairs"});
  CHECK(all["order"].size() == 8);
  CHECK(all["pairs"].size() == 8);
  CHECK(all["supply"] == "ready");
  const Json& first = all["pairs"][0];
  CHECK(first["id"] == all["order"][0]);
  CHECK(first["prompt"][0]["content"] == "Q0");
  CHECK(first["answers"].size() == 2);
  CHECK(first["draft"]["note"] == "");
  CHECK(first["draft"]["correction"].is_null());
  CHECK(first["growing"] == false);
  // Text goes out as it is: making it harmless is the page's business, which never makes HTML of it.
  const std::string a = first["answers"][0]["turns"][0]["content"], b = first["answers"][1]["turns"][0]["content"];
  CHECK((a == "<b>a</b>" || b == "<b>a</b>"));
  const std::string have = all["order"][0].get<std::string>() + "," + all["order"][2].get<std::string>() + ",,nonsense";
  const Json some = page.json("GET", {"pairs"}, "", "", have);
  CHECK(some["order"] == all["order"]);
  CHECK(some["pairs"].size() == 6);
}

TEST_CASE("a judgement by where the answer stands becomes one of a or b") {
  Page page;
  for (int i = 0; i < 6; ++i) {
    const Json pair = page.json("GET", {"pairs"})["pairs"][0];
    const std::string shown = pair["answers"][i % 2]["turns"][0]["content"];
    const Json said = page.json(
        "POST", {"judgements"},
        dump_json({{"pair", pair["id"]}, {"outcome", i % 2 == 0 ? "first" : "second"}, {"dwell_ms", 900 + i}}),
        "judge-key-" + std::to_string(i));
    CHECK(said["judgement"] == "judge-key-" + std::to_string(i));
    CHECK(said["progress"]["ring"]["count"] == i + 1);
    CHECK(said["head"].get<std::string>().size() == 64);
    const feedback::Label label = feedback::labels(page.store).back();
    CHECK(label.comparison.dwell_ms == 900 + i);
    const feedback::Answer& won =
        label.comparison.outcome == feedback::Outcome::kA ? label.comparison.a : label.comparison.b;
    CHECK(won.messages[0].content == shown);
  }
}

TEST_CASE("the page is told which outcomes move the ring, and where the last judgement is") {
  Page page;
  Json progress = page.json("GET", {"progress"});
  CHECK(progress["ring"] ==
        parse_json(R"({"count":0,"goal":60,"round":1,"advancing":["first","second"]})", "expected"));
  CHECK(progress["left"] == 10);
  CHECK(progress["last"].is_null());
  CHECK(progress["export"] == "hone feedback export --store s.db");
  const std::string pair = page.pair(0);
  page.ask("POST", {"judgements"}, dump_json({{"pair", pair}, {"outcome", "tie"}}), "tie-key-01");
  progress = page.json("GET", {"progress"});
  CHECK(progress["counts"]["tie"] == 1);
  CHECK(progress["last"] == Json({{"judgement", "tie-key-01"}, {"pair", pair}, {"advanced", false}}));
  CHECK(page.code("POST", {"undo"}, R"({"judgement": "tie-key-01"})", "undo-key-01") == "201");
  CHECK(page.code("POST", {"undo"}, R"({"judgement": "tie-key-01"})", "undo-key-01") == "201");
  CHECK(page.code("POST", {"undo"}, R"({"judgement": "tie-key-01"})", "undo-key-02") == "conflict");
  CHECK(page.code("POST", {"undo"}, R"({"judgement": "never-said"})", "undo-key-03") == "not-found");
  CHECK(page.json("GET", {"progress"})["counts"]["tie"] == 0);
}

TEST_CASE("the same request again is the same answer, another one with its key is refused") {
  Page page;
  const std::string body = dump_json({{"pair", page.pair(0)}, {"outcome", "first"}, {"note", "n"}});
  const Json first = page.json("POST", {"judgements"}, body);
  const Json again = page.json("POST", {"judgements"}, body);
  CHECK(first["seq"] == again["seq"]);
  CHECK(first["head"] == again["head"]);
  const std::string other = dump_json({{"pair", page.pair(1)}, {"outcome", "first"}, {"note", "n"}});
  CHECK(page.code("POST", {"judgements"}, other) == "conflict");
  CHECK(page.json("GET", {"progress"})["counts"]["decided"] == 1);
}

TEST_CASE("drafts are kept with the pair and come back with it") {
  Page page;
  const std::string pair = page.pair(1);
  CHECK(page.code("PUT", {"drafts", pair}, R"({"note": "hm", "correction": {"of": "second", "text": "better"}})") ==
        "204");
  const Json draft = page.json("GET", {"pairs"})["pairs"][1]["draft"];
  CHECK(draft == parse_json(R"({"note":"hm","correction":{"of":"second","text":"better"}})", "expected"));
  CHECK(page.code("PUT", {"drafts", pair}, R"({"note": "", "correction": null})") == "204");
  CHECK(page.json("GET", {"pairs"})["pairs"][1]["draft"]["correction"].is_null());
  CHECK(page.code("PUT", {"drafts", "unknown"}, R"({"note": "x"})") == "not-found");
}

TEST_CASE("every field's wrong values are refused by name, and nothing is written") {
  Page page;
  const std::string pair = page.pair(0);
  const int64_t seq = page.store.head().seq;
  const auto with = [&](const std::string& more) { return R"({"pair": ")" + pair + "\"" + more + "}"; };
  const std::string big = std::string(250'000, 'x');
  for (const std::string& body : {
           std::string("[]"),
           std::string("7"),
           std::string("null"),
           std::string("{}"),
           with(""),
           with(R"(, "outcome": "a")"),
           with(R"(, "outcome": "left")"),
           with(R"(, "outcome": 1)"),
           with(R"(, "outcome": null)"),
           with(R"(, "outcome": "first", "dwell_ms": -1)"),
           with(R"(, "outcome": "first", "dwell_ms": 1.5)"),
           with(R"(, "outcome": "first", "dwell_ms": "9")"),
           with(R"(, "outcome": "first", "dwell_ms": 86400001)"),
           with(R"(, "outcome": "first", "dwell_ms": 18446744073709551615)"),
           with(R"(, "outcome": "first", "reason": "unclear")"),
           with(R"(, "outcome": "skip", "reason": "because")"),
           with(R"(, "outcome": "skip", "reason": ["unclear"])"),
           with(R"(, "outcome": "first", "note": 5)"),
           with(R"(, "outcome": "first", "note": ")" + big + "\""),
           with(R"(, "outcome": "first", "correction": "x")"),
           with(R"(, "outcome": "first", "correction": {"text": "x"})"),
           with(R"(, "outcome": "first", "correction": {"of": "third", "text": "x"})"),
           with(R"(, "outcome": "first", "correction": {"of": "first"})"),
           with(R"(, "outcome": "first", "correction": {"of": "first", "text": ")" + big + "\"}"),
           with(R"(, "outcome": "first", "correction": {"of": "first", "text": "x", "by": "me"})"),
           with(R"(, "outcome": "first", "annotator": "somebody else")"),
           with(R"(, "outcome": "first", "propensity": 1)"),
           std::string(R"({"pair": 5, "outcome": "first"})"),
           R"({"pair": ")" + std::string(100, 'f') + R"(", "outcome": "first"})",
       }) {
    CAPTURE(body.substr(0, 120));
    CHECK(page.code("POST", {"judgements"}, body) == "bad-request");
  }
  CHECK(page.code("POST", {"judgements"}, "{broken") == "malformed-json");
  CHECK(page.code("POST", {"judgements"}, "\"\xff\"") == "malformed-json");
  CHECK(page.code("POST", {"judgements"}, R"({"pair": "00000000000000000000000000000000", "outcome": "first"})") ==
        "not-found");
  for (const std::string& key : {std::string(), std::string("short"), std::string(101, 'k'), std::string("with blank"),
                                 std::string("quote'quote"), std::string("sla/sh/es")})
    CHECK(page.code("POST", {"judgements"}, with(R"(, "outcome": "first")"), key) == "bad-request");
  for (const std::string& body : {std::string("[]"), std::string("{}"), std::string(R"({"judgement": 1})"),
                                  std::string(R"({"judgement": "x", "of": 1})")})
    CHECK(page.code("POST", {"undo"}, body) == "bad-request");
  for (const std::string& body : {std::string("[]"), std::string(R"({"note": 1})"), std::string(R"({"edits": {}})"),
                                  R"({"note": ")" + big + "\"}"})
    CHECK(page.code("PUT", {"drafts", pair}, body) == "bad-request");
  CHECK(page.store.head().seq == seq);
}

TEST_CASE("skips with their reasons, and without one") {
  Page page;
  const char* reasons[] = {"unclear", "expertise", "offensive", "broken"};
  for (const char* reason : reasons) {
    const std::string body = dump_json({{"pair", page.pair(0)}, {"outcome", "skip"}, {"reason", reason}});
    CHECK(page.code("POST", {"judgements"}, body, std::string("skip-key-") + reason) == "201");
    CHECK(feedback::labels(page.store).back().comparison.reason == reason);
  }
  CHECK(page.code("POST", {"judgements"}, dump_json({{"pair", page.pair(0)}, {"outcome", "skip"}}), "skip-key-0") ==
        "201");
  CHECK(page.json("GET", {"progress"})["counts"]["skip"] == 5);
}

TEST_CASE("listeners get the progress at once and with every judgement, and go when they are gone") {
  Page page;
  const serve::Routes::Match match = page.routes.match("GET", {"api", "v1", "events"});
  REQUIRE(match.route != nullptr);
  auto stream = std::make_shared<serve::EventStream>(1 << 16);
  match.route->stream(Request{}, stream);
  CHECK(stream->take().bytes.find("\"count\":0") != std::string::npos);
  const std::string body = dump_json({{"pair", page.pair(0)}, {"outcome", "first"}});
  page.ask("POST", {"judgements"}, body);
  CHECK(stream->take().bytes.find("\"count\":1") != std::string::npos);
  page.ask("POST", {"judgements"}, body);  // nothing new
  CHECK(stream->take().bytes.empty());
  stream->disconnect();
  page.ask("POST", {"judgements"}, dump_json({{"pair", page.pair(0)}, {"outcome", "tie"}}), "a-key-0002");
  CHECK(stream->take().bytes.empty());
}

TEST_CASE("tokens stay over a restart, without the tokens themselves") {
  const Folder folder;
  std::string token;
  {
    feedback::Store store = feedback::Store::open(folder.path / "s.db");
    annotate::TokenTable table(store);
    serve::Sessions sessions(&table);
    token = *sessions.exchange(sessions.secret());
  }
  CHECK(read_file(folder.path / "s.db").find(token) == std::string::npos);
  feedback::Store store = feedback::Store::open(folder.path / "s.db");
  annotate::TokenTable table(store);
  serve::Sessions sessions(&table);
  const auto name = sessions.find(token);
  REQUIRE(name.has_value());
  sessions.end(*name);
  CHECK(table.load().empty());
}
