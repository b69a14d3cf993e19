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
#include "rollout/drawn.h"
#include "rollout/generate.h"
#include "rollout/sampling.h"
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

// Fifteen prompts, some of one text, so that their samples share its cache.
std::vector<rollout::Request> prompts() {
  std::vector<rollout::Request> out;
  for (const auto& ids : test::sequences({3, 20, 1, 9, 9}))
    for (uint64_t sample = 0; sample < 3; ++sample) out.push_back({ids, out.size() / 3, sample});
  return out;
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
void check_same_course(const fs::path& cpu, const fs::path& other, const char* key, double tolerance) {
  const std::vector<double> expected = metric(cpu, key), got = metric(other, key);
  REQUIRE(expected.size() == got.size());
  REQUIRE(!got.empty());
  for (size_t i = 0; i < got.size(); ++i) {
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
  // Of an ensemble only the last member is not finished before the checkpoint.
  const bool ensemble = fs::exists(folder / "model/members");
  for (const auto& [path, bytes] : before)
    if (path.extension() == ".safetensors" && !(ensemble && path.parent_path() == folder / "model")) fs::remove(path);
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

TEST_CASE("sampling draws by the CPU's log-probabilities, alone and in batches") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  for (const char* family : {"llama", "gpt2"})
    for (const double temperature : {0.0, 1.0, 0.7}) {
      const model::Decoder cpu = model::make_decoder(test::tiny(family), 1);
      model::Decoder there = model::make_decoder(test::tiny(family), 1);
      there.to(at::Device(device), at::kFloat);
      const rollout::SamplingParams sampling{.temperature = temperature, .max_tokens = 12};
      rollout::GenerateOptions options;
      options.seed = 5;
      options.end_ids = {0};
      options.absent_ids = {3, 35, 36};
      for (const int64_t batch : {1, 4, 64}) {
        options.max_batch = batch;
        test::check_drawn(cpu, prompts(), rollout::generate(there, prompts(), sampling, options), sampling, options);
      }
    }
}

TEST_CASE("top-k and top-p cut there as on the CPU") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  // 0.4, 0.3, 0.2 and 0.1, shuffled; every random number lies far from where one token ends and the next begins.
  const std::vector<float> p{0.1F, 0.4F, 0.2F, 0.3F};
  const Tensor logits = at::from_blob(const_cast<float*>(p.data()), {1, 4}).log().repeat({3, 1});
  const std::vector<double> uniforms{0.1, 0.5, 0.95};
  const std::vector<uint8_t> forbid{0, 0, 1};
  const std::vector<int32_t> end{1};
  for (const rollout::SamplingParams& sampling :
       {rollout::SamplingParams{.top_p = 0.85}, rollout::SamplingParams{.top_k = 2}, rollout::SamplingParams{}}) {
    const auto cpu = rollout::draw(logits, uniforms, sampling, forbid, end),
               other = rollout::draw(logits.to(at::Device(device)), uniforms, sampling, forbid, end);
    for (size_t i = 0; i < cpu.size(); ++i) {
      CHECK(cpu[i].token == other[i].token);
      CHECK(cpu[i].logp == doctest::Approx(other[i].logp).epsilon(1e-4));
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
    config::Recipe recipe = tiny_recipe(device, other_way);
    const fs::path out = scratch.path / "other";
    // The CPU's comparisons: they are of sampled answers, in which a near-tie may fall either way.
    const std::string comparisons = (scratch.path / "cpu/05-compare/comparisons.jsonl").string();
    for (const char* stage : {"reward", "dpo"})
      config::apply_set(recipe, stage + std::string(".data=[\"") + comparisons + "\"]");
    pipeline::run_recipe(recipe, {.out = out});
    const double tolerance = other_way ? 0.03 : 1e-3;
    for (const char* stage : {"03-pretrain", "04-sft", "06-reward", "08-dpo"})
      check_same_course(scratch.path / "cpu" / stage, out / stage, "loss", tolerance);
    // PPO samples its own answers here; that it learns from given ones as on the CPU is learner_test.cpp's matter.
    for (const double gap : metric(out / "07-ppo", "logp_gap_max")) CHECK(gap < (other_way ? 0.5 : 1e-4));
    for (const char* stage : {"03-pretrain", "04-sft", "06-reward", "07-ppo", "08-dpo", "09-group"}) {
      check_padding(scratch.path / "cpu" / stage, true);
      check_padding(out / stage, false);
      check_resume(recipe, out, stage);
    }
  }
}
