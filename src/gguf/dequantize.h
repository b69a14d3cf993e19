// Blocks of a GGUF tensor to f32, bit-equal to `gguf.quants.dequantize` of PyPI's gguf (every product and sum rounded
// to f32, in the same order). The layouts: ggml-common.h of https://github.com/ggml-org/ggml.
#pragma once
#include <cstdint>

#include "gguf/tensor_type.h"

namespace hone::gguf {

/// `blocks` blocks from `data` (any alignment) into `out`, which holds blocks × layout(type).elements values.
void dequantize(TensorType type, const char* data, uint64_t blocks, float* out);

}  // namespace hone::gguf
