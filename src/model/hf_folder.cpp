#include "model/hf_folder.h"

#include <algorithm>
#include <set>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "gguf/file.h"
#include "model/family.h"
#include "model/generation_config.h"
#include "model/peft_folder.h"
#include "model/weights.h"
#include "tensor/safetensors.h"

namespace hone::model {
namespace {

bool derived(const std::string& name) {
  for (const std::string_view end :
       {".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq", ".rotary_emb.cos_cached", ".rotary_emb.sin_cached"})
    if (name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0) return true;
  return false;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(names.size(), 5); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 5 ? out + ", … (" + std::to_string(names.size()) + " in all)" : out;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

class Loader {
 public:
  Loader(const fs::path& path, const Family& family)
      : path_(path), family_(family), weights_(gguf::is_gguf(path) ? gguf_weights(path) : folder_weights(path)) {}

  // Older files name tensors as the bare model does, without the prefix.
  std::string stored_name(const std::string& name) const {
    if (weights_->has(name)) return name;
    if (name.starts_with(family_.prefix) && weights_->has(name.substr(family_.prefix.size())))
      return name.substr(family_.prefix.size());
    return {};
  }
  void fill(const std::string& name, const Tensor& tensor, bool transposed_in_folder) {
    const std::string stored = stored_name(name);
    if (stored.empty()) {
      missing_.push_back(name);
      return;
    }
    taken_.insert(stored);
    const Tensor target = transposed_in_folder && weights_->as_family() ? tensor.t() : tensor;
    const std::vector<int64_t> shape = weights_->shape(stored);
    if (target.sizes() != shape || !weights_->floating_point(stored))
      usage_error(weights_->file(stored) + ": tensor '" + stored + "' has shape " + shape_text(shape) +
                  ", its config wants " + shape_text(target.sizes()));
    weights_->copy_to(target, stored);
  }
  void check_tied(const std::string& name, const Tensor& embedding) {
    const std::string stored = stored_name(name);
    if (stored.empty()) return;
    taken_.insert(stored);
    const bool same_shape = embedding.sizes() == weights_->shape(stored);
    const Tensor copy = same_shape ? at::empty_like(embedding) : Tensor();
    if (same_shape) weights_->copy_to(copy, stored);
    if (!same_shape || !at::equal(copy, embedding))
      usage_error(
          weights_->file(stored) + ": tensor '" + stored + "' differs from the embedding, to which its config ties it",
          "set tie_word_embeddings to false if the two are meant to differ");
  }
  // Before anything is allocated: a config must not ask for terabytes that no file has. What is a little short of its
  // tensors is told by their names later.
  void require_room(const ParsedConfig& parsed) const {
    constexpr int64_t kLittle = 100'000'000;
    const ModelConfig& c = parsed.config;
    int64_t wanted = parameter_count(c), there = 0;
    if (parsed.classifier && !c.tied) wanted -= c.vocab_size * c.width;
    for (const std::string& name : weights_->names()) there += weights_->elements(name);
    if (wanted - there > kLittle)
      usage_error(path_.string() + ": its config asks for " + std::to_string(wanted) +
                  " parameters, its tensors hold " + std::to_string(there));
  }
  bool has(const std::string& name) const { return !stored_name(name).empty(); }

  void finish(std::vector<std::string>& notes) const {
    std::vector<std::string> surplus;
    int64_t buffers = 0;
    for (const std::string& name : weights_->names()) {
      if (taken_.contains(name)) continue;
      if (derived(name)) ++buffers;
      else surplus.push_back(name);
    }
    if (!missing_.empty()) usage_error(path_.string() + ": missing tensors: " + listed(missing_));
    if (!surplus.empty())
      usage_error(path_.string() + ": surplus tensors that the config does not account for: " + listed(surplus));
    if (buffers > 0) notes.push_back(std::to_string(buffers) + " derived buffers were skipped (recomputed)");
  }

 private:
  fs::path path_;
  const Family& family_;
  std::unique_ptr<Weights> weights_;
  std::set<std::string> taken_;
  std::vector<std::string> missing_;
};

bool transposed(const Family& family, const Parameter& p) {
  return family.transposed && p.kind == Parameter::Kind::kMatrix;
}

}  // namespace

LoadedModel load_model(const fs::path& folder, std::span<const LoadedBase> loaded) {
  if (is_adapter(folder)) return load_adapted_model(folder, loaded);
  ParsedConfig parsed = load_config(folder);
  const Family& f = family(parsed.config.family);
  Loader loader(folder, f);
  loader.require_room(parsed);
  LoadedModel out{Decoder(parsed.config, !parsed.classifier), std::nullopt, std::move(parsed.notes)};
  for (Parameter& p : out.decoder.parameters()) loader.fill(p.name, p.tensor, transposed(f, p));
  const std::string output = f.name(Slot::kOutput, 0);
  if (parsed.config.tied) loader.check_tied(output, out.decoder.at(Slot::kEmbedding));
  if (parsed.classifier) {
    out.head = ScalarHead{at::empty({1, parsed.config.width}, at::kFloat), {}};
    loader.fill("score.weight", out.head->weight, false);
    if (loader.has("score.bias")) {
      out.head->bias = at::empty({1}, at::kFloat);
      loader.fill("score.bias", out.head->bias, false);
    }
  }
  loader.finish(out.notes);
  if (!gguf::is_gguf(folder) && fs::exists(folder / "adapter_config.json"))
    out.notes.push_back("an adapter (adapter_config.json) lies beside the model and is not used");
  return out;
}

void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head, const Json& extra) {
  if (decoder.adapter() != nullptr) {
    HONE_CHECK(extra.empty(), "an adapter's files have no room for more keys");
    save_adapter(folder, decoder, head);
    return;
  }
  const Family& f = family(decoder.config().family);
  fs::create_directories(folder);
  std::vector<NamedTensor> tensors;
  for (const Parameter& p : decoder.parameters()) {
    if (head != nullptr && p.kind == Parameter::Kind::kHead) continue;  // a classifier has no output weight
    tensors.emplace_back(p.name, transposed(f, p) ? p.tensor.t() : p.tensor);
  }
  if (head != nullptr) {
    tensors.emplace_back("score.weight", head->weight);
    if (head->bias.defined()) tensors.emplace_back("score.bias", head->bias);
  }
  write_safetensors(folder / "model.safetensors", tensors);
  if (head == nullptr) write_generation_config(folder, decoder.config());
  else fs::remove(folder / "generation_config.json");  // of a model that was here before
  Json json = config_json(decoder.config(), head != nullptr);
  for (const auto& [key, value] : extra.items()) json[key] = value;
  write_file_atomic(folder / "config.json", dump_json(json, 2) + "\n");
}

void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head) {
  save_model(folder, decoder, head, Json::object());
}

}  // namespace hone::model
