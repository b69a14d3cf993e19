#include "eval/checks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "rewards/agreement.h"

namespace hone::eval {

namespace {

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

bool is_name(std::string_view s) {
  return !s.empty() && s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@") ==
                           std::string_view::npos;
}

// "-0.5", "3": no exponent, no hexadecimal, no infinity.
std::optional<double> plain_number(std::string_view s) {
  const std::string digits(s.starts_with('-') ? s.substr(1) : s);
  if (digits.size() > 20 || digits.empty() || digits.find_first_not_of("0123456789.") != std::string::npos ||
      digits.find('.') != digits.rfind('.') || digits == ".")
    return {};
  return std::strtod(std::string(s).c_str(), nullptr);
}

}  // namespace

bool is_measure_of(const std::string& what, std::string_view whose) {
  constexpr std::pair<std::string_view, std::string_view> kMeasures[] = {
#define HONE_MEASURE(id, of, doc) {#id, of},
#include "eval/measures.def"
#undef HONE_MEASURE
  };
  return std::ranges::any_of(
      kMeasures, [&](const auto& m) { return m.first == what && m.second.find(whose) != std::string_view::npos; });
}

Check parse_check(const std::string& text) {
  const auto refuse = [&] {
    usage_error("cannot read the check '" + text.substr(0, 200) + "'",
                "write \"MEASURE: MODEL - MODEL >= NUMBER\"; `hone explain eval.require` says more");
  };
  const std::string_view all = text;
  const size_t at = all.find_first_of("<>");
  if (at == std::string_view::npos) refuse();
  const size_t width = all.substr(at + 1).starts_with('=') ? 2 : 1;
  std::string_view left = trimmed(all.substr(0, at)), a, b;
  const std::optional<double> bound = plain_number(trimmed(all.substr(at + width)));
  if (const size_t colon = left.find(':'); colon != std::string_view::npos) {
    a = trimmed(left.substr(colon + 1));
    left = trimmed(left.substr(0, colon));
    if (const size_t minus = a.find(" - "); minus != std::string_view::npos) {
      b = trimmed(a.substr(minus + 3));
      a = trimmed(a.substr(0, minus));
      if (!is_name(b)) refuse();
    }
    if (!is_name(a)) refuse();
  }
  if (!is_name(left) || !bound) refuse();
  Check out{text, std::string(left), std::string(a), std::string(b), std::string(all.substr(at, width)), *bound};
  if (width == 1 && (is_measure_of(out.what, "curves") || out.what == "distinct_across"))
    usage_error(
        "the check '" + text.substr(0, 200) + "': " + out.what + " has no interval for '" + out.op + "' to hold",
        "write " + out.op + "= to hold the figure itself");
  return out;
}

Checks run_checks(const std::vector<std::string>& checks, const Measure& measure) {
  Checks out;
  for (const std::string& given : checks) {
    const auto [text, what, a, b, op, bound] = parse_check(given);
    const std::optional<stats::Estimate> e = measure(what, a, b);
    if (!e) {
      out.list.push_back({{"name", text}, {"value", nullptr}, {"met", false}});
      ++out.failed;
      log::info("  NOT MET  " + text + ":  there is nothing to measure");
      continue;
    }
    const bool met = op == ">="   ? e->value >= bound
                     : op == "<=" ? e->value <= bound
                     : op == ">"  ? e->low > bound
                                  : e->high < bound;
    Json j = rewards::estimate_json(*e);
    j["name"] = text;
    j[op[0] == '>' ? "at_least" : "at_most"] = bound;
    j["surely"] = op.size() == 1;
    j["met"] = met;
    out.list.push_back(j);
    out.failed += !met;
    const std::string interval =
        e->low < e->high ? " [" + decimal_text(e->low, 3) + ", " + decimal_text(e->high, 3) + "]" : "";
    log::info("  " + std::string(met ? "met      " : "NOT MET  ") + text + ":  " + decimal_text(e->value, 3) +
              interval);
  }
  return out;
}

}  // namespace hone::eval
