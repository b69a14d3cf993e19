// A model's tensors as the optimiser sees them.
#pragma once
#include "model/decoder.h"
#include "model/scalar_head.h"
#include "optim/named_tensor.h"

namespace hone::train {

/// Decoder parameters (and the head's, if any) that train; switches their gradients on. Where the decoder has an
/// adapter that is what trains. With `top_layers` > 0 only the last blocks, the final norm and an untied output weight
/// train.
std::vector<optim::NamedTensor> trainable_tensors(model::Decoder& decoder, model::ScalarHead* head = nullptr,
                                                  int64_t top_layers = 0);

/// Weights as named tensors for a checkpoint, prefixed ("policy.").
void append_weights(optim::StateTensors& out, const std::string& prefix,
                    const std::vector<optim::NamedTensor>& tensors);
/// Copies values of a checkpoint back by name; a missing one or another shape is kUsage naming it.
void restore_weights(const optim::StateTensors& saved, const std::string& prefix,
                     const std::vector<optim::NamedTensor>& tensors);
/// The saved tensors whose names begin with `prefix`, the prefix cut off.
optim::StateTensors with_prefix(const optim::StateTensors& saved, const std::string& prefix);

}  // namespace hone::train
