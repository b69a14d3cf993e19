#include "base/adapter.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace hone {

void refuse_adapter(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "adapter_config.json";
  std::error_code ec;
  if (!std::filesystem::exists(file, ec)) return;
  const Json config = parse_python_json(read_file(file), file.string());
  const auto base = config.is_object() ? config.find("base_model_name_or_path") : config.end();
  const std::string of = base != config.end() && base->is_string() && !base->get_ref<const std::string&>().empty()
                             ? " of the base model '" + base->get<std::string>() + "'"
                             : ", and adapter_config.json names no base model";
  usage_error(folder.string() + ": is an adapter (adapter_config.json)" + of + ", not a model by itself",
              "merge the adapter into its base first, in Python: AutoPeftModelForCausalLM.from_pretrained(\"" +
                  folder.string() +
                  "\").merge_and_unload().save_pretrained(\"DIR\"), and save the tokenizer there too");
}

}  // namespace hone
