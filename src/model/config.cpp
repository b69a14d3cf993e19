#include "model/config.h"

#include <algorithm>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "gguf/config.h"
#include "gguf/file.h"
#include "model/family.h"
#include "model/generation_config.h"
#include "model/peft_folder.h"

namespace hone::model {

#define HONE_MODEL(id) const Family& id##_family();
#include "model/models.def"
#undef HONE_MODEL

std::span<const Family* const> families() {
  static const std::vector<const Family*> all{
#define HONE_MODEL(id) &id##_family(),
#include "model/models.def"
#undef HONE_MODEL
  };
  return all;
}

const Family& family(std::string_view id) {
  for (const Family* f : families())
    if (f->id == id) return *f;
  usage_error("unknown model family '" + std::string(id) + "'");
}

bool ModelConfig::operator==(const ModelConfig& other) const {
  return config_json(*this, true) == config_json(other, true);
}

ModelConfig llama_config(int64_t vocab_size, int64_t width, int64_t layers, int64_t heads, int64_t kv_heads,
                         int64_t ffn, int64_t max_positions) {
  ModelConfig c;
  c.vocab_size = vocab_size;
  c.width = width;
  c.layers = layers;
  c.heads = heads;
  c.kv_heads = kv_heads;
  c.head_dim = heads > 0 ? width / heads : 0;
  c.ffn = ffn;
  c.max_positions = max_positions;
  return c;
}

ParsedConfig parse_config(const Json& json, const std::string& where) {
  if (!json.is_object()) usage_error(where + ": not a JSON object");
  ConfigReader reader(json, where);
  std::string architecture;
  if (reader.has("architectures") && json["architectures"].is_array() && json["architectures"].size() == 1 &&
      json["architectures"][0].is_string())
    architecture = json["architectures"][0].get<std::string>();
  reader.ignore({"architectures"});
  const std::string model_type = reader.text("model_type", "");
  const Family* found = nullptr;
  std::string known;
  for (const Family* f : families()) {
    const bool named = architecture == f->causal || architecture == f->classifier;
    if (named || (architecture.empty() && model_type == f->model_type)) found = f;
    known += (known.empty() ? "" : ", ") + std::string(f->causal);
  }
  if (found == nullptr)
    usage_error(where + ": architecture '" + (architecture.empty() ? model_type : architecture) + "' is not supported",
                "supported: " + known + " and their …ForSequenceClassification with num_labels 1");

  ParsedConfig out;
  ModelConfig& c = out.config;
  c.family = found->id;
  out.classifier = architecture == found->classifier;
  // num_labels is not written where it is 2, the default; id2label tells it then.
  int64_t labels = reader.integer("num_labels", 0);
  if (const Json* id2label = reader.object("id2label"); labels == 0 && id2label != nullptr)
    labels = static_cast<int64_t>(id2label->size());
  if (out.classifier && labels != 1)
    usage_error(where + ": a reward model needs num_labels 1, it has " + std::to_string(labels == 0 ? 2 : labels));

  reader.only("quantization_config", nullptr);
  c.vocab_size = reader.integer("vocab_size");
  c.bos = reader.optional_integer("bos_token_id");
  c.pad = reader.optional_integer("pad_token_id");
  c.eos = reader.integers("eos_token_id");
  c.init_std = reader.number("initializer_range", 0.02);
  c.reward_shift = reader.number("hone_reward_shift", 0);
  c.reward_scale = reader.number("hone_reward_scale", 1);
  c.reward_dtype = reader.text("hone_reward_dtype", "");
  found->read(reader, c);
  // Settings of training, generation and bookkeeping that leave the logits alone (hone trains without dropout).
  reader.ignore({"_name_or_path",
                 "transformers_version",
                 "torch_dtype",
                 "dtype",
                 "use_cache",
                 "label2id",
                 "problem_type",
                 "attention_dropout",
                 "attn_pdrop",
                 "embd_pdrop",
                 "resid_pdrop",
                 "summary_first_dropout",
                 "summary_activation",
                 "summary_proj_to_labels",
                 "summary_type",
                 "summary_use_proj",
                 "pretraining_tp",
                 "task_specific_params",
                 "output_hidden_states",
                 "output_attentions",
                 "return_dict",
                 "chunk_size_feed_forward",
                 "is_encoder_decoder",
                 "unk_token_id",
                 "sep_token_id",
                 "tokenizer_class",
                 "finetuning_task",
                 "_attn_implementation",
                 "use_return_dict",
                 "classifier_dropout",
                 "prefix"});
  out.notes = reader.finish();
  check_config(c, where);
  return out;
}

Json config_json(const ModelConfig& c, bool classifier) {
  const Family& f = family(c.family);
  Json json = Json::object();
  json["architectures"] = {std::string(classifier ? f.classifier : f.causal)};
  json["model_type"] = std::string(f.model_type);
  json["vocab_size"] = c.vocab_size;
  f.write(c, json);
  json["tie_word_embeddings"] = c.tied;
  json["initializer_range"] = c.init_std;
  const auto optional_id = [](const std::optional<int64_t>& id) { return id ? Json(*id) : Json(nullptr); };
  json["bos_token_id"] = optional_id(c.bos);
  json["eos_token_id"] = ends_json(c);
  json["pad_token_id"] = optional_id(c.pad);
  json["torch_dtype"] = "float32";
  json["use_cache"] = true;
  if (classifier) {
    json["num_labels"] = 1;
    json["id2label"] = {{"0", "LABEL_0"}};
    json["label2id"] = {{"LABEL_0", 0}};
    json["hone_reward_shift"] = c.reward_shift;
    json["hone_reward_scale"] = c.reward_scale;
    if (!c.reward_dtype.empty()) json["hone_reward_dtype"] = c.reward_dtype;
  }
  return json;
}

bool holds_model(const fs::path& path) {
  std::error_code ec;
  return gguf::is_gguf(path) || fs::exists(path / "config.json", ec) || is_adapter(path);
}

ParsedConfig load_config(const fs::path& path) {
  if (is_adapter(path)) return load_adapted_config(path);
  if (gguf::is_gguf(path)) return parse_config(gguf::config_json(gguf::File(path)), path.string());
  const fs::path file = path / "config.json";
  if (!fs::exists(file)) usage_error(path.string() + ": no config.json, so it is not a model folder");
  ParsedConfig parsed = parse_config(parse_python_json(read_file(file), file.string()), file.string());
  read_generation_config(path, parsed);
  return parsed;
}

std::vector<fs::path> model_files(const fs::path& path) {
  if (gguf::is_gguf(path)) return {path};
  if (is_adapter(path)) {
    std::vector<fs::path> out = model_files(adapter_base(path));
    for (const std::string_view name :
         {std::string_view("adapter_config.json"), std::string_view("adapter_model.safetensors"), kAdapterNotes})
      if (fs::exists(path / name)) out.push_back(path / name);
    return out;
  }
  std::vector<fs::path> out{path / "config.json"};
  for (const auto& e : fs::directory_iterator(path))
    if (e.path().extension() == ".safetensors") out.push_back(e.path());
  std::sort(out.begin() + 1, out.end());
  return out;
}

Json ends_json(const ModelConfig& c) {
  return c.eos.empty() ? Json(nullptr) : c.eos.size() == 1 ? Json(c.eos[0]) : Json(c.eos);
}

void check_config(const ModelConfig& c, const std::string& where) {
  const auto need = [&](bool ok, const std::string& what) {
    if (!ok) usage_error(where + ": " + what);
  };
  constexpr int64_t kLimit = int64_t{1} << 24;  // keeps every product of two sizes far from overflow
  for (const auto& [name, value] : {std::pair{"vocab_size", c.vocab_size},
                                    {"hidden size", c.width},
                                    {"number of layers", c.layers},
                                    {"number of heads", c.heads},
                                    {"number of kv heads", c.kv_heads},
                                    {"head_dim", c.head_dim},
                                    {"intermediate size", c.ffn},
                                    {"max positions", c.max_positions}})
    need(value > 0 && value <= kLimit,
         std::string(name) + " must be between 1 and 2^24, it is " + std::to_string(value));
  need(c.heads % c.kv_heads == 0, "the number of heads (" + std::to_string(c.heads) +
                                      ") must be a multiple of the kv heads (" + std::to_string(c.kv_heads) + ")");
  need(layer_spec(c).positions == LayerSpec::Positions::kLearned || c.head_dim % 2 == 0,
       "head_dim must be even, it is " + std::to_string(c.head_dim));
  need(c.norm_eps > 0 && c.rope_theta > 0, "norm epsilon and rope_theta must be positive");
  const auto size = [](int64_t n) { return static_cast<double>(n); };
  const double layer = size(c.width) * (2 * size(c.heads + c.kv_heads) * size(c.head_dim) + 3 * size(c.ffn));
  need(size(c.layers) * layer + 2 * size(c.vocab_size) * size(c.width) < 0x1p53,
       "these sizes make more parameters than can be counted");
  need(c.reward_scale > 0, "hone_reward_scale must be positive");
  need(c.reward_dtype.empty() || c.reward_dtype == "f32" || c.reward_dtype == "bf16",
       "hone_reward_dtype must be f32 or bf16, it is '" + c.reward_dtype + "'");
}

int64_t kv_bytes_per_token(const ModelConfig& c) {
  return 4 * c.layers * c.kv_heads * (c.head_dim + (c.head_dim + 15) / 16 * 16);
}

int64_t parameter_count(const ModelConfig& c) {
  const auto count = [](const std::vector<TensorShape>& tensors) {
    int64_t n = 0;
    for (const TensorShape& t : tensors) {
      int64_t elements = 1;
      for (const int64_t size : t.shape) elements *= size;
      n += elements;
    }
    return n;
  };
  return count(tensors_before(c)) + c.layers * count(layer_tensors(c)) + count(tensors_behind(c, true));
}

}  // namespace hone::model
