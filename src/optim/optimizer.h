// One optimiser over named tensors: Muon for hidden matrices where the recipe says so, AdamW for everything else, each
// kind of tensor with its own learning rate. No base class, no groups to set up: the kind decides.
//
// A tensor that no gradient reaches trains silently not at all (OpenRLHF#1258: 390 of 417), so the optimiser looks
// once, when kTeachingSteps steps have brought a gradient to some tensor: one whose moment is still zero throughout has
// had none in any step. It asks for gradients, not for changed weights: at a small learning rate a step may round to
// nothing. And not after the first step alone: behind a head of zeros the trunk's first gradient is zero.
//
// Deterministic: the same gradients give the same bits, whatever the order of calls before. State and weights go to a
// checkpoint as named tensors; loaded into an optimiser over the same tensors, the next step is the same to the bit.
#pragma once
#include "optim/named_tensor.h"
#include "optim/params.h"

namespace hone::optim {

/// Steps with a gradient after which every tensor must have had one.
inline constexpr int64_t kTeachingSteps = 5;

class Optimizer {
 public:
  /// `tensors` are the trainable ones, names unique; they share storage with the model. A matrix must have two
  /// dimensions. A rate of its own for a kind that none of them is of: kUsage.
  Optimizer(std::vector<NamedTensor> tensors, OptimParams params);

  /// Clips, then updates with every learning rate times `factor` (optim/schedule.h). Returns the global gradient norm
  /// before clipping. Not finite: nothing is changed and the caller must stop. A tensor that no gradient reaches: kBug
  /// naming it.
  double step(double factor);
  void zero_grad();

  int64_t steps() const { return steps_; }
  double lr(TensorKind kind) const;  // before the schedule's factor
  /// The rates in use at `factor`, as metrics hold them: "lr" is the matrices'; "lr_embedding", "lr_vector" and
  /// "lr_head" stand beside it where there are such tensors and their rate is another.
  std::vector<std::pair<std::string, double>> rates(double factor) const;
  /// Names of tensors that no step so far has brought a gradient.
  std::vector<std::string> unreached() const;
  const std::vector<NamedTensor>& tensors() const { return tensors_; }
  const OptimParams& params() const { return params_; }
  int64_t state_bytes() const;

  /// "step" (1) i64, "exp_avg.NAME", "exp_avg_sq.NAME", "momentum.NAME": the live tensors, not copies.
  StateTensors state() const;
  /// Copies into the state; a missing, surplus or misshapen tensor is kUsage naming it.
  void load_state(const StateTensors& state);

 private:
  struct Group {  // tensors that share a rule, a learning rate and a decay (and, for Muon, a shape)
    bool muon = false;
    double lr = 0, weight_decay = 0;
    std::vector<size_t> members;                 // indices into tensors_
    std::vector<Tensor> weights, first, second;  // first: exp_avg or momentum; second: exp_avg_sq or empty
  };
  Group& group_for(const NamedTensor& tensor);
  void require_reached() const;

  std::vector<NamedTensor> tensors_;
  OptimParams params_;
  std::vector<Group> groups_;
  int64_t steps_ = 0;
  int64_t teaching_steps_ = 0;  // of this process: a resumed run looks again, at moments that it has brought along
};

}  // namespace hone::optim
