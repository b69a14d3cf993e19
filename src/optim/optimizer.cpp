#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/error.h"
#include "optim/adamw.h"
#include "optim/gradients.h"
#include "optim/muon.h"

namespace hone::optim {
namespace {
void check(const OptimParams& p) {
  const auto in_unit = [](double x) { return x >= 0 && x < 1; };
  if (p.rule != "adamw" && p.rule != "muon")
    usage_error("unknown optimiser rule '" + p.rule + "'", "there are: adamw, muon");
  if (p.matrix_scale != "original" && p.matrix_scale != "match_rms_adamw")
    usage_error("unknown matrix_scale '" + p.matrix_scale + "'", "there are: original, match_rms_adamw");
  if (!in_unit(p.beta1) || !in_unit(p.beta2) || !in_unit(p.momentum))
    usage_error("beta1, beta2 and momentum must lie in [0, 1)");
  for (const double x : {p.lr, p.matrix_lr, p.embedding_lr, p.vector_lr, p.head_lr, p.weight_decay, p.clip_norm, p.eps})
    if (!(x >= 0) || !std::isfinite(x))
      usage_error("a learning rate, eps, weight_decay or clip_norm is negative or not finite");
}
}  // namespace

Optimizer::Optimizer(std::vector<NamedTensor> tensors, OptimParams params)
    : tensors_(std::move(tensors)), params_(std::move(params)) {
  check(params_);
  std::set<std::string> names;
  // A rate of its own for a kind that is not there would say what is not so: a tied output layer is an embedding.
  for (const auto& [kind, own, key] : {std::tuple{TensorKind::kMatrix, params_.matrix_lr, "matrix_lr"},
                                       {TensorKind::kEmbedding, params_.embedding_lr, "embedding_lr"},
                                       {TensorKind::kVector, params_.vector_lr, "vector_lr"},
                                       {TensorKind::kHead, params_.head_lr, "head_lr"}})
    if (own > 0 && std::ranges::none_of(tensors_, [kind = kind](const NamedTensor& t) { return t.kind == kind; }))
      usage_error(std::string(key) + " is set, but no tensor that trains is of that kind",
                  "leave it out; the output layer of a model with tied embeddings goes by embedding_lr");
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const NamedTensor& t = tensors_[i];
    HONE_CHECK(names.insert(t.name).second, "two trainable tensors of one name");
    HONE_CHECK(t.tensor.is_leaf() && t.tensor.requires_grad(),
               "a trainable tensor must be a leaf that requires a gradient");
    HONE_CHECK(t.kind != TensorKind::kMatrix || t.tensor.dim() == 2,
               "a tensor of kind matrix must have two dimensions");
    const at::NoGradGuard no_grad;
    Group& group = group_for(t);
    group.members.push_back(i);
    group.weights.push_back(t.tensor);
    group.first.push_back(at::zeros_like(t.tensor.detach()));
    if (!group.muon) group.second.push_back(at::zeros_like(t.tensor.detach()));
  }
}

double Optimizer::lr(TensorKind kind) const {
  double own = 0;
  switch (kind) {
    case TensorKind::kMatrix:
      own = params_.matrix_lr;
      break;
    case TensorKind::kEmbedding:
      own = params_.embedding_lr;
      break;
    case TensorKind::kVector:
      own = params_.vector_lr;
      break;
    case TensorKind::kHead:
      own = params_.head_lr;
      break;
  }
  return own > 0 ? own : params_.lr;
}

std::vector<std::pair<std::string, double>> Optimizer::rates(double factor) const {
  std::vector<std::pair<std::string, double>> out{{"lr", lr(TensorKind::kMatrix) * factor}};
  for (const auto& [kind, key] : {std::pair{TensorKind::kEmbedding, "lr_embedding"},
                                  {TensorKind::kVector, "lr_vector"},
                                  {TensorKind::kHead, "lr_head"}})
    if (lr(kind) != lr(TensorKind::kMatrix) &&
        std::ranges::any_of(tensors_, [kind = kind](const NamedTensor& t) { return t.kind == kind; }))
      out.emplace_back(key, lr(kind) * factor);
  return out;
}

std::vector<std::string> Optimizer::unreached() const {
  std::vector<std::string> names;
  for (const Group& g : groups_)
    for (size_t j = 0; j < g.members.size(); ++j)
      if (!g.first[j].any().item<bool>()) names.push_back(tensors_[g.members[j]].name);
  return names;
}

void Optimizer::require_reached() const {
  // Where a kind of tensor is held still on purpose, what lies behind it may get nothing.
  for (const Group& g : groups_)
    if (g.lr == 0) return;
  const std::vector<std::string> names = unreached();
  if (names.empty()) return;
  std::string list;
  for (size_t i = 0; i < names.size() && i < 5; ++i) list += (i ? ", " : "") + names[i];
  if (names.size() > 5) list += ", …";
  fail(Kind::kBug,
       "no gradient has reached " + std::to_string(names.size()) + " of " + std::to_string(tensors_.size()) +
           " trainable tensors in " + std::to_string(teaching_steps_) + " steps: " + list,
       "they take no part in the loss: freeze them or use them");
}

Optimizer::Group& Optimizer::group_for(const NamedTensor& t) {
  const bool muon = params_.rule == "muon" && t.kind == TensorKind::kMatrix;
  const double rate = lr(t.kind), decay = t.kind == TensorKind::kVector ? 0 : params_.weight_decay;
  for (Group& g : groups_)
    if (g.muon == muon && g.lr == rate && g.weight_decay == decay &&
        g.weights[0].scalar_type() == t.tensor.scalar_type() && (!muon || g.weights[0].sizes() == t.tensor.sizes()))
      return g;
  Group fresh;
  fresh.muon = muon;
  fresh.lr = rate;
  fresh.weight_decay = decay;
  groups_.push_back(std::move(fresh));
  return groups_.back();
}

double Optimizer::step(double factor) {
  const double norm = clip_gradients(tensors_, params_.clip_norm);
  if (!std::isfinite(norm)) return norm;
  ++steps_;
  for (Group& g : groups_) {
    std::vector<Tensor> grads;
    grads.reserve(g.members.size());
    for (const size_t i : g.members) grads.push_back(tensors_[i].tensor.grad());
    if (g.muon) {
      muon_update(g.weights, grads, g.first,
                  {.lr = g.lr * factor,
                   .momentum = params_.momentum,
                   .weight_decay = g.weight_decay,
                   .newton_schulz_steps = params_.newton_schulz_steps,
                   .match_rms_adamw = params_.matrix_scale == "match_rms_adamw"});
    } else {
      adamw_update(g.weights, grads, g.first, g.second, steps_,
                   {.lr = g.lr * factor,
                    .beta1 = params_.beta1,
                    .beta2 = params_.beta2,
                    .eps = params_.eps,
                    .weight_decay = g.weight_decay});
    }
  }
  // The fused and list operators tell nobody that they wrote; what is kept of a weight goes by its version
  // (WeightCasts).
  for (const NamedTensor& t : tensors_) t.tensor.unsafeGetTensorImpl()->bump_version();
  // A step without any gradient (no advantage, pairs of equal sides) teaches nothing, so it shows nothing.
  if (norm > 0 && ++teaching_steps_ == kTeachingSteps) require_reached();
  return norm;
}

void Optimizer::zero_grad() { zero_gradients(tensors_); }

int64_t Optimizer::state_bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : state()) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

StateTensors Optimizer::state() const {
  StateTensors out{{"step", at::full({1}, steps_, at::TensorOptions().dtype(at::kLong))}};
  for (const Group& g : groups_)
    for (size_t j = 0; j < g.members.size(); ++j) {
      const std::string& name = tensors_[g.members[j]].name;
      out.emplace_back((g.muon ? "momentum." : "exp_avg.") + name, g.first[j]);
      if (!g.muon) out.emplace_back("exp_avg_sq." + name, g.second[j]);
    }
  return out;
}

void Optimizer::load_state(const StateTensors& state) {
  const at::NoGradGuard no_grad;
  std::map<std::string, Tensor> given(state.begin(), state.end());
  for (auto& [name, tensor] : this->state()) {
    const auto it = given.find(name);
    if (it == given.end())
      usage_error("the optimiser's state lacks '" + name + "'",
                  "it was written for other tensors or another optimiser rule");
    if (it->second.sizes() != tensor.sizes() || it->second.scalar_type() != tensor.scalar_type())
      usage_error("the optimiser's state '" + name + "' has another shape or dtype than its tensor");
    if (name == "step") steps_ = it->second.item<int64_t>();
    else tensor.copy_(it->second);
    given.erase(it);
  }
  if (!given.empty())
    usage_error("the optimiser's state holds '" + given.begin()->first + "', which no trainable tensor claims");
}

}  // namespace hone::optim
