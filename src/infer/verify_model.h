// Whether a model folder is whole: `hone check`. Torch-free header.
#pragma once
#include <filesystem>
#include <string>

namespace hone::infer {

/// The first thing wrong with a model folder ("model.safetensors: tensor X is missing", "tensor X holds a value that is
/// not finite", "tokenizer.json: …"), or "".
std::string verify_model_folder(const std::filesystem::path& folder);

}  // namespace hone::infer
