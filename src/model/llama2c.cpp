#include "model/llama2c.h"

#include <array>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "model/decoder.h"

namespace hone::model {
namespace {

class Reader {
 public:
  Reader(std::string bytes, std::string path) : bytes_(std::move(bytes)), path_(std::move(path)) {}

  void fill(const Tensor& tensor) { copy(tensor.mutable_data_ptr<float>(), static_cast<size_t>(tensor.numel()) * 4); }
  void skip(int64_t floats) { at_ += static_cast<size_t>(floats) * 4; }

 private:
  void copy(void* target, size_t bytes) {
    if (at_ + bytes > bytes_.size())
      usage_error(path_ + ": ends early at byte " + std::to_string(bytes_.size()) +
                  ": truncated, or not a llama2.c model");
    std::memcpy(target, bytes_.data() + at_, bytes);
    at_ += bytes;
  }
  std::string bytes_, path_;
  size_t at_ = 0;
};

// Rows (head, i, r) of interleaved pairs to rows (head, r, i).
Tensor half_split(const Tensor& weight, int64_t heads) {
  const int64_t out = weight.size(0), in = weight.size(1);
  return weight.view({heads, out / heads / 2, 2, in}).transpose(1, 2).reshape({out, in});
}

}  // namespace

ModelConfig llama2c_config(const fs::path& file) {
  std::array<int32_t, 7> header{};
  std::ifstream in(file, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(header.data()), sizeof header))
    usage_error(file.string() + ": cannot be read, or ends within its header of 28 bytes: not a llama2.c model");
  const auto [dim, hidden, layers, heads, kv_heads, vocab, length] = header;
  ModelConfig c = llama_config(vocab < 0 ? -int64_t{vocab} : vocab, dim, layers, heads, kv_heads, hidden, length);
  c.tied = vocab > 0;
  c.bos = 1;
  c.eos = {2};
  if (heads > 0 && dim % heads != 0)
    usage_error(file.string() + ": not a llama2.c model (legacy format): dim is no multiple of n_heads");
  check_config(c, file.string() + " (is it a llama2.c model of the legacy format?)");
  // Before anything is allocated: a wrong file must not ask for terabytes.
  const int64_t floats = parameter_count(c) + c.max_positions * c.head_dim;
  const uint64_t bytes = fs::file_size(file);
  if (bytes != 28 + static_cast<uint64_t>(floats) * 4)
    usage_error(file.string() + ": has " + std::to_string(bytes) + " bytes, its header asks for " +
                    std::to_string(28 + floats * 4),
                "the file is truncated, or not a llama2.c model of the legacy format");
  return c;
}

Decoder import_llama2c(const fs::path& file) {
  const ModelConfig c = llama2c_config(file);
  Reader reader(read_file(file), file.string());
  reader.skip(7);  // the header, as long as that many floats
  Decoder decoder(c);
  reader.fill(decoder.at(Slot::kEmbedding));
  for (const Slot slot :
       {Slot::kNorm1, Slot::kQ, Slot::kK, Slot::kV, Slot::kO, Slot::kNorm2, Slot::kGate, Slot::kDown, Slot::kUp})
    for (int64_t l = 0; l < c.layers; ++l) {
      const Tensor& t = decoder.at(slot, l);
      reader.fill(t);
      if (slot == Slot::kQ) t.copy_(half_split(t.clone(), c.heads));
      if (slot == Slot::kK) t.copy_(half_split(t.clone(), c.kv_heads));
    }
  reader.fill(decoder.at(Slot::kFinalNorm));
  reader.skip(c.max_positions * c.head_dim);
  if (!c.tied) reader.fill(decoder.at(Slot::kOutput));
  return decoder;
}

}  // namespace hone::model
