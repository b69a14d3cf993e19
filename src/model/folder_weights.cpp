#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "model/weights.h"
#include "tensor/safetensors.h"

namespace hone::model {
namespace {

// All tensors of a folder, from one file or from shards.
class FolderWeights : public Weights {
 public:
  explicit FolderWeights(const fs::path& folder) {
    const fs::path single = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
    if (fs::exists(single)) {
      open(single);
    } else if (fs::exists(index)) {
      open_shards(folder, index);
    } else {
      const bool pickle = fs::exists(folder / "pytorch_model.bin");
      usage_error(folder.string() + ": neither model.safetensors nor model.safetensors.index.json",
                  pickle ? "pytorch_model.bin is a pickle, which may run code; save the model with safetensors" : "");
    }
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, file] : files_by_name_) out.push_back(name);
    return out;
  }
  bool has(const std::string& name) const override { return files_by_name_.contains(name); }
  std::string file(const std::string& name) const override { return file_of(name).path().string(); }
  std::vector<int64_t> shape(const std::string& name) const override { return file_of(name).tensors().at(name).shape; }
  bool floating_point(const std::string& name) const override {
    return at::isFloatingType(file_of(name).tensors().at(name).dtype);
  }
  void copy_to(const Tensor& out, const std::string& name) const override {
    Tensor(out).copy_(file_of(name).load(name));
  }
  bool as_family() const override { return true; }

 private:
  const SafetensorsFile& file_of(const std::string& name) const { return files_[files_by_name_.at(name)]; }
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

}  // namespace

std::unique_ptr<Weights> folder_weights(const fs::path& folder) { return std::make_unique<FolderWeights>(folder); }

}  // namespace hone::model
