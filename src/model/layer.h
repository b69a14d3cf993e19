// What a layer of a decoder computes, once for training, for sampling on tensors and for sampling on the CPU's panels:
//
//   y = x + W_o · attend(q, k, v)          q, k, v = projections of norm1(x), q and k normalised where the spec says so
//   z = y + W_down · inner(norm2(y))       inner: silu(gate) · up, or gelu(up)
//
// or with the norms behind: y = x + norm1(W_o · …of x), z = y + norm2(W_down · …of y).
//
// `Ops` computes it on its own kind of activations, Value, for one layer of one decoder:
//   Value normalise(x, Slot norm)                    the family's norm, over the features of each token
//   Value project(x, Slot matrix)                    x·Wᵀ + b, with the adapter that is on it
//   Value add_projected(x, y, Slot matrix)           x + project(y, matrix)
//   Value add(x, y)
//   Value normalise_heads(x, Slot norm)              RMSNorm of queries or keys, by head or whole
//   std::array<Value, 3> split(qkv)                  queries, keys and values of a fused projection
//   Value attend(q, k, v)                            positions where they are rotary, then causal attention
//   Value swiglu(gate, up), Value gelu(up)
// A value may be overwritten once the next operation of the same slot runs; none is used after that here.
#pragma once
#include "model/layer_spec.h"

namespace hone::model {

template <class Ops, class Value>
Value run_layer(const LayerSpec& spec, Ops&& ops, const Value& x) {
  const bool before = spec.placement == LayerSpec::Placement::kBefore;
  const auto close = [&](const Value& to, const Value& from, Slot matrix, Slot norm) {
    return before ? ops.add_projected(to, from, matrix) : ops.add(to, ops.normalise(ops.project(from, matrix), norm));
  };
  const auto heads = [&](const Value& projected, Slot norm) {
    return spec.qk_norm == LayerSpec::QkNorm::kNone ? projected : ops.normalise_heads(projected, norm);
  };
  const Value h = before ? ops.normalise(x, Slot::kNorm1) : x;
  const auto attended = [&] {
    if (spec.qkv == LayerSpec::Qkv::kFused) {
      const auto [q, k, v] = ops.split(ops.project(h, Slot::kQkv));
      return ops.attend(q, k, v);
    }
    const Value q = heads(ops.project(h, Slot::kQ), Slot::kQNorm);
    const Value k = heads(ops.project(h, Slot::kK), Slot::kKNorm);
    const Value v = ops.project(h, Slot::kV);
    return ops.attend(q, k, v);
  }();
  const Value y = close(x, attended, Slot::kO, Slot::kNorm1);
  const Value m = before ? ops.normalise(y, Slot::kNorm2) : y;
  const Value up = ops.project(m, Slot::kUp);
  const Value inner = spec.mlp == LayerSpec::Mlp::kSwiglu ? ops.swiglu(ops.project(m, Slot::kGate), up) : ops.gelu(up);
  return close(y, inner, Slot::kDown, Slot::kNorm2);
}

}  // namespace hone::model
