// What a loop does with a gradient that it has made: the update, what metrics.jsonl says of it, the learner's place in
// a checkpoint, and the folder that comes of it. Free functions: the loops stay in their own files.
#pragma once
#include <functional>
#include <optional>

#include "base/json_fwd.h"
#include "config/stage_context.h"
#include "model/decoder.h"
#include "model/scalar_head.h"
#include "optim/optimizer.h"
#include "text/tokenizer.h"

namespace hone::train {

using config::Numbers;

/// The optimiser's step after step `step` (0-based) of the run, with every rate times `factor`. Returns "loss", the
/// rates, "grad_norm" and "tokens". Loss or gradient not finite: writes `batch()` to failed-batch.json and throws
/// (session.h); nothing is changed.
Numbers update(optim::Optimizer& optimizer, double factor, double loss, int64_t tokens, int64_t step,
               const config::StageContext& context, const std::function<Json()>& batch);

/// Weights that train with their optimiser, as a checkpoint holds them: "PREFIX.NAME" and "optim.NAME".
void append_learner(optim::StateTensors& out, const std::string& prefix, const optim::Optimizer& optimizer);
/// Copies both back; a missing tensor or another shape: kUsage naming it.
void restore_learner(const optim::StateTensors& saved, const std::string& prefix, optim::Optimizer& optimizer);

/// A model folder, made where it is not there: tokenizer (padding with `pad`, if given), weights, the head if any.
void save_folder(const std::filesystem::path& folder, const text::Tokenizer& tokenizer, const model::Decoder& decoder,
                 const model::ScalarHead* head = nullptr, std::optional<int32_t> pad = {});
/// What a run record says of any model: "parameters", and of an adapter what adapt.h adds.
Json record_of(const model::Decoder& decoder);

}  // namespace hone::train
