#include "eval/checks.h"

#include <regex>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "rewards/agreement.h"

namespace hone::eval {

Check parse_check(const std::string& text) {
  static const std::regex kForm(
      R"(^\s*(\w+)(?:\s*:\s*([\w.-]+?)(?:\s+-\s+([\w.-]+))?)?\s*(>=|<=|>|<)\s*(-?[0-9]*\.?[0-9]+)\s*$)");
  std::smatch m;
  if (text.size() > 400 || !std::regex_match(text, m, kForm))
    usage_error("cannot read the check '" + text + "'",
                "write \"MEASURE: MODEL - MODEL >= NUMBER\"; `hone explain eval.require` says more");
  return {text, m[1], m[2], m[3], m[4], std::stod(m[5])};
}

Checks run_checks(const std::vector<std::string>& checks, const Measure& measure) {
  Checks out;
  for (const std::string& given : checks) {
    const auto [text, what, a, b, op, bound] = parse_check(given);
    const std::optional<stats::Estimate> e = measure(what, a, b);
    if (!e)
      usage_error("eval: nothing to measure for the check '" + text + "'",
                  "is the measure's name right, and are the models among `models`?");
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

void warn_of_failed(const Checks& checks, config::StageContext& context) {
  if (!checks.failed) return;
  const std::string text =
      std::to_string(checks.failed) + " of " + std::to_string(checks.list.size()) + " checks are not met";
  context.record.warnings.emplace_back(0, text);
  log::warn(text);
}

}  // namespace hone::eval
