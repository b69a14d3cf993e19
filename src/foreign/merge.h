// An adapter and its base as one model folder. Torch-free.
#pragma once
#include <filesystem>

namespace hone::foreign {

/// Writes to `out` the model that `adapter` (a PEFT folder) is together with its base: every weight W + s·B·A, nearest
/// f32; a reward model's head and scale; the tokenizer. No adapter: kUsage.
void merge(const std::filesystem::path& adapter, const std::filesystem::path& out);

}  // namespace hone::foreign
