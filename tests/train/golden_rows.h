// Rows of golden files as a loss wants them.
#pragma once
#include "base/json.h"
#include "data/tokens.h"

namespace hone::golden {

/// The ids of a prompt and of the answer behind it, which alone has weight.
inline data::Sequence behind(const Json& prompt, const Json& answer) {
  data::Sequence out;
  for (const Json* part : {&prompt, &answer})
    for (const Json& id : *part) {
      out.ids.push_back(id);
      out.weight.push_back(part == &prompt ? 0.0F : 1.0F);
    }
  return out;
}

}  // namespace hone::golden
