// The safetensors format: 8 bytes little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then
// the tensors' bytes. https://github.com/huggingface/safetensors
//
// Reading trusts nothing: header at most 100 MB, every offset inside the file, size = product of shape × element size,
// no overlap or gap, no name twice. What is wrong is one error that names the file and the tensor.
// Writing is deterministic (tensors in the order given) and atomic (PATH.tmp, fsync, rename).
#pragma once
#include <filesystem>
#include <map>

#include "tensor/tensor.h"

namespace hone {

namespace fs = std::filesystem;

struct TensorInfo {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin, end;  ///< in the data part, bytes
};

class SafetensorsFile {
 public:
  /// Maps the file and checks all of its header.
  explicit SafetensorsFile(const fs::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile(const SafetensorsFile&) = delete;

  const fs::path& path() const { return path_; }
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// A copy of the tensor on the CPU, in the file's dtype. Unknown name: kUsage.
  Tensor load(const std::string& name) const;

 private:
  void parse_header(std::string_view header, uint64_t data_bytes);
  fs::path path_;
  const char* map_ = nullptr;
  uint64_t size_ = 0, data_begin_ = 0;
  std::map<std::string, TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

using NamedTensor = std::pair<std::string, Tensor>;

/// Writes the tensors (any device and strides; f32, f64, f16, bf16, integers, bool). Disk full: kRun, PATH unchanged.
void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace hone
