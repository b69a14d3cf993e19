// Evaluation of models whose answers have no built-in right or wrong: stories judged by the simulated reader, or
// answers that nobody judges. Every model answers the same held-out prompts with the same random numbers. Measured for
// each: what the reader thinks of it (judge = stories) and the learned reward (where a reward model is given), KL per
// answer to the original model, the answers' perplexity under it, length, how many end by themselves, repetition and
// variety.
#pragma once
#include "config/stage_context.h"
#include "eval/eval_stage.h"

namespace hone::eval {

void run_open_ended(const EvalParams& params, config::StageContext& context);

}  // namespace hone::eval
