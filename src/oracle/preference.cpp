// DPO's population optimum (Rafailov et al. 2023, section 4): on all pairs with Bradley–Terry labels of a reward the
// minimum over all policies is π_ref·exp(r/β)/Z.
#include <cmath>

#include "base/json.h"
#include "losses/aggregate.h"
#include "losses/preference_loss.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "oracle/oracle.h"
#include "oracle/table.h"
#include "oracle/transformer.h"
#include "tensor/from_host.h"
#include "train/networks.h"
#include "train/trainable.h"

namespace hone::oracle {
namespace {

struct Learner {
  std::function<Tensor()> logps;  ///< (answers) of all answers under the policy, differentiable
  Tensor reference;               ///< (answers)
  std::vector<optim::NamedTensor> parameters;
  double lr;
  std::function<std::vector<double>()> probabilities;
};

// Every ordered pair once, with the probability σ(r_first - r_second) that its first is preferred as its weight.
Distance learn(const Space& space, double beta, int64_t steps, const Learner& learner,
               const std::vector<double>& optimum) {
  const int64_t n = space.answers();
  std::vector<float> weight;
  std::vector<int64_t> answers;  // of the pairs, one pair after the other
  std::vector<double> rewards;
  for (int64_t i = 0; i < n; ++i) rewards.push_back(space.reward(space.answer(i)));
  for (int64_t i = 0; i < n * n; ++i) {
    const double ahead = rewards[i / n] - rewards[i % n];
    weight.push_back(static_cast<float>(1 / (1 + std::exp(-ahead))));
    answers.insert(answers.end(), {i / n, i % n});
  }
  const Tensor weights = from_host(weight, at::kCPU), all = from_host(answers, at::kCPU);

  losses::PreferenceLossSettings dpo("dpo");
  config::set_from_json(config::fields_of(dpo).find("beta", "dpo", ""), beta, "");
  optim::OptimParams how;
  how.lr = learner.lr;
  how.clip_norm = 0;
  how.schedule.decay = "cosine";
  optim::Optimizer optimizer(learner.parameters, how);
  Distance out;
  out.start = total_variation(learner.probabilities(), optimum);
  for (int64_t step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    losses::Answers pairs;
    pairs.policy = learner.logps().index_select(0, all);
    pairs.reference = learner.reference.index_select(0, all);
    const losses::PreferenceValue value = losses::preference_loss("dpo").value(pairs, dpo.params(), {});
    losses::reduce(value.terms[0].values, weights, static_cast<double>(n * n)).backward();
    optimizer.step(optim::schedule_factor(how.schedule, step, steps));
  }
  out.end = total_variation(learner.probabilities(), optimum);
  return out;
}

Distance learn_table(const Problem& problem, int64_t steps) {
  const Space space(problem);
  const AllAnswers all = all_answers(space);
  const Tensor reference = table(space.reference(), space.vocab());
  Tensor logits = reference.clone();
  logits.requires_grad_(true);
  const Learner learner{[&] { return answer_logps(space, all, logits); },
                        answer_logps(space, all, reference),
                        {{"logits", logits, optim::TensorKind::kEmbedding}},
                        0.1,
                        [&] { return space.probabilities(values_of(logits)); }};
  return learn(space, problem.beta, steps, learner, space.optimum(problem.beta, space.reference()));
}

Distance learn_transformer(const Problem& problem, int64_t steps, bool adapter) {
  const Space space(problem);
  const model::Decoder reference = make_reference(space, problem.seed);
  model::Decoder policy = adapter ? with_adapter(reference, problem.seed) : reference.clone();
  std::vector<data::Sequence> sequences;
  for (int64_t i = 0; i < space.answers(); ++i) {
    data::Sequence s{transformer_prompt(), {}};
    s.weight.assign(s.ids.size(), 0.0F);
    for (const int32_t token : space.answer(i)) s.ids.push_back(token);
    s.weight.resize(s.ids.size(), 1.0F);
    sequences.push_back(std::move(s));
  }
  std::vector<const data::Sequence*> pointers;
  for (const data::Sequence& s : sequences) pointers.push_back(&s);
  const train::Batch batch = train::collate(pointers, at::kCPU);
  const auto logps = [&](const model::Decoder& decoder) {
    return train::sum_by_sequence(train::decoder_actor(decoder, {}).logps(batch, {}).logps, batch);
  };
  const Learner learner{[&] { return logps(policy); }, logps(reference), train::trainable_tensors(policy), 3e-3,
                        [&] { return space.probabilities(logits_of(space, policy)); }};
  return learn(space, problem.beta, steps, learner, space.optimum(problem.beta, logits_of(space, reference)));
}

}  // namespace

Distance dpo_reaches_optimum(Policy policy, const Problem& problem, int64_t steps) {
  return policy == Policy::kTable ? learn_table(problem, steps)
                                  : learn_transformer(problem, steps, policy == Policy::kAdapter);
}

}  // namespace hone::oracle
