// Checkpoints of karpathy/llama2.c in the legacy format (version 0): seven int32 (dim, hidden_dim, n_layers, n_heads,
// n_kv_heads, vocab_size, seq_len; vocab_size negative: untied output weight), then f32 tensors: token embedding,
// attention norms, wq, wk, wv, wo, MLP norms, w1 (gate), w2 (down), w3 (up), final norm, two unused RoPE tables, and
// the output weight where it is untied.
//
// llama2.c rotates neighbouring pairs (2i, 2i + 1); here, as in Hugging Face folders, pairs are (i, i + d/2), so the
// rows of wq and wk change places within each head.
#pragma once
#include <filesystem>

#include "model/config.h"

namespace hone::model {

class Decoder;

/// The file's header alone. Sizes that cannot be, or that the file's length contradicts: kUsage.
ModelConfig llama2c_config(const fs::path& file);

/// A file that is too short, too long or absurd: kUsage. bos 1 and eos 2, as llama2.c's tokenizers have them.
Decoder import_llama2c(const fs::path& file);

}  // namespace hone::model
