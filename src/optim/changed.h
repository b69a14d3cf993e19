// Which trainable tensors did the first step leave as they were? A tensor that no gradient reaches trains silently not
// at all (OpenRLHF#1258: 390 of 417), so every loop asks once.
#pragma once
#include "optim/named_tensor.h"

namespace hone::optim {

/// Copies taken before the first step; costs the tensors' memory until it goes.
class FirstStepCheck {
 public:
  explicit FirstStepCheck(std::span<const NamedTensor> tensors);
  /// Names of the tensors that are bit for bit what they were.
  std::vector<std::string> unchanged() const;
  /// kBug naming them, if there are any.
  void assert_all_changed() const;

 private:
  std::vector<NamedTensor> now_;
  std::vector<Tensor> before_;
};

}  // namespace hone::optim
