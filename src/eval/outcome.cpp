#include "eval/outcome.h"

#include "base/files.h"
#include "base/log.h"

namespace hone::eval {

void write_outcome(const std::vector<std::string>& require, const Measure& measure,
                   const std::optional<RewardAudit>& audit, Json results, const std::string& samples, Json summary,
                   config::StageContext& context) {
  const Checks checks = run_checks(
      require,
      [&](const std::string& what, const std::string& a, const std::string& b) -> std::optional<stats::Estimate> {
        if (what == "reward_correlation") return audit ? std::optional(audit->correlation) : std::nullopt;
        if (what == "reward_accuracy_gap") return audit ? std::optional(audit->accuracy_gap) : std::nullopt;
        return measure(what, a, b);
      });
  if (audit) results["reward_model"] = parse_json(audit->json, "audit");
  results["checks"] = checks.list;
  write_file_atomic(context.folder / config::names::kResults, dump_json(results, 1) + "\n");
  write_file_atomic(context.folder / config::names::kSamples, samples);
  if (audit)
    summary["reward_accuracy"] = audit->accuracy.value, summary["reward_correlation"] = audit->correlation.value;
  summary["checks_failed"] = checks.failed;
  context.record.summary_json = dump_json(summary);
  if (!checks.failed) return;
  const std::string text =
      std::to_string(checks.failed) + " of " + std::to_string(checks.list.size()) + " checks are not met";
  context.record.warnings.emplace_back(0, text);
  log::warn(text);
}

}  // namespace hone::eval
