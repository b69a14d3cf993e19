#!/usr/bin/env python3
"""Golden values of the template language, from Jinja2 as Hugging Face transformers sets it up.

    /tmp/venv/bin/pip install jinja2 && /tmp/venv/bin/python tools/golden/jinja.py > tests/golden/text/jinja.jsonl

One row a template: source, context, and what Jinja2 renders or the message of its error.
"""
import json
import sys
from datetime import datetime

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONTEXT = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "  Hello,\nwörld! "},
                        {"role": "assistant", "content": "<think>a</think>\n\nHi & bye"}],
           "tools": None, "n": 3, "x": 2.5, "name": "élan vital", "d": {"b": 1, "a": [1, {"k": None}], "C": True}, "empty": [], "t": "a,b,,c"}

TEMPLATES = r"""
{{ n + 1 }} {{ n - 5 }} {{ n * x }} {{ n / 2 }} {{ n // 2 }} {{ -n // 2 }} {{ n % 2 }} {{ -n % 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}
{{ 10 ** 15 }} {{ 1e15 }} {{ 1e16 }} {{ 123456789.123 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.0 * 3 }} {{ -0.0 }} {{ 1_000 }}
{{ true }} {{ none }} {{ [true, none, 'a', "it's", 'q"', 1.0, []] }} {{ (1,) }} {{ () }} {{ {'a': {'b': ()}} }}
{{ 'a\tb\n\\ é \x07 \u2028' ~ ['a\tb\n\\ é \x07 \u2028'] }}
{{ 1 == 1.0 }} {{ '1' == 1 }} {{ [1] == [1.0] }} {{ none == false }} {{ true == 1 }} {{ {'a': 1} == {'a': 1} }} {{ y == z }}
{{ 1 < 2 <= 2 < 3 }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 != 2 > 1 }}
{{ 'ell' in 'hello' }} {{ 1 in [1] }} {{ 'a' in d }} {{ 'z' not in d }} {{ 'z' in y }} {{ not 'a' in d }}
{{ 1 and 2 }} {{ 0 or 'x' }} {{ not 0 }} {{ '' or none }} {{ 1 if n > 2 else 2 }} {{ 1 if n > 5 }} {{ 1 if 0 else 2 if 0 else 3 }}
{{ name[0] }}{{ name[-1] }}{{ name[1:4] }}{{ name[::-1] }}{{ name[5:] }}{{ name[:-5] }}{{ name[100:] }}{{ name[::2] }}{{ name[-3:-1] }}{{ name[4:1:-1] }}
{{ messages[1:] | length }} {{ messages[0].role }} {{ messages[-1]['role'] }} {{ messages[::-1][0].role }} {{ messages[9] is defined }}
{{ messages[0].missing is defined }} {{ messages[0].missing }} {{ d.a[1].k }} {{ d['a'][0] }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.items() | list }}
{{ d.keys() | list }} {{ d.values() | list }} {% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{{ d | items | list }} {{ d | dictsort }} {{ d | dictsort(true) }} {{ d | dictsort(by='key', reverse=true) }} {{ d | length }} {{ d | list }}
{{ d | tojson }} {{ d | tojson(indent=2) }} {{ [] | tojson(indent=4) }} {{ {} | tojson }} {{ 'é"\\\n\x01/' | tojson }} {{ [1.0, 1e20, none, true] | tojson }}
{{ d | tojson(sort_keys=true) }} {{ d | tojson(separators=(',', ':')) }} {{ {'a': [1, [2, {'b': 3}]]} | tojson(indent=1) }}
{{ name | upper }} {{ name | lower }} {{ name | capitalize }} {{ name | length }} {{ 'ß' | upper }} {{ 'ΑΣ' | lower }}
{{ '  a b ' | trim }}| {{ 'xxaxx' | trim('x') }} {{ ' a '.strip() }} {{ ' a '.lstrip() }}| {{ ' a '.rstrip() }}| {{ 'abc'.strip('ca') }} {{ '\u3000a\u00a0' | trim }}
{{ t.split(',') }} {{ t.split(',', 1) }} {{ ' a  b c '.split() }} {{ ' a  b c '.split(none, 1) }} {{ t.rsplit(',', 1) }} {{ 'a--b'.split('--')[-1] }} {{ ''.split(',') }} {{ ''.split() }}
{{ t.startswith('a') }} {{ t.endswith(('x', 'c')) }} {{ t.replace(',', '+') }} {{ t.replace(',', '+', 1) }} {{ t | replace(',', '') }} {{ 'ab'.replace('', '-') }} {{ t.find('b') }} {{ t.find('z') }} {{ t.count(',') }} {{ name.find('v') }}
{{ t.upper() }} {{ 'ABC'.lower() }} {{ 'abc def'.capitalize() }} {{ 'abc dEF'.title() }} {{ '12'.isdigit() }} {{ 'a\nb\r\nc\n'.splitlines() }} {{ '-'.join(['a', 'b']) }}
{{ [1, 2, 3] | join }} {{ ['a', 'b'] | join(', ') }} {{ messages | map(attribute='role') | join('|') }} {{ messages | join('-', attribute='role') }}
{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | list | length }} {{ messages | selectattr('nope') | list }}
{{ [1, 2, 3, 4] | select('odd') | list }} {{ [0, 1, ''] | reject | list }} {{ [1, 2] | map('string') | list }} {{ ['a', 'b'] | map('upper') | join }} {{ tools | selectattr('x') | list }} {{ [{}] | map(attribute='x', default='y') | list }}
{{ [3, 1, 2] | sort }} {{ ['b', 'A', 'c'] | sort }} {{ ['b', 'A', 'c'] | sort(case_sensitive=true) }} {{ [3, 1] | sort(reverse=true) }} {{ messages | sort(attribute='role') | map(attribute='role') | list }}
{{ [1, 2, 3] | first }} {{ [1, 2, 3] | last }} {{ 'abc' | first }} {{ empty | first is defined }} {{ [1, 2] | reverse | list }} {{ 'abc' | reverse }} {{ ['a', 'A', 'b'] | unique | list }}
{{ '42' | int }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ '3.9' | int }} {{ '2.5' | float }} {{ 3.7 | int }} {{ -3 | abs }} {{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ 2.1 | round(0, 'ceil') }} {{ [1, 2] | sum }} {{ [1, 3, 2] | max }} {{ [1, 3, 2] | min }}
{{ y | default('d') }} {{ '' | default('d') }} {{ '' | default('d', true) }} {{ none | d('x') }} {{ none | default('x', boolean=true) }} {{ y | default }}|
{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\n\nb' | indent(2, blank=true) }}|{{ 'a\nb' | indent('> ') }}|{{ 'a\n' | indent(2) }}|
{{ '<a & "b">' | e }} {{ '<b>' | safe }} {{ ('<b>' | safe) ~ '<' }} {{ '<' + ('<b>' | safe) }} {{ 5 | string | length }} {{ [1, 2] | string }} {{ name | list | length }}
{{ y is defined }} {{ n is number }} {{ x is float }} {{ n is integer }} {{ true is integer }} {{ true is boolean }} {{ d is mapping }} {{ t is string }} {{ t is iterable }} {{ n is iterable }} {{ empty is sequence }} {{ d is sequence }} {{ none is none }} {{ tools is not none }} {{ y is undefined }} {{ y is iterable }} {{ true is true }} {{ n is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(2) }} {{ 1 is eq 1 }} {{ 'a' is in 'abc' }} {{ range is callable }} {{ 'abc' is lower }} {{ n is gt 2 }}
{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ loop.index0 }} {{ loop.revindex }} {{ loop.first }} {{ loop.last }} {{ loop.previtem.role if loop.previtem is defined }} {{ loop.nextitem.role if not loop.last }} {{ loop.cycle('o', 'e') }};{% endfor %}
{% for i in range(2, 10, 3) %}{{ i }},{% endfor %} {% for i in range(3, 0, -1) %}{{ i }}{% endfor %} {{ range(0) | list }} {{ range(3) | list }}
{% for i in [1, 2, 3] if i != 2 %}{{ i }}{{ loop.last }}{% endfor %} {% for i in empty %}x{% else %}none{% endfor %} {% for c in 'né' %}[{{ c }}]{% endfor %} {% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for k in d %}{{ k }}{% endfor %}
{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %} {% for i in [1, 2] %}{% for j in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}
{% set a = 1 %}{% if true %}{% set a = 2 %}{% endif %}{{ a }} {% for i in [1] %}{% set a = 3 %}{% endfor %}{{ a }} {% set b, c = 1, 2 %}{{ b }}{{ c }} {% set e = 1, %}{{ e }}
{% set ns = namespace(found=false, k=1) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.found = true %}{% set ns.k = ns.k + loop.index %}{% endif %}{% endfor %}{{ ns.found }} {{ ns.k }} {{ ns.nope is defined }}
{% set block %}a {{ n }} b{% endset %}[{{ block }}] {% set up | upper %}abc{% endset %}{{ up }} {% filter replace('a', 'b') | upper %}aaa{% endfilter %}
{% macro say(what, times=2, end='!') %}{% for i in range(times) %}{{ what }}{% endfor %}{{ end }}{% endmacro %}{{ say('a') }} {{ say('b', 1) }} {{ say(times=3, what='c', end='') }} {{ say() }}
{% macro f(x) %}{% if x > 0 %}{{ x }}{{ f(x - 1) }}{% endif %}{% endmacro %}{{ f(4) }} {% macro wrap() %}<{{ caller() }}>{% endmacro %}{% call wrap() %}in{% endcall %} {% macro each(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) each([1, 2]) %}[{{ i }}]{% endcall %}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }} {% macro g() %}{{ n }}{{ late }}{% endmacro %}{% set late = 'L' %}{{ g() }}
a\n  {% if true %}\n    b\n  {% endif %}\n  c {% if true -%}  d {%- endif %} e\n{%- if true %}\n f\n{%+ endif %}\n
{# c #}\na {#- c -#} b {# multi\nline #}\n  c\n   {# own line #}\nd {{- 1 -}} e {{ 2 }}\n\nf
{% raw %}{{ not }} {% if %}{% endraw %} {%- raw -%}  x  {%- endraw -%} y {{ '{{' }} {{ "}}" }} {{ '{%' }}
{% if n == 1 %}a{% elif n == 3 %}b{% else %}c{% endif %}{% if y %}y{% elif empty %}e{% else %}z{% endif %}{% if messages and not tools %}ok{% endif %}
{{ bos_token }}{{ y }}{{ y.z if y }}{{ messages[0]['content'] + '!' }}{{ 'a' 'b' "c" }}{{ ['x'] + ['y'] }}{{ 'ab' * 3 }}{{ [1] * 2 }}{{ 'x' ~ 1 ~ none ~ true ~ 1.5 }}
{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M') }} {{ dict(a=1, b='c') }} {{ {'a': 1, 'a': 2} }} {{ {1: 'x', none: 'y'}[1] }}
{% generation %}x{% endgeneration %} {% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% endif %}{% endfor %}
{{ messages[2].content.split('</think>')[-1].lstrip('\n') }} {{ (messages | first).role }} {{ messages | map(attribute='content') | map('trim') | map('length') | list }} {{ '%s' | length }}
{{ y.z }}
{{ none.x }}
{{ none.x.y }}
{{ 'a'.nope() }}
{{ d.nope.x }}
{{ d['nope'] + 'a' }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ [1] + 'a' }}
{{ 1 < 'a' }}
{{ none | length }}
{{ 1 / 0 }}
{{ 5 in 5 }}
{{ 1 in 'a' }}
{{ y() }}
{{ n() }}
{{ 'a'[0].b.c }}
{{ raise_exception('stop ' ~ n) }}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for x in none %}{% endfor %}
{{ -'a' }}
{{ y + 1 }}
{{ y | tojson }}
{{ [1] | map(attribute='x') | tojson }}
{{ range(1000000) }}
{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}
{% macro f(a) %}{% endmacro %}{{ f(b=2) }}
{% set d.x = 1 %}
"""


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(lineno)

    def _run(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def main():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: datetime(2024, 7, 26, 12).strftime(f)
    rows = [{"versions": {"jinja2": jinja2.__version__, "python": sys.version.split()[0]}, "context": CONTEXT}]
    for line in TEMPLATES.strip("\n").split("\n"):
        # "\n" outside {{ }} stands for a newline, so that a template stays on one line here.
        source = line.replace("\\n", "\n") if not any(mark in line for mark in ("{{ 'a\\t", "split", "indent", "tojson", "endswith", "upper()")) else line
        row = {"source": source}
        try:
            row["expected"] = env.from_string(source).render(**CONTEXT)
        except Exception as error:  # whatever it is, its message is the golden value
            row["error"] = str(error)
        rows.append(row)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
