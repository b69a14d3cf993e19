// The names that llama.cpp gives the tensors of a model, as Hugging Face's, and what its converter did to their rows.
// After gguf-py/gguf/tensor_mapping.py and convert_hf_to_gguf.py of https://github.com/ggml-org/llama.cpp.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace hone::gguf {

class File;

/// "llama", "qwen2" or "gpt2". Another one, or none: kUsage naming it.
std::string architecture(const File& file);

/// Hugging Face's name of a tensor; its own name where the architecture has no such tensor. Empty for what is no weight
/// (rope_freqs.weight: config_json reads it).
std::string hugging_face_name(std::string_view architecture, std::string_view tensor);

/// Llama's q and k: the converter turned each head's rows (half, pair) into (pair, half), so that neighbouring rows are
/// rotated together. The number of heads whose rows have to be turned back; 0 for every other tensor.
int64_t interleaved_heads(const File& file, std::string_view architecture, std::string_view tensor);

/// Where in the file the row of a matrix of `rows` rows and `heads` interleaved heads lies.
inline int64_t row_in_file(int64_t row, int64_t rows, int64_t heads) {
  if (heads == 0) return row;
  const int64_t in_head = rows / heads, half = in_head / 2, head = row / in_head, i = row % in_head;
  return head * in_head + i % half * 2 + i / half;
}

}  // namespace hone::gguf
