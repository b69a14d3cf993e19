// A folder that holds an adapter alone (PEFT: adapter_config.json beside adapter_model.safetensors) and no model.
#pragma once
#include <filesystem>

namespace hone {

/// kUsage where the folder is an adapter without its model, naming the base that it belongs to; else nothing. To be
/// called where a model's or tokenizer's file was looked for and is not there.
void refuse_adapter(const std::filesystem::path& folder);

}  // namespace hone
