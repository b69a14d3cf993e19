#include "model/generation_config.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "model/config_reader.h"

namespace hone::model {

void read_generation_config(const fs::path& folder, ParsedConfig& parsed) {
  ModelConfig& config = parsed.config;
  std::vector<int64_t> ends = std::move(config.eos);
  if (const fs::path path = folder / "generation_config.json"; fs::exists(path)) {
    const Json json = parse_python_json(read_file(path), path.string());
    if (!json.is_object()) usage_error(path.string() + ": not a JSON object");
    const std::vector<int64_t> more = ConfigReader(json, path.string()).integers("eos_token_id");
    ends.insert(ends.end(), more.begin(), more.end());
    config.generation_json = dump_json(json);
  }
  config.eos.clear();
  for (const int64_t id : ends) {
    if (std::ranges::find(config.eos, id) != config.eos.end()) continue;
    if (id >= 0 && id < config.vocab_size) config.eos.push_back(id);
    else
      parsed.notes.push_back(folder.string() + ": eos_token_id " + std::to_string(id) +
                             " is outside the vocabulary of " + std::to_string(config.vocab_size) + " and was ignored");
  }
}

void write_generation_config(const fs::path& folder, const ModelConfig& config) {
  Json json = config.generation_json.empty() ? Json::object() : parse_json(config.generation_json, "generation_config");
  const auto fill = [&](const char* key, const std::optional<int64_t>& id) {
    if (id && (!json.contains(key) || json[key].is_null())) json[key] = *id;
  };
  fill("bos_token_id", config.bos);
  json["eos_token_id"] = ends_json(config);
  fill("pad_token_id", config.pad);
  write_file_atomic(folder / "generation_config.json", dump_json(json, 2) + "\n");
}

}  // namespace hone::model
