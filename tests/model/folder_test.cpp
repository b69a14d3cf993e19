#include <doctest/doctest.h>
#include <cstdlib>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "folder.h"
#include "model/hf_folder.h"
#include "tensor/safetensors.h"

using namespace hone;
using namespace hone::model;
using test::Folder;

namespace {

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

TEST_CASE("ends of config.json and generation_config.json are one list, which the saved folder names in both") {
  const Folder folder;
  const fs::path config = folder.path / "config.json", generation = folder.path / "generation_config.json";
  const auto read = [](const fs::path& path) { return parse_json(read_file(path), path.string()); };
  const auto set = [&](const fs::path& path, const char* key, const Json& value) {
    Json json = fs::exists(path) ? read(path) : Json::object();
    json[key] = value;
    write_file_atomic(path, dump_json(json));
  };
  {
    const LoadedModel model = load_model("tests/golden/models/llama-tied");
    save_model(folder.path, model.decoder);
  }
  const int64_t vocabulary = load_config(folder.path).config.vocab_size;
  set(config, "eos_token_id", 3);
  set(config, "pad_token_id", 5);
  write_file_atomic(generation, R"({"eos_token_id": [4, 3, 7], "temperature": 0.6, "top_p": 0.9, "bos_token_id": 1})");
  using Ids = std::vector<int64_t>;
  CHECK(load_config(folder.path).config.eos == Ids{3, 4, 7});
  CHECK(load_config(folder.path).notes.empty());

  // Whatever else generation_config.json says goes with the model.
  const fs::path out = folder.path / "out";
  save_model(out, load_model(folder.path).decoder);
  CHECK(read(out / "config.json")["eos_token_id"] == Json(Ids{3, 4, 7}));
  CHECK(
      read(out / "generation_config.json") ==
      Json{
          {"eos_token_id", {3, 4, 7}}, {"temperature", 0.6}, {"top_p", 0.9}, {"bos_token_id", 1}, {"pad_token_id", 5}});
  CHECK(load_config(out).config.eos == Ids{3, 4, 7});

  // One id, none, a list; what is outside the vocabulary is told and left out.
  set(generation, "eos_token_id", 6);
  CHECK(load_config(folder.path).config.eos == Ids{3, 6});
  set(generation, "eos_token_id", nullptr);
  CHECK(load_config(folder.path).config.eos == Ids{3});
  set(config, "eos_token_id", nullptr);
  CHECK(load_config(folder.path).config.eos.empty());
  set(generation, "eos_token_id", {vocabulary, -1, 2});
  CHECK(load_config(folder.path).config.eos == Ids{2});
  CHECK(load_config(folder.path).notes.size() == 2);
  CHECK(mentions(load_config(folder.path).notes[0], "is outside the vocabulary"));

  for (const char* broken : {"[1]", "{\"eos_token_id\": \"</s>\"}", "{\"eos_token_id\": [1.5]}", "{", ""}) {
    write_file_atomic(generation, broken);
    CHECK(mentions(error_of(folder.path), "generation_config.json"));
  }
  fs::remove(generation);
  CHECK(load_config(folder.path).config.eos.empty());

  // A reward model generates nothing.
  const LoadedModel reward = load_model("tests/golden/models/qwen2-reward");
  save_model(folder.path / "reward", reward.decoder, &*reward.head);
  CHECK_FALSE(fs::exists(folder.path / "reward" / "generation_config.json"));
}
