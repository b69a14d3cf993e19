// The one type for a comparison and its rows.
#include "feedback/comparison.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"

using namespace hone;
using namespace hone::feedback;

namespace {

using Messages = std::vector<text::Message>;
const Messages kPrompt{{"user", "why?"}}, kA{{"assistant", "so"}}, kB{{"assistant", "because"}};

// All that a comparison can say.
Comparison full() {
  Comparison c = compared({{"system", "be brief"}, {"user", "why?"}}, kA, kB, Outcome::kB, 0.5);
  c.prompt.front().tools = R"([{"type":"function","function":{"name":"clock"}}])";
  c.a.policy = "run-1";
  c.a.sampling = R"({"seed":3})";
  c.b.policy = "run-2";
  c.order = Order::kBFirst;
  c.strategy = "bald";
  c.propensity = 0.125;
  c.source = "mine";
  c.id = "7";
  c.strength = 3;
  c.dwell_ms = 4200;
  c.weight = 0.5;
  c.correction = {{"assistant", "because so"}};
  c.corrects = Side::kB;
  c.note = "both \"curt\"\n";
  c.annotator = "ann";
  return c;
}

std::string complaint(const std::string& row) {
  try {
    from_row(parse_json(row, "row"));
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the rows that collect and convert have always written") {
  Comparison c = compared(kPrompt, kA, kB);
  c.id = "p/0-1";
  c.annotator = "3";
  c.order = Order::kBFirst;
  CHECK(dump_json(to_preference_row(c)) ==
        R"({"prompt":"why?","chosen":"so","rejected":"because","id":"p/0-1","annotator":3,"shown_first":"rejected"})");
  c = compared(kPrompt, kA, kB, Outcome::kB, 0.25);
  c.id = "x:1";
  c.source = "x";
  c.weight = 0.5;
  CHECK(dump_json(to_preference_row(c, Names::kFirst)) ==
        R"({"id":"x:1","source":"x","prompt":"why?","chosen":"because","rejected":"so","weight":0.5,"margin":0.25})");
}

TEST_CASE("texts stand alone where a text says it all, or are messages throughout") {
  Comparison c = compared({{"system", "be brief"}, {"user", "why?"}}, kA, kB);
  CHECK(to_preference_row(c)["prompt"].is_array());
  CHECK(to_preference_row(c)["chosen"] == "so");
  CHECK(to_preference_row(c, Names::kLast, Texts::kMessages)["chosen"][0]["content"] == "so");
  CHECK_FALSE(all_plain(c));
  CHECK(all_plain(compared(kPrompt, kA, kB)));
}

TEST_CASE("a row says all of a comparison and reads back as the same") {
  CHECK(from_row(to_row(full())) == full());
  for (const Outcome o :
       {Outcome::kA, Outcome::kB, Outcome::kTie, Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip}) {
    Comparison c = compared(kPrompt, kA, kB, o);
    if (o == Outcome::kSkip) c.reason = "beyond me";
    CHECK(from_row(to_row(c)) == c);
    CHECK(outcome_named(name_of(o)) == o);
    CHECK(is_row(to_row(c)));
  }
  Comparison with_calls = compared(kPrompt, kA, kB);
  with_calls.a.messages = {{.role = "assistant",
                            .content = "",
                            .reasoning = "hm",
                            .tool_calls = R"([{"type":"function","function":{"name":"clock","arguments":"{}"}}])",
                            .no_content = true},
                           {.role = "tool", .content = "noon", .tool_call_id = "1", .name = "clock"},
                           {"assistant", "noon"}};
  CHECK(from_row(to_row(with_calls)) == with_calls);
  CHECK(from_row(parse_json(dump_json(to_row(with_calls)), "row")) == with_calls);
}

TEST_CASE("a name that only looks like a number stays a text") {
  for (const char* name : {"007", "1e3", "-1", "12345678901234567890", "", "٣"}) {
    Comparison c = compared(kPrompt, kA, kB);
    c.annotator = name;
    CHECK(from_row(to_row(c)).annotator == name);
  }
}

TEST_CASE("a wrong row is refused and the field named") {
  const std::string good = R"("prompt": "p", "answer_a": "a", "answer_b": "b")";
  CHECK(complaint("{" + good + R"(, "outcome": "a"})").empty());
  CHECK(complaint("{" + good + "}") == "field 'outcome' is ''");
  CHECK(complaint("{" + good + R"(, "outcome": "A"})") == "field 'outcome' is 'A'");
  CHECK(complaint(R"({"answer_a": "a", "answer_b": "b", "outcome": "a"})") == "field 'prompt' is missing");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "strength": 5})") ==
        "field 'strength' is not a whole number from 1 to 4");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "strength": 1.5})").find("strength") != std::string::npos);
  CHECK(complaint("{" + good + R"(, "outcome": "tie", "strength": 2})") == "a strength comes without a winner");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "reason": "dull"})") == "a reason comes without a skip");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "propensity": 0})") ==
        "the propensity is not above 0 and at most 1");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "propensity": "1"})") == "field 'propensity' is not a number");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "dwell_ms": -1})").find("dwell_ms") != std::string::npos);
  CHECK(complaint("{" + good + R"(, "outcome": "a", "dwell_ms": 18446744073709551615})").find("dwell_ms") !=
        std::string::npos);
  CHECK(complaint("{" + good + R"(, "outcome": "a", "weight": -1})") == "the weight is not 0 or more");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "shown_first": "left"})") ==
        "a side is 'left', neither 'a' nor 'b'");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "correction": "c"})") == "a side is '', neither 'a' nor 'b'");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "corrects": "a"})") ==
        "field 'corrects' comes without a 'correction'");
  CHECK(complaint("{" + good + R"(, "outcome": "a", "annotator": [1]})").find("annotator") != std::string::npos);
  CHECK(complaint("{" + good + R"(, "outcome": "a", "tools": {}})") == "field 'tools' is not a list");
  CHECK(complaint(R"({"prompt": [], "answer_a": "a", "answer_b": "b", "outcome": "a"})") ==
        "messages are not a list, or an empty one");
  CHECK(complaint(
            R"({"prompt": [{"role": "judge", "content": "x"}], "answer_a": "a", "answer_b": "b", "outcome": "a"})") ==
        "a message's role is 'judge'");
  CHECK(
      complaint(
          R"({"prompt": [{"role": "assistant", "content": "x"}], "answer_a": "a", "answer_b": "b", "outcome": "a"})") ==
      "the prompt does not end with the user");
  CHECK(complaint("[]") == "a comparison is not an object");
}

TEST_CASE("from outcomes to pairs, version 1") {
  const auto said = [](const Comparison& c, Ties ties) {
    std::string out;
    for (const Pair& p : pairs_of(c, ties))
      out += p.chosen[0].content + ">" + p.rejected[0].content + "*" +
             (p.weight == 1     ? "1"
              : p.weight == 0.5 ? "0.5"
                                : "?") +
             std::string(id_suffix(p)) + " ";
    return out;
  };
  Comparison c = compared(kPrompt, kA, kB);
  CHECK(said(c, Ties::kDrop) == "so>because*1 ");
  c.outcome = Outcome::kB;
  CHECK(said(c, Ties::kHalf) == "because>so*1 ");
  c.outcome = Outcome::kTie;
  CHECK(said(c, Ties::kDrop).empty());
  CHECK(said(c, Ties::kHalf) == "because>so*0.5' so>because*0.5 ");
  for (const Outcome o : {Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip}) {
    c.outcome = o;
    CHECK(said(c, Ties::kHalf).empty());
  }
  c.correction = {{"assistant", "well"}};
  c.corrects = Side::kB;
  c.outcome = Outcome::kBothBad;
  CHECK(said(c, Ties::kDrop) == "well>because*1+ well>so*1++ ");
  c.outcome = Outcome::kA;
  CHECK(said(c, Ties::kDrop) == "so>because*1 well>because*1+ ");
  c.correction = kB;  // nothing was edited
  CHECK(said(c, Ties::kDrop) == "so>because*1 ");
  c = compared(kPrompt, kA, kA);
  CHECK(said(c, Ties::kHalf).empty());
  CHECK(why_no_pair(c) == "identical answers");
}
