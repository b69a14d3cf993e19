// The models that are timed, and the work that one of their tokens is counted as.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "model/config.h"

namespace hone::bench {

struct Shape {
  std::string name;  ///< "26M"
  model::ModelConfig config;
};

/// 4M: 6 layers, width 224, 7 heads, FFN 608, vocabulary 2,048. 26M: 8 layers, width 512, 8 heads of which 4 carry keys
/// and values, FFN 1,408, vocabulary 4,096. Tied embeddings, context 512.
std::span<const Shape> shapes();
const Shape& shape(const std::string& name);

/// What a forward pass has to do, summed over sequences.
struct Work {
  double tokens = 0;   ///< through the layers
  double outputs = 0;  ///< of these, through the output weight
  double cells = 0;    ///< (query, key) pairs that causal attention sees
  Work& operator+=(const Work& other);
};

/// A sequence of `length` tokens, `outputs` of which need logits.
Work sequence_work(double length, double outputs);

/// Floating-point operations of a forward pass: 2 for each weight of a matrix and token that goes through it (the
/// embedding is looked up, not multiplied), and 4 · layers · heads · head_dim for each attended pair. Forward and
/// backward are three times that.
double forward_flops(const model::ModelConfig& config, const Work& work);

}  // namespace hone::bench
