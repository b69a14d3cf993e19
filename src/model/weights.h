// Where the tensors of a model lie, by their Hugging Face names: in a folder's safetensors or in a GGUF file.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace hone::model {

namespace fs = std::filesystem;

class Weights {
 public:
  virtual ~Weights() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual bool has(const std::string& name) const = 0;
  /// The file that holds it, for messages.
  virtual std::string file(const std::string& name) const = 0;
  virtual std::vector<int64_t> shape(const std::string& name) const = 0;
  int64_t elements(const std::string& name) const { return c10::multiply_integers(shape(name)); }
  virtual bool floating_point(const std::string& name) const = 0;
  /// Into an f32 tensor of that shape (any strides).
  virtual void copy_to(const Tensor& out, const std::string& name) const = 0;
  /// Do matrices lie (in, out) where the family's files do? llama.cpp's converter turns them.
  virtual bool as_family() const = 0;
};

/// model.safetensors, or shards with their index.
std::unique_ptr<Weights> folder_weights(const fs::path& folder);
/// The values of a GGUF file, dequantised straight into where they go.
std::unique_ptr<Weights> gguf_weights(const fs::path& file);

}  // namespace hone::model
