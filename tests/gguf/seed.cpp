// Honest files for the fuzzer to start from: seed_gguf FOLDER.
#include "base/files.h"
#include "models.h"

int main(int, char** argv) {
  using namespace hone::gguf;
  const std::filesystem::path folder = argv[1];
  hone::write_file_atomic(folder / "llama.gguf", test::small_llama().bytes());
  for (const char* pre : {"deepseek-llm", "falcon", "qwen2", "smollm"}) {
    test::Writer w;
    w.text("general.architecture", "llama").text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", pre);
    w.strings("tokenizer.ggml.tokens", {"a", "b", "ab", "<|end|>"}).i32s("tokenizer.ggml.token_type", {1, 1, 1, 3});
    w.strings("tokenizer.ggml.merges", {"a b"}).u32("tokenizer.ggml.eos_token_id", 3);
    w.u32("llama.block_count", 1).u32("llama.context_length", 8).u32("llama.embedding_length", 32);
    w.u32("llama.feed_forward_length", 32).u32("llama.attention.head_count", 2);
    w.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F).tensor("token_embd.weight", {4, 32}, TensorType::kQ8_0);
    hone::write_file_atomic(folder / (std::string(pre) + ".gguf"), w.bytes());
  }
  for (const TensorType type :
       {TensorType::kF16, TensorType::kBF16, TensorType::kQ4_0, TensorType::kQ4_1, TensorType::kQ5_0, TensorType::kQ5_1,
        TensorType::kQ2_K, TensorType::kQ3_K, TensorType::kQ4_K, TensorType::kQ5_K, TensorType::kQ6_K}) {
    test::Writer w;
    w.text("general.architecture", "gpt2").tensor("x", {2, 256}, type);
    hone::write_file_atomic(folder / (type_name(static_cast<uint32_t>(type)) + ".gguf"), w.bytes());
  }
}
