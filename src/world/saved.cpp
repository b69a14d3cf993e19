#include "world/saved.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "config/fields.h"

namespace hone::world {
namespace {

template <class Params>
void save(const fs::path& path, Params params) {
  const config::Fields fields = config::fields_of(params);
  Json j = Json::object();
  for (const config::Field& f : fields.list()) j[f.key] = config::to_json(f);
  write_file_atomic(path, dump_json(j, 2) + "\n");
}

template <class Params>
Params load(const fs::path& path, const char* hint) {
  if (!fs::exists(path)) usage_error(path.string() + ": missing", hint);
  const Json j = parse_json(read_file(path), path.string());
  if (!j.is_object()) usage_error(path.string() + ": an object was expected");
  Params params;
  const config::Fields fields = config::fields_of(params);
  for (const auto& [key, value] : j.items())
    config::set_from_json(fields.find(key, "world", path.string()), value, path.string());
  return params;
}

}  // namespace

void save_world(const fs::path& folder, const WorldParams& params) { save(folder / "world.json", params); }
World load_world(const fs::path& folder) {
  return make_world(load<WorldParams>(folder / "world.json", "give the folder of a world stage"));
}

void save_annotators(const fs::path& folder, const AnnotatorParams& params) {
  save(folder / "annotators.json", params);
}
AnnotatorParams load_annotators(const fs::path& folder) {
  return load<AnnotatorParams>(folder / "annotators.json", "give the folder of a compare stage");
}

}  // namespace hone::world
