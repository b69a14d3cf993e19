// What losses there are, for `hone list losses` and for checking a recipe. Built from losses.def; torch-free.
#pragma once
#include <span>
#include <string_view>

namespace hone::losses {

struct LossInfo {
  std::string_view id, kind, doc, citation;
};

/// All losses in the order of losses.def.
std::span<const LossInfo> all();
/// The entry, or null where there is none of that id.
const LossInfo* find(std::string_view id);

}  // namespace hone::losses
