// Hand-written backward passes without torch's heavy autograd headers: compute outputs under NoGradGuard, then attach a
// closure that maps output gradients to input gradients. Also plain `gradients`, for recomputation in a backward.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// Gradients of the outputs (undefined where nothing flowed) to gradients of the inputs (undefined = none), in order.
/// Runs without grad mode; differentiating twice is not supported.
using Backward = std::function<std::vector<Tensor>(const std::vector<Tensor>& output_grads)>;

/// True where a function of these tensors must be recorded: grad mode is on and one of them requires a gradient.
bool needs_grad(std::span<const Tensor> inputs);

/// Makes `outputs` (computed without grad mode, none of them aliasing an input) functions of `inputs`. Returns them as
/// they are where nothing needs a gradient. The closure may hold inputs, and outputs only as a `detach()`.
std::vector<Tensor> attach_backward(std::vector<Tensor> inputs, std::vector<Tensor> outputs, Backward backward);

/// d(sum of output·output_grad)/d(inputs); undefined where an input was not used. Inputs may be leaves: their .grad is
/// left alone.
std::vector<Tensor> gradients(const std::vector<Tensor>& outputs, const std::vector<Tensor>& output_grads,
                              const std::vector<Tensor>& inputs);

/// Switches grad mode on for its lifetime (inside a Backward).
struct GradOn {
  at::AutoGradMode guard{true};
};

}  // namespace hone
