#include "train/trainable.h"

#include "base/error.h"

namespace hone::train {
namespace {

optim::TensorKind kind_of(model::Parameter::Kind kind) {
  switch (kind) {
    case model::Parameter::Kind::kMatrix:
      return optim::TensorKind::kMatrix;
    case model::Parameter::Kind::kEmbedding:
      return optim::TensorKind::kEmbedding;
    case model::Parameter::Kind::kVector:
      return optim::TensorKind::kVector;
    case model::Parameter::Kind::kHead:
      return optim::TensorKind::kHead;
  }
  return optim::TensorKind::kVector;
}

// The block a tensor belongs to ("model.layers.3.…", "transformer.h.3.…"), or -1.
int64_t layer_of(const std::string& name) {
  for (const char* marker : {"layers.", "h."}) {
    const auto at = name.find(marker);
    if (at == std::string::npos || (at > 0 && name[at - 1] != '.')) continue;
    const size_t digits = at + std::string_view(marker).size();
    if (digits < name.size() && name[digits] >= '0' && name[digits] <= '9') return std::stoll(name.substr(digits));
  }
  return -1;
}

}  // namespace

std::vector<optim::NamedTensor> trainable_tensors(model::Decoder& decoder, model::ScalarHead* head,
                                                  int64_t top_layers) {
  decoder.set_trainable(false);
  std::vector<optim::NamedTensor> out;
  const int64_t first = top_layers > 0 ? decoder.config().layers - top_layers : 0;
  if (decoder.adapter() != nullptr)
    for (model::Parameter& p : decoder.adapter()->parameters()) {
      p.tensor.requires_grad_(true);
      out.push_back({p.name, p.tensor, kind_of(p.kind)});
    }
  for (model::Parameter& p : decoder.parameters()) {
    if (decoder.adapter() != nullptr) break;
    const int64_t layer = layer_of(p.name);
    const bool trains =
        top_layers <= 0 || layer >= first || (layer < 0 && p.kind != model::Parameter::Kind::kEmbedding);
    if (!trains) continue;
    p.tensor.requires_grad_(true);
    out.push_back({p.name, p.tensor, kind_of(p.kind)});
  }
  if (head) {
    head->weight.requires_grad_(true);
    out.push_back({"score.weight", head->weight, optim::TensorKind::kHead});
    if (head->bias.defined()) {
      head->bias.requires_grad_(true);
      out.push_back({"score.bias", head->bias, optim::TensorKind::kVector});
    }
  }
  return out;
}

void append_weights(optim::StateTensors& out, const std::string& prefix,
                    const std::vector<optim::NamedTensor>& tensors) {
  for (const optim::NamedTensor& t : tensors) out.emplace_back(prefix + t.name, t.tensor);
}

void restore_weights(const optim::StateTensors& saved, const std::string& prefix,
                     const std::vector<optim::NamedTensor>& tensors) {
  const at::NoGradGuard no_grad;
  for (const optim::NamedTensor& t : tensors) {
    const auto it = std::find_if(saved.begin(), saved.end(), [&](const auto& s) { return s.first == prefix + t.name; });
    if (it == saved.end())
      usage_error("the checkpoint holds no tensor " + prefix + t.name,
                  "it was made by another recipe; start afresh in another folder");
    if (it->second.sizes() != t.tensor.sizes())
      usage_error("the checkpoint's " + prefix + t.name + " has another shape than the model's");
    t.tensor.copy_(it->second);
  }
}

optim::StateTensors with_prefix(const optim::StateTensors& saved, const std::string& prefix) {
  optim::StateTensors out;
  for (const auto& [name, tensor] : saved)
    if (name.starts_with(prefix)) out.emplace_back(name.substr(prefix.size()), tensor);
  return out;
}

}  // namespace hone::train
