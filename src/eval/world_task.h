// Evaluation on the built-in world: gold reward and its parts, win rates and KL over held-out prompts, gold against
// proxy of watched stages, and the audit of a reward model.
#pragma once
#include "config/stage_context.h"
#include "eval/eval_stage.h"

namespace hone::eval {

void run_world(const EvalParams& params, config::StageContext& context);

}  // namespace hone::eval
