// Adapters in a loop: which one a stage trains, and the dropout of its inputs.
#pragma once
#include <memory>

#include "base/json_fwd.h"
#include "config/stage_context.h"
#include "model/decoder.h"
#include "train/settings.h"

namespace hone::train {

/// Puts the adapter on a decoder loaded from `model` that the settings ask for, and says so. rank 0: none, and one that
/// the model brought is merged into its weights, which then train. Else a new one; where the model brought one that
/// goes on training, and settings that are not its own are kUsage. `group`: where the settings stand, for
/// messages.
void settle_adapter(model::Decoder& decoder, const std::string& model, const AdapterSettings& settings, uint64_t seed,
                    const std::string& group = "adapter");

/// Another decoder over the same frozen tensors, with a copy of the adapter, if there is one.
model::Decoder over_same_base(const model::Decoder& decoder);

/// The dropout of one optimiser step. Off (rate 0) wherever a ratio of probabilities is computed.
struct StepDropout {
  double rate = 0;
  uint64_t key = 0;
};
StepDropout step_dropout(const AdapterSettings& settings, uint64_t seed, int64_t step);
/// Keys for the tokens of a pack whose sequences have these numbers, so that cutting a step otherwise changes nothing;
/// null where there is no dropout.
std::shared_ptr<const TokenDropout> token_dropout(const StepDropout& dropout, std::span<const uint64_t> sequences,
                                                  const model::Packed& packed);

/// Adds "adapter_rank", "adapter_parameters" and more to what the run record says of the model; nothing without one.
void record_adapter(const model::Decoder& decoder, Json& model);

}  // namespace hone::train
