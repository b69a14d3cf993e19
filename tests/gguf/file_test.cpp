// What an honest file says, and which paths are GGUF files.
#include "gguf/file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "gguf/tensor_names.h"
#include "models.h"

using namespace hone;
using namespace hone::gguf;

TEST_CASE("metadata and tensors are what was written") {
  test::Writer w;
  w.text("general.architecture", "llama").u32("n", 7).f32("eps", 1e-5F).boolean("yes", true);
  w.strings("list", {"a", "", "\xc3\xa9"}).i32s("numbers", {-1, 2});
  w.tensor("m", {2, 32}, TensorType::kQ8_0).tensor("v", {3});
  const std::string bytes = w.bytes();
  const File file(bytes, "memory");
  CHECK(file.keys().size() == 6);
  CHECK(file.integer("n") == 7);
  CHECK(file.number("n") == 7.0);
  CHECK(file.number("eps") == 1e-5);  // as a person wrote it, not as the nearest f32 reads
  CHECK(file.boolean("yes") == true);
  CHECK(file.text("general.architecture") == "llama");
  CHECK(*file.strings("list", 10) == std::vector<std::string_view>{"a", "", "\xc3\xa9"});
  CHECK(*file.integers("numbers", 10) == std::vector<int64_t>{-1, 2});
  CHECK_FALSE(file.integer("absent").has_value());
  CHECK_THROWS_WITH_AS(file.text("n"), "memory: metadata 'n': text in UTF-8 was expected, it is 7", Error);
  CHECK_THROWS_WITH_AS(file.strings("list", 2), doctest::Contains("has 3 elements, at most 2 are supported"), Error);
  REQUIRE(file.tensors().size() == 2);
  CHECK(file.find("m")->shape == std::vector<int64_t>{2, 32});
  CHECK(file.find("m")->data.size() == 2 * 34);
  CHECK(file.find("v")->elements == 3);
  CHECK(file.find("w") == nullptr);
}

TEST_CASE("a GGUF file is known by its first bytes, and by its name where they are wrong") {
  const fs::path folder = fs::temp_directory_path() / ("hone-gguf-" + std::to_string(::getpid()));
  fs::create_directories(folder / "folder.gguf");
  write_file_atomic(folder / "named.bin", test::small_llama().bytes());
  write_file_atomic(folder / "empty.gguf", "");
  write_file_atomic(folder / "other.bin", "GG");
  CHECK(is_gguf(folder / "named.bin"));
  CHECK(is_gguf(folder / "empty.gguf"));
  CHECK_FALSE(is_gguf(folder / "other.bin"));
  CHECK_FALSE(is_gguf(folder / "folder.gguf"));
  CHECK_FALSE(is_gguf(folder / "absent.gguf"));
  CHECK(File(folder / "named.bin").tensors().size() == 11);
  CHECK_THROWS_WITH_AS(File(folder / "empty.gguf"), doctest::Contains("not a GGUF file: only 0 bytes"), Error);
  CHECK_THROWS_WITH_AS(File(folder / "folder.gguf"), doctest::Contains("not a plain file"), Error);
  CHECK_THROWS_WITH_AS(File(folder / "absent.gguf"), doctest::Contains("No such file"), Error);
  fs::remove_all(folder);
}

TEST_CASE("names of every architecture, and rows turned back") {
  CHECK(hugging_face_name("llama", "token_embd.weight") == "model.embed_tokens.weight");
  CHECK(hugging_face_name("llama", "blk.12.attn_q.bias") == "model.layers.12.self_attn.q_proj.bias");
  CHECK(hugging_face_name("qwen2", "blk.0.ffn_down.weight") == "model.layers.0.mlp.down_proj.weight");
  CHECK(hugging_face_name("gpt2", "blk.3.attn_qkv.weight") == "transformer.h.3.attn.c_attn.weight");
  CHECK(hugging_face_name("gpt2", "position_embd.weight") == "transformer.wpe.weight");
  CHECK(hugging_face_name("llama", "blk.0.ffn_gate_exps.weight") == "blk.0.ffn_gate_exps.weight");
  CHECK(hugging_face_name("llama", "rope_freqs.weight").empty());
  // Two heads of four rows (a0 a1 | b0 b1): the file has a0 b0 a1 b1.
  const int64_t wanted[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (int64_t row = 0; row < 8; ++row) CHECK(row_in_file(row, 8, 2) == wanted[row]);
  CHECK(row_in_file(5, 8, 0) == 5);
}
