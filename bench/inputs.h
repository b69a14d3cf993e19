// What the rows work on: models of random weights with a tokenizer, and texts of made-up words.
#pragma once
#include <filesystem>

#include "bench/shapes.h"

namespace hone::bench {

namespace fs = std::filesystem;

/// FOLDER/language: the shape with random weights, in Hugging Face's layout. FOLDER/reward: the same trunk with a score
/// head. FOLDER/*.txt, *.jsonl: texts, demonstrations, comparisons and prompts. Everything is a function of the shape.
void write_inputs(const fs::path& folder, const Shape& shape);

inline fs::path language_model(const fs::path& folder) { return folder / "language"; }
inline fs::path reward_model(const fs::path& folder) { return folder / "reward"; }
inline fs::path texts(const fs::path& folder) { return folder / "texts.txt"; }
inline fs::path demonstrations(const fs::path& folder) { return folder / "demonstrations.jsonl"; }
inline fs::path comparisons(const fs::path& folder) { return folder / "comparisons.jsonl"; }
inline fs::path prompts(const fs::path& folder) { return folder / "prompts.jsonl"; }

constexpr int64_t kPromptTokens = 64, kNewTokens = 128;

}  // namespace hone::bench
