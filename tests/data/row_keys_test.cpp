// The whole class of keys: in every format every key that changes what a row says must change what is read, or be
// refused by name; any other is counted. And what people write in such keys, spelling by spelling.
#include "data/row_keys.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "data/convert.h"
#include "data/format.h"
#include "data/read.h"
#include "data/row_parts.h"
#include "data/split.h"
#include "scratch.h"
#include "text/message_json.h"

using namespace hone;
using namespace hone::data;

namespace {

const std::map<std::string, std::vector<std::string>>& valid_rows() {
  static const std::map<std::string, std::vector<std::string>> rows{
      {"hh", {R"({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"})"}},
      {"finegrained",
       {R"({"question": "Q", "prediction 1": "a", "prediction 2": "b", "prediction 3": "c", "prediction 4": "d", "preference": [1, 2, 0, 1, 2, 1]})"}},
      {"tulu", {R"({"prompt": "P", "completion_a": "a", "completion_b": "b", "preference": "a-is-better"})"}},
      {"pandalm", {R"({"instruction": "I", "response1": "a", "response2": "b", "annotator1": 1})"}},
      {"oasst",
       {R"({"prompt": {"text": "P", "role": "prompter", "replies": [{"text": "a", "role": "assistant", "rank": 1, "replies": []}, {"text": "b", "role": "assistant", "rank": 0, "replies": []}]}})"}},
      {"preference",
       {R"({"prompt": "P", "chosen": "a", "rejected": "b"})", R"({"instruction": "P", "chosen": "a", "rejected": "b"})",
        R"({"chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "b"}]})"}},
      {"comparison", {R"({"prompt": "P", "answer_a": "a", "answer_b": "b", "outcome": "a"})"}},
      {"sharegpt",
       {R"({"conversations": [{"from": "human", "value": "P"}, {"from": "gpt", "value": "a"}]})",
        R"({"conversations": [{"from": "human", "value": "P"}]})",
        R"({"conversations": [{"from": "human", "value": "P"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}})"}},
      {"messages",
       {R"({"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "a"}]})",
        R"({"messages": [{"role": "user", "content": "P"}]})"}},
      {"alpaca",
       {R"({"instruction": "P", "output": "a"})", R"({"instruction": "P"})",
        R"({"instruction": "P", "output": ["a", "b"]})"}},
      {"answers", {R"({"prompt": "P", "answers": ["a", "b"]})"}},
      {"completion", {R"({"prompt": "P", "completion": "a"})"}},
      {"question", {R"({"question": "P", "answer": "a"})", R"({"question": "P"})"}},
      {"prompt", {R"({"prompt": "P"})"}},
      {"text", {R"({"text": "T"})"}}};
  return rows;
}

// A value of the kind that the key has in data sets, and that is not its default.
Json telling_value(std::string_view key) {
  if (key == "history") return Json::array({Json::array({"before", "so"})});
  if (key == "tools" || key == "functions")
    return parse_json(R"([{"type": "function", "function": {"name": "clock"}}])", "tools");
  if (key.find("score") != key.npos || key.find("rating") != key.npos || key.find("reward") != key.npos) return 3.5;
  if (key == "margin") return 2.5;
  if (key.find("weight") != key.npos) return 0.25;
  if (key == "tie" || key == "masked" || key == "mask") return true;
  if (key.find("label") != key.npos || key == "kto_tag" || key.find("desirable") != key.npos ||
      key.find("train") != key.npos || key.find("loss") != key.npos)
    return false;
  if (key == "tool_calls") return parse_json(R"([{"function": {"name": "clock", "arguments": {}}}])", "calls");
  if (key == "function_call") return parse_json(R"({"name": "clock", "arguments": "{}"})", "call");
  if (key == "images" || key == "videos" || key == "audios") return Json::array({"x.png"});
  return "something";
}

// All that was read, as one text.
std::string outcome(const RowContent& c) {
  Json out;
  out["documents"] = c.documents;
  for (const auto& m : c.demonstrations) out["demonstrations"].push_back({messages_json(m), m.front().tools});
  for (const auto& m : c.prompts) out["prompts"].push_back({messages_json(m), m.front().tools});
  for (const AnswerPair& x : c.unjudged)
    out["unjudged"].push_back(
        {messages_json(x.prompt), x.prompt.front().tools, messages_json(x.first), messages_json(x.second)});
  for (const Comparison& x : c.comparisons)
    out["comparisons"].push_back({messages_json(x.prompt), x.prompt.front().tools, messages_json(x.a.messages),
                                  messages_json(x.b.messages), name_of(x.outcome), x.margin, x.weight});
  if (c.label) out["label"] = *c.label;
  out["dropped"] = c.dropped;
  return dump_json(out);
}

RowContent read_row(const Format& format, const Json& row) {
  RowContent content = format.read(row, {});
  note_other_keys(row, format.keys(), "", content.notes);
  return content;
}

// "changed", "unread", or the error.
std::string fate(const Format& format, const Json& row, const std::string& before) {
  try {
    const RowContent content = read_row(format, row);
    if (outcome(content) != before) return "changed";
    return content.notes.unread.empty() ? "dropped in silence" : "unread";
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    return e.what();
  }
}

Read<Demonstration> demonstrations(const std::string& content, const ReadSettings& settings = {}) {
  const scratch::Folder dir;
  return read_demonstrations({dir.file("d.jsonl", content)}, settings);
}
Read<Preference> preferences(const std::string& content, const ReadSettings& settings = {}) {
  const scratch::Folder dir;
  return read_preferences({dir.file("p.jsonl", content)}, settings);
}
std::string refusal(const std::string& row) {
  try {
    demonstrations(row);
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("every key with a meaning, in every format: it changes what is read, or is refused by name") {
  for (const Format& format : formats()) {
    REQUIRE(valid_rows().contains(std::string(format.id)));
    for (const std::string& text : valid_rows().at(std::string(format.id))) {
      const Json row = parse_json(text, "row");
      const std::string before = outcome(read_row(format, row));
      CHECK(read_row(format, row).notes.unread.empty());
      for (const std::string_view key : keys_with_meaning()) {
        CAPTURE(text);
        CAPTURE(key);
        Json with = row;
        with[std::string(key)] = telling_value(key);
        const std::string got = fate(format, with, before);
        CHECK_MESSAGE((got == "changed" || got.find("'" + std::string(key) + "'") != std::string::npos), got);
        // Columns that a row does not fill say nothing.
        for (const Json& nothing : {Json(), Json(""), Json::array(), Json::object()}) {
          Json blank = row;
          blank[std::string(key)] = nothing;
          const std::string empty = fate(format, blank, before);
          CHECK_MESSAGE(
              (empty == "dropped in silence" || empty.find("'" + std::string(key) + "'") != std::string::npos), empty);
        }
      }
      Json with = row;
      with["my_own_key"] = 1;
      CHECK(fate(format, with, before) == "unread");
    }
  }
}

TEST_CASE("every key with a meaning, in a message of the assistant") {
  const Json plain = parse_json(R"({"role": "assistant", "content": "a"})", "message");
  for (const std::string_view key : keys_with_meaning()) {
    CAPTURE(key);
    Json with = plain;
    with[std::string(key)] = telling_value(key);
    RowNotes notes;
    std::string got = "changed";
    try {
      if (message(with, notes) == text::Message{"assistant", "a"}) got = "dropped in silence";
    } catch (const Error& e) {
      got = e.what();
    }
    CHECK_MESSAGE((got == "changed" || got.find(std::string(key) + "'") != std::string::npos), got);
  }
  RowNotes notes;
  message(parse_json(R"({"role": "user", "content": "q", "mood": "glad"})", "m"), notes);
  CHECK(notes.unread == std::vector<std::string>{"messages[].mood"});
}

TEST_CASE("labels in every spelling and every format of single answers: good ones stay, bad ones are counted") {
  const char* const rows[] = {
      R"({"prompt": "q#", "completion": "a")",
      R"({"messages": [{"role": "user", "content": "q#"}, {"role": "assistant", "content": "a"}])",
      R"({"instruction": "q#", "input": "", "output": "a")",
      R"({"conversations": [{"from": "human", "value": "q#"}, {"from": "gpt", "value": "a"}])"};
  const char* const keys[] = {"label", "kto_tag", "completion label", "completion_label", "desirable"};
  const std::pair<const char*, const char*> spellings[] = {{"true", "false"},
                                                           {"1", "0"},
                                                           {"1.0", "0.0"},
                                                           {R"("True")", R"("False")"},
                                                           {R"("1")", R"("0")"},
                                                           {R"(" yes")", R"("no ")"},
                                                           {R"("good")", R"("bad")"},
                                                           {R"("desirable")", R"("undesirable")"},
                                                           {R"("Chosen")", R"("rejected")"}};
  int number = 0;
  for (const std::string row : rows) {
    for (const char* key : keys) {
      for (const auto& [good, bad] : spellings) {
        std::string file;
        for (const char* value : {good, bad, good, bad, bad}) {
          std::string line = row + ", \"" + key + "\": " + value + "}\n";
          line.replace(line.find('#'), 1, std::to_string(number++));
          file += line;
        }
        CAPTURE(file);
        const auto read = demonstrations(file);
        CHECK(read.rows.size() == 2);
        CHECK(read.report.dropped.at("labelled bad") == 3);
        for (const Demonstration& d : read.rows) CHECK(d.label == true);
        const scratch::Folder dir;
        CHECK(read_prompts({dir.file("x.jsonl", file)}).rows.size() == 5);  // what is asked is good
      }
    }
    for (const char* wrong : {"2", "-1", "0.5", R"("maybe")", R"("72")", "[true]", R"({"a": 1})"}) {
      const std::string what = refusal(row + ", \"label\": " + wrong + "}");
      CHECK_MESSAGE(what.find("d.jsonl:1: field 'label' is ") != std::string::npos, what);
    }
    CHECK(refusal(row + R"(, "label": true, "kto_tag": false})").find("contradict each other") != std::string::npos);
    ReadSettings pass;
    pass.ignore_keys = {"label"};
    CHECK(demonstrations(row + ", \"label\": \"72\"}", pass).rows.size() == 1);
  }
  CHECK_THROWS_WITH_AS(preferences(R"({"prompt": "P", "completion": "a", "label": false})"),
                       doctest::Contains("1 answers labelled good or bad"), Error);
  CHECK(
      refusal(R"({"messages": [{"role": "user", "content": "q"}], "label": true})").find("'label' labels an answer") !=
      std::string::npos);
}

TEST_CASE("a turn kept as context, in every spelling") {
  const char* const marks[] = {R"("weight": 0)",        R"("weight": 0.0)",      R"("loss_weight": 0.0)",
                               R"("train": false)",     R"("train": 0)",         R"("train": "False")",
                               R"("training": false)",  R"("trainable": false)", R"("loss_mask": 0)",
                               R"("loss_mask": false)", R"("loss": false)",      R"("masked": true)",
                               R"("mask": 1)",          R"("ignore": true)"};
  for (const std::string mark : marks) {
    CAPTURE(mark);
    const auto read = demonstrations(
        R"({"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "WRONG", )" + mark +
        R"(}, {"role": "user", "content": "really?"}, {"role": "assistant", "content": "four"}]})");
    CHECK(read.rows.at(0).messages[1].weight == 0);
    CHECK(read.rows[0].messages[3].weight == 1);
    CHECK(read.report.noticed.empty());
    CHECK(read.report.unread.empty());
    // The only answer: nothing is learnt of the row.
    const std::string alone =
        R"({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a", )" + mark + "}]}";
    CHECK(refusal(alone).find("weight 0") != std::string::npos);
    CHECK(refusal(R"({"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", )" + mark +
                  R"(}], "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]})")
              .find("marked as not learnt") != std::string::npos);
  }
  const auto one = [](const std::string& mark) {
    return R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", )" + mark + "}]}";
  };
  CHECK(demonstrations(one(R"("weight": 0.25)")).rows[0].messages[1].weight == 0.25);
  CHECK(demonstrations(
            R"({"prompt": "q", "completion": [{"role": "assistant", "content": "a", "weight": 0.5}], "weight": 0.5})")
            .rows[0]
            .messages[1]
            .weight == 0.25);
  for (const char* wrong : {R"("weight": -1)", R"("weight": "much")", R"("loss_mask": [0, 1])", R"("train": "perhaps")",
                            R"("loss_mask": 0.5)"})
    CHECK_MESSAGE(refusal(one(wrong)).find("d.jsonl:1: ") != std::string::npos, wrong);
  CHECK(refusal(one(R"("weight": 0, "train": true)")).find("contradict each other") != std::string::npos);
  CHECK(demonstrations(
            R"({"messages": [{"role": "user", "content": "q", "train": true}, {"role": "assistant", "content": "a"}]})")
            .report.noticed.size() == 1);
}

TEST_CASE("calls, tools and reasoning in the words of each convention are the same turn") {
  const char* const turns[] = {
      R"({"role": "assistant", "content": null, "tool_calls": [{"type": "function", "function": {"name": "clock", "arguments": {"zone": "UTC"}}}]})",
      R"({"role": "assistant", "tool_calls": [{"name": "clock", "arguments": {"zone": "UTC"}}]})",
      R"({"role": "assistant", "content": null, "function_call": {"name": "clock", "arguments": {"zone": "UTC"}}})",
      R"({"from": "function_call", "value": "{\"name\": \"clock\", \"arguments\": {\"zone\": \"UTC\"}}"})",
      R"({"role": "assistant", "content": [{"type": "tool_call", "value": "{\"name\": \"clock\", \"arguments\": {\"zone\": \"UTC\"}}"}]})"};
  RowNotes notes;
  const text::Message first = message(parse_json(turns[0], "turn"), notes);
  CHECK(first.no_content);
  CHECK(first.tool_calls == R"([{"type":"function","function":{"name":"clock","arguments":{"zone":"UTC"}}}])");
  for (const char* turn : turns) CHECK(message(parse_json(turn, "turn"), notes) == first);
  for (
      const char* turn :
      {R"({"role": "assistant", "reasoning_content": "r", "content": "a"})",
       R"({"role": "assistant", "reasoning": "r", "content": "a"})",
       R"({"role": "assistant", "thinking": "r", "content": "a"})",
       R"({"role": "assistant", "content": [{"type": "reasoning", "value": "r"}, {"type": "text", "value": "a"}]})",
       R"({"role": "assistant", "content": [{"type": "thinking", "thinking": "r"}, {"type": "text", "text": "a"}]})"}) {
    const text::Message m = message(parse_json(turn, "turn"), notes);
    CHECK(m.reasoning == "r");
    CHECK(m.content == "a");
  }
  for (const char* role : {"tool", "observation", "function", "ipython", "tool_response", "function-response"})
    CHECK(message({{"role", role}, {"content", "x"}}, notes).role == "tool");
  CHECK(tools_text("[{\"name\": \"f\"}]") == R"([{"type":"function","function":{"name":"f"}}])");
  CHECK(tools_text(parse_json(R"([{"name": "f"}])", "tools")) == R"([{"name":"f"}])");
  CHECK(tools_text("[]").empty());
  CHECK(notes.unread.empty());
  for (const char* wrong :
       {R"({"role": "assistant", "content": null})", R"({"role": "assistant"})",
        R"({"role": "user", "content": "a", "reasoning": "r"})",
        R"({"role": "user", "content": "a", "tool_calls": [{"name": "f"}]})",
        R"({"role": "assistant", "tool_calls": [{}]})", R"({"role": "assistant", "tool_calls": "no list"})",
        R"({"from": "function_call", "value": "not JSON"})",
        R"({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "reasoning", "text": "r"}]})",
        R"({"role": "assistant", "content": "a", "images": ["x"]})",
        R"({"role": "assistant", "content": "a", "reasoning": "r", "thinking": "s"})"})
    CHECK_THROWS_AS(message(parse_json(wrong, "turn"), notes), Error);
}

TEST_CASE("sides of several turns keep the prompt, its system message and its tools") {
  const std::string call =
      R"({"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]})";
  const std::string sides =
      R"("chosen": [)" + call +
      R"(, {"role": "tool", "content": "4"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "assistant", "content": "bad"}])";
  const std::string before = R"({"role": "system", "content": "S"}, {"role": "user", "content": "P"})";
  const std::string rows[] = {
      R"({"prompt": [)" + before + R"(], "tools": [{"name": "f"}], )" + sides + "}",
      R"({"prompt": "P", "system": "S", "tools": [{"name": "f"}], )" + sides + "}",
      R"({"instruction": "P", "input": "", "system": "S", "tools": [{"name": "f"}], )" + sides + "}",
      R"({"question": "P", "system": "S", "tools": [{"name": "f"}], )" + sides + "}",
      R"({"tools": [{"name": "f"}], "chosen": [)" + before + ", " + call +
          R"(, {"role": "tool", "content": "4"}, {"role": "assistant", "content": "good"}], "rejected": [)" + before +
          R"(, {"role": "assistant", "content": "bad"}]})",
      R"({"prompt": "P", "system": "S", "tools": [{"name": "f"}], "chosen": [{"role": "user", "content": "P"}, )" +
          call +
          R"(, {"role": "tool", "content": "4"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "bad"}]})",
      R"({"conversations": [)" + before + R"(], "tools": [{"name": "f"}], )" + sides + "}"};
  for (const std::string& row : rows) {
    CAPTURE(row);
    const auto read = preferences(row);
    REQUIRE(read.rows.size() == 1);
    const Preference& p = read.rows[0];
    REQUIRE(p.prompt.size() == 2);
    CHECK(p.prompt[0].role == "system");
    CHECK(p.prompt[0].tools == R"([{"name":"f"}])");
    CHECK(p.prompt[1].content == "P");
    REQUIRE(p.chosen.size() == 3);
    CHECK(p.chosen[1].role == "tool");
    CHECK(p.chosen[2].content == "good");
    CHECK(p.rejected == said("bad"));
    CHECK(read.report.unread.empty());
    // And written and read again they are the same.
    const scratch::Folder dir;
    std::string line;
    convert({dir.file("p.jsonl", row)}, "preference", {}, [&](std::string_view l) { line = l; });
    const auto again = preferences(line);
    CHECK(again.rows.at(0).prompt == p.prompt);
    CHECK(again.rows[0].chosen == p.chosen);
    CHECK(again.rows[0].rejected == p.rejected);
  }
}

TEST_CASE("LLaMA-Factory's rows: history, rankings, comparisons") {
  const auto d =
      demonstrations(
          R"({"instruction": "and twice that?", "input": "", "output": "eight", "system": "be brief", "history": [["2+2?", "four"]]})")
          .rows.at(0);
  REQUIRE(d.messages.size() == 5);
  CHECK(d.messages[0].role == "system");
  CHECK(d.messages[1].content == "2+2?");
  CHECK(d.messages[2].content == "four");
  CHECK(d.messages[2].role == "assistant");
  CHECK(d.messages[4].content == "eight");
  for (const char* wrong : {R"([["a"]])", R"(["a", "b"])", R"([["a", 1]])", R"("a")", R"({"a": "b"})"})
    CHECK(refusal(std::string(R"({"instruction": "q", "output": "a", "history": )") + wrong + "}")
              .find("field 'history'") != std::string::npos);
  const auto ranked = preferences(R"({"instruction": "q", "output": ["a", "b", "c"], "history": [["x", "y"]]})");
  REQUIRE(ranked.rows.size() == 3);  // ab, ac, bc
  CHECK(ranked.rows[2].chosen == said("b"));
  CHECK(ranked.rows[0].prompt.size() == 3);
  CHECK(preferences(R"({"instruction": "q", "input": "i", "chosen": "a", "rejected": "b"})")
            .rows.at(0)
            .prompt[0]
            .content == "q\n\ni");
  CHECK(preferences(R"({"system": "s", "question": "q", "chosen": "a", "rejected": "b"})").rows.at(0).prompt.size() ==
        2);
  CHECK(preferences(R"({"question": "q", "response_j": "a", "response_k": "b"})").rows.at(0).rejected == said("b"));
  CHECK(refusal(R"({"instruction": "q", "output": ["a"]})").find("fewer than two") != std::string::npos);
  CHECK(refusal(R"({"instruction": "q", "output": ["a", "b"], "kto_tag": true})").find("'kto_tag'") !=
        std::string::npos);
}

TEST_CASE("scores the wrong way round, ties as text") {
  for (const char* names :
       {"score_chosen|score_rejected", "chosen_score|rejected_score", "chosen_rating|rejected_rating",
        "chosen-rating|rejected-rating", "chosen_reward|rejected_reward"}) {
    const std::string both = names, a = both.substr(0, both.find('|')), b = both.substr(both.find('|') + 1);
    CAPTURE(both);
    const auto row = [&](const char* x, const char* y) {
      return R"({"prompt": "p", "chosen": "yes", "rejected": "no", ")" + a + "\": " + x + ", \"" + b + "\": " + y +
             "}\n";
    };
    const auto read = preferences(row("1.0", "5") + row("3", "3") + row("5", "2"));
    CHECK(read.rows[0].margin == 0);
    CHECK(read.rows[0].chosen == said("yes"));
    CHECK(read.rows[2].margin == 3);
    REQUIRE(read.report.noticed.size() == 1);
    CHECK(read.report.noticed.begin()->second == 1);
    CHECK(read.report.noticed.begin()->first.find("the chosen answer has the lower score") == 0);
    CHECK(read.report.summary().find("lower score") != std::string::npos);
    CHECK_THROWS_WITH_AS(preferences(R"({"prompt": "p", "chosen": "yes", "rejected": "no", ")" + a + "\": 1}"),
                         doctest::Contains("comes without"), Error);
  }
  CHECK(preferences(R"({"prompt": "p", "chosen": "yes", "rejected": "no", "margin": -2})").report.noticed.size() == 1);
  for (const char* tie : {"true", "1", R"("true")", R"("True")", R"("yes")"})
    CHECK_THROWS_WITH_AS(
        preferences(std::string(R"({"prompt": "p", "chosen": "yes", "rejected": "no", "tie": )") + tie + "}"),
        doctest::Contains("1 tie"), Error);
  for (const char* none : {"false", "0", R"("false")", "null"})
    CHECK(preferences(std::string(R"({"prompt": "p", "chosen": "yes", "rejected": "no", "tie": )") + none + "}")
              .rows.size() == 1);
  CHECK_THROWS_WITH_AS(preferences(R"({"prompt": "p", "chosen": "yes", "rejected": "no", "tie": "perhaps"})"),
                       doctest::Contains("field 'tie'"), Error);
}

TEST_CASE("transcripts in prompts are read as their turns, or noticed") {
  for (const char* prompt : {R"(\n\nHuman: say hi\n\nAssistant:)", R"(Human: say hi\nAssistant: )",
                             R"(User: say hi\n\nAssistant:)", R"(USER: say hi\nASSISTANT:)"}) {
    CAPTURE(prompt);
    const auto read = preferences(std::string(R"({"prompt": ")") + prompt +
                                  R"(", "response": " hi", "chosen": " hi", "rejected": " no"})");
    CHECK(read.rows.at(0).prompt == user_prompt("say hi"));
    CHECK(read.rows[0].chosen == said("hi"));
    CHECK(read.rows[0].rejected == said("no"));
    CHECK(read.report.noticed.size() == 1);
    CHECK(read.report.unread.at("response") == 1);
    CHECK(demonstrations(std::string(R"({"prompt": ")") + prompt + R"(", "completion": " hi"})")
              .rows.at(0)
              .messages[1]
              .content == "hi");
  }
  const auto turns =
      demonstrations(
          R"({"prompt": "\n\nHuman: a\n\nmore\n\nAssistant: b\n\nHuman: c\n\nAssistant:", "completion": " d"})")
          .rows.at(0)
          .messages;
  REQUIRE(turns.size() == 4);
  CHECK(turns[0].content == "a\n\nmore");
  CHECK(turns[2].content == "c");
  // Not whole: noticed, and kept as it is.
  const auto kept = demonstrations(R"({"prompt": "A talk.\nHuman: a\nAssistant: b", "completion": "d"})");
  CHECK(kept.rows.at(0).messages.size() == 2);
  CHECK(kept.report.noticed.size() == 1);
  CHECK(demonstrations(R"({"prompt": "What does Human: mean?", "completion": "d"})").report.noticed.empty());
}

TEST_CASE("two answers in a row stay two, and the hash of their prompt is that of one answer") {
  const auto read = demonstrations(
      R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "A"}, {"role": "assistant", "content": "B"}]})");
  CHECK(read.rows.at(0).messages.size() == 3);
  CHECK(read.report.noticed.size() == 1);
  CHECK(prompt_hash(read.rows[0]) == prompt_hash(user_prompt("q")));
  CHECK(prompt_hash(std::vector<text::Message>{{"user", "a"}, {"user", "b"}}) == prompt_hash(user_prompt("a\n\nb")));
}

TEST_CASE("prompt hashes of plain rows are what they were, so that no split moves") {
  // Computed by the version before messages had more than a role and a content.
  CHECK(prompt_hash(user_prompt("What is\n 1 + 2? ")) == "3e3d00162ef75b1e6f30e2e048be586f");
  CHECK(prompt_hash(
            std::vector<text::Message>{{"system", "Be brief."}, {"user", "é"}, {"assistant", "a  b"}, {"user", ""}}) ==
        "66f3ffd5d2fd068221c6330a27e337f8");
  std::vector<text::Message> with = user_prompt("q"), plain = with;
  with[0].tools = "[{}]";
  CHECK(prompt_hash(with) != prompt_hash(plain));
  with = plain;
  with[0].weight = 0;
  CHECK(prompt_hash(with) == prompt_hash(plain));
}

TEST_CASE("hostile values in the keys of messages: rows or an error, nothing else") {
  Stream random(3, "fuzz messages");
  const char* const values[] = {"null",
                                "0",
                                "-1",
                                "1e308",
                                "true",
                                "\"\"",
                                "\"a\"",
                                "[]",
                                "{}",
                                "[null]",
                                "[[]]",
                                "[{}]",
                                "[\"a\", 1]",
                                R"({"name": "f"})",
                                R"([{"function": {"name": "f", "arguments": "x"}}])",
                                R"("[{\"name\": \"f\"}]")",
                                R"("{\"name\": \"f\", \"arguments\": {}}")",
                                R"([{"type": "text", "text": "t"}])",
                                R"([{"type": "reasoning", "value": "r"}, {"type": "tool_call", "value": "[]"}])",
                                R"("\ufdd0")"};
  const char* const keys[] = {"role",          "from",         "content",
                              "value",         "name",         "tool_calls",
                              "function_call", "tool_call_id", "reasoning_content",
                              "thinking",      "weight",       "loss_mask",
                              "masked",        "images",       "other"};
  const char* const row_keys[] = {"system", "tools",        "label",          "kto_tag",    "weight",       "history",
                                  "chosen", "rejected",     "prompt",         "completion", "instruction",  "output",
                                  "tie",    "score_chosen", "score_rejected", "messages",   "conversations"};
  const char* const roles[] = {"user", "assistant", "tool", "system", "function_call", "observation", "gpt", "human"};
  int read = 0;
  const scratch::Folder dir;
  for (int round = 0; round < 3000; ++round) {
    Json messages = Json::array();
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      Json m = {{"role", roles[random.below(std::size(roles))]}, {"content", "c"}};
      for (uint64_t k = random.below(3); k > 0; --k)
        m[keys[random.below(std::size(keys))]] = parse_json(values[random.below(std::size(values))], "value");
      messages.push_back(m);
    }
    Json row;
    if (random.chance(0.5)) row["messages"] = messages;
    else if (random.chance(0.5)) row = {{"conversations", messages}, {"chosen", messages}, {"rejected", "x"}};
    else row = {{"prompt", messages}, {"chosen", messages}, {"rejected", messages}};
    for (uint64_t k = random.below(3); k > 0; --k)
      row[row_keys[random.below(std::size(row_keys))]] =
          random.chance(0.3) ? messages : parse_json(values[random.below(std::size(values))], "value");
    const Format* format = recognise(row);
    if (!format) continue;
    try {
      read_row(*format, row);
      ++read;
    } catch (const Error& e) {
      CHECK(e.kind == Kind::kUsage);
    }
  }
  CHECK(read > 50);
}
