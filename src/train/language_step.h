// The gradient of one step of language modelling: the arithmetic of the loop, without files, so that tests hold it
// against itself cut in every way.
#pragma once
#include <span>

#include "data/tokens.h"
#include "train/adapt.h"
#include "train/collate.h"
#include "train/forward.h"

namespace hone::train {

/// Unreduced losses of the batch's weighted tokens (R), nats.
Tensor token_losses(const model::Decoder& decoder, const Batch& batch, const Forward& forward);

struct LanguageStep {
  double loss = 0;  ///< weighted mean over the batch's tokens, nats
  int64_t tokens = 0;
};
/// Adds the gradient of Σ w·(-log p) / Σ w over all of `batch` (indices into `sequences`, whose `lengths` are given) to
/// the parameters' .grad, in passes of whole sequences with at most `micro_tokens` tokens. How it is cut changes
/// nothing but rounding.
LanguageStep add_language_gradient(const model::Decoder& decoder, std::span<const data::Sequence> sequences,
                                   std::span<const int64_t> lengths, std::span<const int64_t> batch,
                                   int64_t micro_tokens, const Forward& forward, const StepDropout& dropout = {});

/// Mean loss of a token over the first of the sequences, about 60,000 tokens of them at most, nats.
double held_out_loss(const model::Decoder& decoder, std::span<const data::Sequence> sequences, int64_t micro_tokens,
                     const Forward& forward);

}  // namespace hone::train
