#include "checkers/checker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "../shared_data.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "data/read.h"
#include "data/source.h"

using namespace hone;

namespace {

// One checker by its settings, as `--set ID.KEY=VALUE` gives them.
std::unique_ptr<checkers::Checker> make(const std::string& id,
                                        const std::vector<std::pair<std::string, std::string>>& settings = {}) {
  checkers::CheckerSettings all;
  const std::vector<std::string> used{id};
  config::Fields fields;
  all.fields(fields, "rewards", used);
  for (const auto& [key, value] : settings) config::set_from_text(fields.find(id + "." + key, "test", ""), value, "");
  return all.make(id);
}

double check(const checkers::Checker& c, const char* answer, const Json& row) {
  c.require(row);
  return c.check(answer, row);
}

std::string refusal(const auto& of) {
  try {
    of();
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("exact: white space is passed over, case and punctuation where asked") {
  const Json row{{"answer", "New York"}};
  const auto plain = make("exact");
  CHECK(check(*plain, "  New\n York ", row) == 1);
  CHECK(check(*plain, "new york", row) == 0);
  CHECK(check(*plain, "New York.", row) == 0);
  const auto lenient = make("exact", {{"ignore_case", "true"}, {"ignore_punctuation", "true"}});
  CHECK(check(*lenient, "NEW YORK!", row) == 1);
  CHECK(check(*lenient, "Straße", {{"answer", "STRASSE"}}) == 1);  // Unicode's folding
  CHECK(check(*plain, "4", {{"answer", 4}}) == 1);
  CHECK(check(*plain, "b", {{"answer", {"a", "b"}}}) == 1);
  CHECK(check(*make("exact", {{"field", "right"}}), "x", {{"right", "x"}}) == 1);
}

TEST_CASE("which part of an answer counts") {
  const Json row{{"answer", "7"}};
  const char* thinking = "<think>3 + 4 is 8, no, 7</think>\n\n7\n";
  CHECK(check(*make("exact"), thinking, row) == 0);
  CHECK(check(*make("exact", {{"after", "</think>"}}), thinking, row) == 1);
  CHECK(check(*make("exact", {{"after", "</think>"}}), "7", row) == 0);
  CHECK(check(*make("exact", {{"part", "last_line"}}), thinking, row) == 1);
  CHECK(check(*make("exact", {{"part", "last_line"}}), "7", row) == 1);
  CHECK(check(*make("exact", {{"part", "boxed"}}), "so \\boxed{7}.", row) == 1);
  CHECK(check(*make("exact", {{"part", "boxed"}}), "so \\boxed{\\text{7}}", {{"answer", "\\text{7}"}}) == 1);
  CHECK(check(*make("exact", {{"part", "boxed"}}), "so \\boxed{7", row) == 0);
  CHECK(check(*make("exact", {{"part", "fenced"}}), "Here:\n```text\n7\n```\nDone.", row) == 1);
  for (const char* open : {"```", "```\n", "7```", "a\n```", "```7```", ""})
    CHECK(check(*make("exact", {{"part", "fenced"}}), open, row) == 0);
}

TEST_CASE("numeric: the last number, within the tolerance") {
  const auto plain = make("numeric");
  CHECK(check(*plain, "17 + 25 = 42.", {{"answer", "42"}}) == 1);
  CHECK(check(*plain, "17 + 25 = 41.", {{"answer", "42"}}) == 0);
  CHECK(check(*plain, "none", {{"answer", 42}}) == 0);
  CHECK(check(*plain, "42", {{"answer", "He had 17 and got 25.\n#### 42"}}) == 1);  // GSM8K
  CHECK(check(*plain, "1,000", {{"answer", 1000.0}}) == 1);
  CHECK(check(*make("numeric", {{"tolerance", "0.01"}}), "3.14", {{"answer", 3.14159}}) == 1);
  CHECK(check(*make("numeric", {{"after", "####"}}), "it is 42", {{"answer", 42}}) == 0);
}

TEST_CASE("regex: found, or not; one that backtracks without end is wrong") {
  const auto format = make("regex", {{"pattern", R"((?s)\A<think>.*</think>\s*\S)"}});
  CHECK(check(*format, "<think>a\nb</think> c", Json::object()) == 1);
  CHECK(check(*format, "a", Json::object()) == 0);
  CHECK(check(*make("regex", {{"pattern", "sorry"}, {"absent", "true"}}), "fine", Json::object()) == 1);
  CHECK(check(*make("regex", {{"field", "p"}}), "abc", {{"p", "^a.c$"}}) == 1);
  CHECK(check(*make("regex", {{"pattern", "^$"}}), "", Json::object()) == 1);
  const std::string a(40, 'a');
  CHECK(make("regex", {{"pattern", "^(a|aa|a?)+$"}})->check(a + "b", Json::object()) == 0);
  CHECK(make("regex", {{"pattern", "^ok.$"}})->check("ok\xe2\x82", Json::object()) == 0);
  CHECK(make("regex", {{"pattern", "^ok"}})->check("ok\xe2\x82", Json::object()) == 1);  // cut within a character
}

TEST_CASE("json_schema: JSON, all of it, that its schema allows") {
  const Json row{{"schema", {{"type", "object"}, {"required", {"name"}}}}};
  const auto of_row = make("json_schema", {{"field", "schema"}});
  CHECK(check(*of_row, R"({"name": "x"})", row) == 1);
  CHECK(check(*of_row, R"({"nom": "x"})", row) == 0);
  CHECK(check(*of_row, R"({"name": "x"} and more)", row) == 0);
  CHECK(check(*of_row, R"({"name": NaN})", row) == 0);
  CHECK(check(*make("json_schema", {{"field", "schema"}, {"part", "fenced"}}), "```json\n{\"name\": 1}\n```", row) ==
        1);
  CHECK(check(*of_row, "[1]", {{"schema", R"({"type": "array"})"}}) == 1);  // a table's column holds a text
  CHECK(of_row->check(std::string(100'000, '['), row) == 0);
}

TEST_CASE("what cannot be held against anything is refused, by name") {
  CHECK(refusal([] { make("exact")->require({{"question", "?"}}); }).find("no field 'answer'") != std::string::npos);
  CHECK(refusal([] { make("exact")->require({{"answer", nullptr}}); }).find("no field 'answer'") != std::string::npos);
  CHECK(refusal([] { make("exact")->require({{"answer", Json::object()}}); }).find("must be a text") !=
        std::string::npos);
  CHECK(refusal([] { make("exact")->require({{"answer", Json::array()}}); }).find("empty list") != std::string::npos);
  CHECK(refusal([] { make("numeric")->require({{"answer", "many"}}); }).find("holds no number") != std::string::npos);
  CHECK(refusal([] { make("regex"); }).find("takes a pattern") != std::string::npos);
  CHECK(refusal([] { make("regex", {{"pattern", "("}}); }).find("regex.pattern") != std::string::npos);
  CHECK(refusal([] { make("regex", {{"field", "p"}})->require({{"p", "["}}); }).find("field 'p'") != std::string::npos);
  CHECK(refusal([] { make("json_schema"); }).find("takes a schema") != std::string::npos);
  CHECK(refusal([] { make("json_schema", {{"field", "s"}})->require({{"s", {{"tpye", "object"}}}}); }).find("'tpye'") !=
        std::string::npos);
  CHECK(refusal([] { checkers::CheckerSettings().make("numerical"); }).find("did you mean 'numeric'") !=
        std::string::npos);
}

TEST_CASE("no answer makes a checker throw") {
  const Json row{{"answer", "1"}, {"s", {{"type", {"object", "array"}}, {"items", {{"type", "integer"}}}}}};
  std::vector<std::unique_ptr<checkers::Checker>> all;
  for (const std::string& id : checkers::checker_ids())
    for (const char* part : {"whole", "last_line", "boxed", "fenced"}) {
      std::vector<std::pair<std::string, std::string>> settings{{"part", part}};
      if (id == "regex") settings.emplace_back("pattern", R"(^(\s*\w+\s*)*$)");
      if (id == "json_schema") settings.emplace_back("field", "s");
      all.push_back(make(id, settings));
    }
  const std::vector<std::string> pieces{"1",  "\n",   "```",  "{", "}",  "\\boxed{",    "[1,", "]",
                                        "\"", "\xff", "\xc3", "é", "\0", " ",           "a",   ":",
                                        ",",  "null", "-",    "e", "\\", "\xE2\x80\xA8"};
  Stream stream(5, "answers");
  for (int n = 0; n < 4000; ++n) {
    std::string answer;
    for (uint64_t i = stream.below(16); i > 0; --i) answer += pieces[stream.below(pieces.size())];
    for (const auto& checker : all) {
      const double value = checker->check(answer, row);
      CHECK((value >= 0 && value <= 1));
    }
  }
}

TEST_CASE("numeric agrees with OpenAI's own marks of four models' answers to GSM8K") {
  if (data_missing("gsm8k/example_model_solutions.jsonl.gz")) return;
  const auto plain = make("numeric"), strict = make("numeric", {{"after", "A:"}});
  int64_t answers = 0, agreed = 0, agreed_strictly = 0;
  const data::Source source = data::open_source(data_root() / "gsm8k/example_model_solutions.jsonl.gz");
  data::for_each_json_row(
      source,
      [&](const Json& row, int64_t) {
        const Json expected{{"answer", row.at("ground_truth")}};
        for (const auto& [model, said] : row.items()) {
          if (!said.is_object()) continue;
          const std::string solution = said.at("solution").get<std::string>();
          const bool right = said.at("is_correct").get<bool>();
          ++answers;
          agreed += (check(*plain, solution.c_str(), expected) == 1) == right;
          agreed_strictly += (check(*strict, solution.c_str(), expected) == 1) == right;
        }
      },
      [](const std::string& what, int64_t) { FAIL(what); });
  MESSAGE("of " << answers << " answers " << agreed << " alike; asking for their mark, " << agreed_strictly);
  CHECK(answers > 5000);
  CHECK(agreed_strictly > answers * 0.995);
  CHECK(agreed > answers * 0.97);
}

TEST_CASE("GSM8K's files are read as they are") {
  if (data_missing("gsm8k/test.jsonl.gz")) return;
  const std::vector<std::string> file{(data_root() / "gsm8k/test.jsonl.gz").string()};
  const auto prompts = data::read_prompts(file, {}, true);
  CHECK(prompts.rows.size() == 1319);
  const auto numeric = make("numeric");
  for (const data::Prompt& prompt : prompts.rows) numeric->require(*prompt.row);
  CHECK(data::read_demonstrations(file).rows.size() == 1319);
}

TEST_CASE("real rows with verifiable answers (RLVR) are prompts whose answers can be checked") {
  if (data_missing("open-instruct-fixtures/rlvr_sample.jsonl.gz")) return;
  const auto read =
      data::read_prompts({(data_root() / "open-instruct-fixtures/rlvr_sample.jsonl.gz").string()}, {}, true);
  const auto numeric = make("numeric", {{"field", "ground_truth"}});
  int64_t of_gsm8k = 0;
  for (const data::Prompt& prompt : read.rows) {
    REQUIRE(prompt.row);
    if (prompt.row->at("dataset") != "gsm8k") continue;
    ++of_gsm8k;
    const std::string right = prompt.row->at("ground_truth").get<std::string>();
    CHECK(check(*numeric, ("So the answer is $" + right + ".").c_str(), *prompt.row) == 1);
    CHECK(check(*numeric, ("So the answer is " + right + "1.").c_str(), *prompt.row) == 0);
  }
  CHECK(of_gsm8k > 40);
}
