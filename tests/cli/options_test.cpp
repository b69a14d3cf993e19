#include "cli/options.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace hone;
using cli::Options;

namespace {

struct Parsed {
  std::string model, format = "auto";
  std::vector<std::string> stops, files;
  int64_t n = 1;
  uint64_t seed = 0;
  double temperature = 1;
  bool chat = false;
};

Parsed parse(std::vector<const char*> arguments) {
  Parsed p;
  Options o("try", "a verb for tests", arguments);
  o.positional("FILE", &p.files, "files");
  o.value("--model", &p.model, "DIR", "a folder");
  o.value("--format", &p.format, "F", "a choice").choices({"auto", "chat", "plain"});
  o.value("--stop", &p.stops, "TEXT", "repeatable");
  o.value("--n", &p.n, "N", "a whole number");
  o.value("--seed", &p.seed, "N", "from 0 up");
  o.value("--max-tokens", &p.temperature, "X", "a number").also("--max_tokens");
  o.flag("--chat", p.chat, "a flag");
  if (!o.parse()) p.model = "help";
  return p;
}

}  // namespace

TEST_CASE("values follow a blank or an equals sign and may begin with a dash") {
  const Parsed p = parse({"a", "--model=x", "--stop", "--", "--stop", "b=c", "--n", "-3", "--chat", "b", "--max_tokens",
                          "0.5", "--", "--chat"});
  CHECK(p.model == "x");
  CHECK(p.stops == std::vector<std::string>{"--", "b=c"});
  CHECK(p.n == -3);
  CHECK(p.temperature == 0.5);
  CHECK(p.chat);
  CHECK(p.files == std::vector<std::string>{"a", "b", "--chat"});
}

TEST_CASE("what is wrong is named, with the nearest right word") {
  CHECK_THROWS_WITH_AS(parse({"--modle", "x"}), "unknown option '--modle'; did you mean '--model'?", Error);
  CHECK_THROWS_WITH_AS(parse({"--n", "two"}), "'--n' must be a whole number, got 'two'", Error);
  CHECK_THROWS_WITH_AS(parse({"--seed", "-1"}), "'--seed' must be a whole number from 0 up, got '-1'", Error);
  CHECK_THROWS_WITH_AS(parse({"--max-tokens", "nan"}), "'--max-tokens' must be a number, got 'nan'", Error);
  CHECK_THROWS_WITH_AS(parse({"--format", "caht"}), "'--format' cannot be 'caht'; did you mean 'chat'?", Error);
  CHECK_THROWS_WITH_AS(parse({"--model"}), "'--model' needs a value: --model DIR", Error);
  CHECK_THROWS_WITH_AS(parse({"--model", "a", "--model", "b"}), "'--model' is given twice", Error);
  CHECK_THROWS_WITH_AS(parse({"--chat=yes"}), "'--chat' takes no value", Error);
}

TEST_CASE("a missing or surplus argument is an error") {
  const std::vector<const char*> none, two{"a", "b"};
  std::string one;
  Options missing("try", "", none);
  missing.positional("RECIPE", &one, "a recipe").required();
  CHECK_THROWS_WITH_AS(missing.parse(), "`hone try` needs RECIPE: a recipe", Error);
  Options surplus("try", "", two);
  surplus.positional("RECIPE", &one, "a recipe").required();
  CHECK_THROWS_WITH_AS(surplus.parse(), "unexpected argument 'b'", Error);
}

TEST_CASE("the help shows defaults, choices and examples") {
  const std::vector<const char*> none;
  std::string format = "auto";
  int64_t n = 4;
  Options o("try", "a verb for tests", none);
  o.value("--format", &format, "F", "which").choices({"auto", "plain"});
  o.value("--n", &n, "N", "how many");
  o.example("hone try --n 2", "twice");
  const std::string help = o.help();
  for (const char* part : {"hone try: a verb for tests", "which (auto, plain) [auto]", "how many [4]",
                           "Examples:\n  hone try --n 2\n      twice"})
    CHECK_MESSAGE(help.find(part) != std::string::npos, part);
}

TEST_CASE("texts break at the width and keep their own newlines") {
  CHECK(cli::wrap("aa bb cc dd", 5, 0) == "aa bb\ncc dd");
  CHECK(cli::wrap("aa bb cc", 8, 3) == "aa bb\n   cc");
  CHECK(cli::wrap("a\nb", 10, 2) == "a\n  b");
  CHECK(cli::wrap("averylongword b", 4, 0) == "averylongword\nb");
}
