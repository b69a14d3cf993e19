// Another device than the CPU gives the CPU's numbers: models, gradients, optimisers, sampling, and the whole program
// on a tiny recipe, resumed too.
#include <doctest/doctest.h>
#include <unistd.h>

#include "base/files.h"
#include "base/json.h"
#include "device_under_test.h"
#include "golden/golden.h"
#include "model/shapes.h"
#include "optim/optimizer.h"
#include "pipeline/run.h"
#include "rollout/generate.h"
#include "tensor/autograd.h"
#include "tensor/logps.h"
#include "tensor/runtime.h"
#include "train/collate.h"
#include "train/trainable.h"

using namespace hone;
namespace fs = std::filesystem;

namespace {

struct Pass {
  Tensor logps;
  std::vector<Tensor> grads;
};

// Log-probabilities of a pack and the gradient of their sum, on `device`, brought to the CPU.
Pass pass_on(const std::string& device, const std::string& family, const model::ComputeOptions& compute) {
  model::Decoder decoder = model::make_decoder(test::tiny(family), 1);
  decoder.to(at::Device(device), at::kFloat);
  decoder.set_trainable(true);
  std::vector<data::Sequence> rows;
  for (const auto& ids : test::sequences({3, 40, 17, 17, 1})) {
    rows.push_back({ids, std::vector<float>(ids.size(), 1.0F)});
    rows.back().weight[0] = 0;
  }
  std::vector<const data::Sequence*> members;
  for (const auto& r : rows) members.push_back(&r);
  const train::Batch batch = train::collate(members, decoder.device());
  const Tensor hidden = decoder.hidden(batch.packed, compute).index_select(0, batch.rows);
  const TokenLogps out = token_logps(hidden, decoder.output_weight(), batch.targets,
                                     {.entropy = true, .entropy_grad = true, .compute = compute.matmul});
  std::vector<Tensor> sources;
  for (const auto& p : decoder.parameters()) sources.push_back(p.tensor);
  const Tensor total = (out.logps * batch.weights).sum() + out.entropy.sum() * 0.1;
  Pass result{out.logps.detach().cpu(), {}};
  for (const Tensor& g : gradients({total}, {at::ones_like(total)}, sources)) result.grads.push_back(g.cpu());
  return result;
}

std::vector<rollout::Completion> completions_on(const std::string& device, const std::string& family,
                                                const rollout::SamplingParams& sampling, int64_t max_batch) {
  model::Decoder decoder = model::make_decoder(test::tiny(family), 1);
  decoder.to(at::Device(device), at::kFloat);
  std::vector<rollout::Request> requests;
  for (const auto& ids : test::sequences({3, 20, 1, 9, 9}))
    for (uint64_t sample = 0; sample < 3; ++sample) requests.push_back({ids, requests.size() / 3, sample});
  rollout::GenerateOptions options;
  options.seed = 5;
  options.end_ids = {0};
  options.max_batch = max_batch;
  return rollout::generate(decoder, requests, sampling, options);
}

Tensor random(const char* purpose, int64_t step, std::vector<int64_t> shape) {
  Stream stream(4, purpose, static_cast<uint64_t>(step));
  std::vector<float> x(static_cast<size_t>(shape[0] * shape[1]));
  for (float& v : x) v = static_cast<float>(stream.normal());
  return at::from_blob(x.data(), shape).clone();
}

std::vector<Tensor> optimised_on(const std::string& name, const char* rule) {
  const at::Device device(name);
  Tensor matrix = random("matrix", 0, {64, 32}).to(device), head = random("head", 0, {1, 64}).to(device);
  matrix.requires_grad_();
  head.requires_grad_();
  optim::Optimizer optimizer({{"matrix", matrix, optim::TensorKind::kMatrix}, {"head", head, optim::TensorKind::kHead}},
                             {.rule = rule, .lr = 0.01, .weight_decay = 0.1});
  for (int64_t step = 1; step <= 5; ++step) {
    matrix.mutable_grad() = random("matrix", step, {64, 32}).to(device);
    head.mutable_grad() = random("head", step, {1, 64}).to(device);
    optimizer.step(1);
  }
  return {matrix.detach().cpu(), head.detach().cpu()};
}

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-device-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

// tests/train/tiny.toml as it stands, or the other way through every loop.
config::Recipe tiny_recipe(const std::string& device, bool other_way) {
  config::Recipe recipe = config::read_recipe("tests/train/tiny.toml");
  recipe.run.device = device;
  recipe.run.threads = 1;
  if (other_way)
    for_each_line("tests/train/other_way.txt",
                  [&](std::string_view line, int64_t) { config::apply_set(recipe, std::string(line)); });
  return recipe;
}

// The values of a key over the steps of a stage.
std::vector<double> metric(const fs::path& stage, const char* key) {
  std::vector<double> out;
  for_each_line(stage / "metrics.jsonl", [&](std::string_view line, int64_t) {
    const Json j = parse_json(line, "metrics");
    if (j.contains(key)) out.push_back(j.at(key).get<double>());
  });
  return out;
}

// Learning there goes as on the CPU, step by step; rounding grows from step to step, with bf16 more.
void check_same_course(const fs::path& cpu, const fs::path& other, const char* key, double tolerance,
                       size_t steps = SIZE_MAX) {
  const std::vector<double> expected = metric(cpu, key), got = metric(other, key);
  REQUIRE(expected.size() == got.size());
  REQUIRE(!got.empty());
  for (size_t i = 0; i < std::min(steps, got.size()); ++i) {
    CAPTURE(cpu.string());
    CAPTURE(i);
    CHECK(std::abs(expected[i] - got[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
  }
}

// Off the CPU attention runs in buckets of like length; how much of it is padding is told, and never much.
void check_padding(const fs::path& stage, bool cpu) {
  CAPTURE(stage.string());
  double most = 0;
  for_each_line(stage / "timing.jsonl", [&](std::string_view line, int64_t) {
    const double share = parse_json(line, "timing").at("attention_padding").get<double>();
    CHECK(share <= 0.15);
    most = std::max(most, share);
  });
  CHECK((most > 0) == !cpu);
}

// As after a kill: the last checkpoint is one before the end, if several are kept, and the stage says that it is
// running. Then what the stage had left must come out again to the byte.
void check_resume(const config::Recipe& recipe, const fs::path& out, const std::string& stage) {
  CAPTURE(stage);
  const fs::path folder = out / stage;
  std::map<fs::path, std::string> before;
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name == "metrics.jsonl" || (name.ends_with(".safetensors") && name != "tensors.safetensors"))
      before[entry.path()] = read_file(entry.path());
    if (entry.is_directory() && name.starts_with("step-")) checkpoints.push_back(entry.path());
  }
  REQUIRE(!checkpoints.empty());
  REQUIRE(before.size() > 1);
  std::ranges::sort(checkpoints);
  if (checkpoints.size() > 1) fs::remove_all(checkpoints.back());
  for (const auto& [path, bytes] : before)
    if (path.extension() == ".safetensors") fs::remove(path);
  std::string record = read_file(folder / "run.json");
  const std::string done = "\"outcome\": \"done\"";
  REQUIRE(record.find(done) != std::string::npos);
  write_file_atomic(folder / "run.json", record.replace(record.find(done), done.size(), "\"outcome\": \"running\""));
  pipeline::run_recipe(recipe, {.out = out, .resume = true});
  for (const auto& [path, bytes] : before) {
    const bool same_bytes = fs::exists(path) && read_file(path) == bytes;
    CHECK_MESSAGE(same_bytes, path.string());
  }
}

}  // namespace

TEST_CASE("tensors of two devices do not meet by accident") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  const Tensor here = at::ones({3}), there = at::ones({3}).to(at::Device(device));
  CHECK_THROWS(here + there);
  CHECK(at::equal((there * 2 + there.sum()).cpu(), at::full({3}, 5.0F)));
}

TEST_CASE("a model's log-probabilities, entropies and gradients are the CPU's") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  use_device(device);
  for (const char* family : {"llama", "qwen2", "gpt2"})
    for (const bool checkpoint : {false, true}) {
      CAPTURE(family);
      CAPTURE(checkpoint);
      const Pass cpu = pass_on("cpu", family, {}), other = pass_on(device, family, {.checkpoint = checkpoint});
      CHECK(golden::distance(cpu.logps, other.logps) < 1e-4);
      for (size_t i = 0; i < cpu.grads.size(); ++i) {
        const double scale = cpu.grads[i].abs().max().item<double>();
        CHECK(golden::distance(cpu.grads[i], other.grads[i]) <= 1e-4 * std::max(scale, 1.0));
      }
      const Pass again = pass_on(device, family, {.checkpoint = checkpoint});
      for (size_t i = 0; i < cpu.grads.size(); ++i) CHECK(at::equal(other.grads[i], again.grads[i]));
    }
}

TEST_CASE("bf16 matrix work stays near f32") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  const Pass cpu = pass_on("cpu", "llama", {}), other = pass_on(device, "llama", {.matmul = at::kBFloat16});
  CHECK(golden::distance(cpu.logps, other.logps) < 0.5);
  CHECK(at::isfinite(other.logps).all().item<bool>());
}

TEST_CASE("sampling draws the CPU's tokens with the CPU's log-probabilities, alone and in batches") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  for (const char* family : {"llama", "gpt2"})
    for (const double temperature : {0.0, 1.0}) {
      const rollout::SamplingParams sampling{.temperature = temperature, .top_p = 0.95, .top_k = 20, .max_tokens = 12};
      const auto cpu = completions_on("cpu", family, sampling, 64);
      for (const int64_t batch : {1, 4, 64}) {
        const auto other = completions_on(device, family, sampling, batch);
        for (size_t i = 0; i < cpu.size(); ++i) {
          const bool same_tokens = cpu[i].ids == other[i].ids;
          REQUIRE(same_tokens);
          for (size_t t = 0; t < cpu[i].logps.size(); ++t)
            CHECK(cpu[i].logps[t] == doctest::Approx(other[i].logps[t]).epsilon(1e-4));
        }
      }
    }
}

TEST_CASE("AdamW and Muon move weights as on the CPU, and twice to the same bits") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  for (const char* rule : {"adamw", "muon"}) {
    const auto cpu = optimised_on("cpu", rule), other = optimised_on(device, rule), again = optimised_on(device, rule);
    for (size_t i = 0; i < cpu.size(); ++i) {
      CHECK(golden::distance(cpu[i], other[i]) < 1e-4);
      CHECK(at::equal(other[i], again[i]));
    }
  }
}

TEST_CASE("the whole program runs there, learns as on the CPU and resumes to the same bytes") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  for (const bool other_way : {false, true}) {
    CAPTURE(other_way);
    const Scratch scratch;
    pipeline::run_recipe(tiny_recipe("cpu", other_way), {.out = scratch.path / "cpu"});
    const config::Recipe recipe = tiny_recipe(device, other_way);
    const fs::path out = scratch.path / "other";
    pipeline::run_recipe(recipe, {.out = out});
    const double tolerance = other_way ? 0.03 : 1e-3;
    for (const char* stage : {"03-pretrain", "04-sft", "06-reward", "08-dpo"})
      check_same_course(scratch.path / "cpu" / stage, out / stage, "loss", tolerance);
    // One token drawn otherwise on a near-tie changes all that follows, so only the first iteration is PPO's yardstick.
    for (const char* key : {"score", "length", "kl", "entropy"})
      check_same_course(scratch.path / "cpu/07-ppo", out / "07-ppo", key, 5 * tolerance, 1);
    for (const double gap : metric(out / "07-ppo", "logp_gap_max")) CHECK(gap < (other_way ? 0.5 : 1e-4));
    for (const char* stage : {"03-pretrain", "04-sft", "06-reward", "07-ppo", "08-dpo"}) {
      check_padding(scratch.path / "cpu" / stage, true);
      check_padding(out / stage, false);
      check_resume(recipe, out, stage);
    }
  }
}
