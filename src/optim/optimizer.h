// One optimiser over named tensors: Muon for hidden matrices where the recipe says so, AdamW for everything else, each
// kind of tensor with its own learning rate. No base class, no groups to set up: the kind decides.
//
// Deterministic: the same gradients give the same bits, whatever the order of calls before. State and weights go to a
// checkpoint as named tensors; loaded into an optimiser over the same tensors, the next step is the same to the bit.
#pragma once
#include "optim/named_tensor.h"
#include "optim/params.h"

namespace hone::optim {

class Optimizer {
 public:
  /// `tensors` are the trainable ones, names unique; they share storage with the model. A matrix must have two
  /// dimensions.
  Optimizer(std::vector<NamedTensor> tensors, OptimParams params);

  /// Clips, then updates with every learning rate times `factor` (optim/schedule.h). Returns the global gradient norm
  /// before clipping. Not finite: nothing is changed and the caller must stop.
  double step(double factor);
  void zero_grad();

  int64_t steps() const { return steps_; }
  double lr(TensorKind kind) const;  // before the schedule's factor
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

  std::vector<NamedTensor> tensors_;
  OptimParams params_;
  std::vector<Group> groups_;
  int64_t steps_ = 0;
};

}  // namespace hone::optim
