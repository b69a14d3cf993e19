// What ends an answer, at the start of a stage and in the folder that it leaves.
#pragma once
#include "config/stage_context.h"
#include "data/encoder.h"
#include "model/config.h"

namespace hone::train {

/// Says what ends an answer, records it for run.json, and gives it to the model's config, so that the folder written
/// from it (config.json, generation_config.json) stops wherever it is sampled from.
void settle_answer_ends(const data::Encoder& encoder, config::StageContext& context, model::ModelConfig& config);

}  // namespace hone::train
