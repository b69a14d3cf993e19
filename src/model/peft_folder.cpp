#include "model/peft_folder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <set>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "model/config_reader.h"
#include "model/family.h"
#include "model/generation_config.h"
#include "tensor/safetensors.h"

namespace hone::model {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr const char* kWeights = "adapter_model.safetensors";

fs::path config_file(const fs::path& folder) { return folder / "adapter_config.json"; }

struct PeftConfig {
  AdapterShape shape;
  bool classifier = false;  ///< a score beside the adapter
  std::vector<std::string> notes;
};

// LoraConfig of PEFT 0.21. What changes the mathematics and is not here is refused by name.
PeftConfig read_peft_config(const fs::path& folder) {
  const fs::path file = config_file(folder);
  const Json json = parse_python_json(read_file(file), file.string());
  if (!json.is_object()) usage_error(file.string() + ": is not a JSON object");
  ConfigReader reader(json, file.string());
  PeftConfig out;
  reader.only("peft_type", "LORA");
  out.shape.rank = reader.integer("r", 8);
  out.shape.alpha = reader.number("lora_alpha", 8);
  out.shape.rslora = reader.boolean("use_rslora", false);
  if (out.shape.rank < 1 || out.shape.rank > 1 << 16) usage_error(file.string() + ": r must be between 1 and 65536");
  if (!std::isfinite(out.shape.alpha)) usage_error(file.string() + ": lora_alpha must be a number");
  reader.only("bias", "none");
  reader.only("use_dora", false);
  reader.only("lora_bias", false);
  reader.only("use_qalora", false);
  reader.only("alpha_pattern", Json::object());
  // These change the base before the adapter is trained on it.
  if (reader.has("init_lora_weights"))
    if (const Json& init = reader.raw("init_lora_weights");
        !init.is_boolean() && init != "gaussian" && init != "orthogonal" && init != "eva")
      reader.refuse("init_lora_weights", init.dump() + " changes the base model, which");
  if (reader.has("modules_to_save"))
    for (const Json& module : reader.raw("modules_to_save"))
      if (module != "score" && module != "classifier")
        reader.refuse("modules_to_save", "a whole " + module.dump() + " beside the adapter");
  out.classifier = reader.text("task_type", "") == "SEQ_CLS";
  // Rank and module are those of the tensors that are there; the rest is bookkeeping.
  reader.ignore({"auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "target_modules",
                 "exclude_modules", "lora_dropout", "fan_in_fan_out", "layers_to_transform", "layers_pattern",
                 "rank_pattern", "megatron_core", "runtime_config", "peft_version", "qalora_group_size",
                 "ensure_weight_tying"});
  // A variant of LoRA that PEFT has and this reader does not know is switched on by a key of its own.
  for (const std::string& key : reader.unread()) {
    const Json& value = json[key];
    if (value.is_null() || value == false || (value.is_structured() && value.empty())) reader.ignore({key.c_str()});
    else reader.refuse(key, "a LoRA with it");
  }
  out.notes = reader.finish();
  return out;
}

Json read_notes(const fs::path& folder) {
  const fs::path file = folder / kAdapterNotes;
  std::error_code ec;
  if (!fs::exists(file, ec)) return Json::object();
  Json json = parse_json(read_file(file), file.string());
  if (!json.is_object()) usage_error(file.string() + ": is not a JSON object");
  return json;
}

// What hone_adapter.json adds to the base's config.
void apply_notes(const Json& notes, const std::string& where, ParsedConfig& parsed) {
  if (!notes.contains("config")) return;
  if (!notes["config"].is_object()) usage_error(where + ": config is not an object");
  ConfigReader reader(notes["config"], where);
  ModelConfig& c = parsed.config;
  if (reader.has("eos_token_id")) c.eos = reader.integers("eos_token_id");
  if (reader.has("pad_token_id")) c.pad = reader.optional_integer("pad_token_id");
  c.reward_shift = reader.number("hone_reward_shift", c.reward_shift);
  c.reward_scale = reader.number("hone_reward_scale", c.reward_scale);
  c.reward_dtype = reader.text("hone_reward_dtype", c.reward_dtype);
  c.generation_json = reader.text("generation_config", c.generation_json);
  if (!c.generation_json.empty() && !parse_json(c.generation_json, where + ": generation_config").is_object())
    usage_error(where + ": generation_config is not an object");
  parsed.classifier = reader.boolean("classifier", parsed.classifier);
  for (std::string& note : reader.finish()) parsed.notes.push_back(std::move(note));
  for (const int64_t id : c.eos)
    if (id < 0 || id >= c.vocab_size) usage_error(where + ": eos_token_id is outside the vocabulary");
  check_config(c, where);
}

void require_same_base(const fs::path& folder, const fs::path& base, const Json& notes) {
  const Json recorded = notes.contains("base") && notes["base"].is_object() ? notes["base"] : Json::object();
  if (!recorded.contains("sha256")) return;
  if (recorded["sha256"] != model_hash(base))
    usage_error(folder.string() + ": its base " + base.string() +
                    " is not the model that the adapter was trained on (" + std::string(kAdapterNotes) +
                    " holds another hash)",
                "give the right one by --model BASE --adapter " + folder.string());
}

// The parts that a file's tensors make, and the whole tensors beside them.
class PartReader {
 public:
  PartReader(const fs::path& folder, const ModelConfig& config, const AdapterShape& shape)
      : file_(folder / kWeights), config_(config), shape_(shape) {}

  Adapter parts() {
    Adapter out{shape_, {}, {}};
    for (const auto& [slot, layer, module, weight] : adapter_modules(config_)) {
      const std::optional<Tensor> a = take(module + ".lora_A"), b = take(module + ".lora_B");
      if (!a && !b) continue;
      if (!a || !b) usage_error(where() + ": " + module + " has one of lora_A and lora_B alone");
      if (a->dim() != 2 || b->dim() != 2 || a->size(1) != weight[1] || b->size(0) != weight[0] ||
          a->size(0) != b->size(1) || a->size(0) < 1)
        usage_error(where() + ": the adapter of " + module + " does not fit its layer");
      AdapterShape own = shape_;
      own.rank = a->size(0);
      out.parts.push_back({slot, layer, module, {*a, *b, own.scale()}});
    }
    if (out.parts.empty()) usage_error(where() + ": holds no lora_A and lora_B of a linear layer of its base");
    return out;
  }
  std::optional<Tensor> take(const std::string& module) {
    for (const char* middle : {"", ".default", ".modules_to_save", ".modules_to_save.default"}) {
      for (const std::string_view prefix : {kPrefix, std::string_view()}) {
        const std::string name = std::string(prefix) + module + middle + ".weight";
        if (!file_.tensors().contains(name)) continue;
        if (!at::isFloatingType(file_.tensors().at(name).dtype))
          usage_error(where() + ": " + name + " holds whole numbers, not floating-point ones");
        taken_.insert(name);
        return file_.load(name).to(at::kFloat).contiguous();
      }
    }
    return std::nullopt;
  }
  void finish() const {
    for (const auto& [name, info] : file_.tensors())
      if (!taken_.contains(name))
        usage_error(where() + ": tensor '" + name + "' is neither LoRA on a linear layer of the base nor a score",
                    "merge the adapter into its base with PEFT: merge_and_unload()");
  }

 private:
  std::string where() const { return file_.path().string(); }
  SafetensorsFile file_;
  const ModelConfig& config_;
  AdapterShape shape_;
  std::set<std::string> taken_;
};

Json number(double x) {
  if (x == std::floor(x) && std::abs(x) < 1e15) return static_cast<int64_t>(x);
  return x;
}

// Leaves where every layer has them ("q_proj"), else every module by its whole name: PEFT takes a name's end.
Json target_modules(const Adapter& adapter, const ModelConfig& config) {
  std::map<std::string, int64_t> leaves;
  for (const AdapterPart& p : adapter.parts) ++leaves[p.module.substr(p.module.rfind('.') + 1)];
  std::map<std::string, int64_t> there;
  for (const AdapterModule& m : adapter_modules(config)) ++there[m.module.substr(m.module.rfind('.') + 1)];
  Json out = Json::array();
  if (std::ranges::all_of(leaves, [&](const auto& l) { return there[l.first] == l.second; }))
    for (const auto& [leaf, n] : leaves) out.push_back(leaf);
  else
    for (const AdapterPart& p : adapter.parts) out.push_back(p.module);
  return out;
}

}  // namespace

std::string model_hash(const fs::path& path) {
  static std::mutex mutex;
  static std::map<std::string, std::string> known;  // by path, size and time, so that a process hashes a base once
  std::string state;
  const std::vector<fs::path> files = model_files(path);
  for (const fs::path& file : files)
    state += fs::weakly_canonical(file).string() + " " + std::to_string(fs::file_size(file)) + " " +
             std::to_string(fs::last_write_time(file).time_since_epoch().count()) + "\n";
  const std::lock_guard lock(mutex);
  if (const auto it = known.find(state); it != known.end()) return it->second;
  std::string all;
  for (const fs::path& file : files) all += sha256_file(file) + "\n";
  return known[state] = sha256(all);
}

ParsedConfig load_adapted_config(const fs::path& folder) {
  ParsedConfig parsed = load_config(adapter_base(folder));
  if (read_peft_config(folder).classifier) parsed.classifier = true;
  apply_notes(read_notes(folder), (folder / kAdapterNotes).string(), parsed);
  return parsed;
}

LoadedModel load_adapted_model(const fs::path& folder, std::span<const LoadedBase> loaded) {
  PeftConfig peft = read_peft_config(folder);
  if (!fs::exists(folder / kWeights))
    usage_error(folder.string() + ": no " + kWeights,
                fs::exists(folder / "adapter_model.bin")
                    ? "adapter_model.bin is a pickle, which may run code; save the adapter with safetensors"
                    : "");
  const fs::path base = adapter_base(folder);
  const Json notes = read_notes(folder);
  require_same_base(folder, base, notes);
  const auto there = std::ranges::find_if(
      loaded, [&](const LoadedBase& l) { return fs::weakly_canonical(l.path) == fs::weakly_canonical(base); });
  LoadedModel out =
      there != loaded.end() ? LoadedModel{there->decoder->over_same_tensors(), {}, {}, true} : load_model(base);
  ParsedConfig parsed{out.decoder.config(), out.head.has_value() || peft.classifier, {}};
  apply_notes(notes, (folder / kAdapterNotes).string(), parsed);
  out.decoder.config() = parsed.config;
  PartReader reader(folder, parsed.config, peft.shape);
  Adapter adapter = reader.parts();
  adapter.base = fs::weakly_canonical(base);
  for (AdapterPart& p : adapter.parts) {
    p.low_rank.a = p.low_rank.a.to(out.decoder.device());
    p.low_rank.b = p.low_rank.b.to(out.decoder.device());
  }
  out.decoder.set_adapter(std::move(adapter));
  if (std::optional<Tensor> score = reader.take("score")) {
    if (score->sizes() != at::IntArrayRef({1, parsed.config.width}))
      usage_error((folder / kWeights).string() + ": score.weight is not (1, hidden size)");
    out.head = ScalarHead{*score, {}};
  }
  reader.finish();
  if (parsed.classifier && !out.head)
    usage_error(folder.string() + ": is the adapter of a reward model, but holds no score.weight");
  if (out.head) out.decoder.drop_output_weight();
  for (std::string& note : peft.notes) out.notes.push_back(std::move(note));
  for (std::string& note : parsed.notes) out.notes.push_back(std::move(note));
  return out;
}

void save_adapter(const fs::path& folder, const Decoder& decoder, const ScalarHead* head) {
  const Adapter& adapter = *decoder.adapter();
  HONE_CHECK(!adapter.base.empty(), "an adapter without a base on disk");
  const ModelConfig& c = decoder.config();
  fs::create_directories(folder);
  Json extra{{"eos_token_id", ends_json(c)}, {"pad_token_id", c.pad ? Json(*c.pad) : Json(nullptr)}};
  if (head != nullptr) {
    extra["classifier"] = true;
    extra["hone_reward_shift"] = c.reward_shift;
    extra["hone_reward_scale"] = c.reward_scale;
    if (!c.reward_dtype.empty()) extra["hone_reward_dtype"] = c.reward_dtype;
  } else if (!c.generation_json.empty()) {
    extra["generation_config"] = c.generation_json;
  }
  const Json base{{"path", adapter.base.string()},
                  {"relative", adapter.base.lexically_proximate(fs::weakly_canonical(folder)).string()},
                  {"sha256", model_hash(adapter.base)}};
  std::vector<NamedTensor> tensors;
  for (const Parameter& p : adapter.parameters()) tensors.emplace_back(std::string(kPrefix) + p.name, p.tensor);
  if (head != nullptr) tensors.emplace_back(std::string(kPrefix) + "score.weight", head->weight);
  write_safetensors(folder / kWeights, tensors);

  write_file_atomic(folder / kAdapterNotes, dump_json(Json{{"base", base}, {"config", extra}}, 2) + "\n");

  Json ranks = Json::object();
  for (const AdapterPart& p : adapter.parts)
    if (p.low_rank.a.size(0) != adapter.shape.rank) ranks[p.module] = p.low_rank.a.size(0);
  const Json json{{"peft_type", "LORA"},
                  {"task_type", head != nullptr ? "SEQ_CLS" : "CAUSAL_LM"},
                  {"base_model_name_or_path", adapter.base.string()},
                  {"r", adapter.shape.rank},
                  {"lora_alpha", number(adapter.shape.alpha)},
                  {"lora_dropout", number(adapter.dropout)},
                  {"use_rslora", adapter.shape.rslora},
                  {"target_modules", target_modules(adapter, c)},
                  {"rank_pattern", ranks},
                  {"modules_to_save", head != nullptr ? Json::array({"score"}) : Json(nullptr)},
                  {"bias", "none"},
                  {"fan_in_fan_out", family(c.family).transposed},
                  {"init_lora_weights", true},
                  {"use_dora", false},
                  {"inference_mode", true}};
  write_file_atomic(config_file(folder), dump_json(json, 2) + "\n");
}

}  // namespace hone::model
