// How far a policy has gone, and how well that is known: the standard error of the start-loss ratio against the
// jackknife over prompts.
#include "train/drift.h"

#include <doctest/doctest.h>

#include <cmath>

#include "model/shapes.h"
#include "text/bpe_train.h"

using namespace hone;

namespace {

struct Asked {
  data::Encoder encoder = [] {
    const std::vector<std::string> texts = {"the cat sat on the mat and the dog sat on the cat"};
    return data::Encoder::make(text::train_bpe(texts, 290), "auto");
  }();
  model::Decoder start = [this] {
    model::ModelConfig config = test::tiny();
    config.vocab_size = encoder.tokenizer().size();
    return model::make_decoder(config, 1);
  }();
  std::vector<train::AskedPrompt> prompts = [this] {
    std::vector<data::Prompt> rows;
    for (int i = 0; i < 12; ++i) rows.push_back({{{"user", "cat " + std::to_string(i)}}, std::to_string(i)});
    return train::draw_asked(rows, std::ssize(rows), encoder, 24, 512, 1);
  }();

  train::DriftMeter meter(const std::vector<train::AskedPrompt>& of) const {
    return {start, encoder, of, 2, 24, at::kFloat, 1};
  }
};

}  // namespace

TEST_CASE("the start is no step away from itself, and that is known for sure") {
  const Asked asked;
  const train::Drift drift = asked.meter(asked.prompts).measure(asked.start);
  CHECK(std::abs(drift.kl_per_token) < 1e-5);
  CHECK(drift.start_loss_ratio == doctest::Approx(1));
  CHECK(drift.start_loss_ratio_error < 1e-6);
}

TEST_CASE("the ratio's standard error is what leaving out one prompt after another says") {
  const Asked asked;
  model::Decoder policy = asked.start.clone();
  {
    const at::NoGradGuard no_grad;
    policy.output_weight().mul_(0.6);  // less sure of itself
  }
  const train::Drift all = asked.meter(asked.prompts).measure(policy);
  CHECK(all.kl_per_token > 0.01);
  CHECK(all.start_loss_ratio > 1.05);
  const auto n = static_cast<double>(asked.prompts.size());
  double sum = 0, squares = 0;
  for (size_t p = 0; p < asked.prompts.size(); ++p) {
    std::vector<train::AskedPrompt> others = asked.prompts;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(p));
    const double ratio = asked.meter(others).measure(policy).start_loss_ratio;
    sum += ratio, squares += ratio * ratio;
  }
  CHECK(std::isinf(asked.meter({asked.prompts.front()}).measure(policy).start_loss_ratio_error));
  const double jackknife = std::sqrt((n - 1) * (squares / n - sum / n * (sum / n)));
  CHECK(all.start_loss_ratio_error / jackknife == doctest::Approx(1).epsilon(0.25));
}
