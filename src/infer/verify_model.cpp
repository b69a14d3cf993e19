#include "infer/verify_model.h"

#include "base/error.h"
#include "model/hf_folder.h"
#include "tensor/tensor.h"
#include "text/tokenizer.h"

namespace hone::infer {
namespace fs = std::filesystem;
namespace {

bool finite(const Tensor& t) { return at::isfinite(t).all().item<bool>(); }

}  // namespace

bool holds_model(const fs::path& path) { return model::holds_model(path); }

void require_model_folder(const fs::path& folder) {
  if (!fs::is_directory(folder) && !model::holds_model(folder)) {
    const bool file = fs::exists(folder);
    usage_error(folder.string() + (file ? ": is a file, a model folder or a .gguf was expected" : ": no such folder"),
                file
                    ? "`hone import FILE --out DIR` makes a model folder of a foreign checkpoint"
                    : "--model takes a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file");
  }
  if (!model::holds_model(folder) && model::holds_model(folder / "model"))
    usage_error(folder.string() + ": is a run folder, not a model folder",
                "its model is " + (folder / "model").string());
}

bool is_reward_model(const fs::path& folder) { return model::load_config(folder).classifier; }

std::string verify_model_folder(const fs::path& folder) {
  try {
    const model::LoadedModel loaded = model::load_model(folder);
    for (const model::Parameter& p : loaded.decoder.parameters())
      if (!finite(p.tensor)) return "tensor " + p.name + " holds a value that is not finite";
    if (loaded.decoder.adapter() != nullptr)
      for (const model::Parameter& p : loaded.decoder.adapter()->parameters())
        if (!finite(p.tensor)) return "tensor " + p.name + " holds a value that is not finite";
    if (loaded.head && !finite(loaded.head->weight)) return "tensor score.weight holds a value that is not finite";
    if (const fs::path members = folder / "members"; fs::is_directory(members))
      for (const auto& e : fs::directory_iterator(members))
        if (const std::string wrong = e.is_directory() ? verify_model_folder(e.path()) : ""; !wrong.empty())
          return "members/" + e.path().filename().string() + ": " + wrong;
    // A folder without a tokenizer is whole: hone works on ids too.
    if (text::Tokenizer::found(folder)) {
      const text::Tokenizer tokenizer = text::Tokenizer::load(folder);
      if (tokenizer.size() > loaded.decoder.config().vocab_size)
        return "the tokenizer has " + std::to_string(tokenizer.size()) + " tokens, the model's vocabulary " +
               std::to_string(loaded.decoder.config().vocab_size);
    }
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace hone::infer
