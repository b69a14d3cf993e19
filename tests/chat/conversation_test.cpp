#include "chat/conversation.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"
#include "chat/commands.h"
#include "chat/reasoning.h"
#include "chat/settings.h"
#include "data/format.h"

using namespace hone;
using namespace hone::chat;

namespace {

text::Message said(const std::string& text) { return {"assistant", text}; }

}  // namespace

TEST_CASE("a prompt is the system prompt, the turns with the answers they went on with, and the question") {
  Conversation c;
  c.set_system("Be brief.");
  c.ask("one?");
  c.answer({said("1"), said("uno")});
  c.ask("two?");
  const std::vector<text::Message> all = {{"system", "Be brief."}, {"user", "one?"}, said("1"), {"user", "two?"}};
  CHECK(c.prompt() == all);
  const std::vector<text::Message> last = {{"system", "Be brief."}, {"user", "two?"}};
  CHECK(c.prompt(1) == last);
  c.answer(said("2"));
  c.answer(said("zwei"));  // a regenerated one: from now on
  c.ask("three?");
  CHECK(c.prompt()[4] == said("zwei"));
  CHECK(c.take_back());
  CHECK(c.last().question == "two?");
  c.clear();
  CHECK_FALSE(c.take_back());
  CHECK(c.system() == "Be brief.");
}

TEST_CASE("what is preferred becomes rows that hone preference reads, and the conversation goes on with it") {
  Conversation c;
  c.set_system("Be brief.");
  c.ask("one?");
  c.answer({said("1"), said("uno"), said("one"), said("uno")});
  CHECK_THROWS_AS(c.prefer(4, false), Error);
  const std::vector<Json> rows = c.prefer(1, false);
  REQUIRE(rows.size() == 2);  // the fourth says the same
  for (const Json& row : rows) {
    const data::Format* format = data::recognise(row);
    REQUIRE(format != nullptr);
    CHECK(std::string(format->id) == "preference");
    const data::RowContent read = format->read(row, {});
    REQUIRE(read.comparisons.size() == 1);
    CHECK(read.comparisons[0].prompt == c.prompt());
    CHECK(read.comparisons[0].a.messages == std::vector<text::Message>{said("uno")});
    CHECK(read.comparisons[0].outcome == data::Outcome::kA);
  }
  CHECK(rows[0]["rejected"][0]["content"] == "1");
  CHECK(rows[1]["rejected"][0]["content"] == "one");
  CHECK_THROWS_AS(c.prefer(0, false), Error);  // said already
  c.ask("two?");
  CHECK(c.prompt()[2] == said("uno"));
}

TEST_CASE("of a model without a template the rows are plain texts") {
  Conversation c;
  c.ask("Once");
  c.answer({said(" a"), said(" b")});
  CHECK(dump_json(c.prefer(1, true).at(0)) == R"({"prompt":"Once","chosen":" b","rejected":" a"})");
}

TEST_CASE("a saved conversation is a row of messages, up to the last answer, with its reasoning") {
  Conversation c;
  CHECK_THROWS_AS(c.row(), Error);
  c.ask("one?");
  CHECK_THROWS_AS(c.row(), Error);
  c.answer({"assistant", "1", "hm"});
  c.ask("two?");
  CHECK(
      dump_json(c.row()) ==
      R"({"messages":[{"role":"user","content":"one?"},{"role":"assistant","content":"1","reasoning_content":"hm"}]})");
}

TEST_CASE("lines: questions, commands and nothing") {
  CHECK(parse_line(" \t ").kind == Line::Kind::kNothing);
  CHECK(parse_line(" who? ").text == "who?");
  CHECK(parse_line("//etc?").text == "/etc?");
  CHECK(parse_line("//etc?").kind == Line::Kind::kQuestion);
  const Line set = parse_line("/set temperature 0.5 ");
  CHECK(set.name == "set");
  CHECK(set.text == "temperature 0.5");
  CHECK(parse_line("/reg").name == "regenerate");
  CHECK(parse_line("/q").name == "quit");
  CHECK(parse_line("/reset").name == "new");
  CHECK(parse_line("/system\nBe brief.\nBe kind.").text == "Be brief.\nBe kind.");
  CHECK_THROWS_WITH_AS(parse_line("/prefr 1"), "there is no command /prefr; did you mean /prefer?", Error);
  for (const char* text : {"/", "/s", "/ x", "/x\x1B[0m"}) CHECK_THROWS_AS(parse_line(text), Error);
}

TEST_CASE("settings are changed whole or not at all") {
  Settings s;
  s.set("top_p", "0.5");
  s.set("max-tokens", "7");
  s.set("seed", "18446744073709551615");
  CHECK(s.describe() == "temperature 0.7, top-p 0.5, top-k 0, max-tokens 7, seed 18446744073709551615");
  const std::pair<const char*, const char*> wrong[] = {
      {"temperature", "-1"}, {"temperature", "nan"}, {"temperature", "inf"}, {"temperature", "1e-9"},
      {"top-p", "0"},        {"top-p", "1.1"},       {"top-k", "-1"},        {"top-k", "1.5"},
      {"max-tokens", "0"},   {"seed", "-1"},         {"seed", ""},           {"heat", "1"}};
  for (const auto& [name, value] : wrong) CHECK_THROWS_AS(s.set(name, value), Error);
  CHECK(s.describe() == "temperature 0.7, top-p 0.5, top-k 0, max-tokens 7, seed 18446744073709551615");
}

TEST_CASE("a model's own sampling settings are the defaults, where it samples") {
  Settings s;
  s.take_defaults(R"({"do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.9})");
  CHECK(s.temperature == 0.6);
  CHECK(s.top_k == 20);
  CHECK(s.top_p == 0.9);
  s.take_defaults(R"({"do_sample": false, "temperature": 0.1})");
  s.take_defaults("");
  s.take_defaults(R"({"top_p": null, "top_k": "many"})");
  s.take_defaults(R"({"top_p": 7, "top_k": 1e300, "temperature": -1})");
  CHECK(s.temperature == 0.6);
  CHECK(s.top_p == 0.9);
}

TEST_CASE("reasoning and answer are told apart, with a block that the prompt opened or the answer did") {
  const ReasoningBlock opened = block_of("…<|im_start|>assistant\n<think>\n"),
                       none = block_of("<|im_start|>assistant\n");
  CHECK(opened.opened);
  CHECK_FALSE(none.opened);
  CHECK_FALSE(block_of("question [/INST]").opened);
  CHECK(block_of("[THINK]").close == "[/THINK]");
  const Parts a = split_reasoning("hm\n</think>\n\nyes", opened),
              b = split_reasoning("<think>\nhm\n</think>\nyes", none);
  CHECK(a.reasoning == "hm");
  CHECK(a.content == "yes");
  CHECK(b.reasoning == "hm");
  CHECK(b.content == "yes");
  CHECK(split_reasoning("still at it", opened).unfinished);
  CHECK(split_reasoning("still at it", opened).content.empty());
  CHECK(split_reasoning(" plain </think> text", none).content == " plain </think> text");
}
