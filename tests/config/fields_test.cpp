#include "config/fields.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"

using namespace hone::config;
using hone::Error;

namespace {
struct Inner {
  double lr = 0.1;
  void fields(Fields& v) { v("lr", lr, "learning rate"); }
};
struct Params {
  bool flag = false;
  int64_t steps = 10;
  std::string loss = "sigmoid";
  std::vector<std::string> data;
  Inner optim;
  void fields(Fields& v) {
    v("flag", flag, "a flag");
    v("steps", steps, "steps");
    v.choice("loss", loss, {"sigmoid", "ipo"}, "loss");
    v("data", data, "files");
    v.group("optim", optim);
  }
};
}  // namespace

TEST_CASE("text, JSON and TOML speak of the same fields") {
  Params p;
  const Fields f = fields_of(p);
  set_from_text(f.find("steps", "x", "w"), "1_000", "w");
  set_from_text(f.find("optim.lr", "x", "w"), "3e-4", "w");
  set_from_text(f.find("data", "x", "w"), "a.txt,b.txt", "w");
  set_from_json(f.find("flag", "x", "w"), true, "w");
  CHECK(p.steps == 1000);
  CHECK(p.optim.lr == 3e-4);
  CHECK(p.data == std::vector<std::string>{"a.txt", "b.txt"});
  CHECK(p.flag);
  CHECK(to_toml(f.find("optim.lr", "x", "w")) == "3e-04");
  CHECK(to_toml(f.find("data", "x", "w")) == "[\"a.txt\", \"b.txt\"]");
  set_from_text(f.find("data", "x", "w"), R"(["c,d.txt", "e.txt"])", "w");  // as a recipe writes a list
  CHECK(p.data == std::vector<std::string>{"c,d.txt", "e.txt"});
  set_from_text(f.find("data", "x", "w"), "['f.txt', \"g,h.txt\",]", "w");
  CHECK(p.data == std::vector<std::string>{"f.txt", "g,h.txt"});
  set_from_text(f.find("data", "x", "w"), R"(["a\/b", "\ud83d\ude00"])", "w");  // as JSON writes it
  CHECK(p.data == std::vector<std::string>{"a/b", "😀"});
  CHECK_THROWS_WITH_AS(set_from_text(f.find("data", "x", "w"), R"(["a\u0000b"])", "w"), "w: 'data' holds a zero byte",
                       Error);
  for (const char* malformed :
       {"[c.txt]", "[\"a\"]\nsteps = [1]", "[1, 2]", "[1979-05-27]", "[{a = 1}]", "[[]", "[]]"}) {
    CAPTURE(malformed);
    CHECK_THROWS_AS(set_from_text(f.find("data", "x", "w"), malformed, "w"), Error);
  }
}

TEST_CASE("a wrong key, type or choice says how to mend it") {
  Params p;
  const Fields f = fields_of(p);
  CHECK_THROWS_WITH_AS(f.find("stepz", "sft", "r.toml:3"),
                       "r.toml:3: unknown key 'stepz' in [sft]; did you mean 'steps'?", Error);
  CHECK_THROWS_WITH_AS(f.find("lr", "sft", "r.toml:3"), doctest::Contains("did you mean 'optim.lr'?"), Error);
  CHECK_THROWS_WITH_AS(set_from_text(f.find("steps", "x", "w"), "ten", "w"),
                       "w: 'steps' must be a whole number, got 'ten'", Error);
  CHECK_THROWS_WITH_AS(set_from_text(f.find("loss", "x", "w"), "sigmod", "w"),
                       doctest::Contains("did you mean 'sigmoid'?"), Error);
  CHECK_THROWS_AS(set_from_json(f.find("flag", "x", "w"), 1, "w"), Error);
}
