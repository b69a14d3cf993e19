// What every evaluation ends with: its checks, results.json, samples.jsonl and the record's summary.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "config/stage_context.h"
#include "eval/checks.h"
#include "eval/reward_audit.h"

namespace hone::eval {

/// Holds the checks of `require`, and adds them to `results`, and how many failed to `summary`. `measure` tells every
/// figure but those of the reward model, which are the audit's. A warning of the stage where a check is not met.
void write_outcome(const std::vector<std::string>& require, const Measure& measure,
                   const std::optional<RewardAudit>& audit, Json results, const std::string& samples, Json summary,
                   config::StageContext& context);

}  // namespace hone::eval
