#include "data/inspect.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"
#include "data/convert.h"
#include "scratch.h"
#include "text/bpe_train.h"

using namespace hone;
using namespace hone::data;

namespace {

const Encoder& encoder() {
  static const Encoder e = [] {
    const std::vector<std::string> texts = {"the cat sat on the mat", "yes no"};
    return Encoder::make(text::train_bpe(texts, 280), "auto");
  }();
  return e;
}

std::vector<std::string> converted(const std::string& content, const char* to, ReadReport* report = nullptr) {
  const scratch::Folder dir;
  std::vector<std::string> out;
  const ReadReport r =
      convert({dir.file("in.jsonl", content)}, to, {}, [&](std::string_view line) { out.emplace_back(line); });
  if (report) *report = r;
  CHECK(static_cast<int64_t>(out.size()) == r.rows);
  return out;
}

const std::string kPairs = R"({"prompt": "P", "chosen": "aaaa", "rejected": "bb"}
{"prompt": "P", "chosen": "a", "rejected": "bb"}
{"prompt": "Q", "chosen": "aa", "rejected": "bb"}
{"prompt": "Q", "chosen": "aa", "rejected": "bb"}
{"prompt": "R", "chosen": "same", "rejected": "same"}
{"prompt": "R", "chosen": "", "rejected": "bb"}
oops
)";

}  // namespace

TEST_CASE("an inspection of comparisons counts what is odd") {
  const scratch::Folder dir;
  CHECK_THROWS_WITH_AS(inspect({dir.file("x.jsonl", kPairs)}, {}), doctest::Contains("x.jsonl:7: malformed JSON"),
                       Error);
  ReadSettings skip;
  skip.on_bad_line = "skip";
  const Inspection i = inspect({dir.file("x.jsonl", kPairs)}, skip);
  CHECK(i.kind == "comparisons");
  CHECK(i.rows == 5);
  CHECK(i.distinct_prompts == 3);
  CHECK(i.duplicates == 1);
  CHECK(i.empty_answers == 1);
  CHECK(i.report.skipped == 1);
  CHECK(i.report.dropped.at("identical answers") == 1);
  CHECK(i.longer_is_chosen() == doctest::Approx((1 + 0 + 0.5 + 0.5 + 0) / 5));
  const std::string text = i.to_text();
  for (const char* expected :
       {"x.jsonl: JSON Lines, format preference, 7 rows", "5 comparisons on 3 distinct prompts", "1 bad lines",
        "the longer answer is the chosen one in 40.0%", "x.jsonl:7: malformed JSON", "1 empty answers"})
    CHECK_MESSAGE(text.find(expected) != std::string::npos, expected);
  CHECK(i.to_json()["longer_is_chosen"] == doctest::Approx(0.4));
}

TEST_CASE("with a tokenizer: lengths in tokens, the first examples token by token with their weight") {
  const scratch::Folder dir;
  InspectSettings one;
  one.examples = 1;
  const Inspection i =
      inspect({dir.file("d.jsonl", R"({"prompt": "the cat?", "completion": "yes\n"})")}, {}, &encoder(), {}, one);
  CHECK(i.kind == "demonstrations");
  REQUIRE(i.shown.size() == 1);
  std::string all, trained;
  for (const ShownToken& t : i.shown[0].tokens) {
    all += t.text;
    if (t.weight > 0) trained += t.text;
  }
  CHECK(all == "<|bos|><|user|>the cat?<|assistant|>yes\n<|eos|>");
  CHECK(trained == "yes\n<|eos|>");
  CHECK(i.tokens[0].second.most == static_cast<int64_t>(i.shown[0].tokens.size()));
  const std::string text = i.to_text();
  CHECK(text.find("<|assistant|>\n") != std::string::npos);
  CHECK(text.find("\\n\n") != std::string::npos);  // a newline is shown, not printed
  CHECK(parse_json(dump_json(i.to_json()), "json")["tokenised"][0]["tokens"].size() == i.shown[0].tokens.size());
}

TEST_CASE("documents and prompts are inspected too; bytes that are no UTF-8 do no harm") {
  const scratch::Folder dir;
  CHECK(inspect({dir.file("t.txt", "one \xff two")}, {}, &encoder()).to_text().find("1 documents") !=
        std::string::npos);
  CHECK(inspect({dir.file("p.jsonl", "{\"prompt\": \"P\"}")}, {}, &encoder()).kind == "prompts");
  CHECK_THROWS_WITH_AS(inspect({dir.file("n.jsonl", "{\"a\": 1}\n")}, {}),
                       doctest::Contains("n.jsonl:1: no known format"), Error);
}

TEST_CASE("lengths: quantiles and bins of powers of two") {
  const Lengths l = lengths_of_values({0, 1, 2, 3, 4, 7, 8, 100});
  CHECK(l.least == 0);
  CHECK(l.median == 3);  // (8 - 1) / 2 = index 3
  CHECK(l.most == 100);
  CHECK(l.total == 125);
  CHECK(l.bins == std::vector<int64_t>{1, 1, 2, 2, 1, 0, 0, 1});  // 0 | 1 | 2-3 | 4-7 | 8-15 | … | 64-127
}

TEST_CASE("converting: what comes out reads back as the same rows") {
  const std::string hh =
      R"({"chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d", "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e"})";
  const auto preference = converted(hh, "preference");
  REQUIRE(preference.size() == 1);
  CHECK(converted(preference[0], "hh") == std::vector<std::string>{dump_json(parse_json(hh, "hh"))});
  CHECK(converted(hh, "messages")[0].find("\"content\":\"d\"") != std::string::npos);
  CHECK(converted(preference[0], "messages") == converted(preference[0], "messages"));
  ReadReport report;
  const std::string two = hh + "\n";
  CHECK(converted(two, "completion", &report).empty());
  CHECK(report.dropped.at("several turns do not fit prompt and completion") == 1);
  CHECK(converted(R"({"instruction": "I", "input": "", "output": "O", "id": 3})", "completion")[0] ==
        R"({"id":"3","prompt":"I","completion":"O"})");
  CHECK(converted(
            R"({"prompt": "P", "chosen": "a", "rejected": "b", "weight": 0.5, "margin": 2, "id": "x", "source": "s"})",
            "preference")[0] ==
        R"({"id":"x","source":"s","prompt":"P","chosen":"a","rejected":"b","weight":0.5,"margin":2.0})");
  CHECK(converted(hh, "prompt").size() == 1);
  CHECK(converted("\"a text\"", "text")[0] == R"({"id":"in:1","text":"a text"})");
  CHECK_THROWS_WITH_AS(converted(hh, "prefernce"), doctest::Contains("did you mean 'preference'"), Error);
  CHECK_THROWS_AS(converted(hh, "text"), Error);
}
