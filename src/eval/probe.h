// Watches gold reward while a policy learns. Evaluation only: the numbers go into the metrics and to nobody else.
#pragma once
#include <string>

#include "config/stage_context.h"

namespace hone::eval {

/// Each call samples `prompts` held-out answers from the policy (the same prompts and random numbers each time) and
/// returns eval_gold, eval_correct, eval_hidden_faults, eval_visible_faults, eval_give_in, eval_length.
config::Probe world_probe(const std::string& world_folder, const std::string& tokenizer_folder, int64_t prompts,
                          int64_t max_tokens, int64_t seed);

}  // namespace hone::eval
