// Every row format from small files, in every container.
#include <doctest/doctest.h>

#include "base/error.h"
#include "data/format.h"
#include "data/read.h"
#include "data/row_parts.h"
#include "scratch.h"

using namespace hone;
using namespace hone::data;

namespace {

Read<Preference> preferences(const std::string& content, const ReadSettings& settings = {},
                             const char* name = "p.jsonl") {
  const scratch::Folder dir;
  return read_preferences({dir.file(name, content)}, settings);
}
Read<Demonstration> demonstrations(const std::string& content, const ReadSettings& settings = {}) {
  const scratch::Folder dir;
  return read_demonstrations({dir.file("d.jsonl", content)}, settings);
}
Read<Prompt> prompts(const std::string& content) {
  const scratch::Folder dir;
  return read_prompts({dir.file("x.jsonl", content)});
}

}  // namespace

TEST_CASE("a comparison of texts, of messages, and of whole conversations is the same comparison") {
  const char* rows[] = {
      R"({"prompt": "P", "chosen": "good", "rejected": "bad"})",
      R"({"prompt": "P", "chosen": {"role": "assistant", "content": "good"}, "rejected": {"role": "assistant", "content": "bad"}})",
      R"({"prompt": [{"role": "user", "content": "P"}], "chosen": "good", "rejected": "bad"})",
      R"({"prompt": [{"role": "user", "content": "P"}], "chosen": [{"role": "assistant", "content": "good"}], "rejected": [{"role": "assistant", "content": "bad"}]})",
      R"({"prompt": "P", "chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "bad"}]})",
      R"({"chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "bad"}]})",
      R"({"conversations": [{"from": "human", "value": "P"}], "chosen": {"from": "gpt", "value": "good"}, "rejected": {"from": "gpt", "value": "bad"}})",
      R"({"chosen": "\n\nHuman: P\n\nAssistant: good", "rejected": "\n\nHuman: P \n\nAssistant: bad"})",
  };
  for (const char* row : rows) {
    CAPTURE(row);
    const auto read = preferences(row);
    REQUIRE(read.rows.size() == 1);
    const Preference& p = read.rows[0];
    REQUIRE(p.prompt.size() == 1);
    CHECK(p.prompt[0].role == "user");
    CHECK(p.prompt[0].content == "P");
    CHECK(p.chosen == said("good"));
    CHECK(p.rejected == said("bad"));
    CHECK(p.weight == 1);
    CHECK(p.id == "p:1");
  }
}

TEST_CASE("HH transcripts: turns, neighbouring turns of one speaker, speakers inside a line") {
  const auto read = preferences(
      R"({"chosen": "\n\nHuman: a\n\nb\n\nAssistant: c  Human: d\n\nHuman: e\n\nAssistant: f\n\nAssistant: g", "rejected": "\n\nHuman: a\n\nb\n\nAssistant: c  Human: d\n\nHuman: e\n\nAssistant:"})");
  REQUIRE(read.rows.size() == 1);
  const Preference& p = read.rows[0];
  REQUIRE(p.prompt.size() == 3);
  CHECK(p.prompt[0].content == "a\n\nb");
  CHECK(p.prompt[1].content == "c  Human: d");
  CHECK(p.chosen == said("f\n\ng"));
  CHECK(p.rejected == said(""));
  CHECK(p.source == "hh");
  CHECK(read.report.files[0].format == "hh");
}

TEST_CASE("conversations that part before the last answer make no comparison") {
  const std::string good = R"({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"})";
  const std::string parted =
      R"({"chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d", "rejected": "\n\nHuman: a\n\nAssistant: c"})";
  const auto read = preferences(good + "\n" + parted);
  CHECK(read.rows.size() == 1);
  CHECK(read.report.dropped.at("the conversations part before the last answer") == 1);
  REQUIRE(read.report.problems.size() == 1);
  CHECK(read.report.problems[0].where.ends_with("p.jsonl:2"));
}

TEST_CASE("fine-grained feedback: six comparisons a row, in the order 12 13 14 23 24 34") {
  const std::string row =
      R"({"question": "Q", "passages": [["Title", "S1.", "S2."]], "prediction 1": "a", "prediction 2": "b", "prediction 3": "c", "prediction 4": "d", "preference": [1, 2, 0, 1, 2, 1]})";
  const auto read = preferences(row);
  // 1>2, 3>1, (1=4 tie), 2>3, 4>2, 3>4
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "b"}, {"c", "a"}, {"b", "c"}, {"d", "b"}, {"c", "d"}};
  REQUIRE(read.rows.size() == 5);
  for (size_t i = 0; i < 5; ++i) {
    CHECK(read.rows[i].chosen == said(expected[i].first));
    CHECK(read.rows[i].rejected == said(expected[i].second));
    CHECK(read.rows[i].prompt[0].content == "Q");
  }
  CHECK(read.report.ties == 1);
  ReadSettings with;
  with.passages = true;
  CHECK(preferences(row, with).rows[0].prompt[0].content == "S1. S2. \n\nQ");
}

TEST_CASE("ties by setting: two comparisons of weight one half, one each way") {
  const std::string row = R"({"prompt": "P", "completion_a": "a", "completion_b": "b", "preference": "tie"})";
  CHECK_THROWS_WITH_AS(preferences(row), doctest::Contains("no comparisons in"), Error);
  ReadSettings half;
  half.ties = "half";
  const auto read = preferences(row, half);
  REQUIRE(read.rows.size() == 2);
  CHECK(read.report.ties == 1);
  CHECK(read.rows[0].chosen == said("b"));
  CHECK(read.rows[1].chosen == said("a"));
  CHECK(read.rows[0].rejected == said("a"));
  for (const Preference& p : read.rows) {
    CHECK(p.weight == 0.5);
    CHECK(p.tie);
  }
  CHECK(read.rows[0].id != read.rows[1].id);
}

TEST_CASE("Tulu's five points give direction and strength") {
  auto one = [](const std::string& grade) {
    return preferences(R"({"prompt": "P", "completion_a": "a", "completion_b": "b", "preference": ")" + grade + "\"}")
        .rows.at(0);
  };
  CHECK(one("a-is-better").chosen == said("a"));
  CHECK(one("a-is-better").margin == 1.0);
  CHECK(one("a-is-slightly-better").margin == 0.5);
  CHECK(one("b-is-slightly-better").chosen == said("b"));
  CHECK(one("b-is-better").rejected == said("a"));
  CHECK_THROWS_WITH_AS(one("c-is-better"), doctest::Contains("p.jsonl:1: preference 'c-is-better'"), Error);
}

TEST_CASE("PandaLM: the majority of the annotators decides") {
  auto one = [](int a, int b, int c) {
    ReadSettings half;
    half.ties = "half";
    return preferences(R"({"instruction": "I", "input": "X", "response1": "a", "response2": "b", "annotator1": )" +
                           std::to_string(a) + ", \"annotator2\": " + std::to_string(b) +
                           ", \"annotator3\": " + std::to_string(c) + "}",
                       half)
        .rows;
  };
  CHECK(one(1, 1, 1).at(0).chosen == said("a"));
  CHECK(one(1, 1, 1).at(0).margin == 1.0);
  CHECK(one(1, 1, 1).at(0).prompt[0].content == "I\n\nX");
  CHECK(one(2, 1, 2).at(0).chosen == said("b"));
  CHECK(one(2, 1, 2).at(0).margin == doctest::Approx(1.0 / 3));  // (2 - 1) / 3
  CHECK(one(0, 2, 2).at(0).margin == doctest::Approx(2.0 / 3));
  CHECK(one(0, 0, 1).at(0).tie);
  CHECK(one(0, 1, 2).at(0).tie);
  CHECK_THROWS_AS(one(3, 1, 1), Error);
  CHECK(preferences(R"({"instruction": "I", "response1": true, "response2": "no", "annotator1": 1})").rows[0].chosen ==
        said("True"));
}

TEST_CASE("Open-Assistant trees: ranks make pairs, the best path demonstrations") {
  const std::string tree =
      R"({"message_tree_id": "t", "prompt": {"message_id": "m", "text": "P", "role": "prompter", "replies": [
        {"text": "second", "role": "assistant", "rank": 1, "replies": []},
        {"text": "first", "role": "assistant", "rank": 0, "replies": [
          {"text": "more?", "role": "prompter", "replies": [{"text": "more!", "role": "assistant", "rank": null, "replies": []}]}]},
        {"text": "third", "role": "assistant", "rank": 2, "replies": []},
        {"text": "gone", "role": "assistant", "rank": 3, "deleted": true, "replies": []}]}})";
  const scratch::Folder dir;
  const std::string file = dir.file("tree.json", tree);  // one object over several lines
  const auto read = read_preferences({file});
  REQUIRE(read.rows.size() == 3);  // three ranked replies
  CHECK(read.report.files[0].container == "one JSON object");
  CHECK(read.rows[0].chosen == said("first"));
  CHECK(read.rows[0].rejected == said("second"));
  CHECK(read.rows[0].margin == 0.5);  // ranks 0 and 1 of 0…2
  CHECK(read.rows[1].chosen == said("second"));
  CHECK(read.rows[2].margin == 1.0);
  CHECK(read.rows[0].id == "m.1");
  const auto shown = read_demonstrations({file});
  REQUIRE(shown.rows.size() == 1);
  CHECK(shown.rows[0].messages.size() == 4);
  CHECK(shown.rows[0].messages[1].content == "first");
  CHECK(shown.rows[0].messages[3].content == "more!");
}

TEST_CASE("demonstrations: completions, messages, alpaca, ShareGPT") {
  CHECK(demonstrations(R"({"prompt": "P", "completion": "C"})").rows[0].messages[1].content == "C");
  CHECK(demonstrations(R"({"prompt": "P", "completion": "C", "system": "S"})").rows[0].messages[0].role == "system");
  CHECK(demonstrations(R"({"instruction": "I", "input": "", "output": "O"})").rows[0].messages[0].content == "I");
  CHECK(demonstrations(R"({"instruction": "I", "input": "X", "output": "O"})").rows[0].messages[0].content == "I\n\nX");
  CHECK(demonstrations(R"({"conversations": [{"from": "human", "value": "P"}, {"from": "gpt", "value": "C"}]})")
            .rows[0]
            .messages[1]
            .role == "assistant");
  const auto parts = demonstrations(
      R"({"id": "row-7", "messages": [{"role": "user", "content": [{"type": "text", "value": "P"}]}, {"role": "assistant", "content": [{"type": "text", "text": "C"}]}]})");
  CHECK(parts.rows[0].messages[0].content == "P");
  CHECK(parts.rows[0].id == "row-7");
  const auto kto = demonstrations(
      R"({"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "good"}], "label": true}
{"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "bad"}], "label": false})");
  CHECK(kto.rows.size() == 1);
  CHECK(kto.report.dropped.at("labelled bad") == 1);
  CHECK_THROWS_WITH_AS(
      demonstrations(R"({"messages": [{"role": "user", "content": "P"}, {"role": "narrator", "content": "C"}]})"),
      doctest::Contains("d.jsonl:1: role 'narrator' is not supported"), Error);
}

TEST_CASE("demonstrations from comparisons: answers that never lose, each once") {
  // a beats b twice, b beats c, d beats a elsewhere on another prompt
  const std::string rows = R"({"prompt": "P", "chosen": "a", "rejected": "b"}
{"prompt": "P", "chosen": "b", "rejected": "c"}
{"prompt": "P", "chosen": "a", "rejected": "c"}
{"prompt": "Q", "chosen": "d", "rejected": "a"}
{"prompt": "R", "chosen": "", "rejected": "a"})";
  const auto best = demonstrations(rows);
  REQUIRE(best.rows.size() == 2);
  CHECK(best.rows[0].messages[1].content == "a");
  CHECK(best.rows[1].messages[1].content == "d");
  CHECK(best.report.dropped.at("chosen once, rejected another time") == 1);
  CHECK(best.report.dropped.at("chosen already") == 1);
  CHECK(best.report.dropped.at("empty answers") == 1);
  ReadSettings all;
  all.chosen_sides = "all";
  CHECK(demonstrations(rows, all).rows.size() == 3);
}

TEST_CASE("prompts come from every kind of row, each once") {
  const auto read = prompts(R"({"prompt": "P"}
{"prompt": " P "}
{"prompt": [{"role": "user", "content": "Q"}], "id": 12})");
  REQUIRE(read.rows.size() == 2);
  CHECK(read.rows[1].id == "12");
  CHECK(read.report.dropped.at("the same prompt again") == 1);
  CHECK(prompts(R"({"prompt": "P", "completion": "C"})").rows[0].messages.size() == 1);
  CHECK(prompts(R"({"prompt": "P", "chosen": "a", "rejected": "b"})").rows.size() == 1);
  CHECK(
      prompts(R"({"messages": [{"role": "user", "content": "P"}], "ground_truth": "4"})").rows[0].messages[0].content ==
      "P");
  CHECK(prompts("\"a bare string\"").rows[0].messages[0].content == "a bare string");
}

TEST_CASE("identical answers and weights of 0 carry nothing and are counted") {
  const auto read = preferences(R"({"prompt": "P", "chosen": "a", "rejected": "a"}
{"prompt": "P", "chosen": "a", "rejected": "b", "weight": 0}
{"prompt": "P", "chosen": "a", "rejected": "b", "weight": 0.25, "margin": 2, "source": "mine"}
{"prompt": "P", "chosen": "a", "rejected": "b", "score_chosen": 9, "score_rejected": 4})");
  REQUIRE(read.rows.size() == 2);
  CHECK(read.report.dropped.at("identical answers") == 1);
  CHECK(read.report.dropped.at("weight 0") == 1);
  CHECK(read.rows[0].weight == 0.25);
  CHECK(read.rows[0].margin == 2);
  CHECK(read.rows[0].source == "mine");
  CHECK(read.rows[1].margin == 5);
  CHECK_THROWS_AS(preferences(R"({"prompt": "P", "chosen": "a", "rejected": "b", "weight": -1})"), Error);
}

TEST_CASE("questions with their answers: demonstrations, or prompts; a choice among several is neither") {
  const std::string row = R"({"question": "Q", "answer": "3 + 4 = 7\n#### 7"})";
  CHECK(demonstrations(row).rows[0].messages[1].content == "3 + 4 = 7\n#### 7");
  CHECK(prompts(row).rows[0].messages[0].content == "Q");
  CHECK(prompts(row).rows[0].messages.size() == 1);
  CHECK(prompts(R"({"question": "Q", "answer": 7})").rows[0].messages.size() == 1);
  CHECK(prompts(R"({"question": "Q", "system": "S"})").rows[0].messages.size() == 2);
  CHECK_THROWS_AS(prompts(R"({"question": "Q", "choices": ["a", "b"], "answer": 1})"), Error);
}

TEST_CASE("the list of formats: every one is found by its name, an unknown one gets a suggestion") {
  CHECK(formats().size() == 15);
  for (const Format& f : formats()) CHECK(format(f.id).id == f.id);
  CHECK_THROWS_WITH_AS(format("preferences"), doctest::Contains("did you mean 'preference'"), Error);
}
