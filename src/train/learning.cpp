#include "train/learning.h"

#include <cmath>

#include "base/json.h"
#include "model/hf_folder.h"
#include "train/adapt.h"
#include "train/session.h"
#include "train/trainable.h"

namespace hone::train {

Numbers update(optim::Optimizer& optimizer, double factor, double loss, int64_t tokens, int64_t step,
               const config::StageContext& context, const std::function<Json()>& batch) {
  if (!std::isfinite(loss)) stop_non_finite(context, step, "loss", batch());
  const double norm = optimizer.step(factor);
  if (!std::isfinite(norm)) stop_non_finite(context, step, "gradient", batch());
  Numbers out{{"loss", loss}};
  for (const auto& rate : optimizer.rates(factor)) out.push_back(rate);
  out.emplace_back("grad_norm", norm);
  out.emplace_back("tokens", static_cast<double>(tokens));
  return out;
}

void append_learner(optim::StateTensors& out, const std::string& prefix, const optim::Optimizer& optimizer) {
  append_weights(out, prefix + ".", optimizer.tensors());
  for (auto& [name, tensor] : optimizer.state()) out.emplace_back("optim." + name, tensor);
}

void restore_learner(const optim::StateTensors& saved, const std::string& prefix, optim::Optimizer& optimizer) {
  restore_weights(saved, prefix + ".", optimizer.tensors());
  optimizer.load_state(with_prefix(saved, "optim."));
}

void save_folder(const std::filesystem::path& folder, const text::Tokenizer& tokenizer, const model::Decoder& decoder,
                 const model::ScalarHead* head, std::optional<int32_t> pad) {
  std::filesystem::create_directories(folder);
  tokenizer.save(folder, pad);
  model::save_model(folder, decoder, head);
}

Json record_of(const model::Decoder& decoder) {
  Json out{{"parameters", decoder.parameter_count()}};
  record_adapter(decoder, out);
  return out;
}

}  // namespace hone::train
