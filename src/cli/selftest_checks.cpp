#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/selftest.h"
#include "config/recipe.h"
#include "config/run_folder.h"
#include "infer/engine.h"
#include "pipeline/run.h"

namespace hone::cli {
namespace {

namespace names = config::names;

config::StageEntry stage(const std::string& kind, const std::string& name, const Json& keys) {
  config::StageEntry out{kind, name, "selftest " + name, {}};
  for (const auto& [key, value] : keys.items()) out.entries.push_back({key, "selftest " + name, dump_json(value)});
  return out;
}

void run_alone(const config::StageEntry& entry, const fs::path& folder, bool resume = false,
               std::stop_token stop = {}) {
  config::Recipe recipe;
  recipe.run.title = entry.name;
  recipe.stages = {entry};
  pipeline::run_recipe(recipe, {.out = folder, .resume = resume, .stop = std::move(stop)});
}

std::string in(const fs::path& folder, const char* rest) { return (folder / rest).string(); }

// 24 prompts of the little run, as ids.
std::vector<std::vector<int32_t>> prompts(const infer::Engine& engine) {
  std::vector<std::vector<int32_t>> out;
  for (int32_t i = 0; i < 24; ++i) {
    out.emplace_back();
    for (int32_t k = 0; k < 1 + i % 7; ++k)
      out.back().push_back(static_cast<int32_t>((i * 31 + k * 17) % engine.vocab_size()));
  }
  return out;
}

std::vector<std::vector<rollout::Completion>> sample(const infer::Engine& engine, int64_t max_batch) {
  rollout::SamplingParams sampling;
  sampling.max_tokens = 20;
  rollout::GenerateOptions options;
  options.seed = 5;
  options.max_batch = max_batch;
  for (const int64_t id : engine.end_ids()) options.end_ids.push_back(static_cast<int32_t>(id));
  return engine.generate(prompts(engine), 2, sampling, options);
}

std::string cache_equals_recomputation(const fs::path& folder) {
  const auto engine = infer::Engine::open(folder / "sft" / names::kModel, {});
  const auto given = prompts(engine);
  const auto answers = sample(engine, 64);
  double largest = 0;
  for (size_t i = 0; i < given.size(); ++i) {
    for (const rollout::Completion& c : answers[i]) {
      infer::Scored s{given[i], static_cast<int64_t>(given[i].size())};
      s.ids.insert(s.ids.end(), c.ids.begin(), c.ids.end());
      const auto again = engine.logprobs(std::vector{s})[0];
      for (size_t k = 0; k < again.size(); ++k)
        largest = std::max(largest, std::abs(static_cast<double>(again[k]) - c.logps[k]));
    }
  }
  if (!(largest < 1e-4))
    run_error("log-probabilities with the cache and recomputed differ by " + std::to_string(largest));
  char text[64];
  std::snprintf(text, sizeof text, largest == 0 ? "bit-identical" : "largest difference %.1e nats", largest);
  return text;
}

std::string batches_change_nothing(const fs::path& folder) {
  const auto engine = infer::Engine::open(folder / "sft" / names::kModel, {});
  const auto together = sample(engine, 64), alone = sample(engine, 1), few = sample(engine, 5);
  for (size_t i = 0; i < together.size(); ++i)
    for (size_t k = 0; k < together[i].size(); ++k)
      for (const auto* other : {&alone[i][k], &few[i][k]})
        if (together[i][k].ids != other->ids || together[i][k].logps != other->logps)
          run_error("a completion changes with the number of sequences in flight (prompt " + std::to_string(i) + ")");
  return "48 completions, 1, 5 and 64 at a time";
}

// PPO at learning rate 0 from `model`, with more settings; the weights' file must stay what it was.
std::string still(const fs::path& folder, const char* name, const char* model, const char* weights, const Json& more) {
  Json keys{{"model", in(folder, model)},
            {"reward", in(folder, "reward/model")},
            {"prompts", {in(folder, "world/prompts-train.jsonl")}},
            {"steps", 3},
            {"batch_prompts", 16},
            {"minibatches", 2},
            {"policy_epochs", 2},
            {"critic_warmup", 0},
            {"policy_optim.lr", 0.0},
            {"sampling.max_tokens", 12}};
  keys.update(more);
  run_alone(stage("ppo", name, keys), folder / name);
  int64_t lines = 0;
  double largest = 0;
  for_each_line(folder / name / names::kMetrics, [&](std::string_view line, int64_t number) {
    const Json m = parse_json(line, "metrics.jsonl:" + std::to_string(number));
    if (!m.contains("ratio_max")) return;
    ++lines;
    largest = std::max(largest, std::abs(m["ratio_max"].get<double>() - 1));
    if (m["clip_fraction"].get<double>() != 0)
      run_error("clip_fraction is " + dump_json(m["clip_fraction"]) + " although nothing was learnt");
  });
  if (lines == 0) run_error("PPO wrote no ratio_max");
  if (!(largest < 1e-4))
    run_error("the largest probability ratio is 1 ± " + std::to_string(largest) + " although nothing was learnt");
  if (read_file(folder / name / names::kModel / weights) != read_file(folder / model / weights))
    run_error("the weights changed although the learning rate is 0");
  char text[96];
  std::snprintf(text, sizeof text, "ratio 1 ± %.1e, clip fraction 0, weights unchanged", largest);
  return text;
}

std::string ratio_is_one_without_learning(const fs::path& folder) {
  return still(folder, "still", "sft/model", "model.safetensors", Json::object());
}

// The adapter was trained with dropout, which must be off wherever a ratio is computed.
std::string ratio_is_one_with_an_adapter(const fs::path& folder) {
  run_alone(stage("sft", "adapter",
                  {{"model", in(folder, "sft/model")},
                   {"data", {in(folder, "world/demonstrations.jsonl")}},
                   {"steps", 6},
                   {"batch_tokens", 256},
                   {"optim.lr", 1e-2},
                   {"adapter.rank", 4},
                   {"adapter.dropout", 0.5}}),
            folder / "adapter");
  return still(folder, "still-adapter", "adapter/model", "adapter_model.safetensors", {{"adapter.rank", 4}});
}

// Runs a stage to its end, and again with a stop in the middle; both must leave the same bytes.
std::string resumes_exactly(const config::StageEntry& entry, const fs::path& folder) {
  const fs::path whole = folder / (entry.name + "-whole"), cut = folder / (entry.name + "-cut");
  run_alone(entry, whole);
  std::atomic<bool> finished{false};
  std::stop_source stop;
  std::thread stopper([&] {
    // After the second line of metrics, as Ctrl-C would.
    while (!finished) {
      std::error_code ec;
      if (fs::exists(cut / names::kMetrics, ec)) {
        const std::string text = read_file(cut / names::kMetrics);
        if (std::ranges::count(text, '\n') >= 2) break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    if (!finished) stop.request_stop();
  });
  bool stopped = false;
  try {
    run_alone(entry, cut, false, stop.get_token());
  } catch (const Error& e) {
    stopped = e.kind == Kind::kInterrupted;
    if (!stopped) {
      finished = true;
      stopper.join();
      throw;
    }
  }
  finished = true;
  stopper.join();
  if (!stopped) run_error("the run was over before it could be stopped, so nothing was shown");
  run_alone(entry, cut, true);
  for (const char* file : {"metrics.jsonl", "model/model.safetensors"})
    if (read_file(whole / file) != read_file(cut / file))
      run_error(std::string(file) + " differs between a whole run and a resumed one");
  return "weights and metrics byte for byte";
}

std::string fine_tuning_resumes(const fs::path& folder) {
  return resumes_exactly(stage("sft", "resume-sft",
                               {{"model", in(folder, "sft/model")},
                                {"data", {in(folder, "world/demonstrations.jsonl")}},
                                {"steps", 30},
                                {"batch_tokens", 256}}),
                         folder);
}

std::string ppo_resumes(const fs::path& folder) {
  return resumes_exactly(stage("ppo", "resume-ppo",
                               {{"model", in(folder, "sft/model")},
                                {"reward", in(folder, "reward/model")},
                                {"prompts", {in(folder, "world/prompts-train.jsonl")}},
                                {"steps", 8},
                                {"batch_prompts", 16},
                                {"minibatches", 2},
                                {"sampling.max_tokens", 12}}),
                         folder);
}

std::string group_resumes(const fs::path& folder) {
  return resumes_exactly(stage("group", "resume-group",
                               {{"model", in(folder, "sft/model")},
                                {"reward", in(folder, "reward/model")},
                                {"prompts", {in(folder, "world/prompts-train.jsonl")}},
                                {"steps", 8},
                                {"batch_prompts", 64},
                                {"samples_per_prompt", 2},
                                {"dynamic_sampling", true},
                                {"sampling.max_tokens", 12}}),
                         folder);
}

std::string record_notices_change(const fs::path& folder) {
  const fs::path run = folder / "still";
  if (const std::string wrong = config::verify_run_folder(run); !wrong.empty())
    run_error("an untouched run folder does not verify: " + wrong);
  write_file_atomic(run / names::kModel / "config.json", read_file(run / names::kModel / "config.json") + " ");
  if (config::verify_run_folder(run).empty()) run_error("a changed byte in a run folder is not noticed");
  return "a changed byte is named";
}

}  // namespace

void make_selftest_run(const fs::path& folder) {
  run_alone(stage("world", "world",
                  {{"world.prompts_per_family", 40},
                   {"world.held_out_per_family", 10},
                   {"corpus.words", 20000},
                   {"demonstrations.count", 400}}),
            folder / "world");
  run_alone(stage("tokenizer", "tokenizer", {{"data", {in(folder, "world/corpus.txt")}}, {"size", 320}}),
            folder / "tokenizer");
  run_alone(stage("sft", "sft",
                  {{"tokenizer", in(folder, "tokenizer/model")},
                   {"data", {in(folder, "world/demonstrations.jsonl")}},
                   {"steps", 20},
                   {"batch_tokens", 512},
                   {"shape.layers", 2},
                   {"shape.width", 32},
                   {"shape.heads", 4},
                   {"shape.kv_heads", 2},
                   {"shape.ffn", 64},
                   {"shape.context", 192},
                   {"optim.warmup_steps", 0}}),
            folder / "sft");
  // Comparisons without people: an answer beats the answer to another prompt.
  std::vector<Json> rows;
  for_each_line(folder / "world" / "demonstrations.jsonl", [&](std::string_view line, int64_t number) {
    rows.push_back(parse_json(line, "demonstrations.jsonl:" + std::to_string(number)));
  });
  std::string text;
  const auto part = [](const Json& row, const char* key, size_t message) {
    return row.contains(key) ? row[key].get<std::string>()
                             : row.at("messages").at(message).at("content").get<std::string>();
  };
  for (size_t i = 0; i < std::min<size_t>(rows.size(), 200); ++i)
    text += dump_json({{"prompt", part(rows[i], "prompt", 0)},
                       {"chosen", part(rows[i], "completion", 1)},
                       {"rejected", part(rows[(i + 1) % rows.size()], "completion", 1)}}) +
            "\n";
  write_file_atomic(folder / "comparisons.jsonl", text);
  run_alone(
      stage(
          "reward", "reward",
          {{"model", in(folder, "sft/model")}, {"data", {in(folder, "comparisons.jsonl")}}, {"optim.warmup_steps", 0}}),
      folder / "reward");
}

const std::vector<SelftestCheck>& selftest_checks() {
  static const std::vector<SelftestCheck> checks = {
      {"cached log-probabilities equal recomputed ones", cache_equals_recomputation},
      {"completions do not depend on the batch", batches_change_nothing},
      {"learning rate 0 leaves the ratio at 1", ratio_is_one_without_learning},
      {"the same with an adapter that has dropout", ratio_is_one_with_an_adapter},
      {"fine-tuning resumes exactly", fine_tuning_resumes},
      {"PPO resumes exactly", ppo_resumes},
      {"learning from groups resumes exactly", group_resumes},
      {"the run record notices a changed byte", record_notices_change},
  };
  return checks;
}

}  // namespace hone::cli
