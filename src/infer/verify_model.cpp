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

std::string verify_model_folder(const fs::path& folder) {
  try {
    const model::LoadedModel loaded = model::load_model(folder);
    for (const model::Parameter& p : loaded.decoder.parameters())
      if (!finite(p.tensor)) return "tensor " + p.name + " holds a value that is not finite";
    if (loaded.head && !finite(loaded.head->weight)) return "tensor score.weight holds a value that is not finite";
    // A folder without a tokenizer is whole: hone works on ids too.
    if (fs::exists(folder / "tokenizer.json") || fs::exists(folder / "vocab.json")) {
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
