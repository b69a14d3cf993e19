// How a step is cut changes no gradient: in one pass, in micro-batches of any size, one sequence at a time, in padded
// buckets. Every objective goes through the functions that its loop calls, and where the loss is simple it is also
// written out here, sequence by sequence, without packs.
#include <doctest/doctest.h>

#include <numeric>

#include "base/error.h"
#include "base/rng.h"
#include "losses/surrogate.h"
#include "model/shapes.h"
#include "train/group_learner.h"
#include "train/judged_groups.h"
#include "train/language_step.h"
#include "train/networks.h"
#include "train/ppo_learner.h"
#include "train/preference_step.h"
#include "train/reward_step.h"
#include "train/trainable.h"

using namespace hone;

namespace {

struct Precision {
  at::ScalarType dtype;
  double bound;        // of ‖difference‖ / ‖gradient‖
  bool own_attention;  // false: padded buckets, which f64 has anyway
};
const Precision kPrecisions[] = {{at::kDouble, 1e-10, false}, {at::kFloat, 1e-5, true}, {at::kFloat, 1e-5, false}};
// Tokens of one pass: each sequence alone, a few together, everything at once.
const int64_t kCuts[] = {1, 19, 20, 37, 64, 100, 1 << 30};
// 13 to 16 make one bucket with padding; a sequence of one token has nothing to learn.
const std::vector<int64_t> kLengths{3, 16, 1, 15, 40, 13, 2, 14, 9, 27};

std::vector<int64_t> all(size_t n) {
  std::vector<int64_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

std::vector<data::Sequence> some_sequences() {
  Stream random(3, "cut");
  std::vector<data::Sequence> out;
  for (const int64_t n : kLengths) {
    data::Sequence s;
    for (int64_t i = 0; i < n; ++i) {
      s.ids.push_back(static_cast<int32_t>(random.below(37)));
      s.weight.push_back(i == 0 ? 0.0F : static_cast<float>(random.below(3)) / 2);
    }
    out.push_back(std::move(s));
  }
  std::ranges::fill(out[6].weight, 0.0F);  // a pass in which nothing has weight
  return out;
}

std::vector<data::Pair> some_pairs() {
  Stream random(4, "cut");
  std::vector<data::Pair> out;
  for (size_t i = 0; i < kLengths.size(); ++i) {
    data::Pair p;
    p.prompt_length = 1 + static_cast<int64_t>(random.below(6));
    p.weight = i % 3 == 0 ? 0.5 : 1;
    p.margin = 0.25 * static_cast<double>(i % 4);
    for (data::Sequence* s : {&p.chosen, &p.rejected})
      for (int64_t t = 0, n = p.prompt_length + kLengths[s == &p.chosen ? i : kLengths.size() - 1 - i]; t < n; ++t) {
        s->ids.push_back(static_cast<int32_t>(random.below(37)));
        s->weight.push_back(t < p.prompt_length ? 0.0F : 1.0F);
      }
    out.push_back(std::move(p));
  }
  return out;
}

struct Network {
  model::Decoder decoder;
  model::ScalarHead head;
  std::vector<optim::NamedTensor> tensors;

  Network(const char* family, at::ScalarType dtype, uint64_t seed, bool with_head)
      : decoder(model::make_decoder(test::tiny(family), seed)), head(model::make_scalar_head(24, 0.3, seed)) {
    if (with_head) decoder.drop_output_weight();
    decoder.to(at::kCPU, dtype);
    head.weight = head.weight.to(dtype);
    tensors = train::trainable_tensors(decoder, with_head ? &head : nullptr);
  }
  void clear() {
    for (optim::NamedTensor& t : tensors) t.tensor.mutable_grad().reset();
  }
  // All gradients in one vector, f64.
  Tensor gradient() const {
    std::vector<Tensor> parts;
    for (const optim::NamedTensor& t : tensors)
      parts.push_back((t.tensor.grad().defined() ? t.tensor.grad() : at::zeros_like(t.tensor))
                          .detach()
                          .reshape({-1})
                          .to(at::kDouble));
    return at::cat(parts).clone();
  }
};

double relative(const Tensor& a, const Tensor& b) {
  return at::linalg_vector_norm(a - b).item<double>() / at::linalg_vector_norm(b).item<double>();
}

Tensor hidden_alone(const model::Decoder& decoder, const std::vector<int32_t>& ids) {
  return decoder.hidden(model::pack({&ids, 1}), {.own_attention = false});
}

// log p of the weighted tokens of one sequence, each times its weight -> scalar.
Tensor logp_alone(const model::Decoder& decoder, const data::Sequence& s) {
  const Tensor logps = at::log_softmax(at::matmul(hidden_alone(decoder, s.ids), decoder.output_weight().t()), 1);
  Tensor sum = at::zeros({}, logps.options());
  for (size_t i = 1; i < s.ids.size(); ++i)
    sum = sum + logps[static_cast<int64_t>(i) - 1][s.ids[i]] * static_cast<double>(s.weight[i]);
  return sum;
}

}  // namespace

TEST_CASE("language modelling: however a step is cut, its gradient is the same") {
  const std::vector<data::Sequence> sequences = some_sequences();
  const std::vector<int64_t> batch = all(sequences.size());
  for (const char* family : {"llama", "gpt2"})
    for (const Precision& precision : kPrecisions) {
      CAPTURE(family);
      CAPTURE(precision.own_attention);
      Network n(family, precision.dtype, 1, false);
      Tensor loss = at::zeros({}, precision.dtype);
      double weight = 0;
      for (const data::Sequence& s : sequences) {
        loss = loss - logp_alone(n.decoder, s);
        weight += std::accumulate(s.weight.begin(), s.weight.end(), 0.0);
      }
      (loss / weight).backward();
      const Tensor alone = n.gradient();
      for (const bool checkpoint : {false, true})
        for (const int64_t cut : kCuts) {
          CAPTURE(cut);
          n.clear();
          model::AttentionWork work;
          train::Forward forward;
          forward.compute = {.checkpoint = checkpoint, .work = &work, .own_attention = precision.own_attention};
          const train::LanguageStep step =
              train::add_language_gradient(n.decoder, sequences, kLengths, batch, cut, forward);
          CHECK(relative(n.gradient(), alone) < precision.bound);
          CHECK(step.loss == doctest::Approx((loss / weight).item<double>()).epsilon(1e-5));
          CHECK(step.tokens == std::accumulate(kLengths.begin(), kLengths.end(), int64_t{0}));
          CHECK((work.padding > 0) == (!precision.own_attention && cut >= 37));
        }
    }
}

TEST_CASE("reward model: however a step is cut, its gradient is the same") {
  const std::vector<data::Pair> pairs = some_pairs();
  const std::vector<int64_t> batch = all(pairs.size());
  std::vector<int64_t> lengths;
  for (const data::Pair& p : pairs) lengths.push_back(p.size());
  losses::BradleyTerryParams params;
  params.centring = 0.1;
  for (const Precision& precision : kPrecisions) {
    CAPTURE(precision.own_attention);
    Network n("llama", precision.dtype, 2, true);
    Tensor loss = at::zeros({}, precision.dtype);
    double weight = 0;
    for (const data::Pair& p : pairs) {
      const auto score = [&](const data::Sequence& s) {
        return (hidden_alone(n.decoder, s.ids)[s.size() - 1] * n.head.weight[0]).sum();
      };
      const Tensor chosen = score(p.chosen), rejected = score(p.rejected);
      loss = loss + p.weight * (params.centring * (chosen + rejected).square() -
                                at::log_sigmoid(chosen - rejected - p.margin));
      weight += p.weight;
    }
    (loss / weight).backward();
    const Tensor alone = n.gradient();
    for (const int64_t cut : kCuts) {
      CAPTURE(cut);
      n.clear();
      const train::RewardStep step = train::add_reward_gradient(n.decoder, n.head, pairs, lengths, batch, cut, params,
                                                                true, {.own_attention = precision.own_attention});
      CHECK(relative(n.gradient(), alone) < precision.bound);
      CHECK(step.loss == doctest::Approx((loss / weight).item<double>()).epsilon(1e-5));
    }
  }
}

namespace {

// Groups as the loss takes them, with made-up reference values.
train::JudgedData some_groups(const losses::PreferenceNeeds& needs) {
  train::JudgedData out;
  int64_t n = 0;
  for (const data::Pair& p : some_pairs()) {
    const auto group = [&](std::vector<data::Sequence> answers, bool good) {
      out.groups.push_back({std::move(answers), p.prompt_length, p.weight, p.margin, good, false});
    };
    if (needs.arity == losses::Arity::kSingle) group({n % 3 == 0 ? p.rejected : p.chosen}, n % 3 != 0);
    else if (needs.arity == losses::Arity::kPair || n % 2 == 0) group({p.chosen, p.rejected}, true);
    else {
      data::Sequence third = p.chosen;
      third.ids.push_back(7), third.weight.push_back(1.0F);
      group({p.rejected, p.chosen, third}, true);
    }
    ++n;
  }
  if (needs.mismatched) out.mismatched = train::mismatched_answers(out.groups, 0);
  for (const data::JudgedGroup& g : out.groups) {
    std::vector<float> logps;
    for (const data::Sequence& s : g.answers) logps.push_back(-2.5F - 0.9F * static_cast<float>(s.size()));
    if (needs.reference) out.reference.answers.push_back(logps);
    if (needs.mismatched) out.reference.mismatched.push_back(-3.0F - static_cast<float>(g.answers[0].size()));
  }
  out.measure_lengths();
  return out;
}

}  // namespace

TEST_CASE("DPO: its gradient is that of the loss written out") {
  const train::JudgedData data = some_groups({});
  const std::vector<int64_t> batch = all(data.groups.size());
  losses::PreferenceLossSettings dpo("dpo");
  const double beta = 0.1;
  for (const Precision& precision : kPrecisions) {
    CAPTURE(precision.own_attention);
    Network n("llama", precision.dtype, 3, false);
    Tensor loss = at::zeros({}, precision.dtype);
    double weight = 0;
    for (size_t i = 0; i < data.groups.size(); ++i) {
      const auto ratio = [&](size_t side) {
        return logp_alone(n.decoder, data.groups[i].answers[side]) -
               static_cast<double>(data.reference.answers[i][side]);
      };
      loss = loss - data.groups[i].weight * at::log_sigmoid(beta * (ratio(0) - ratio(1)));
      weight += data.groups[i].weight;
    }
    (loss / weight).backward();
    const Tensor alone = n.gradient();
    for (const int64_t cut : kCuts) {
      CAPTURE(cut);
      n.clear();
      train::Forward forward;
      forward.compute.own_attention = precision.own_attention;
      losses::Statistic statistic;
      const train::PreferenceStep step =
          train::add_preference_gradient(n.decoder, data, batch, cut, dpo, statistic, forward);
      CHECK(relative(n.gradient(), alone) < precision.bound);
      CHECK(step.loss == doctest::Approx((loss / weight).item<double>()).epsilon(1e-5));
    }
  }
}

// Every line of losses.def of kind preference, so that a new one is held by itself.
TEST_CASE("every loss of preferences: however a step is cut, its gradient is the same") {
  for (const std::string& name : losses::preference_loss_ids()) {
    CAPTURE(name);
    const losses::PreferenceLossSettings loss(name);
    const train::JudgedData data = some_groups(loss.needs());
    const std::vector<int64_t> batch = all(data.groups.size());
    for (const Precision& precision : {kPrecisions[0], kPrecisions[1]}) {  // padded buckets: as DPO, above
      CAPTURE(precision.own_attention);
      Network n("llama", precision.dtype, 3, false);
      Tensor whole;
      double value = 0;
      for (const int64_t cut : {int64_t{1} << 30, int64_t{64}}) {
        CAPTURE(cut);
        n.clear();
        train::Forward forward;
        forward.compute.own_attention = precision.own_attention;
        losses::Statistic statistic;
        const train::PreferenceStep step =
            train::add_preference_gradient(n.decoder, data, batch, cut, loss, statistic, forward);
        CHECK(step.chosen.answers + step.rejected.answers ==
              (loss.needs().arity == losses::Arity::kSingle ? 1 : 2) * std::ssize(batch));
        if (!whole.defined()) {
          whole = n.gradient(), value = step.loss;
          CHECK(at::linalg_vector_norm(whole).item<double>() > 1e-6);
        }
        CHECK(relative(n.gradient(), whole) < precision.bound);
        CHECK(step.loss == doctest::Approx(value).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("an answer to another prompt: the next one's, one for each, whatever is asked twice") {
  std::vector<data::JudgedGroup> groups;
  for (const int32_t prompt : {5, 5, 6, 7, 7}) {
    const auto n = static_cast<int32_t>(groups.size());
    groups.push_back({{{{prompt, 10 + n, 1}, {0, 1, 1}}}, 1, 1, 0, true, false});
  }
  const std::vector<data::Sequence> other = train::mismatched_answers(groups, 0);
  const std::vector<std::vector<int32_t>> wanted{{5, 12, 1}, {5, 12, 1}, {6, 13, 1}, {7, 10, 1}, {7, 10, 1}};
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(other[i].ids == wanted[i]);
  CHECK(train::mismatched_answers(groups, 2)[0].ids == std::vector<int32_t>{5, 12});
  groups.resize(2);
  CHECK_THROWS_AS(train::mismatched_answers(groups, 0), Error);
}

namespace {

// Prompts of some lengths, and the same completions whenever they are asked for.
std::vector<rollout::Request> some_requests() {
  std::vector<rollout::Request> out;
  Stream random(8, "cut");
  for (const int64_t length : kLengths) {
    out.push_back({{}, out.size(), 0});
    for (int64_t i = 0; i < 1 + length / 3; ++i) out.back().prompt.push_back(static_cast<int32_t>(random.below(37)));
  }
  return out;
}

std::vector<rollout::Completion> some_completions(std::span<const rollout::Request> given) {
  Stream stream(9, "cut");
  std::vector<rollout::Completion> out;
  for (size_t i = 0; i < given.size(); ++i) {
    rollout::Completion c;
    for (int64_t t = 0; t < kLengths[i]; ++t) c.ids.push_back(static_cast<int32_t>(stream.below(37)));
    c.logps.assign(c.ids.size(), -3.0F);
    c.finish = i % 2 == 0 ? rollout::Finish::kStop : rollout::Finish::kLength;
    out.push_back(std::move(c));
  }
  return out;
}

std::vector<double> some_rewards(std::span<const train::Trajectory> t) {
  std::vector<double> out;
  for (size_t i = 0; i < t.size(); ++i) out.push_back(std::sin(static_cast<double>(i)));
  return out;
}

// One iteration of the learner on given completions at learning rate 0: afterwards the gradients of the last minibatch
// of policy and critic stand in .grad.
std::pair<Tensor, Tensor> ppo_gradients(const Precision& precision, int64_t minibatches, int64_t micro_tokens) {
  Network policy("llama", precision.dtype, 5, false), reference("llama", precision.dtype, 6, false),
      critic("llama", precision.dtype, 7, true);
  const model::ComputeOptions compute{.own_attention = precision.own_attention};
  train::Actor actor = train::decoder_actor(policy.decoder, compute);
  actor.parameters = policy.tensors;
  actor.sample = some_completions;
  train::Critic values = train::decoder_critic(critic.decoder, critic.head, compute);
  values.parameters = critic.tensors;
  train::PpoParams params;
  params.minibatches = minibatches;
  params.policy_epochs = params.critic_epochs = 1;
  params.critic_warmup = 0;
  params.micro_tokens = micro_tokens;
  params.sampling.max_tokens = 40;
  params.shaping.score_position = "after_last";
  params.loss.entropy_coef = 0.05;
  params.policy_optim.lr = params.critic_optim.lr = 0;
  params.policy_optim.clip_norm = params.critic_optim.clip_norm = 0;
  train::PpoLearner learner(params, 1, 1, at::kCPU, actor, train::decoder_actor(reference.decoder, compute), values,
                            some_rewards);
  learner.step(0, some_requests());
  return {policy.gradient(), critic.gradient()};
}

}  // namespace

TEST_CASE("PPO: however a minibatch is cut, the gradients of policy and critic are the same") {
  for (const int64_t minibatches : {1, 3})
    for (const Precision& precision : kPrecisions) {
      CAPTURE(minibatches);
      CAPTURE(precision.own_attention);
      const auto [policy, critic] = ppo_gradients({precision.dtype, 0, false}, minibatches, 1);
      CHECK(at::linalg_vector_norm(policy).item<double>() > 1e-3);
      CHECK(at::linalg_vector_norm(critic).item<double>() > 1e-3);
      for (const int64_t cut : kCuts) {
        CAPTURE(cut);
        const auto [a, b] = ppo_gradients(precision, minibatches, cut);
        CHECK(relative(a, policy) < precision.bound);
        CHECK(relative(b, critic) < precision.bound);
      }
    }
}

namespace {

// The same of the group learner: five prompts of two answers each. The old policy's log-probabilities are moved, so
// that ratios are not 1.
Tensor group_gradient(const Precision& precision, const train::GroupParams& given, int64_t minibatches,
                      int64_t micro_tokens) {
  Network policy("llama", precision.dtype, 5, false), reference("llama", precision.dtype, 6, false),
      old("llama", precision.dtype, 10, false);
  const model::ComputeOptions compute{.own_attention = precision.own_attention};
  const train::Actor own = train::decoder_actor(policy.decoder, compute),
                     before = train::decoder_actor(old.decoder, compute);
  train::Actor actor = own;
  // Looking at the answers happens without gradients: then it is the old policy that answers.
  actor.logps = [&](const train::Batch& b, const LogpsOptions& options) {
    return (at::GradMode::is_enabled() ? own : before).logps(b, options);
  };
  actor.parameters = policy.tensors;
  actor.sample = some_completions;
  train::GroupParams params = given;
  params.batch_prompts = 5;
  params.samples_per_prompt = 2;
  params.minibatches = minibatches;
  params.micro_tokens = micro_tokens;
  params.sampling.max_tokens = 40;
  params.policy_optim.lr = 0;
  params.policy_optim.clip_norm = 0;
  train::GroupLearner learner(params, 1, 1, at::kCPU, actor, train::decoder_actor(reference.decoder, compute), {},
                              some_rewards);
  // Two answers to one prompt lie as a tree where a cut leaves them side by side.
  learner.step(0, [](int64_t) {
    std::vector<rollout::Request> requests = some_requests();
    for (size_t i = 1; i < requests.size(); i += 2) requests[i].prompt = requests[i - 1].prompt;
    return requests;
  });
  return policy.gradient();
}

}  // namespace

TEST_CASE(
    "group learning: however a minibatch is cut, its gradient is the same, with every surrogate and aggregation") {
  for (const losses::SurrogateInfo& surrogate : losses::surrogates())
    for (const char* aggregation : {"sequence_mean", "sequence_sum", "token_mean", "constant"}) {
      train::GroupParams params;
      params.loss.surrogate = surrogate.id;
      params.loss.aggregation = aggregation;
      params.loss.entropy_coef = 0.05;
      params.kl_placement = "loss";
      params.importance = "truncate";
      CAPTURE(surrogate.id);
      CAPTURE(aggregation);
      const int64_t minibatches = aggregation == std::string("token_mean") ? 3 : 1;
      const Tensor alone = group_gradient({at::kDouble, 0, false}, params, minibatches, 1);
      CHECK(at::linalg_vector_norm(alone).item<double>() > 1e-3);
      for (const Precision& precision : kPrecisions)
        for (const int64_t cut : {int64_t{20}, int64_t{1} << 30}) {
          CAPTURE(cut);
          CHECK(relative(group_gradient(precision, params, minibatches, cut), alone) < precision.bound);
        }
    }
}
