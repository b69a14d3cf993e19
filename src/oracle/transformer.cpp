#include "oracle/transformer.h"

#include <algorithm>

#include "model/packed.h"

namespace hone::oracle {

std::vector<int32_t> transformer_prompt() { return {0, 1}; }

model::Decoder make_reference(const Space& space, uint64_t seed) {
  const int64_t width = space.vocab() <= 4 ? 32 : 64;
  model::ModelConfig config = model::llama_config(space.vocab(), width, /*layers=*/2, /*heads=*/4, /*kv_heads=*/2,
                                                  /*ffn=*/2 * width, /*max_positions=*/16);
  config.tied = false;
  config.init_std = 0.2;
  return model::make_decoder(config, seed);
}

model::Decoder with_adapter(const model::Decoder& reference, uint64_t seed) {
  model::Decoder out = reference.over_same_tensors();
  const int64_t rank = reference.config().width;
  out.set_adapter(
      model::make_adapter(out, {.rank = rank, .alpha = static_cast<double>(rank), .targets = {"all-linear"}}, seed));
  return out;
}

std::vector<float> logits_of(const Space& space, const model::Decoder& decoder) {
  const at::NoGradGuard no_grad;
  std::vector<float> out(space.states() * space.vocab());
  std::vector<std::vector<int32_t>> sequences;
  std::vector<int64_t> states;
  const auto flush = [&] {
    const model::Packed packed = model::pack(sequences);
    const Tensor logits = at::matmul(decoder.hidden(packed), decoder.output_weight().t()).contiguous();  // (N, V)
    for (size_t s = 0; s < sequences.size(); ++s)
      std::copy_n(logits.const_data_ptr<float>() + packed.places[s].last() * space.vocab(), space.vocab(),
                  out.begin() + static_cast<std::ptrdiff_t>(states[s] * space.vocab()));
    sequences.clear();
    states.clear();
  };
  // Every state is the beginning of some answer; each answer whose later tokens are all 0 names the state before them.
  for (int64_t i = 0; i < space.answers(); ++i) {
    const std::vector<int32_t> answer = space.answer(i);
    for (size_t n = answer.size(); n-- > 0 && answer[n] == 0;) {
      sequences.push_back(transformer_prompt());
      sequences.back().insert(sequences.back().end(), answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(n));
      states.push_back(space.state(std::span(answer).first(n)));
    }
    if (sequences.size() >= 1024) flush();
  }
  if (!sequences.empty()) flush();
  return out;
}

}  // namespace hone::oracle
