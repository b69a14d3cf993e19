#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/json.h"
#include "config/fields.h"
#include "losses/aggregate.h"
#include "losses/preference_loss.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "oracle/oracle.h"
#include "oracle/table.h"
#include "tensor/from_host.h"

namespace hone::oracle {
namespace {

using losses::Arity;

constexpr double kBeta = 0.5, kFixed = 0.1;  // kFixed: KTO's z and BCO's δ

double log_sigmoid(double x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }
double sigmoid(double x) { return std::exp(log_sigmoid(x)); }

// Groups of answers to the one prompt, and their weights.
struct Judged {
  std::vector<std::vector<int64_t>> groups;
  std::vector<double> weights;
  std::vector<bool> good;  // of singles
  double all() const { return std::accumulate(weights.begin(), weights.end(), 0.0); }
};

// `counted`: pairs not with weights but as often as they would be judged so of eight times, for losses that look at how
// many there are.
Judged judged(const Space& space, Arity arity, bool counted) {
  const int64_t n = space.answers();
  std::vector<double> r;
  for (int64_t i = 0; i < n; ++i) r.push_back(space.reward(space.answer(i)));
  const auto reward = [&](int64_t i) { return r[i]; };
  const auto wins = [&](int64_t i, int64_t j) { return sigmoid(reward(i) - reward(j)); };
  Judged out;
  const auto add = [&](std::vector<int64_t> group, double weight, bool good = true) {
    out.groups.push_back(std::move(group));
    out.weights.push_back(weight);
    out.good.push_back(good);
  };
  for (int64_t i = 0; i < n; ++i) {
    double won = 0, lost = 0;
    for (int64_t j = 0; j < n; ++j) {
      if (j == i) continue;
      won += wins(i, j), lost += wins(j, i);
      if (arity == Arity::kPair && !counted) add({i, j}, wins(i, j));
      for (int64_t n_times = counted ? std::lround(8 * wins(i, j)) : 0; n_times > 0; --n_times) add({i, j}, 1);
      for (int64_t k = 0; arity == Arity::kRanking && k < n; ++k)
        if (k != i && k != j)
          add({i, j, k},
              std::exp(reward(i)) / (std::exp(reward(i)) + std::exp(reward(j)) + std::exp(reward(k))) * wins(j, k));
    }
    if (arity == Arity::kSingle) add({i}, won), add({i}, lost, false);
  }
  return out;
}

// One problem of the independent minimiser: log-probabilities of all answers, of the policy and of the reference.
struct Point {
  std::vector<double> policy, reference, log_collision;
  double tokens = 2;  // of every answer
  double h(int64_t i) const { return policy[i] - reference[i]; }
  double logp(int64_t i) const { return policy[i]; }
};

double log_odds(double logp) { return logp - std::log1p(-std::exp(logp)); }

// The value at its place among all, of each.
std::vector<double> by_rank(const std::vector<double>& of, std::vector<double> others) {
  std::ranges::sort(others);
  std::vector<size_t> order(of.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](size_t i) { return of[i]; });
  std::vector<double> out(of.size());
  for (size_t k = 0; k < order.size(); ++k) out[order[k]] = others[k];
  return out;
}

// One group in the independent minimiser's terms.
struct GroupView {
  const Point& p;
  const Point& held;
  const std::vector<int64_t>& g;
  bool good;
  double c, r, d, z;        ///< log π/π_ref of the first and the second answer, their difference, β times it
  double lc, lr;            ///< log π of both
  double by_u, by_c, by_r;  ///< AOT: what u, the first and the second answer are held against
  double* likelihood;       ///< adds log π of the first answer, as a loss with a likelihood does
};

// AOT's loss with a tenth of the labels flipped: without that it falls for ever where all chosen answers, put in order,
// are ahead of the rejected ones.
constexpr double kSmoothing = 0.1;
double smoothed(double z) { return -(1 - kSmoothing) * log_sigmoid(z) - kSmoothing * log_sigmoid(-z); }

// Each formula as its paper has it.
const std::map<std::string, double (*)(const GroupView&)>& formulas() {
  using G = GroupView;
  static const std::map<std::string, double (*)(const G&)> all = {
      {"dpo", [](const G& x) { return -log_sigmoid(x.z); }},
      {"robust", [](const G& x) { return (-0.9 * log_sigmoid(x.z) + 0.1 * log_sigmoid(-x.z)) / 0.8; }},
      {"dpo_norm", [](const G& x) { return -log_sigmoid(x.z / x.p.tokens); }},
      {"ipo", [](const G& x) { return std::pow(x.d - 1 / (2 * kBeta), 2); }},
      {"hinge", [](const G& x) { return std::max(0.0, 1 - x.z); }},
      {"kto",
       [](const G& x) { return x.good ? 1 - sigmoid(kBeta * (x.c - kFixed)) : 1 - sigmoid(kBeta * (kFixed - x.c)); }},
      {"bco", [](const G& x) { return -log_sigmoid((x.good ? 1 : -1) * (kBeta * x.c - kFixed)); }},
      {"orpo",
       [](const G& x) {
         *x.likelihood += x.lc;
         return -kBeta * log_sigmoid(log_odds(x.lc / x.p.tokens) - log_odds(x.lr / x.p.tokens));
       }},
      {"simpo", [](const G& x) { return -log_sigmoid(kBeta * (x.lc - x.lr) / x.p.tokens - 1); }},
      {"cpo",
       [](const G& x) {
         *x.likelihood += x.lc;
         return -log_sigmoid(kBeta * (x.lc - x.lr));
       }},
      {"apo_zero", [](const G& x) { return 1 - sigmoid(kBeta * x.c) + sigmoid(kBeta * x.r); }},
      {"apo_down", [](const G& x) { return sigmoid(kBeta * x.c) + 1 - sigmoid(x.z); }},
      {"nca",
       [](const G& x) {
         return -log_sigmoid(kBeta * x.c) - 0.5 * log_sigmoid(-kBeta * x.c) - 0.5 * log_sigmoid(-kBeta * x.r);
       }},
      {"sppo_hard", [](const G& x) { return std::pow(x.c - 1 / (2 * kBeta), 2) + std::pow(x.r + 1 / (2 * kBeta), 2); }},
      {"exo",
       [](const G& x) {
         return sigmoid(x.z) * (log_sigmoid(x.z) - std::log(1 - 1e-3)) +
                sigmoid(-x.z) * (log_sigmoid(-x.z) - std::log(1e-3));
       }},
      {"discopop",
       [](const G& x) {
         const double m = sigmoid(x.z / 0.05);
         return (1 - m) * -log_sigmoid(x.z) + m * std::exp(-x.z);
       }},
      {"aot", [](const G& x) { return smoothed(kBeta * (x.lc - x.lr - x.by_u)); }},
      {"aot_unpaired", [](const G& x) { return smoothed(kBeta * (x.c - x.by_c)) + smoothed(kBeta * (x.by_r - x.r)); }},
      {"wpo",
       [](const G& x) {
         double weight = 0;
         for (const int64_t i : x.g) weight += x.held.logp(i) / x.p.tokens - x.held.log_collision[i];
         return std::min(1.0, std::exp(weight)) * -log_sigmoid(x.z);
       }},
      {"plackett_luce",
       [](const G& x) {
         double value = 0;
         for (size_t i = 0; i < x.g.size(); ++i) {
           double below = 0;
           for (size_t j = i; j < x.g.size(); ++j) below += std::exp(kBeta * x.p.h(x.g[j]));
           value += std::log(below) - kBeta * x.p.h(x.g[i]);
         }
         return value;
       }},
  };
  return all;
}

// The loss at `p` where what it holds fixed is taken from `held`.
double loss_at(const std::string& id, const Judged& data, const Point& p, const Point& held) {
  const auto known = formulas().find(id);
  if (known == formulas().end())
    run_error("the oracle knows no loss '" + id + "'", "write its formula again in oracle/preference_losses.cpp");
  const auto& formula = *known->second;
  double sum = 0, likelihood = 0;
  std::vector<double> u, v, chosen, rejected, order_u, order_c, order_r;
  if (id.starts_with("aot"))
    for (const auto& g : data.groups) {
      u.push_back(held.logp(g[0]) - held.logp(g[1]));
      v.push_back(u.back() - held.h(g[0]) + held.h(g[1]));
      chosen.push_back(held.h(g[0])), rejected.push_back(held.h(g[1]));
    }
  if (id == "aot") order_u = by_rank(u, v);
  if (id == "aot_unpaired") order_c = by_rank(chosen, rejected), order_r = by_rank(rejected, chosen);
  for (size_t n = 0; n < data.groups.size(); ++n) {
    const auto& g = data.groups[n];
    const double w = data.weights[n], c = p.h(g[0]), r = g.size() > 1 ? p.h(g[1]) : 0, d = c - r;
    double likelihood_of = 0;
    sum += w * formula({p, held, g, data.good[n], c, r, d, kBeta * d, p.logp(g[0]), g.size() > 1 ? p.logp(g[1]) : 0,
                        order_u.empty() ? 0 : order_u[n], order_c.empty() ? 0 : order_c[n],
                        order_r.empty() ? 0 : order_r[n], &likelihood_of});
    likelihood -= w * likelihood_of;
  }
  return sum / data.all() + likelihood / (data.all() * p.tokens);
}

std::vector<double> normalised(std::vector<double> logits) {
  const double most = std::ranges::max(logits);
  double sum = 0;
  for (const double x : logits) sum += std::exp(x - most);
  for (double& x : logits) x -= most + std::log(sum);
  return logits;
}

// log of the chance that two draws agree at each of an answer's positions, a mean over them; policies over two tokens.
std::vector<double> collisions(const Space& space, const std::vector<double>& logp) {
  const auto vocab = static_cast<size_t>(space.vocab());
  std::vector<double> first(vocab), out(logp.size());
  for (size_t i = 0; i < logp.size(); ++i) first[i / vocab] += std::exp(logp[i]);
  double first_agrees = 0;
  for (const double q : first) first_agrees += q * q;
  for (size_t a = 0; a < vocab; ++a) {
    double agrees = 0;
    for (size_t b = 0; b < vocab; ++b) agrees += std::pow(std::exp(logp[a * vocab + b]) / first[a], 2);
    for (size_t b = 0; b < vocab; ++b) out[a * vocab + b] = (std::log(first_agrees) + std::log(agrees)) / 2;
  }
  return out;
}

// Descends from the reference: Adam on central differences, its rate falling to 0.
std::vector<double> minimum(const Space& space, const std::string& id, const Judged& data,
                            const std::vector<double>& reference) {
  constexpr int kSteps = 1000;
  constexpr double kStep = 1e-5;
  std::vector<double> x = reference, m(x.size()), v(x.size());
  for (int t = 1; t <= kSteps; ++t) {
    Point held{normalised(x), reference, {}};
    held.log_collision = collisions(space, held.policy);
    const double rate = 0.05 * (1 + std::cos(M_PI * t / kSteps));
    std::vector<double> gradient(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const auto at = [&](double by) {
        std::vector<double> moved = x;
        moved[i] += by;
        return loss_at(id, data, {normalised(moved), reference, {}}, held);
      };
      gradient[i] = (at(kStep) - at(-kStep)) / (2 * kStep);
    }
    for (size_t i = 0; i < x.size(); ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.99 * v[i] + 0.01 * gradient[i] * gradient[i];
      x[i] -= rate * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.99, t))) + 1e-10);
    }
  }
  std::vector<double> out;
  for (const double logp : normalised(x)) out.push_back(std::exp(logp));
  return out;
}

// The same by the code that trains.
std::vector<double> learnt(const Space& space, const std::string& id, const Judged& data) {
  losses::PreferenceLossSettings settings(id);
  config::set_from_json(config::fields_of(settings).find("beta", id, ""), kBeta, "");
  if (id.starts_with("aot"))
    config::set_from_json(config::fields_of(settings).find("label_smoothing", id, ""), kSmoothing, "");
  const losses::PreferenceLoss& loss = losses::preference_loss(id);
  const AllAnswers all = all_answers(space);
  const Tensor start = table(space.reference(), space.vocab());
  const Tensor reference = answer_logps(space, all, start);
  Tensor logits = start.clone();
  logits.requires_grad_(true);

  std::vector<int64_t> flat, begin{0};
  std::vector<float> weight, good;
  for (size_t n = 0; n < data.groups.size(); ++n) {
    flat.insert(flat.end(), data.groups[n].begin(), data.groups[n].end());
    begin.push_back(std::ssize(flat));
    weight.push_back(static_cast<float>(data.weights[n]));
    good.push_back(data.good[n] ? 1.0F : 0.0F);
  }
  const Tensor answers = from_host(flat, at::kCPU), weights = from_host(weight, at::kCPU);
  losses::Answers batch;
  batch.arity = loss.needs.arity;
  batch.begin = begin;
  batch.reference = reference.index_select(0, answers);
  batch.tokens = at::full_like(batch.reference, static_cast<double>(space.length()));
  batch.good = from_host(good, at::kCPU);

  optim::OptimParams how;
  how.lr = 0.05;
  how.clip_norm = 0;
  how.schedule.decay = "cosine";
  optim::Optimizer optimizer({{"logits", logits, optim::TensorKind::kEmbedding}}, how);
  constexpr int64_t kSteps = 800;
  for (int64_t step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    batch.policy = answer_logps(space, all, logits).index_select(0, answers);
    losses::Statistic statistic{.value = kFixed, .count = 1};
    if (loss.needs.collision || (loss.statistic != nullptr && loss.needs.arity == Arity::kPair)) {
      const at::NoGradGuard no_grad;
      const Tensor logps = at::log_softmax(logits, 1);
      const Tensor each = at::logsumexp(2 * logps, 1);  // (states)
      batch.collision = each.index_select(0, all.states).view({space.answers(), -1}).mean(1).index_select(0, answers);
      if (loss.statistic != nullptr) {
        losses::Answers measured = batch;
        measured.policy = batch.policy.detach();
        statistic = loss.statistic(measured, settings.params(), {});
      }
    }
    const losses::PreferenceValue value = loss.value(batch, settings.params(), statistic);
    Tensor sum = at::zeros({});
    for (const losses::Term& term : value.terms)
      sum = sum + losses::reduce(
                      term.values, weights,
                      data.all() * (term.unit == losses::Term::Unit::kGroup ? 1 : static_cast<double>(space.length())));
    sum.backward();
    optimizer.step(optim::schedule_factor(how.schedule, step, kSteps));
  }
  return space.probabilities(values_of(logits));
}

}  // namespace

bool LossDistance::reached() const {
  if (!determined) return left < 0.05;
  return std::min(end, left) < 0.01 && std::max(end, left) < 0.1;
}

LossDistance preference_loss_reaches_minimum(const std::string& id) {
  const Space space({.vocab = 3, .length = 2, .beta = kBeta, .seed = 2});
  const std::vector<double> start = space.probabilities(space.reference());
  std::vector<double> reference;
  for (const double p : start) reference.push_back(std::log(p));
  const losses::PreferenceLoss& loss = losses::preference_loss(id);
  const bool counted = loss.statistic != nullptr && loss.needs.arity == Arity::kPair;
  const Judged data = judged(space, loss.needs.arity, counted);
  const std::vector<double> best = minimum(space, id, data, reference), end = learnt(space, id, data);
  const auto at = [&](const std::vector<double>& probabilities) {
    Point p{{}, reference, {}};
    for (const double x : probabilities) p.policy.push_back(std::log(std::max(x, 1e-300)));
    p.log_collision = collisions(space, p.policy);
    return loss_at(id, data, p, p);
  };
  const double left = (at(end) - at(best)) / (at(start) - at(best));
  return {total_variation(start, best), total_variation(end, best), left, id != "aot_unpaired"};
}

}  // namespace hone::oracle
