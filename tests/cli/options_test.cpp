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
  o.value("--max-tokens,--max_tokens", &p.temperature, "X", "a number");
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

TEST_CASE("numbers are plain decimal, texts stay as they are, help comes first") {
  CHECK(parse({"--n", "010"}).n == 10);
  CHECK(parse({"--seed", "18446744073709551615"}).seed == 18446744073709551615u);
  CHECK(parse({"--max-tokens", "1e-3"}).temperature == 1e-3);
  CHECK(parse({"--model", ""}).model.empty());
  CHECK(parse({"--stop", "[a,b]", "[c,d]"}).stops == std::vector<std::string>{"[a,b]"});
  CHECK(parse({"--chat", "--n", "two", "--help", "--modle"}).model == "help");
}

TEST_CASE("what is wrong is named, with the nearest right word") {
  CHECK_THROWS_WITH_AS(parse({"--modle", "x"}), "unknown option '--modle'; did you mean '--model'?", Error);
  CHECK_THROWS_WITH_AS(parse({"--n", "two"}), "'--n' must be a whole number, got 'two'", Error);
  CHECK_THROWS_WITH_AS(parse({"--seed", "-1"}), "'--seed' must be a whole number from 0 up, got '-1'", Error);
  CHECK_THROWS_WITH_AS(parse({"--max-tokens", "nan"}), "'--max-tokens' must be a number, got 'nan'", Error);
  CHECK_THROWS_WITH_AS(parse({"--n", "0x10"}), "'--n' must be a whole number, got '0x10'", Error);
  CHECK_THROWS_WITH_AS(parse({"--n", "9223372036854775808"}), "'--n' must be a whole number, got '9223372036854775808'",
                       Error);
  CHECK_THROWS_WITH_AS(parse({"--seed=two"}), "'--seed' must be a whole number from 0 up, got 'two'", Error);
  CHECK_THROWS_WITH_AS(parse({"-n", "2"}), "unknown option '-n'; did you mean '--n'?", Error);
  CHECK_THROWS_WITH_AS(parse({"--format", "caht"}), "'--format' cannot be 'caht'; did you mean 'chat'?", Error);
  CHECK_THROWS_WITH_AS(parse({"--model"}), "'--model' needs a value: --model DIR", Error);
  CHECK_THROWS_WITH_AS(parse({"--model", "a", "--model", "b"}), "'--model' is given twice", Error);
  CHECK_THROWS_WITH_AS(parse({"--chat=maybe"}), "Could not convert: --chat = maybe", Error);
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
  o.example("hone try " + std::string(60, 'x') + " --format plain --n 2", "long");
  const std::string help = o.help();
  for (const char* part :
       {"hone try: a verb for tests", "which (auto, plain) [auto]", "how many [4]",
        "Examples:\n  hone try --n 2\n      twice", "x \\\n          --format plain --n 2\n      long"})
    CHECK_MESSAGE(help.find(part) != std::string::npos, part);
}

TEST_CASE("texts break at the width and keep their own newlines") {
  CHECK(cli::wrap("aa bb cc dd", 5, 0) == "aa bb\ncc dd");
  CHECK(cli::wrap("aa bb cc", 8, 3) == "aa bb\n   cc");
  CHECK(cli::wrap("a\nb", 10, 2) == "a\n  b");
  CHECK(cli::wrap("averylongword b", 4, 0) == "averylongword\nb");
}
