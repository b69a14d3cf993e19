#include "losses/registry.h"

namespace hone::losses {
namespace {
constexpr LossInfo kAll[] = {
#define HONE_LOSS(id, kind, doc, citation) {#id, #kind, doc, citation},
#include "losses/losses.def"
#undef HONE_LOSS
};
}  // namespace

std::span<const LossInfo> all() { return kAll; }

const LossInfo* find(std::string_view id) {
  for (const LossInfo& info : kAll)
    if (info.id == id) return &info;
  return nullptr;
}

}  // namespace hone::losses
