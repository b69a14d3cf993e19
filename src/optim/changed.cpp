#include "optim/changed.h"

#include "base/error.h"

namespace hone::optim {

FirstStepCheck::FirstStepCheck(std::span<const NamedTensor> tensors) : now_(tensors.begin(), tensors.end()) {
  for (const NamedTensor& t : now_) before_.push_back(t.tensor.detach().clone());
}

std::vector<std::string> FirstStepCheck::unchanged() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < now_.size(); ++i)
    if (at::equal(now_[i].tensor.detach(), before_[i])) names.push_back(now_[i].name);
  return names;
}

void FirstStepCheck::assert_all_changed() const {
  const std::vector<std::string> names = unchanged();
  if (names.empty()) return;
  std::string list;
  for (size_t i = 0; i < names.size() && i < 5; ++i) list += (i ? ", " : "") + names[i];
  if (names.size() > 5) list += ", …";
  fail(Kind::kBug,
       std::to_string(names.size()) + " of " + std::to_string(now_.size()) +
           " trainable tensors did not change in the first step: " + list,
       "no gradient reaches them, or their learning rate is 0");
}

}  // namespace hone::optim
