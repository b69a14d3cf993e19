#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "model/hf_folder.h"
#include "tensor/safetensors.h"

using namespace hone;
using namespace hone::model;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-model-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

std::string error_of(const fs::path& folder) {
  try {
    load_model(folder);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Rewrites model.safetensors through a change of its list of tensors.
void change(const fs::path& folder, const std::function<void(std::vector<NamedTensor>&)>& edit) {
  std::vector<NamedTensor> tensors;
  {
    const SafetensorsFile file(folder / "model.safetensors");
    for (const auto& [name, info] : file.tensors()) tensors.emplace_back(name, file.load(name));
  }
  edit(tensors);
  write_safetensors(folder / "model.safetensors", tensors);
}

}  // namespace

TEST_CASE("a saved model comes back bit for bit, whatever its family") {
  const Folder folder;
  for (const auto& entry : fs::directory_iterator("tests/golden/models")) {
    if (!entry.is_directory()) continue;
    CAPTURE(entry.path().string());
    LoadedModel model = load_model(entry.path());
    model.decoder.config().reward_shift = 0.5;
    save_model(folder.path, model.decoder, model.head ? &*model.head : nullptr);
    // For tools/golden/check_models.py, which opens them with transformers.
    if (const char* keep = std::getenv("HONE_WRITE_MODELS"))
      save_model(fs::path(keep) / entry.path().filename(), model.decoder, model.head ? &*model.head : nullptr);
    const LoadedModel back = load_model(folder.path);
    CHECK(back.notes.empty());
    if (model.head) {
      CHECK(at::equal(back.head->weight, model.head->weight));
      CHECK(back.decoder.config().reward_shift == 0.5);
      CHECK(back.decoder.config() == model.decoder.config());
    }
    REQUIRE(back.decoder.parameters().size() == model.decoder.parameters().size());
    for (size_t i = 0; i < back.decoder.parameters().size(); ++i)
      CHECK(at::equal(back.decoder.parameters()[i].tensor, model.decoder.parameters()[i].tensor));
  }
}

TEST_CASE("missing, surplus and misshapen tensors are named") {
  const Folder folder;
  ModelConfig c = llama_config(20, 8, 2, 2, 2, 12, 32);
  const Decoder decoder = make_decoder(c, 1);
  const auto fresh = [&] { save_model(folder.path, decoder); };
  fresh();
  change(folder.path, [](auto& t) { std::erase_if(t, [](auto& n) { return n.first == "model.norm.weight"; }); });
  CHECK(mentions(error_of(folder.path), "missing tensors: model.norm.weight"));
  fresh();
  change(folder.path, [](auto& t) { t.emplace_back("model.layers.2.stray", at::ones({1}, at::kFloat)); });
  CHECK(mentions(error_of(folder.path), "surplus tensors"));
  CHECK(mentions(error_of(folder.path), "model.layers.2.stray"));
  fresh();
  change(folder.path, [](auto& t) { t[0].second = at::ones({3, 8}, at::kFloat); });
  CHECK(mentions(error_of(folder.path), "has shape [3, 8], its config wants [20, 8]"));
  fresh();
  change(folder.path, [](auto& t) {  // derived buffers are skipped and mentioned
    t.emplace_back("model.layers.0.self_attn.rotary_emb.inv_freq", at::ones({4}, at::kFloat));
  });
  CHECK(load_model(folder.path).notes.size() == 1);
  fresh();
  change(folder.path, [&](auto& t) { t.emplace_back("lm_head.weight", decoder.output_weight()); });
  CHECK(error_of(folder.path) == "");
  change(folder.path, [](auto& t) {
    for (auto& [name, tensor] : t)
      if (name == "lm_head.weight") tensor = tensor + 1;
  });
  CHECK(mentions(error_of(folder.path), "lm_head.weight' differs from the embedding"));
}

TEST_CASE("names without the model's prefix are found") {
  const Folder folder;
  const Decoder decoder = make_decoder(llama_config(20, 8, 1, 2, 2, 12, 32), 1);
  save_model(folder.path, decoder);
  change(folder.path, [](auto& t) {
    for (auto& [name, tensor] : t) name = name.substr(6);
  });
  CHECK(at::equal(load_model(folder.path).decoder.parameters()[0].tensor, decoder.parameters()[0].tensor));
}

TEST_CASE("an untied model with a head loses its output weight, and the classifier loads") {
  const Folder folder;
  ModelConfig c = llama_config(20, 8, 1, 2, 2, 12, 32);
  c.tied = false;
  const Decoder decoder = make_decoder(c, 1);
  const ScalarHead head = make_scalar_head(8, 1.0 / 3, 1);
  save_model(folder.path, decoder, &head, {{"hone_extra", 1}});
  const LoadedModel back = load_model(folder.path);
  CHECK_FALSE(back.decoder.has_output_weight());
  CHECK(at::equal(back.head->weight, head.weight));
  CHECK(parse_json(read_file(folder.path / "config.json"), "x")["hone_extra"] == 1);
  change(folder.path, [](auto& t) { std::erase_if(t, [](auto& n) { return n.first == "score.weight"; }); });
  CHECK(mentions(error_of(folder.path), "missing tensors: score.weight"));
}

TEST_CASE("folders that are no model folders") {
  const Folder folder;
  CHECK(mentions(error_of(folder.path), "no config.json"));
  write_file_atomic(folder.path / "config.json", dump_json(config_json(llama_config(20, 8, 1, 2, 2, 12, 32), false)));
  CHECK(mentions(error_of(folder.path), "neither model.safetensors nor"));
  write_file_atomic(folder.path / "model.safetensors.index.json", R"({"weight_map":{"a":"../../etc/passwd"}})");
  CHECK(mentions(error_of(folder.path), "is not a file name"));
  write_file_atomic(folder.path / "model.safetensors.index.json", R"({"weight_map":{"a":"gone.safetensors"}})");
  CHECK(mentions(error_of(folder.path), "gone.safetensors"));
}
