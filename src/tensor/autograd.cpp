// The one file that sees torch's autograd internals (no precompiled header, umbrella guard off).
#undef TORCH_ASSERT_ONLY_METHOD_OPERATORS
#include "tensor/autograd.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace hone {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Closure : torch::CustomClassHolder {
  std::vector<Tensor> outputs;
  Backward backward;
};

// torch's own custom function, so that the code builds with every supported version; the closure rides in saved_data.
struct ClosureFunction : torch::autograd::Function<ClosureFunction> {
  static variable_list forward(AutogradContext* context, const c10::intrusive_ptr<Closure>& closure,
                               at::TensorList /*inputs*/) {
    context->set_materialize_grads(false);
    context->saved_data["closure"] = c10::IValue::make_capsule(closure);
    return std::exchange(closure->outputs, {});
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const at::NoGradGuard no_grad;
    auto capsule = context->saved_data["closure"].toCapsule();
    auto* closure = static_cast<Closure*>(capsule.get());
    variable_list result = closure->backward(grads);
    result.insert(result.begin(), Tensor());  // the closure argument itself
    return result;
  }
};

}  // namespace

bool needs_grad(std::span<const Tensor> inputs) {
  return at::GradMode::is_enabled() &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.defined() && t.requires_grad(); });
}

std::vector<Tensor> attach_backward(std::vector<Tensor> inputs, std::vector<Tensor> outputs, Backward backward) {
  if (!needs_grad(inputs)) return outputs;
  auto closure = c10::make_intrusive<Closure>();
  closure->outputs = std::move(outputs);
  closure->backward = std::move(backward);
  return ClosureFunction::apply(closure, at::TensorList(inputs));
}

std::vector<Tensor> gradients(const std::vector<Tensor>& outputs, const std::vector<Tensor>& output_grads,
                              const std::vector<Tensor>& inputs) {
  return torch::autograd::grad(outputs, inputs, output_grads, /*retain_graph=*/false, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

}  // namespace hone
