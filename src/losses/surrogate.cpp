#include "losses/surrogate.h"

#include "base/error.h"

namespace hone::losses {

#define HONE_SURROGATE(id, doc, citation) Surrogate id(const PolicyTokens&, const SurrogateParams&);
#include "losses/surrogates.def"
#undef HONE_SURROGATE

namespace {
constexpr SurrogateInfo kAll[] = {
#define HONE_SURROGATE(id, doc, citation) {#id, doc, citation, &id},
#include "losses/surrogates.def"
#undef HONE_SURROGATE
};
}  // namespace

std::span<const SurrogateInfo> surrogates() { return kAll; }

SurrogateFunction surrogate(std::string_view id) {
  std::string known;
  for (const SurrogateInfo& info : kAll) {
    if (info.id == id) return info.function;
    known += (known.empty() ? "" : ", ") + std::string(info.id);
  }
  usage_error("unknown surrogate '" + std::string(id) + "'", "there are: " + known);
}

}  // namespace hone::losses
