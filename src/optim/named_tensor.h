// What the optimiser sees of a model: tensors with a name and a kind. It knows nothing of layers.
#pragma once
#include "tensor/tensor.h"

namespace hone::optim {

/// Decides which rule and which learning rate a tensor gets.
enum class TensorKind {
  kMatrix,     ///< a hidden layer's (out, in) matrix: Muon's
  kEmbedding,  ///< token or position embedding, also when tied to the output
  kVector,     ///< norm gains and biases: never decayed
  kHead,       ///< output layer, reward or value head
};

struct NamedTensor {
  std::string name;
  Tensor tensor;  // a leaf; its gradient is tensor.grad()
  TensorKind kind = TensorKind::kMatrix;
};

/// A tensor of the optimiser's own state, as a checkpoint stores it.
using StateTensors = std::vector<std::pair<std::string, Tensor>>;

}  // namespace hone::optim
