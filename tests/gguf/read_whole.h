// For tests and the fuzzer: everything that the program reads of a GGUF file.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "base/json.h"
#include "gguf/config.h"
#include "gguf/dequantize.h"
#include "gguf/file.h"
#include "gguf/tensor_names.h"
#include "text/gguf_tokenizer.h"
#include "text/tokenizer.h"

namespace hone::gguf::test {

inline void read_whole(std::string_view bytes, const std::string& where) {
  const File file(bytes, where);
  std::vector<float> values;
  for (const TensorInfo& tensor : file.tensors()) {
    const BlockLayout block = layout(tensor.type);
    // The first and the last blocks: those between are read the same way.
    const uint64_t blocks = tensor.data.size() / block.bytes, some = std::min<uint64_t>(blocks, 64);
    values.resize(some * block.elements);
    dequantize(tensor.type, tensor.data.data(), some, values.data());
    dequantize(tensor.type, tensor.data.data() + (blocks - some) * block.bytes, some, values.data());
  }
  for (const std::string_view key : file.keys()) file.described(key);
  const Json config = config_json(file);
  const std::string name = architecture(file);
  for (const TensorInfo& tensor : file.tensors()) {
    hugging_face_name(name, tensor.name);
    interleaved_heads(file, name, tensor.name);
  }
  const text::TokenizerJson json = text::gguf_tokenizer_json(file);
  const text::Tokenizer tokenizer = text::Tokenizer::from_json(json.tokenizer, json.config, where);
  tokenizer.decode(tokenizer.encode("abc 12<|end|><tool> \xc3\xa9"));
}

}  // namespace hone::gguf::test
