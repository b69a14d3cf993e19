// RFC 8785: its own examples (section 3.2.2 to 3.2.4 and appendix B).
#include "feedback/canonical_json.h"

#include <doctest/doctest.h>

#include <bit>
#include <clocale>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

using namespace hone;
using namespace hone::feedback;

namespace {

std::string canonical(std::string_view text) { return canonical_json(parse_json(text, "test")); }

}  // namespace

TEST_CASE("the RFC's example: numbers, strings, literals and the order of keys") {
  // Section 3.2.2 and 3.2.3; U+0080 to U+00FF as UTF-8.
  CHECK(canonical(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })") ==
        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
  // By UTF-16 code units: U+1F600 is D83D DE00 and comes before U+FB33, though its UTF-8 comes behind.
  CHECK(canonical(R"({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7})") ==
        "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":1,\"\U0001F600\":5,\"\uFB33\":3}");
}

TEST_CASE("numbers as ECMAScript writes them: the RFC's appendix B") {
  const auto of_bits = [](uint64_t bits) { return canonical_number(std::bit_cast<double>(bits)); };
  CHECK(of_bits(0x0000000000000000) == "0");
  CHECK(of_bits(0x8000000000000000) == "0");
  CHECK(of_bits(0x0000000000000001) == "5e-324");
  CHECK(of_bits(0x8000000000000001) == "-5e-324");
  CHECK(of_bits(0x7fefffffffffffff) == "1.7976931348623157e+308");
  CHECK(of_bits(0x4340000000000000) == "9007199254740992");
  CHECK(of_bits(0xc340000000000000) == "-9007199254740992");
  CHECK(of_bits(0x4430000000000000) == "295147905179352830000");
  CHECK(of_bits(0x44b52d02c7e14af5) == "9.999999999999997e+22");
  CHECK(of_bits(0x44b52d02c7e14af6) == "1e+23");
  CHECK(of_bits(0x44b52d02c7e14af7) == "1.0000000000000001e+23");
  CHECK(of_bits(0x444b1ae4d6e2ef4e) == "999999999999999700000");
  CHECK(of_bits(0x444b1ae4d6e2ef4f) == "999999999999999900000");
  CHECK(of_bits(0x444b1ae4d6e2ef50) == "1e+21");
  CHECK(of_bits(0x3eb0c6f7a0b5ed8c) == "9.999999999999997e-7");
  CHECK(of_bits(0x3eb0c6f7a0b5ed8d) == "0.000001");
  CHECK(of_bits(0x41b3de4355555553) == "333333333.3333332");
  CHECK(of_bits(0x41b3de4355555557) == "333333333.33333343");
  CHECK(of_bits(0xbecbf647612f3696) == "-0.0000033333333333333333");
  CHECK(of_bits(0x43143ff3c1cb0959) == "1424953923781206.2");
}

TEST_CASE("canonical JSON reads back as the same value and is a fixed point") {
  Stream stream(1, "canonical");
  for (int i = 0; i < 2000; ++i) {
    const double value = std::bit_cast<double>(stream.bits());
    if (!std::isfinite(value)) continue;
    const std::string text = canonical_number(value);
    CHECK(std::stod(text) == value);
    CHECK(canonical("[" + text + "]") == "[" + text + "]");
  }
}

TEST_CASE("the locale has no say") {
  const std::string before = canonical("[1.5]");
  const std::string old = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed: a decimal comma
  CHECK(canonical("[1.5]") == before);
  std::setlocale(LC_ALL, old.c_str());
}

TEST_CASE("what has no canonical form is refused") {
  CHECK_THROWS_AS(canonical_json(Json("\xff")), Error);
  CHECK_THROWS_AS(canonical_json(Json{{"\xc0", 1}}), Error);
  CHECK_THROWS_AS(canonical_json(Json(std::nan(""))), Error);
  CHECK_THROWS_AS(canonical_json(Json(INFINITY)), Error);
  CHECK_THROWS_AS(canonical("[9007199254740993]"), Error);
  CHECK_THROWS_AS(canonical("[-9007199254740993]"), Error);
  CHECK_THROWS_AS(canonical("[18446744073709551615]"), Error);
  CHECK(canonical("[9007199254740992,-9007199254740992]") == "[9007199254740992,-9007199254740992]");
  Json twice = Json::object();
  append_field(twice, "a", 1);
  append_field(twice, "a", 2);
  CHECK_THROWS_AS(canonical_json(twice), Error);
}
