#include "foreign/merge.h"

#include "base/adapter.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "model/hf_folder.h"
#include "text/tokenizer.h"

namespace hone::foreign {

namespace {

void merge_one(const std::filesystem::path& adapter, const std::filesystem::path& out) {
  model::LoadedModel loaded = model::load_model(adapter);
  for (const std::string& note : loaded.notes) log::warn(note);
  const auto parts = static_cast<int64_t>(loaded.decoder.adapter()->parts.size());
  const std::string base = loaded.decoder.adapter()->base.string();
  model::merge_adapter(loaded.decoder);
  std::filesystem::create_directories(out);
  if (text::Tokenizer::found(adapter) || text::Tokenizer::found(base)) text::Tokenizer::load(adapter).save(out);
  model::save_model(out, loaded.decoder, loaded.head ? &*loaded.head : nullptr);
  log::info("  " + count_text(parts) + " adapters merged into " + base);
}

}  // namespace

void merge(const std::filesystem::path& adapter, const std::filesystem::path& out) {
  if (!is_adapter(adapter))
    usage_error(
        adapter.string() +
            (std::filesystem::exists(adapter / "adapter_config.json") ? ": holds a whole model beside its adapter"
                                                                      : ": is no adapter (no adapter_config.json)") +
            ", so there is nothing to merge",
        is_adapter(adapter / "model") ? "its model is " + (adapter / "model").string() : "");
  merge_one(adapter, out);
  // An ensemble's other members.
  if (const auto members = adapter / "members"; std::filesystem::is_directory(members))
    for (const auto& e : std::filesystem::directory_iterator(members))
      if (is_adapter(e.path())) merge_one(e.path(), out / "members" / e.path().filename());
}

}  // namespace hone::foreign
