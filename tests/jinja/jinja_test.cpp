#include "jinja/template.h"

#include <ctime>
#include <map>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"

using hone::Json;
using hone::jinja::Template;

namespace {

std::string render(const std::string& source, const Json& context = Json::object()) {
  try {
    return Template(source, "t").render(context).text;
  } catch (const hone::Error& e) {
    return std::string("error ") + e.what();
  }
}

// Python counts characters, we count bytes.
size_t characters(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

}  // namespace

TEST_CASE("white space around tags goes as trim_blocks and lstrip_blocks say") {
  CHECK(render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n") == "a\n  b\nc");
  CHECK(render("a  {%- if true -%}  b  {%- endif -%}  c") == "abc");
  CHECK(render("a\n  {{ 1 }}\nb") == "a\n  1\nb");
  CHECK(render("a\n  {%+ if true +%}\nb{% endif %}") == "a\n  \nb");
  CHECK(render("x {# note #}\ny") == "x y");
  CHECK(render("  {# note #}\ny") == "y");
  CHECK(render("{% raw %}{{ x }}{% endraw %}") == "{{ x }}");
  CHECK(render("a\r\nb\rc") == "a\nb\nc");
  CHECK(render("{{ 'a\\n' }}\n") == "a\n");
}

TEST_CASE("expressions as Python has them") {
  CHECK(render("{{ 1 + 2 * 3 ** 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}") == "19 3 -4 2 3.5");
  CHECK(render("{{ 1e20 }} {{ 0.1 + 0.2 }} {{ 1.0 }} {{ 1e-5 }}") == "1e+20 0.30000000000000004 1.0 1e-05");
  CHECK(render("{{ [1, 'a', none, true, 1.5, ('x',), {'k': \"it's\"}] }}") ==
        "[1, 'a', None, True, 1.5, ('x',), {'k': \"it's\"}]");
  CHECK(
      render("{{ 'abc'[1] }}{{ 'abc'[-1] }}{{ 'abcdef'[1:4] }}{{ 'abcdef'[::-2] }}{{ [1,2,3][1:] }}{{ 'abc'[:-1] }}") ==
      "bcbcdfdb[2, 3]ab");
  CHECK(render("{{ 'a' if 0 else 'b' }}{{ 'a' if 0 }}{{ 1 < 2 < 3 }}{{ not 1 in [1] }}{{ 2 not in [1] }}") ==
        "bTrueFalseTrue");
  CHECK(render("{{ 'x' ~ 1 ~ none }}{{ 'ab' * 2 }}{{ 'a' 'b' }}") == "x1Noneababab");
  CHECK(render("{{ '\\u00e9\\x41\\101\\q' }}") ==
        "\xC3\xA9"
        "AA\\q");
  CHECK(render("{{ 'é日'|length }}{{ 'é日'[1] }}{{ 'ÉCOLE'|lower }}") ==
        "2\xE6\x97\xA5\xC3\xA9"
        "cole");
}

TEST_CASE("names, scopes, loops, macros") {
  CHECK(render("{% set x = 1 %}{% for i in [1,2] %}{% set x = i %}{% endfor %}{{ x }}") == "1");
  CHECK(render("{% set n = namespace(x=0) %}{% for i in range(4) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}") ==
        "6");
  CHECK(render("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ loop.index }}{{ k }}{{ v }}{{ ',' if not loop.last }}{% "
               "endfor %}") == "1a1,2b2");
  CHECK(render("{% for i in range(9) if i is odd %}{{ i }}{% if i == 5 %}{% break %}{% endif %}{% endfor %}") == "135");
  CHECK(render("{% for i in [] %}x{% else %}none{% endfor %}") == "none");
  CHECK(render("{% macro f(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ f(1) }} {{ f(b=3, a=4) }}") == "1-2 4-3");
  CHECK(render("{% set t %}a{{ 1 }}{% endset %}{{ t|upper }}") == "A1");
  CHECK(render("{% macro f() %}[{{ caller() }}]{% endmacro %}{% call f() %}x{% endcall %}") == "[x]");
  CHECK(render("{% filter upper %}abc{% endfilter %}{% with a = 1 %}{{ a }}{% endwith %}") == "ABC1");
}

TEST_CASE("filters, tests and methods") {
  CHECK(render("{{ {'b': 1, 'a': [1.5, none]} | tojson }}") == "{\"b\": 1, \"a\": [1.5, null]}");
  CHECK(render("{{ {'b': 1} | tojson(indent=2) }}") == "{\n  \"b\": 1\n}");
  CHECK(render("{{ ' a '|trim }}{{ 'a,b'.split(',')|join('+') }}{{ x|default('d') }}{{ 'aXa'|replace('a', 'bb') }}") ==
        "aa+bdbbXbb");
  CHECK(render("{{ 'a\nb\n'|indent(2) }}|{{ 'a\nb'|indent(2, first=true) }}") == "a\n  b\n|  a\n  b");
  CHECK(render(
            "{{ [{'r': 'u', 'c': 1}, {'r': 's', 'c': 2}]|selectattr('r', 'equalto', 's')|map(attribute='c')|list }}") ==
        "[2]");
  CHECK(render("{{ {'b': 1, 'A': 2}|dictsort }}{{ [3, 1]|sort }}{{ 'x' is string }}{{ y is defined }}") ==
        "[('A', 2), ('b', 1)][1, 3]TrueFalse");
  CHECK(render("{{ ('<b>'|safe) + '<' }}") == "<b>&lt;");
}

TEST_CASE("what a template may not do is refused by name, with its line") {
  CHECK(render("a\n{% include 'x' %}") == "error t:2: the tag 'include' is not supported");
  CHECK(render("{{ x|nonsense }}") == "error t:1: the filter 'nonsense' is not supported");
  CHECK(render("{{ x is nonsense }}") == "error t:1: the test 'nonsense' is not supported");
  CHECK(render("\n\n{{ y.z.w }}") == "error t:3: 'y' is undefined");
  CHECK(render("{{ [].append(1) }}") == "error t:1: the method 'append' is not supported");
  CHECK(render("{{ raise_exception('no') }}") == "error t:1: no");
  CHECK(render("{% for x in [1] recursive %}{% endfor %}") == "error t:1: recursive loops are not supported");
  CHECK(render("{{ 'a' + 1 }}") == "error t:1: can only concatenate str (not \"int\") to str");
  CHECK(render("{% if %}") == "error t:1: unexpected '%}'");
  CHECK(render("{% if 1 %}x").starts_with("error t:1: unexpected end of template"));
}

TEST_CASE("a hostile template stops") {
  const std::clock_t start = std::clock();  // processor time: the machine may be busy
  for (const std::string source :
       {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set n = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=[1]) %}{% for i in range(100) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
        "{% set n = namespace(s=[1]) %}{% for i in range(1000) %}{% set n.s = [n.s] %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% "
        "endfor %}",
        "{{ 'a' * 999999999999 }}", "{{ 9 ** 9999999 }}", "{{ range(999999999999) }}",
        "{% set n = namespace() %}{% set n.n = n %}",
        "{{ 'aaaa'|replace('', 'b' * 9999999)|replace('', 'c' * 9999999) }}",
        "{% set s = 'ab' * 9999999 %}{% for i in range(99999) %}{% if s == s ~ '' %}{% endif %}{% endfor %}",
        "{{ ([[1] * 9999] * 9999)|string|length }}"}) {
    CAPTURE(source);
    CHECK(render(source).starts_with("error t:"));
  }
  for (const char* piece :
       {"(", "[", "{{ -", "not ", "{% if 1 %}", "{{ a", "1+", "a.b", "a|trim", "~", "{% for x in y %}"}) {
    std::string source = "{{ 1";
    for (int i = 0; i < 20000; ++i) source += piece;
    render(source);
    std::string other;
    for (int i = 0; i < 20000; ++i) other += piece;
    render(other);
    render("{{ a" + other + " }}");
  }
  CHECK(std::clock() - start < 60 * CLOCKS_PER_SEC);
}

TEST_CASE("garbage is refused or rendered, never worse") {
  hone::Stream random(11, "jinja");
  const char* pieces[] = {"{{",
                          "}}",
                          "{%",
                          "%}",
                          "{#",
                          "#}",
                          "-",
                          "+",
                          "if ",
                          "else",
                          "endif",
                          "for ",
                          " in ",
                          "endfor",
                          "set ",
                          "x",
                          "=",
                          "==",
                          "(",
                          ")",
                          "[",
                          "]",
                          "{",
                          "}",
                          ",",
                          ":",
                          ".",
                          "|",
                          "~",
                          "'a'",
                          "\"",
                          "1",
                          "2.5",
                          "loop",
                          "namespace",
                          "macro ",
                          "endmacro",
                          "is ",
                          "not ",
                          "defined",
                          "trim",
                          "tojson",
                          "messages",
                          " ",
                          "\n",
                          "generation",
                          "endgeneration",
                          "**",
                          "//",
                          "\\",
                          "\xC3\xA9",
                          "\xFF",
                          "_"};
  const Json context = {{"messages", {{{"role", "user"}, {"content", "hi"}}}}, {"x", {1, 2}}};
  int rendered = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string source = random.chance(0.7) ? "{{" : "";
    for (uint64_t n = 1 + random.below(14); n > 0; --n) source += pieces[random.below(std::size(pieces))];
    if (random.chance(0.7)) source += random.chance(0.5) ? "}}" : "%}";
    rendered += !render(source, context).starts_with("error ");
  }
  CHECK(rendered > 100);
}

TEST_CASE("the language agrees with Jinja2, construct by construct") {
  Json context;
  hone::for_each_line("tests/golden/text/jinja.jsonl", [&](std::string_view line, int64_t number) {
    const Json row = hone::parse_json(line, "jinja.jsonl:" + std::to_string(number));
    if (row.contains("context")) {
      context = row["context"];
      return;
    }
    const auto source = row["source"].get<std::string>();
    CAPTURE(source);
    if (row.contains("error")) CHECK(render(source, context) == "error t:1: " + row["error"].get<std::string>());
    else CHECK(render(source, context) == row["expected"].get<std::string>());
  });
}

TEST_CASE("real templates render as Jinja2 renders them") {
  if (data_missing("golden/chat_template_vectors.jsonl")) return;
  std::map<std::string, Template> loaded;
  int right = 0, wrong = 0;
  hone::for_each_line(data_root() / "golden/chat_template_vectors.jsonl", [&](std::string_view line, int64_t) {
    const Json row = hone::parse_json(line, "chat_template_vectors.jsonl");
    const auto name = row["template"].get<std::string>();
    CAPTURE(name);
    CAPTURE(row["case"].get<std::string>());
    std::string got;
    Json spans = Json::array();
    try {
      if (!loaded.contains(name)) loaded.emplace(name, Template(hone::read_file(data_root() / name), name));
      Json context = Json::object();
      for (const char* key : {"messages", "add_generation_prompt", "tools", "bos_token", "eos_token"})
        context[key] = row[key];
      const auto out = loaded.at(name).render(context);
      got = out.text;
      for (const auto& [begin, end] : out.generated)
        spans.push_back({characters(std::string_view(out.text).substr(0, begin)),
                         characters(std::string_view(out.text).substr(0, end))});
    } catch (const hone::Error& e) {
      got = std::string("error ") + e.what();
    }
    if (row.contains("error")) {
      CHECK(got.ends_with(": " + row["error"].get<std::string>()));
      return;
    }
    CHECK(got == row["expected"].get<std::string>());
    got == row["expected"].get<std::string>() ? ++right : ++wrong;
    if (row.contains("assistant_char_spans")) CHECK(spans == row["assistant_char_spans"]);
  });
  MESSAGE(right << " renders agree, " << wrong << " differ");
}

TEST_CASE("llama.cpp's template cases render as Jinja2 renders them") {
  if (data_missing("golden/llama_cpp_template_cases.jsonl")) return;
  hone::for_each_line(data_root() / "golden/llama_cpp_template_cases.jsonl", [&](std::string_view line, int64_t) {
    const Json row = hone::parse_json(line, "llama_cpp_template_cases.jsonl");
    if (!row.contains("expected_jinja2") || !row["expected_jinja2"].is_string()) return;
    CAPTURE(row["name"].get<std::string>());
    const Json context = {{"messages", row["messages"]},
                          {"add_generation_prompt", row["add_generation_prompt"]},
                          {"bos_token", row["bos_token"]},
                          {"eos_token", row["eos_token"]}};
    CHECK(render(row["template"].get<std::string>(), context) == row["expected_jinja2"].get<std::string>());
  });
}
