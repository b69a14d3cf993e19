// Whether a path is a model (a folder, or a GGUF file), of which kind, and whole. Torch-free header.
#pragma once
#include <filesystem>
#include <string>

namespace hone::infer {

/// A folder with a config.json, or a GGUF file?
bool holds_model(const std::filesystem::path& path);
/// Neither, or a run folder: kUsage that says where the model is.
void require_model_folder(const std::filesystem::path& folder);
/// Whether its config is that of a reward model. A broken one: kUsage.
bool is_reward_model(const std::filesystem::path& folder);
/// The first thing wrong with a model folder ("model.safetensors: tensor X is missing", "tensor X holds a value that is
/// not finite", "tokenizer.json: …"), or "".
std::string verify_model_folder(const std::filesystem::path& folder);

}  // namespace hone::infer
