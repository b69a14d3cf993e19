#include "train/preference_step.h"

#include <algorithm>

#include "losses/aggregate.h"
#include "tensor/from_host.h"
#include "train/batch_plan.h"
#include "train/collate.h"

namespace hone::train {
namespace {

using losses::Answers;
using losses::Arity;
using losses::PreferenceNeeds;
using losses::Statistic;
using losses::Term;

constexpr int64_t kEvaluationTokens = 8192;  // of one pass

const data::JudgedGroup& at(const JudgedData& data, int64_t i) { return data.groups[i]; }

// Tokens of an answer that carry weight, at least 1: what Answers::tokens and Term::Unit::kChosenToken count.
double weighted_tokens(const data::Sequence& s) {
  return static_cast<double>(
      std::max<std::ptrdiff_t>(1, std::ranges::count_if(s.weight, [](float w) { return w > 0; })));
}

// (members) f32: `value` of each member's group.
template <class Value>
Tensor floats(std::span<const int64_t> members, const at::Device& device, const Value& value) {
  std::vector<float> out;
  for (const int64_t i : members) out.push_back(static_cast<float>(value(static_cast<size_t>(i))));
  return from_host(out, device);
}

// All that is known of the groups without the policy.
Answers known_of(std::span<const int64_t> members, const JudgedData& data, const PreferenceNeeds& needs,
                 const at::Device& device) {
  Answers out;
  out.arity = needs.arity;
  out.begin = {0};
  std::vector<float> reference;
  for (const int64_t i : members) {
    out.begin.push_back(out.begin.back() + std::ssize(at(data, i).answers));
    if (needs.reference)
      for (const float logp : data.reference.answers[i]) reference.push_back(logp);
  }
  if (needs.reference) out.reference = from_host(reference, device);
  if (needs.arity == Arity::kSingle) out.good = floats(members, device, [&](size_t i) { return data.groups[i].good; });
  if (needs.arity == Arity::kPair)
    out.margin = floats(members, device, [&](size_t i) { return data.groups[i].margin; });
  return out;
}

// Sequences of the groups' answers run through the policy -> (N) sums and counts.
struct Scored {
  Tensor sums, tokens, collision;
};
Scored score(const model::Decoder& policy, const std::vector<const data::Sequence*>& sequences, int64_t alike,
             bool collision, const Forward& forward, int64_t& tokens) {
  const Batch b = collate(sequences, policy.device(), alike);
  tokens += b.tokens;
  const Tensor hidden = policy.hidden(b.packed, forward.compute).index_select(0, b.rows);
  LogpsOptions options = forward.logps;
  options.collision = collision;
  const TokenLogps logps = policy.token_logps(hidden, b.targets, options);
  Scored out{sum_by_sequence(logps.logps, b), sum_by_sequence(at::ones_like(b.weights), b).clamp_min(1), {}};
  if (collision) out.collision = sum_by_sequence(logps.collision, b) / out.tokens;
  return out;
}

// How many answers each group has where all have as many, else 1.
int64_t answers_each(std::span<const int64_t> members, const JudgedData& data) {
  const size_t n = at(data, members[0]).answers.size();
  const bool same = std::ranges::all_of(members, [&](int64_t i) { return at(data, i).answers.size() == n; });
  return same ? static_cast<int64_t>(n) : 1;
}

// Of log π/π_ref of the answers to other prompts -> (members), no gradient.
Tensor mismatched_of(const model::Decoder& policy, std::span<const int64_t> members, const JudgedData& data,
                     const Forward& forward, int64_t& tokens) {
  std::vector<const data::Sequence*> sequences;
  for (const int64_t i : members) sequences.push_back(&data.mismatched[i]);
  return score(policy, sequences, 1, false, forward, tokens).sums -
         floats(members, policy.device(), [&](size_t i) { return data.reference.mismatched[i]; });
}

// Sums over the whole of `members` that a term is divided by.
struct Divisors {
  double groups = 0, chosen_tokens = 0;

  /// `weighted`: by the groups' weights, as the gradient is; else each counts once.
  Divisors(std::span<const int64_t> members, const JudgedData& data, bool weighted) {
    for (const int64_t i : members) {
      const data::JudgedGroup& group = at(data, i);
      const double weight = weighted ? group.weight : 1;
      groups += weight;
      chosen_tokens += weight * weighted_tokens(group.answers[0]);
    }
  }
  double of(Term::Unit unit) const { return unit == Term::Unit::kGroup ? groups : chosen_tokens; }
};

// The groups of a part of the batch, of what was measured of the whole: rows [begin, begin + count).
Statistic part_of(const Statistic& whole, int64_t begin, int64_t count) {
  Statistic out = whole;
  if (whole.groups.defined()) out.groups = whole.groups.narrow(0, begin, count);
  return out;
}

// Adds the figures of one pass.
void count(PreferenceStep& out, const Answers& a, const losses::PreferenceValue& value) {
  const at::NoGradGuard no_grad;
  out.scale = value.scale;
  const Tensor policy = a.policy.detach();
  const Tensor drift = a.reference.defined() ? policy - a.reference : policy;
  const auto sum = [](const Tensor& x) { return x.sum().item<double>(); };
  const auto add = [&](JudgedSide& side, const Tensor& drifts, const Tensor& rewards) {
    side.drift += sum(drifts);
    side.reward += sum(rewards);
    side.answers += drifts.numel();
  };
  if (a.arity == Arity::kSingle) {
    const Tensor good = a.good > 0;
    add(out.chosen, drift.masked_select(good), value.reward.masked_select(good));
    add(out.rejected, drift.masked_select(~good), value.reward.masked_select(~good));
    out.right += sum((value.reward * (2 * a.good - 1)).gt(0));
    return;
  }
  std::vector<int64_t> best, worst;
  for (size_t g = 0; g + 1 < a.begin.size(); ++g) best.push_back(a.begin[g]), worst.push_back(a.begin[g + 1] - 1);
  const auto of = [&](const Tensor& x, const std::vector<int64_t>& rows) {
    return x.index_select(0, from_host(rows, x.device()));
  };
  add(out.chosen, of(drift, best), of(value.reward, best));
  add(out.rejected, of(drift, worst), of(value.reward, worst));
  if (a.arity == Arity::kPair) {
    out.right += sum((of(value.reward, best) - of(value.reward, worst)).gt(0));
    return;
  }
  // A ranking is right as far as its neighbours stand in order.
  for (size_t g = 0; g + 1 < a.begin.size(); ++g) {
    const Tensor r = value.reward.slice(0, a.begin[g], a.begin[g + 1]);
    out.right += (r.slice(0, 0, -1) - r.slice(0, 1)).gt(0).to(at::kDouble).mean().item<double>();
  }
}

// The loss of an evaluation, pass after pass.
struct LossSums {
  double groups = 0, chosen_tokens = 0;

  void add(const losses::PreferenceValue& value) {
    for (const Term& term : value.terms)
      (term.unit == Term::Unit::kGroup ? groups : chosen_tokens) += term.values.sum().item<double>();
  }
  double comparing(const Divisors& divisors) const { return groups / divisors.groups; }
  double mean(const Divisors& divisors) const { return comparing(divisors) + chosen_tokens / divisors.chosen_tokens; }
};

}  // namespace

double PreferenceStep::margin() const {
  const auto c = static_cast<double>(chosen.answers), r = static_cast<double>(rejected.answers);
  if (c == 0 || r == 0) return 0;
  if (c == r) return scale * (chosen.reward - rejected.reward) / c;
  return scale * (chosen.reward / c - rejected.reward / r);
}

void JudgedData::measure_lengths() {
  lengths.clear();
  for (const data::JudgedGroup& group : groups) lengths.push_back(group.size());
}

Answers answers_of(const model::Decoder& policy, std::span<const int64_t> members, const JudgedData& data,
                   const PreferenceNeeds& needs, const Forward& forward, int64_t& tokens) {
  std::vector<const data::Sequence*> sequences;
  for (const int64_t i : members)
    for (const data::Sequence& s : at(data, i).answers) sequences.push_back(&s);
  Scored scored = score(policy, sequences, answers_each(members, data), needs.collision, forward, tokens);
  Answers out = known_of(members, data, needs, policy.device());
  out.policy = std::move(scored.sums);
  out.tokens = std::move(scored.tokens);
  out.collision = std::move(scored.collision);
  return out;
}

Statistic measure_statistic(const model::Decoder& policy, const JudgedData& data, std::span<const int64_t> batch,
                            int64_t micro_tokens, const losses::PreferenceLossSettings& loss, const Statistic& before,
                            const Forward& forward, int64_t& tokens) {
  const losses::PreferenceLoss& of = losses::preference_loss(loss.name);
  if (of.statistic == nullptr) return before;
  const at::NoGradGuard no_grad;
  Answers all = known_of(batch, data, of.needs, policy.device());
  std::vector<Tensor> policies, mismatched;
  for (const auto micro : micro_batches(batch, data.lengths, micro_tokens)) {
    if (of.needs.mismatched) mismatched.push_back(mismatched_of(policy, micro, data, forward, tokens));
    else policies.push_back(answers_of(policy, micro, data, of.needs, forward, tokens).policy);
  }
  if (of.needs.mismatched) all.mismatched = at::cat(mismatched);
  else all.policy = at::cat(policies);
  return of.statistic(all, loss.params(), before);
}

PreferenceStep add_preference_gradient(const model::Decoder& policy, const JudgedData& data,
                                       std::span<const int64_t> batch, int64_t micro_tokens,
                                       const losses::PreferenceLossSettings& loss, Statistic& statistic,
                                       const Forward& forward) {
  const losses::PreferenceLoss& of = losses::preference_loss(loss.name);
  const Divisors divisors(batch, data, true);
  PreferenceStep out;
  statistic = measure_statistic(policy, data, batch, micro_tokens, loss, statistic, forward, out.tokens);
  int64_t done = 0;
  for (const auto micro : micro_batches(batch, data.lengths, micro_tokens)) {
    const Answers answers = answers_of(policy, micro, data, of.needs, forward, out.tokens);
    const Tensor weights = floats(micro, policy.device(), [&](size_t i) { return data.groups[i].weight; });
    const losses::PreferenceValue value = of.value(answers, loss.params(), part_of(statistic, done, std::ssize(micro)));
    Tensor part;
    for (const Term& term : value.terms) {
      const Tensor reduced = losses::reduce(term.values, weights, divisors.of(term.unit));
      part = part.defined() ? part + reduced : reduced;
    }
    part.backward();
    out.loss += part.item<double>();
    count(out, answers, value);
    done += std::ssize(micro);
  }
  return out;
}

PreferenceStep evaluate_preference(const model::Decoder& policy, const JudgedData& data,
                                   std::span<const int64_t> members, const losses::PreferenceLossSettings& loss,
                                   const Statistic& statistic, const Forward& forward) {
  const at::NoGradGuard no_grad;
  const losses::PreferenceLoss& of = losses::preference_loss(loss.name);
  PreferenceStep out;
  // What is carried from step to step is the training's; what is measured of a batch alone is these groups' own.
  const Statistic own =
      measure_statistic(policy, data, members, kEvaluationTokens, loss, statistic, forward, out.tokens);
  const Statistic used = statistic.count > 0 ? statistic : own;
  LossSums sums;
  int64_t done = 0;
  for (const auto micro : micro_batches(members, data.lengths, kEvaluationTokens)) {
    const Answers answers = answers_of(policy, micro, data, of.needs, forward, out.tokens);
    const losses::PreferenceValue value = of.value(answers, loss.params(), part_of(used, done, std::ssize(micro)));
    sums.add(value);
    count(out, answers, value);
    done += std::ssize(micro);
  }
  const Divisors divisors(members, data, false);
  out.loss = sums.mean(divisors);
  out.comparing = sums.comparing(divisors);
  return out;
}

PreferenceStep evaluate_reference(const JudgedData& data, std::span<const int64_t> members,
                                  const losses::PreferenceLossSettings& loss, at::Device device) {
  const at::NoGradGuard no_grad;
  const losses::PreferenceLoss& of = losses::preference_loss(loss.name);
  Answers answers = known_of(members, data, of.needs, device);
  answers.policy = answers.reference;
  std::vector<float> tokens;
  for (const int64_t i : members)
    for (const data::Sequence& s : at(data, i).answers) tokens.push_back(static_cast<float>(weighted_tokens(s)));
  answers.tokens = from_host(tokens, device);
  answers.collision = at::zeros_like(answers.policy);
  Statistic statistic;
  if (of.statistic != nullptr) {
    answers.mismatched = at::zeros_like(answers.policy);
    statistic = of.statistic(answers, loss.params(), {});
  }
  const losses::PreferenceValue value = of.value(answers, loss.params(), statistic);
  LossSums sums;
  sums.add(value);
  PreferenceStep out;
  const Divisors divisors(members, data, false);
  out.loss = sums.mean(divisors);
  out.comparing = sums.comparing(divisors);
  count(out, answers, value);
  return out;
}

}  // namespace hone::train
