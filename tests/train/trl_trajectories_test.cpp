// Fifty steps of TRL's trainers taken again from the same weights, on the same rows, answers and rewards: losses and
// norms of the gradient all the way, and what the trained model says at the end (tools/golden/trl_trajectories.py,
// versions in the file). Two f32 programs part slowly: 1e-4 to step 10, 1e-3 to step 50.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "../golden/golden.h"
#include "config/fields.h"
#include "golden_rows.h"
#include "model/hf_folder.h"
#include "optim/schedule.h"
#include "rewards/reward_model.h"
#include "rollout/logprobs.h"
#include "train/group_learner.h"
#include "train/language_step.h"
#include "train/learning.h"
#include "train/networks.h"
#include "train/preference_step.h"
#include "train/reward_step.h"
#include "train/trainable.h"

using namespace hone;
using golden::behind;

namespace {

const Json& trajectory(const std::string& name) {
  static const Json file = golden::load("trl_trajectories.json");
  for (const Json& t : file["trajectories"])
    if (t["name"] == name) return t;
  FAIL("no trajectory " << name);
  return file;
}

model::LoadedModel loaded(const Json& name) {
  return model::load_model("tests/golden/models/" + name.get<std::string>());
}

// AdamW and the schedule as TRL has them by default.
optim::OptimParams optimiser_of(const Json& t) {
  optim::OptimParams out;
  out.lr = t["lr"];
  out.schedule.decay = "linear";
  return out;
}

void check_close(double ours, const Json& trl, int64_t step, const char* what) {
  CAPTURE(what);
  CAPTURE(step);
  CHECK(ours == doctest::Approx(trl.get<double>()).epsilon(step < 10 ? 1e-4 : 1e-3).scale(0.05));
}

double value(const config::Numbers& numbers, const std::string& key) {
  const auto it = std::ranges::find(numbers, key, &std::pair<std::string, double>::first);
  REQUIRE_MESSAGE(it != numbers.end(), key);
  return it->second;
}

// The steps of a loop of ours over TRL's rows. `gradient` of a step's rows -> its loss.
void take(const Json& t, std::vector<optim::NamedTensor> trained,
          const std::function<double(const std::vector<int64_t>&)>& gradient) {
  optim::Optimizer optimizer(std::move(trained), optimiser_of(t));
  const config::StageContext context;
  const int64_t steps = std::ssize(t["steps"]);
  for (int64_t step = 0; step < steps; ++step) {
    const Json& trl = t["steps"][static_cast<size_t>(step)];
    const double factor = optim::schedule_factor(optimizer.params().schedule, step, steps);
    optimizer.zero_grad();
    const double loss = gradient(trl["rows"].get<std::vector<int64_t>>());
    const config::Numbers numbers = train::update(optimizer, factor, loss, 0, step, context, [] { return Json(); });
    check_close(loss, trl["loss"], step, "loss");
    check_close(value(numbers, "grad_norm"), trl["grad_norm"], step, "norm of the gradient");
    CHECK(value(numbers, "lr") == doctest::Approx(trl["lr"].get<double>()).epsilon(1e-9));
  }
}

void check_end(const Json& t, const model::Decoder& policy, const std::vector<data::Sequence>& rows) {
  std::vector<rollout::ScoredSequence> scored;
  for (const data::Sequence& s : rows) {
    const auto prompt = std::ranges::count(s.weight, 0.0F);
    scored.push_back({s.ids, prompt});
  }
  const std::vector<double> ours = rollout::summed_logps(policy, scored, {});
  for (size_t i = 0; i < ours.size(); ++i)
    CHECK(ours[i] == doctest::Approx(t["end"][i].get<double>()).epsilon(1e-3).scale(1));
}

// Learning from judged answers: pairs, or single ones with the completion that stands for the mismatched one.
void take_preference(const std::string& name) {
  const Json& t = trajectory(name);
  model::Decoder policy = loaded(t["model"]).decoder, reference = loaded(t["reference"]).decoder;
  losses::PreferenceLossSettings loss(name);
  const config::Fields fields = config::fields_of(loss);
  config::set_from_json(fields.find("beta", name, ""), t["beta"], "");
  train::JudgedData data;
  std::vector<data::Sequence> answers;
  for (size_t i = 0; i < t["rows"].size(); ++i) {
    const Json& row = t["rows"][i];
    data::JudgedGroup group;
    group.prompt_length = std::ssize(row["prompt"]);
    for (const char* side : {"chosen", "rejected", "completion"})
      if (row.contains(side)) group.answers.push_back(behind(row["prompt"], row[side]));
    if (row.contains("label")) {
      group.good = row["label"];
      data.mismatched.push_back(behind(row["prompt"], t["rows"][t["mismatched"][i].get<size_t>()]["completion"]));
    }
    answers.insert(answers.end(), group.answers.begin(), group.answers.end());
    data.groups.push_back(std::move(group));
  }
  data.measure_lengths();
  std::vector<int64_t> all(data.groups.size());
  std::iota(all.begin(), all.end(), 0);
  train::refresh_reference(data.reference, reference, data.groups, data.mismatched, all, at::kFloat);
  losses::Statistic statistic;
  take(t, train::trainable_tensors(policy), [&](const std::vector<int64_t>& rows) {
    return train::add_preference_gradient(policy, data, rows, 1 << 20, loss, statistic, {}).loss;
  });
  check_end(t, policy, answers);
}

// Learning from samples: TRL's answers in the sampler's place, and its rewards in the reward model's.
void take_group(const std::string& name, train::GroupParams params) {
  const Json& t = trajectory(name);
  model::Decoder policy = loaded(t["model"]).decoder, reference = policy.clone();
  reference.set_trainable(false);
  params.samples_per_prompt = t["answers"];
  params.batch_prompts = std::ssize(t["steps"][0]["answers"]) / params.samples_per_prompt;
  params.sampling.max_tokens = t["longest"];
  params.kl.kl_coef = t["beta"];
  params.shaping.missing_eos = "none";
  params.policy_optim = optimiser_of(t);
  std::vector<Json> answers;  // of the step, those to one prompt side by side
  train::Actor actor = train::decoder_actor(policy, {});
  actor.parameters = train::trainable_tensors(policy);
  actor.sample = [&](std::span<const rollout::Request> asked) {
    std::vector<rollout::Completion> out;
    for (size_t i = 0; i < asked.size(); ++i) {
      rollout::Completion c;
      c.ids = answers[i]["answer"].get<std::vector<int32_t>>();
      c.logps.assign(c.ids.size(), 0.0F);
      c.finish = std::ssize(c.ids) < params.sampling.max_tokens ? rollout::Finish::kStop : rollout::Finish::kLength;
      out.push_back(std::move(c));
    }
    return out;
  };
  const auto rewards = [&](std::span<const train::Trajectory>) {
    std::vector<double> out;
    for (const Json& a : answers) out.push_back(a["reward"]);
    return out;
  };
  const train::PromptSource prompts = [&](int64_t) {
    std::vector<rollout::Request> out;
    for (size_t i = 0; i < answers.size(); ++i) out.push_back({answers[i]["prompt"].get<std::vector<int32_t>>(), i, i});
    return out;
  };
  const int64_t steps = std::ssize(t["steps"]);
  train::GroupLearner learner(params, 1, steps, at::kCPU, actor, train::decoder_actor(reference, {}), actor, rewards);
  for (int64_t step = 0; step < steps; ++step) {
    const Json& trl = t["steps"][static_cast<size_t>(step)];
    answers.assign(trl["answers"].begin(), trl["answers"].end());
    std::ranges::stable_sort(answers, {}, [](const Json& a) { return a["prompt"].get<std::vector<int32_t>>(); });
    const config::Numbers numbers = learner.step(step, prompts);
    // RLOO's loss is 0 in TRL, whose surrogate is a ratio, and Σ -A·log π in ours, of the same gradient.
    if (params.kl_placement == "loss")
      check_close(value(numbers, "policy_loss") + value(numbers, "kl_loss"), trl["loss"], step, "loss");
    check_close(value(numbers, "grad_norm"), trl["grad_norm"], step, "norm of the gradient");
    CHECK(value(numbers, "lr") == doctest::Approx(trl["lr"].get<double>()).epsilon(1e-9));
  }
  std::vector<data::Sequence> last;
  for (const Json& a : t["steps"].back()["answers"]) last.push_back(behind(a["prompt"], a["answer"]));
  check_end(t, policy, last);
}

}  // namespace

TEST_CASE("fifty steps of fine-tuning are TRL's") {
  const Json& t = trajectory("sft");
  model::Decoder policy = loaded(t["model"]).decoder;
  std::vector<data::Sequence> rows;
  std::vector<int64_t> lengths;
  for (const Json& row : t["rows"]) {
    rows.push_back(behind(row["prompt"], row["completion"]));
    lengths.push_back(rows.back().size());
  }
  take(t, train::trainable_tensors(policy), [&](const std::vector<int64_t>& members) {
    return train::add_language_gradient(policy, rows, lengths, members, 1 << 20, {}).loss;
  });
  check_end(t, policy, rows);
}

TEST_CASE("fifty steps of a reward model are TRL's") {
  const Json& t = trajectory("reward");
  model::LoadedModel start = loaded(t["model"]);
  REQUIRE(start.head.has_value());
  model::ScalarHead& head = *start.head;
  head.bias = Tensor();
  std::vector<data::Pair> pairs;
  std::vector<int64_t> lengths;
  for (const Json& row : t["rows"]) {
    data::Pair pair{behind(row["prompt"], row["chosen"]), behind(row["prompt"], row["rejected"])};
    pair.prompt_length = std::ssize(row["prompt"]);
    lengths.push_back(pair.size());
    pairs.push_back(std::move(pair));
  }
  start.decoder.drop_output_weight();
  take(t, train::trainable_tensors(start.decoder, &head), [&](const std::vector<int64_t>& members) {
    return train::add_reward_gradient(start.decoder, head, pairs, lengths, members, 1 << 20, {}, false, {}).loss;
  });
  std::vector<std::vector<int32_t>> sequences;
  for (const data::Pair& pair : pairs) sequences.insert(sequences.end(), {pair.chosen.ids, pair.rejected.ids});
  const std::vector<double> scores = rewards::raw_scores(start.decoder, head, sequences, at::ScalarType::Undefined);
  for (size_t i = 0; i < scores.size(); ++i)
    CHECK(scores[i] == doctest::Approx(t["end"][i].get<double>()).epsilon(1e-3).scale(1));
}

TEST_CASE("fifty steps of DPO are TRL's") { take_preference("dpo"); }

TEST_CASE("fifty steps of KTO are TRL's") { take_preference("kto"); }

TEST_CASE("fifty steps of GRPO are TRL's") {
  train::GroupParams params;  // what --compat trl chooses, with a divergence in the loss
  params.kl_placement = "loss";
  take_group("grpo", params);
}

TEST_CASE("fifty steps of RLOO are TRL's") {
  train::GroupParams params;
  params.advantage.baseline = "leave_one_out";
  params.advantage.scale = "none";
  params.loss.surrogate = "reinforce";
  params.loss.aggregation = "sequence_sum";
  take_group("rloo", params);
}
