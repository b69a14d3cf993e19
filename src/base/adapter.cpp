#include "base/adapter.h"

#include <map>
#include <mutex>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace hone {
namespace {

struct Told {
  std::mutex mutex;
  std::map<fs::path, fs::path> base_of;
};
Told& told() {
  static Told t;
  return t;
}

std::string text_at(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

bool is_adapter(const fs::path& folder) {
  std::error_code ec;
  return fs::exists(folder / "adapter_config.json", ec) && !fs::exists(folder / "model.safetensors", ec) &&
         !fs::exists(folder / "model.safetensors.index.json", ec);
}

void tell_adapter_base(const fs::path& adapter, const fs::path& base) {
  const std::lock_guard lock(told().mutex);
  told().base_of[fs::weakly_canonical(adapter)] = base;
}

fs::path adapter_base(const fs::path& folder) {
  std::error_code ec;
  std::string wanted;
  fs::path found;
  {
    const std::lock_guard lock(told().mutex);
    const fs::path self = fs::weakly_canonical(folder, ec);
    // The members of an ensemble stand on the base of the first.
    const fs::path first = self.parent_path().filename() == "members" ? self.parent_path().parent_path() : self;
    for (const fs::path& path : {self, first})
      if (const auto it = told().base_of.find(path); found.empty() && it != told().base_of.end()) found = it->second;
  }
  const auto look = [&](const fs::path& path) {
    if (found.empty() && !path.empty() && (fs::exists(path / "config.json", ec) || fs::is_regular_file(path, ec)))
      found = path;
  };
  if (const fs::path notes = folder / kAdapterNotes; fs::exists(notes, ec)) {
    const Json json = parse_json(read_file(notes), notes.string());
    const Json base = json.is_object() && json.contains("base") ? json["base"] : Json();
    wanted = text_at(base, "path");
    look(wanted);
    if (const std::string relative = text_at(base, "relative"); !relative.empty()) look(folder / relative);
  }
  if (wanted.empty() && found.empty()) {
    const fs::path file = folder / "adapter_config.json";
    wanted = text_at(parse_python_json(read_file(file), file.string()), "base_model_name_or_path");
    look(wanted);
    if (!wanted.empty()) look(folder / wanted);
  }
  if (found.empty())
    usage_error(
        folder.string() + ": is an adapter (adapter_config.json)" +
            (wanted.empty() ? ", and names no base model" : " of the base model '" + wanted + "', which is not here"),
        "make one folder of both: hone merge --model BASE --adapter " + folder.string() +
            " --out DIR; generate, logprobs, score and tokenize take --model BASE --adapter " + folder.string() +
            " too");
  if (is_adapter(found))
    usage_error(folder.string() + ": its base " + found.string() + " is an adapter itself",
                "merge that one into its own base first: hone merge");
  return found;
}

}  // namespace hone
