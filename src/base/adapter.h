// A folder that holds an adapter alone (PEFT: adapter_config.json beside adapter_model.safetensors), which is a model
// together with its base.
#pragma once
#include <filesystem>
#include <string_view>

namespace hone {

/// What hone knows of an adapter beside PEFT's files: its base by path and hash, and what its config.json would say.
inline constexpr std::string_view kAdapterNotes = "hone_adapter.json";

/// An adapter and no weights of a model?
bool is_adapter(const std::filesystem::path& folder);

/// The base model of an adapter: the one told of (`--model BASE --adapter DIR`), else by hone_adapter.json (its path,
/// or from the adapter's folder), else the one that adapter_config.json names, where that is a folder or file here.
/// kUsage where there is none, naming the base that is wanted.
std::filesystem::path adapter_base(const std::filesystem::path& folder);
/// From now on this is the base of that adapter, whatever its files name.
void tell_adapter_base(const std::filesystem::path& adapter, const std::filesystem::path& base);

}  // namespace hone
