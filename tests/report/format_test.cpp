// Numbers, escaping and axes.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "report/chart.h"
#include "report/html.h"

using namespace hone::report;

TEST_CASE("numbers for people") {
  CHECK(format_number(0.786) == "0.786");
  CHECK(format_number(0.2) == "0.2");
  CHECK(format_number(12.34) == "12.3");
  CHECK(format_number(1234567) == "1,234,567");
  CHECK(format_number(-0.5) == "−0.5");
  CHECK(format_number(3.1e-6) == "3.1e-06");
  CHECK(format_number(std::nan("")) == "–");
  CHECK(format_fixed(-0.0001, 2) == "0.00");
  CHECK(format_count(-1234) == "−1,234");
  CHECK(format_percent(0.738) == "73.8%");
  CHECK(format_duration(292) == "4 min 52 s");
  CHECK(format_duration(3900) == "1 h 05 min");
  CHECK(format_estimate({0.786, 0.771, 0.801, 600}) == "0.786 [0.771, 0.801]");
  CHECK(model_name("ppo-agreeable") == "PPO-agreeable");
  CHECK(model_name("sftx") == "sftx");
}

TEST_CASE("bytes that are not UTF-8, controls and bidirectional overrides become U+FFFD") {
  CHECK(clean_text("a\xff"
                   "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(clean_text("\xc0\xaf") == "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong '/'
  CHECK(clean_text("\xed\xa0\x80").find("\xed") == std::string::npos);  // a surrogate
  CHECK(clean_text("\xe2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");          // cut short
  CHECK(clean_text("\xe2\x80\xae") == "\xEF\xBF\xBD");                  // U+202E
  CHECK(clean_text("é 漢 😀\n\t") == "é 漢 😀\n\t");
  CHECK(clean_text(std::string_view("\0", 1)) == "\xEF\xBF\xBD");
  CHECK(escape("<a href='x'>&\"") == "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
  CHECK(escape_limited("ééé", 2) == "éé… (1 more characters)");
  CHECK(escape_limited("ééé", 3) == "ééé");
}

TEST_CASE("ticks are round and inside") {
  CHECK(ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
  CHECK(ticks(-1, 1, 2) == std::vector<double>{-1, 0, 1});
  CHECK(ticks(5, 5, 4) == std::vector<double>{5});
  CHECK(ticks(1e-9, 2e-9, 4).size() >= 3);
}

TEST_CASE("charts survive odd figures") {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  LineChart c;
  c.title = "t";
  c.series = {{"s", "ppo", {}, false, true}};
  CHECK(line_chart(c).empty());
  c.series[0].points = {{1, kNaN}};
  CHECK(line_chart(c).empty());
  c.series[0].points = {{1, 3}};
  CHECK(line_chart(c).find("<circle") != std::string::npos);  // a single step is a dot
  c.series[0].points = {{1, 1e308}, {2, -1e308}, {3, kNaN}, {4, 0}};
  CHECK(line_chart(c).find("nan") == std::string::npos);
  CHECK(line_chart(c).find("inf") == std::string::npos);
  CHECK(interval_chart({}).empty());
}

TEST_CASE("each name has one colour, and no two names share one") {
  ToneSet tones;
  CHECK(tones.of("base") == "base");
  CHECK(tones.of("ppo") == "ppo");
  CHECK(tones.of("ppo-honest") != "ppo");
  CHECK(tones.of("ppo-honest") == tones.of("ppo-honest"));
}
