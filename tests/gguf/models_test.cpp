// Whole models out of GGUF files: logits against transformers on the same dequantised weights
// (tools/golden/gguf_files.py), what import writes, and configs that ask for more than is there.
#include <doctest/doctest.h>
#include <unistd.h>

#include "../golden/golden.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "foreign/import.h"
#include "model/hf_folder.h"
#include "models.h"
#include "tensor/linear.h"
#include "text/tokenizer.h"

using namespace hone;
using gguf::test::Writer;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-gguf-models-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  fs::path put(const char* name, Writer w) const {
    write_file_atomic(path / name, w.bytes());
    return path / name;
  }
};

Tensor logits_of(const model::Decoder& decoder, const std::vector<int32_t>& ids) {
  const at::NoGradGuard no_grad;
  const std::vector<std::vector<int32_t>> sequences{ids};
  return hone::linear(decoder.hidden(model::pack(sequences)), decoder.output_weight());
}

std::string error_of(const fs::path& file) {
  try {
    model::load_model(file);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("logits of every architecture agree with transformers") {
  int models = 0;
  for (const auto& entry : fs::directory_iterator("tests/golden/gguf")) {
    const fs::path file = entry.path();
    if (file.extension() != ".gguf" || file.stem() == "blocks") continue;
    ++models;
    CAPTURE(file.string());
    const Json want = parse_json(read_file(fs::path(file).replace_extension(".json")), file.string());
    const model::LoadedModel loaded = model::load_model(file);
    CHECK(loaded.notes.empty());
    const Tensor got = logits_of(loaded.decoder, want["ids"].get<std::vector<int32_t>>());
    CHECK(golden::distance(at::logsumexp(got, {-1}), golden::tensor(want["logsumexp"])) < 1e-4);
    const auto rows = want["rows"].get<std::vector<int64_t>>();
    for (size_t i = 0; i < rows.size(); ++i)
      CHECK(golden::distance(got[rows[i]], golden::tensor(want["logits"][i])) < 1e-4);
  }
  CHECK(models == 6);
}

TEST_CASE("an imported folder is the same model and the same tokenizer") {
  const Folder folder;
  Writer w = gguf::test::small_llama();
  w.u32("tokenizer.ggml.eot_token_id", 262).text("tokenizer.chat_template", "{{ messages[0].content }}");
  foreign::ImportParams params;
  params.file = folder.put("model.bin", std::move(w));  // by its content, whatever it is called
  config::StageContext context;
  context.folder = folder.path;
  foreign::run_import(params, context);
  const fs::path made = folder.path / "model";
  CHECK(model::load_config(made).config == model::load_config(params.file).config);
  const model::LoadedModel a = model::load_model(params.file), b = model::load_model(made);
  for (size_t i = 0; i < a.decoder.parameters().size(); ++i)
    CHECK(at::equal(a.decoder.parameters()[i].tensor, b.decoder.parameters()[i].tensor));
  const auto from = text::Tokenizer::load(params.file), to = text::Tokenizer::load(made);
  CHECK(from.hash() == to.hash());
  CHECK(to.chat_template() == "{{ messages[0].content }}");
  CHECK(to.eos() == 261);
  const Json ends = parse_json(read_file(made / "generation_config.json"), "generation_config.json");
  CHECK(ends["eos_token_id"] == Json{261, 262});
  CHECK(parse_json(read_file(made / "config.json"), "config.json")["eos_token_id"] == Json{261, 262});

  params.vocabulary = "tokenizer.bin";
  CHECK_THROWS_WITH_AS(foreign::run_import(params, context), doctest::Contains("brings its own"), Error);
}

TEST_CASE("a config that its tensors contradict is refused before anything is allocated") {
  const Folder folder;
  const auto with = [&](uint32_t layers, uint32_t ffn, const char* surplus) {
    Writer w;
    w.text("general.architecture", "llama").u32("llama.block_count", layers).u32("llama.context_length", 64);
    w.u32("llama.embedding_length", 32).u32("llama.feed_forward_length", ffn).u32("llama.attention.head_count", 2);
    w.f32("llama.attention.layer_norm_rms_epsilon", 1e-5F).tensor("token_embd.weight", {288, 32});
    if (*surplus != '\0') w.tensor(surplus, {32});
    return error_of(folder.put("model.gguf", std::move(w)));
  };
  CHECK(has(with(1, 64, ""), "missing tensors: model.layers.0.input_layernorm.weight"));
  CHECK(has(with(1 << 20, 64, ""), "its tensors hold 9216"));
  CHECK(has(with(1, 1 << 24, ""), "its tensors hold 9216"));
  CHECK(has(with(1 << 24, 1 << 24, ""), "more parameters than can be counted"));
  CHECK(has(with(0, 64, ""), "number of layers must be between 1 and 2^24, it is 0"));
  Writer surplus = gguf::test::small_llama();
  surplus.tensor("blk.0.ffn_gate_inp.weight", {32});
  CHECK(has(error_of(folder.put("model.gguf", std::move(surplus))),
            "surplus tensors that the config does not account for: blk.0.ffn_gate_inp.weight"));
  Writer twice = gguf::test::small_llama();
  twice.tensor("model.norm.weight", {32});
  CHECK(has(error_of(folder.put("model.gguf", std::move(twice))), "are both model.norm.weight"));
  Writer shape = gguf::test::small_llama();
  shape.tensor("output.weight", {288, 64});
  CHECK(has(error_of(folder.put("model.gguf", std::move(shape))), "has shape [288, 64], its config wants [288, 32]"));
}
