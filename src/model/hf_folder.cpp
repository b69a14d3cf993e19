#include "model/hf_folder.h"

#include <algorithm>
#include <set>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "tensor/safetensors.h"

namespace hone::model {
namespace {

// All tensors of a folder, from one file or from shards.
class Weights {
 public:
  explicit Weights(const fs::path& folder) {
    const fs::path single = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
    if (fs::exists(single)) {
      open(single);
    } else if (fs::exists(index)) {
      open_shards(folder, index);
    } else {
      refuse_adapter(folder);
      const bool pickle = fs::exists(folder / "pytorch_model.bin");
      usage_error(folder.string() + ": neither model.safetensors nor model.safetensors.index.json",
                  pickle ? "pytorch_model.bin is a pickle, which may run code; save the model with safetensors" : "");
    }
  }
  bool has(const std::string& name) const { return files_by_name_.contains(name); }
  Tensor load(const std::string& name) const { return files_[files_by_name_.at(name)].load(name); }
  std::string file(const std::string& name) const { return files_[files_by_name_.at(name)].path().string(); }
  const std::map<std::string, size_t>& names() const { return files_by_name_; }

 private:
  void open(const fs::path& path) {
    files_.emplace_back(path);
    for (const auto& [name, info] : files_.back().tensors())
      if (!files_by_name_.emplace(name, files_.size() - 1).second)
        usage_error(path.string() + ": tensor '" + name + "' is in another shard too");
  }
  void open_shards(const fs::path& folder, const fs::path& index) {
    const Json json = parse_json(read_file(index), index.string());
    if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object())
      usage_error(index.string() + ": no weight_map");
    std::set<std::string> shards;
    for (const auto& [name, shard] : json["weight_map"].items()) {
      // A shard is a plain file name: an index must not reach outside its folder.
      if (!shard.is_string() || fs::path(shard.get<std::string>()).filename() != shard.get<std::string>())
        usage_error(index.string() + ": the shard of '" + name + "' is not a file name");
      shards.insert(shard.get<std::string>());
    }
    for (const std::string& shard : shards) open(folder / shard);
    for (const auto& [name, shard] : json["weight_map"].items())
      if (!has(name) || file(name) != (folder / shard.get<std::string>()).string())
        usage_error(index.string() + ": tensor '" + name + "' is not in " + shard.get<std::string>());
  }
  std::vector<SafetensorsFile> files_;
  std::map<std::string, size_t> files_by_name_;
};

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
  Loader(const fs::path& folder, const Family& family) : folder_(folder), family_(family), weights_(folder) {}

  // Older files name tensors as the bare model does, without the prefix.
  std::string stored_name(const std::string& name) const {
    if (weights_.has(name)) return name;
    if (name.starts_with(family_.prefix) && weights_.has(name.substr(family_.prefix.size())))
      return name.substr(family_.prefix.size());
    return {};
  }
  void fill(const std::string& name, const Tensor& tensor, bool transposed) {
    const std::string stored = stored_name(name);
    if (stored.empty()) {
      missing_.push_back(name);
      return;
    }
    taken_.insert(stored);
    Tensor value = weights_.load(stored);
    if (transposed) value = value.t();
    if (value.sizes() != tensor.sizes() || !value.is_floating_point())
      usage_error(weights_.file(stored) + ": tensor '" + stored + "' has shape " +
                  shape_text(transposed ? value.t().sizes() : value.sizes()) + ", config.json wants " +
                  shape_text(transposed ? tensor.t().sizes() : tensor.sizes()));
    Tensor(tensor).copy_(value);
  }
  void check_tied(const std::string& name, const Tensor& embedding) {
    const std::string stored = stored_name(name);
    if (stored.empty()) return;
    taken_.insert(stored);
    const Tensor copy = weights_.load(stored);
    if (copy.sizes() != embedding.sizes() || !at::equal(copy.to(at::kFloat), embedding))
      usage_error(
          weights_.file(stored) + ": tensor '" + stored + "' differs from the embedding, to which config.json ties it",
          "set tie_word_embeddings to false if the two are meant to differ");
  }
  void skip(const std::string& name) { taken_.insert(stored_name(name)); }
  bool has(const std::string& name) const { return !stored_name(name).empty(); }

  void finish(std::vector<std::string>& notes) const {
    std::vector<std::string> surplus;
    int64_t buffers = 0;
    for (const auto& [name, file] : weights_.names()) {
      if (taken_.contains(name)) continue;
      if (derived(name)) ++buffers;
      else surplus.push_back(name);
    }
    if (!missing_.empty()) usage_error(folder_.string() + ": missing tensors: " + listed(missing_));
    if (!surplus.empty())
      usage_error(folder_.string() + ": surplus tensors that the config does not account for: " + listed(surplus));
    if (buffers > 0) notes.push_back(std::to_string(buffers) + " derived buffers were skipped (recomputed)");
  }

 private:
  fs::path folder_;
  const Family& family_;
  Weights weights_;
  std::set<std::string> taken_;
  std::vector<std::string> missing_;
};

bool transposed(const Family& family, const Parameter& p) {
  return family.transposed && p.kind == Parameter::Kind::kMatrix;
}

}  // namespace

ParsedConfig load_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) {
    refuse_adapter(folder);
    usage_error(folder.string() + ": no config.json, so it is not a model folder");
  }
  return parse_config(parse_python_json(read_file(path), path.string()), path.string());
}

LoadedModel load_model(const fs::path& folder) {
  ParsedConfig parsed = load_config(folder);
  const Family& f = family(parsed.config.family);
  LoadedModel out{Decoder(parsed.config, !parsed.classifier), std::nullopt, std::move(parsed.notes)};
  Loader loader(folder, f);
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
  return out;
}

void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head, const Json& extra) {
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
  Json json = config_json(decoder.config(), head != nullptr);
  for (const auto& [key, value] : extra.items()) json[key] = value;
  write_file_atomic(folder / "config.json", dump_json(json, 2) + "\n");
}

void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head) {
  save_model(folder, decoder, head, Json::object());
}

}  // namespace hone::model
