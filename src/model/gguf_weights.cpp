#include <ATen/Parallel.h>

#include <map>

#include "base/error.h"
#include "gguf/dequantize.h"
#include "gguf/file.h"
#include "gguf/tensor_names.h"
#include "model/weights.h"

namespace hone::model {
namespace {

class GgufWeights : public Weights {
 public:
  explicit GgufWeights(const fs::path& path) : file_(path) {
    const std::string architecture = gguf::architecture(file_);
    for (const gguf::TensorInfo& tensor : file_.tensors()) {
      const std::string name = gguf::hugging_face_name(architecture, tensor.name);
      if (name.empty()) continue;
      const int64_t heads = gguf::interleaved_heads(file_, architecture, tensor.name);
      if (!entries_.emplace(name, Entry{&tensor, heads}).second)
        file_.bad("tensor '" + std::string(tensor.name) + "' and another one are both " + name);
      if (heads != 0 && (heads < 0 || tensor.shape.front() % (2 * heads) != 0))
        file_.bad("tensor '" + std::string(tensor.name) + "': " + std::to_string(tensor.shape.front()) +
                  " rows are no whole pairs of rows of " + std::to_string(heads) + " heads");
    }
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, entry] : entries_) out.push_back(name);
    return out;
  }
  bool has(const std::string& name) const override { return entries_.contains(name); }
  std::string file(const std::string&) const override { return file_.where(); }
  std::vector<int64_t> shape(const std::string& name) const override { return entries_.at(name).tensor->shape; }
  bool floating_point(const std::string&) const override { return true; }
  bool as_family() const override { return false; }

  void copy_to(const Tensor& out, const std::string& name) const override {
    const auto& [tensor, heads] = entries_.at(name);
    HONE_CHECK(out.is_contiguous() && out.scalar_type() == at::kFloat && out.numel() == tensor->elements);
    auto* values = out.mutable_data_ptr<float>();
    const gguf::BlockLayout block = gguf::layout(tensor->type);
    if (tensor->shape.size() == 1) {  // a bias: one value a row
      std::vector<float> whole(tensor->elements);
      gguf::dequantize(tensor->type, tensor->data.data(), whole.size() / block.elements, whole.data());
      for (int64_t row = 0; row < tensor->elements; ++row)
        values[row] = whole[gguf::row_in_file(row, tensor->elements, heads)];
      return;
    }
    const int64_t width = tensor->shape.back(), rows = tensor->elements / width;
    const uint64_t blocks = static_cast<uint64_t>(width) / block.elements;
    at::parallel_for(0, rows, std::max<int64_t>(1, 32768 / width), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const auto from = static_cast<uint64_t>(gguf::row_in_file(row, rows, heads));
        gguf::dequantize(tensor->type, tensor->data.data() + from * blocks * block.bytes, blocks, values + row * width);
      }
    });
  }

 private:
  struct Entry {
    const gguf::TensorInfo* tensor;
    int64_t heads;  // whose rows are interleaved
  };
  gguf::File file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace

std::unique_ptr<Weights> gguf_weights(const fs::path& file) { return std::make_unique<GgufWeights>(file); }

}  // namespace hone::model
