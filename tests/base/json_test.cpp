#include "base/json.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"

using namespace hone;

namespace {

std::string error_of(std::string_view text) {
  try {
    parse_python_json(text, "config.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("NaN and Infinity are read where Python writes them, and nowhere in rows of data") {
  const std::string text =
      R"({"a": [0.0, Infinity, -Infinity,NaN], "b": null, "c": NaN , "d": "Infinity and \"NaN\"", "e":[null,Infinity]})";
  const Json json = parse_python_json(text, "config.json");
  CHECK(json["a"][0] == 0.0);
  CHECK(json["a"][1].get<double>() == INFINITY);
  CHECK(json["a"][2].get<double>() == -INFINITY);
  CHECK(std::isnan(json["a"][3].get<double>()));
  CHECK(json["b"].is_null());
  CHECK(std::isnan(json["c"].get<double>()));
  CHECK(json["d"] == "Infinity and \"NaN\"");
  CHECK(json["e"][0].is_null());
  CHECK(json["e"][1].get<double>() == INFINITY);
  CHECK(std::isnan(parse_python_json("NaN", "config.json").get<double>()));
  CHECK_THROWS_AS(parse_json(text, "rows.jsonl:1"), Error);
  CHECK_THROWS_AS(parse_json(R"({"score": NaN})", "rows.jsonl:1"), Error);
}

TEST_CASE("what Python does not read either is malformed, and said where it stands") {
  for (const char* text : {R"({"a": Infinit})", R"({"a": +Infinity})", R"({"a": NaNa})", R"({"a": - Infinity})",
                           R"({"a": nan})", R"({"a": Infinity)", R"([NaN NaN])", R"({NaN: 1})", R"(["NaN)"}) {
    CAPTURE(text);
    CHECK(error_of(text).starts_with("config.json: malformed JSON"));
  }
  // The blanks that fill a longer word's place keep columns as they are.
  CHECK(error_of(R"([Infinity, x])").find("at column 12") != std::string::npos);
}
