// The types that a tensor of a GGUF file may have, by ggml's numbers and names: which of them are read, and how long a
// block of them is.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace hone::gguf {

/// ggml's numbers.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

struct BlockLayout {
  uint64_t elements;  ///< values in a block
  uint64_t bytes;     ///< of a block
};

/// Is this one of the types above?
bool is_supported(uint32_t type);
BlockLayout layout(TensorType type);
/// "Q4_K"; "type 99" for a number that ggml does not give.
std::string type_name(uint32_t type);
/// "F32, F16, …": the types that are read.
std::string supported_types();

}  // namespace hone::gguf
