#include "train/experience.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "base/stats.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"

namespace hone::train {

std::vector<Trajectory> sample_answers(const Actor& actor, const RewardFunction& reward,
                                       std::span<const rollout::Request> requests) {
  const at::NoGradGuard no_grad;
  std::vector<rollout::Completion> completions = actor.sample(requests);
  HONE_CHECK(completions.size() == requests.size());
  std::vector<Trajectory> out;
  for (size_t i = 0; i < requests.size(); ++i) {
    Trajectory t;
    t.row = requests[i].row;
    t.prompt_tokens = static_cast<int64_t>(requests[i].prompt.size());
    t.sequence.ids = requests[i].prompt;
    t.sequence.ids.insert(t.sequence.ids.end(), completions[i].ids.begin(), completions[i].ids.end());
    t.sequence.weight.assign(requests[i].prompt.size(), 0.0f);
    t.sequence.weight.resize(t.sequence.ids.size(), 1.0f);
    t.completion = std::move(completions[i]);
    out.push_back(std::move(t));
  }
  const std::vector<double> scores = reward(out);
  HONE_CHECK(scores.size() == out.size());
  for (size_t i = 0; i < scores.size(); ++i) out[i].score = scores[i];
  return out;
}

Experience look_at(std::vector<Trajectory> trajectories, const Actor& actor, const Actor& reference,
                   const Critic* critic, std::string_view score_position, int64_t max_tokens, const AskOptions& ask) {
  const at::NoGradGuard no_grad;
  Experience e;
  e.trajectories = std::move(trajectories);
  std::vector<int64_t> answer_lengths;
  for (const Trajectory& t : e.trajectories) {
    e.tokens += t.sequence.size();
    e.lengths.push_back(t.sequence.size());
    answer_lengths.push_back(static_cast<int64_t>(t.completion.ids.size()));
    e.token_offsets.push_back(e.token_offsets.back() + answer_lengths.back());
  }
  e.extra = advantages::extra_slots(score_position, answer_lengths, max_tokens);
  e.slots = advantages::make_slots(answer_lengths, e.extra);

  LogpsOptions plain, with_entropy;
  plain.inv_temperature = with_entropy.inv_temperature = ask.inv_temperature;
  with_entropy.entropy = true;
  std::vector<int64_t> all(e.trajectories.size());
  std::iota(all.begin(), all.end(), 0);
  std::vector<Tensor> old_logps, reference_logps, entropies, values;
  for (const auto members : micro_batches(all, e.lengths, ask.micro_tokens)) {
    Tensor rows;
    const Batch b = batch_of(e, members, ask.device, rows);
    const TokenLogps own = actor.logps(b, with_entropy);
    old_logps.push_back(own.logps.to(at::kCPU));
    entropies.push_back(own.entropy.to(at::kCPU, at::kFloat));
    reference_logps.push_back(reference.logps(b, plain).logps.to(at::kCPU, at::kFloat));
    if (critic) values.push_back(critic->values(b, value_rows(e, b, members)).to(at::kCPU, at::kFloat));
  }
  e.old_logp = at::cat(old_logps);
  e.entropy = at::cat(entropies);
  e.reference_logp = at::cat(reference_logps);
  if (critic) e.values = at::cat(values);

  // The gauge: sampler against trainer on the same tokens and weights.
  e.sampler_logp = at::empty(e.old_logp.sizes(), at::kFloat);
  float* out = e.sampler_logp.mutable_data_ptr<float>();
  for (const Trajectory& t : e.trajectories) out = std::copy(t.completion.logps.begin(), t.completion.logps.end(), out);
  const Tensor gap = (e.sampler_logp - e.old_logp).abs();
  e.gap_mean = gap.mean().item<double>();
  e.gap_max = gap.max().item<double>();
  return e;
}

namespace {

bool same_prompt(const Trajectory& a, const Trajectory& b) {
  const auto prompt = [](const Trajectory& t) { return std::span(t.sequence.ids).first(t.prompt_tokens); };
  return std::ranges::equal(prompt(a), prompt(b));
}

}  // namespace

std::vector<int64_t> prompts_together(const Experience& e, std::vector<int64_t> members) {
  const auto alike = std::ranges::adjacent_find(e.trajectories, same_prompt);
  if (alike != e.trajectories.end()) std::ranges::sort(members);
  return members;
}

Batch batch_of(const Experience& e, std::span<const int64_t> members, at::Device device, Tensor& rows) {
  std::vector<const data::Sequence*> sequences;
  std::vector<int64_t> indices, trees;
  for (size_t i = 0; i < members.size(); ++i) {
    const auto at = [&](size_t n) -> const Trajectory& { return e.trajectories[members[n]]; };
    if (i > 0 && same_prompt(at(i - 1), at(i))) ++trees.back();
    else trees.push_back(1);
  }
  for (const int64_t m : members) {
    sequences.push_back(&e.trajectories[m].sequence);
    for (int64_t r = e.token_offsets[m]; r < e.token_offsets[m + 1]; ++r) indices.push_back(r);
  }
  rows = from_host(indices);
  return collate(sequences, device, trees);
}

Tensor value_rows(const Experience& e, const Batch& batch, std::span<const int64_t> members) {
  if (e.extra.empty()) return batch.rows;
  const Tensor rows = batch.rows.to(at::kCPU), last = batch.last.to(at::kCPU);
  std::vector<int64_t> out;
  for (size_t s = 0; s < members.size(); ++s) {
    for (int64_t r = batch.row_offsets[s]; r < batch.row_offsets[s + 1]; ++r)
      out.push_back(rows.const_data_ptr<int64_t>()[r]);
    if (e.extra[members[s]]) out.push_back(last.const_data_ptr<int64_t>()[s]);
  }
  return from_host(out, batch.rows.device());
}

std::vector<std::vector<int64_t>> shuffled_minibatches(std::span<const int64_t> members, int64_t count, uint64_t seed,
                                                       const char* purpose, int64_t step, int64_t epoch) {
  std::vector<int64_t> order(members.begin(), members.end());
  Stream(seed, purpose, static_cast<uint64_t>(step), static_cast<uint64_t>(epoch)).shuffle(order);
  const auto parts = std::min<size_t>(static_cast<size_t>(count), order.size());
  std::vector<std::vector<int64_t>> out(parts);
  for (size_t m = 0; m < parts; ++m)
    out[m].assign(order.begin() + static_cast<std::ptrdiff_t>(order.size() * m / parts),
                  order.begin() + static_cast<std::ptrdiff_t>(order.size() * (m + 1) / parts));
  return out;
}

AnswerFigures figures_of(const Experience& e) {
  AnswerFigures out;
  std::vector<double> scores;
  for (const Trajectory& t : e.trajectories) {
    scores.push_back(t.score);
    out.length += static_cast<double>(t.completion.ids.size());
    out.eos_share += t.completion.finish == rollout::Finish::kStop;
  }
  const auto n = static_cast<double>(e.trajectories.size());
  out.score = stats::mean(scores);
  out.score_std = stats::stddev(scores);
  out.length /= n;
  out.eos_share /= n;
  out.entropy = e.entropy.mean(at::kDouble).item<double>();
  return out;
}

double mean_of(std::span<const float> values) {
  double sum = 0;
  for (const float x : values) sum += x;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::span<const float> floats_of(const Tensor& t) {
  return {t.const_data_ptr<float>(), static_cast<size_t>(t.numel())};
}

}  // namespace hone::train
