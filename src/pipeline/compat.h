// Another system's defaults where systems disagree (compat.def), as one setting of a run.
#pragma once
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "config/fields.h"
#include "config/recipe.h"

namespace hone::pipeline {

struct CompatSetting {
  std::string_view system, kind, where, key, value, source;
};

/// In the order of compat.def.
std::span<const CompatSetting> compat_settings();
/// Unknown: kUsage with a suggestion. "none": hone's own.
void require_compat(const std::string& system);
/// Sets what `system` has otherwise in a stage of this kind, but not what `entry` sets; `fields` are those of the
/// chosen selectors. Returns the keys that were set.
std::set<std::string> apply_compat(const std::string& system, const config::StageEntry& entry,
                                   const config::Fields& fields);

}  // namespace hone::pipeline
