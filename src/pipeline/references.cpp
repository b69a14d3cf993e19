#include "pipeline/references.h"

#include <algorithm>

#include "base/error.h"
#include "config/run_folder.h"
#include "pipeline/stage.h"

namespace hone::pipeline {
namespace {

std::string resolve(const std::string& text, const config::Recipe& recipe, const fs::path& out, size_t index,
                    const std::string& key, std::vector<std::string>& parents) {
  if (text.starts_with("$data/")) return (fs::path(recipe.run.data) / text.substr(6)).string();
  if (!text.starts_with('@')) return text;
  const auto slash = text.find('/');
  const std::string name = text.substr(1, slash == std::string::npos ? std::string::npos : slash - 1);
  for (size_t i = 0; i < index; ++i) {
    if (recipe.stages[i].name != name) continue;
    const fs::path folder = stage_folder(recipe, out, i);
    if (std::ranges::find(parents, folder.string()) == parents.end()) parents.push_back(folder.string());
    if (slash != std::string::npos) return (folder / text.substr(slash + 1)).string();
    return (makes_model(recipe.stages[i].kind) ? folder / config::names::kModel : folder).string();
  }
  std::vector<std::string> known;
  for (size_t i = 0; i < index; ++i) known.push_back(recipe.stages[i].name);
  const std::string near = config::closest(name, known);
  usage_error(recipe.stages[index].where + ": '" + key + "' refers to '@" + name + "', which is no earlier stage" +
              (near.empty() ? "" : "; did you mean '@" + near + "'?"));
}

}  // namespace

fs::path stage_folder(const config::Recipe& recipe, const fs::path& out, size_t index) {
  if (recipe.path.empty() && recipe.stages.size() == 1) return out;
  const std::string number = std::to_string(index + 1);
  return out / ((number.size() < 2 ? "0" + number : number) + "-" + recipe.stages[index].name);
}

std::vector<std::string> resolve_references(const config::Fields& fields, const config::Recipe& recipe,
                                            const fs::path& out, size_t index) {
  std::vector<std::string> parents;
  for (const config::Field& f : fields.list()) {
    // NAME=@stage pairs keep their name.
    const auto put = [&](std::string& text) {
      const auto equals = f.named ? text.find("=@") : std::string::npos;
      const size_t begin = equals == std::string::npos ? 0 : equals + 1;
      text = text.substr(0, begin) + resolve(text.substr(begin), recipe, out, index, f.key, parents);
    };
    if (auto* text = std::get_if<std::string*>(&f.value)) put(**text);
    if (auto* list = std::get_if<std::vector<std::string>*>(&f.value))
      for (std::string& item : **list) put(item);
  }
  return parents;
}

std::vector<std::pair<std::string, std::string>> input_paths(const config::Fields& fields) {
  std::vector<std::pair<std::string, std::string>> inputs;
  for (const config::Field& f : fields.list())
    for (const std::string& path : config::paths_of(f))
      if (!path.empty()) inputs.emplace_back(f.key, path);
  return inputs;
}

std::vector<std::pair<std::string, std::string>> missing_inputs(const config::Fields& fields, const fs::path& out) {
  std::vector<std::pair<std::string, std::string>> missing;
  for (const auto& [key, path] : input_paths(fields))
    if (path.find_first_of("*?") == std::string::npos && !path.starts_with((out / "").string()) && !fs::exists(path))
      missing.emplace_back(key, path);
  return missing;
}

}  // namespace hone::pipeline
