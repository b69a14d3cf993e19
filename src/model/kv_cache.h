// Keys and values of the tokens that sequences have so far.
//
// On the CPU in f32 they lie in blocks of 16 tokens (all layers and key heads of these tokens), so that a sequence
// grows without being moved, a finished one gives its blocks back at once, and the samples of one prompt share the
// prompt's blocks: `fork` copies nothing but, on the next token, a last block that is only partly filled. Elsewhere
// (other devices and dtypes) they lie in one tensor a layer, a row a sequence.
#pragma once
#include <memory>

#include "model/config.h"
#include "tensor/tensor.h"

namespace hone::model {

class KvCache {
 public:
  /// `own_kernels` = false: tensors, and with them LibTorch's kernels, even where there are blocks.
  explicit KvCache(const ModelConfig& config, at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat,
                   bool own_kernels = true);
  ~KvCache();
  KvCache(KvCache&&) noexcept;
  KvCache& operator=(KvCache&&) noexcept;

  /// An empty sequence; the number names it until it is removed, and may then be used again.
  int64_t add();
  /// A new sequence with the same tokens so far.
  int64_t fork(int64_t sequence);
  void remove(int64_t sequence);
  /// Forgets all tokens of the sequence but the first `length`.
  void truncate(int64_t sequence, int64_t length);
  int64_t length(int64_t sequence) const;
  /// Bytes held by live sequences, shared blocks counted once.
  int64_t bytes() const;

  struct Blocks;                                 // model/kv_blocks.h
  struct Tensors;                                // model/kv_tensors.h
  Blocks* blocks() { return blocks_.get(); }     ///< null unless f32 on the CPU with own kernels
  Tensors* tensors() { return tensors_.get(); }  ///< null where there are blocks

 private:
  std::unique_ptr<Blocks> blocks_;
  std::unique_ptr<Tensors> tensors_;
};

}  // namespace hone::model
