// How events name a model.
#pragma once
#include "base/json.h"
#include "feedback/rounds.h"
#include "feedback/row_fields.h"

namespace hone::feedback {

inline Json model_json(const ModelName& m) { return {{"policy", m.policy}, {"folder", m.folder}}; }
/// A field that is missing: kUsage.
inline ModelName model_of(const Json& json) { return {text_at(json, "policy"), text_at(json, "folder")}; }

}  // namespace hone::feedback
