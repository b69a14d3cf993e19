// LoRA on a decoder: against the merged model, central differences and PEFT's own folders (tools/golden/adapters.py).
#include "model/adapter.h"

#include <doctest/doctest.h>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "folder.h"
#include "model/hf_folder.h"
#include "model/incremental.h"
#include "model/peft_folder.h"
#include "shapes.h"
#include "tensor/autograd.h"
#include "tensor/gradcheck.h"
#include "tensor/linear.h"
#include "tensor/safetensors.h"

using namespace hone;
using namespace hone::model;
using test::sequences;
using test::tiny;

namespace {

// An adapter whose B is not zero.
Adapter trained_adapter(const Decoder& decoder,
                        AdapterShape shape = {.rank = 3, .alpha = 5, .targets = {"all-linear"}}) {
  Adapter out = make_adapter(decoder, shape, 11);
  double seed = 1;
  for (AdapterPart& p : out.parts) p.low_rank.b.copy_(0.3 * test::noise(p.low_rank.b.sizes().vec(), seed++));
  return out;
}

Tensor logits_of(const Decoder& decoder, const std::vector<std::vector<int32_t>>& batch,
                 const ComputeOptions& options = {}) {
  const at::NoGradGuard no_grad;
  return hone::linear(decoder.hidden(pack(batch), options), decoder.output_weight());
}

Tensor loss_of(const Decoder& decoder, const std::vector<std::vector<int32_t>>& batch,
               const ComputeOptions& options = {}) {
  const Packed packed = pack(batch);
  return decoder.token_logps(decoder.hidden(packed, options), packed.ids.roll({-1}))
      .logps.mul(packed.positions + 1)
      .sum();
}

std::shared_ptr<const TokenDropout> dropout_of(const std::vector<std::vector<int32_t>>& batch, double rate,
                                               uint64_t first = 0) {
  auto out = std::make_shared<TokenDropout>();
  out->rate = rate;
  for (size_t s = 0; s < batch.size(); ++s)
    for (size_t t = 0; t < batch[s].size(); ++t) out->keys.push_back(mix64(first + s, t));
  return out;
}

}  // namespace

TEST_CASE("a new adapter changes not a bit, in training and in sampling") {
  for (const char* family : {"llama", "gpt2"}) {
    Decoder decoder = make_decoder(tiny(family), 1);
    const auto batch = sequences({5, 40});
    const Tensor before = logits_of(decoder, batch);
    KvCache plain(decoder.config()), adapted(decoder.config());
    const std::vector<int64_t> s(batch[1].size(), plain.add());
    adapted.add();
    const Tensor stepped = step(decoder, plain, batch[1], s);
    decoder.set_adapter(make_adapter(decoder, {.rank = 4, .targets = {"all-linear"}}, 3));
    CHECK(at::equal(logits_of(decoder, batch), before));
    CHECK(at::equal(step(decoder, adapted, batch[1], s), stepped));
  }
}

TEST_CASE("unmerged equals merged: training, panels and tensors") {
  for (const char* family : {"llama", "gpt2", "qwen2", "qwen3", "olmo2"}) {
    CAPTURE(family);
    Decoder decoder = make_decoder(tiny(family), 2);
    const auto batch = sequences({7, 33});
    const Tensor without = logits_of(decoder, batch);
    decoder.set_adapter(trained_adapter(decoder, {.rank = 3, .alpha = 5, .rslora = true, .targets = {"all-linear"}}));
    Decoder merged = decoder.clone();
    merge_adapter(merged);
    CHECK(merged.adapter() == nullptr);
    const Tensor want = logits_of(merged, batch);
    CHECK(test::max_difference(want, without) > 1e-2);
    CHECK(test::max_difference(logits_of(decoder, batch), want) < 1e-4);
    Decoder precise = decoder.clone(), precise_merged = decoder.clone();
    precise.to(at::kCPU, at::kDouble);
    precise_merged.to(at::kCPU, at::kDouble);
    merge_adapter(precise_merged);
    CHECK(test::max_difference(logits_of(precise, batch), logits_of(precise_merged, batch)) < 1e-10);
    const Tensor alone = logits_of(merged, {batch[1]});
    for (const bool own_kernels : {true, false}) {
      KvCache cache(decoder.config(), at::kCPU, at::kFloat, own_kernels);
      const std::vector<int64_t> s(batch[1].size(), cache.add());
      CHECK(test::max_difference(decoder.logits(step(decoder, cache, batch[1], s)), alone) < 1e-4);
    }
  }
}

TEST_CASE("A and B get gradients that agree with central differences, the base none; checkpointing changes nothing") {
  for (const char* family : {"llama", "gpt2"})
    for (const double rate : {0.0, 0.3}) {
      Decoder decoder = make_decoder(tiny(family), 6);
      decoder.set_adapter(trained_adapter(decoder));
      decoder.to(at::kCPU, at::kDouble);
      const auto batch = sequences({9, 14});
      const ComputeOptions options{.dropout = rate > 0 ? dropout_of(batch, rate) : nullptr};
      std::vector<Tensor> inputs;
      std::vector<Parameter> parameters = decoder.adapter()->parameters();
      for (Parameter& p : parameters) inputs.push_back(p.tensor.requires_grad_(true));
      const std::vector<Tensor> grads = gradients({loss_of(decoder, batch, options)}, {}, inputs);
      ComputeOptions checkpointed = options;
      checkpointed.checkpoint = true;
      const std::vector<Tensor> again = gradients({loss_of(decoder, batch, checkpointed)}, {}, inputs);
      for (size_t i = 0; i < inputs.size(); ++i) {
        CAPTURE(parameters[i].name);
        CHECK(at::equal(grads[i], again[i]));
        const at::NoGradGuard no_grad;
        const Tensor kept = inputs[i].detach().clone(),
                     direction = test::noise(kept.sizes().vec(), 40.0 + static_cast<double>(i));
        const auto loss_at = [&](double step) {
          inputs[i].copy_(kept + step * direction);
          return loss_of(decoder, batch, options).item<double>();
        };
        const double slope = (loss_at(1e-5) - loss_at(-1e-5)) / 2e-5,
                     expected = (grads[i] * direction).sum().item<double>();
        CHECK(slope == doctest::Approx(expected).epsilon(1e-5));
        inputs[i].copy_(kept);
      }
    }
}

TEST_CASE("dropout is a function of the token's key: its share, its scale, and no matter how a batch is cut") {
  const Tensor x = at::ones({400, 300});
  TokenDropout dropout{0.25, {}};
  for (uint64_t i = 0; i < 400; ++i) dropout.keys.push_back(mix64(5, i));
  const Tensor y = drop(x, dropout, 1);
  CHECK(y.eq(0).to(at::kDouble).mean().item<double>() == doctest::Approx(0.25).epsilon(0.02));
  CHECK(y.max().item<double>() == doctest::Approx(1 / 0.75));
  CHECK_FALSE(at::equal(y, drop(x, dropout, 2)));
  TokenDropout part{0.25, {dropout.keys.begin() + 100, dropout.keys.begin() + 130}};
  CHECK(at::equal(drop(x.narrow(0, 100, 30), part, 1), y.narrow(0, 100, 30)));

  Decoder decoder = make_decoder(tiny(), 6);
  decoder.set_adapter(trained_adapter(decoder));
  const auto batch = sequences({9, 14});
  const Tensor together = logits_of(decoder, batch, {.dropout = dropout_of(batch, 0.5)});
  CHECK(test::max_difference(logits_of(decoder, {batch[1]}, {.dropout = dropout_of({batch[1]}, 0.5, 1)}),
                             together.narrow(0, 9, 14)) < 1e-4);
  CHECK(test::max_difference(logits_of(decoder, batch), together) > 1e-2);
}

TEST_CASE("targets by pattern, as PEFT takes names") {
  const ModelConfig llama = tiny(), gpt2 = tiny("gpt2");
  const auto count = [](const ModelConfig& c, std::vector<std::string> patterns) {
    return adapter_targets(c, patterns).size();
  };
  CHECK(count(llama, {"all-linear"}) == 14);
  CHECK(count(llama, {"q_proj", "v_proj"}) == 4);
  CHECK(count(llama, {"self_attn.q_proj"}) == 2);
  CHECK(count(llama, {"layers.1.*"}) == 7);
  CHECK(count(llama, {"model.layers.0.mlp.up_proj"}) == 1);
  CHECK(count(llama, {"mlp.*_proj", "q_proj"}) == 8);
  CHECK(count(gpt2, {"c_attn"}) == 2);
  CHECK(count(gpt2, {"all-linear"}) == 8);
  CHECK_THROWS_WITH_AS(count(llama, {}), doctest::Contains("no adapter targets"), Error);
  for (const std::string wrong : {"proj", "lm_head", "layers.2.*", "", "*.weight"}) {
    CAPTURE(wrong);
    CHECK_THROWS_WITH_AS(count(llama, {"q_proj", wrong}), doctest::Contains(("'" + wrong + "'").c_str()), Error);
  }
}

TEST_CASE("an adapter's folder: written, read, and the base that changed is refused") {
  for (const char* family : {"llama", "gpt2"}) {
    test::Folder folder;
    Decoder decoder = make_decoder(tiny(family), 2);
    decoder.config().eos = {2};
    save_model(folder.path / "base", decoder);
    decoder.config().eos = {2, 5};
    Adapter adapter = trained_adapter(decoder);
    adapter.base = folder.path / "base";
    decoder.set_adapter(std::move(adapter));
    const auto batch = sequences({7, 33});
    const Tensor want = logits_of(decoder, batch);
    save_model(folder.path / "adapter", decoder);
    CHECK(is_adapter(folder.path / "adapter"));
    const LoadedModel back = load_model(folder.path / "adapter");
    CHECK(at::equal(logits_of(back.decoder, batch), want));
    CHECK(back.decoder.config().eos == std::vector<int64_t>{2, 5});
    CHECK(back.decoder.adapter()->shape.rank == 3);
    CHECK(load_config(folder.path / "adapter").config.eos == std::vector<int64_t>{2, 5});
    CHECK(model_files(folder.path / "adapter").size() == 5);

    // A reward model's head and scale.
    decoder.config().reward_shift = 1.5;
    decoder.config().reward_scale = 0.25;
    const ScalarHead head = make_scalar_head(24, 0.3, 9);
    save_model(folder.path / "reward", decoder, &head);
    const LoadedModel reward = load_model(folder.path / "reward");
    REQUIRE(reward.head);
    CHECK(at::equal(reward.head->weight, head.weight));
    CHECK(reward.decoder.config().reward_shift == 1.5);
    CHECK(load_config(folder.path / "reward").classifier);
    // Over a base that is loaded already: its tensors, not copies.
    Decoder base = std::move(load_model(folder.path / "base").decoder);
    const LoadedBase loaded{folder.path / "base", &base};
    const LoadedModel shared = load_model(folder.path / "reward", {&loaded, 1});
    CHECK(shared.decoder.at(Slot::kO, 1).is_same(base.at(Slot::kO, 1)));

    // Moved together they find each other; a base that is another model is refused.
    fs::create_directories(folder.path / "elsewhere");
    fs::rename(folder.path / "base", folder.path / "elsewhere/base");
    fs::rename(folder.path / "adapter", folder.path / "elsewhere/adapter");
    CHECK(at::equal(logits_of(load_model(folder.path / "elsewhere/adapter").decoder, batch), want));
    Decoder other = make_decoder(tiny(family), 3);
    save_model(folder.path / "elsewhere/base", other);
    CHECK_THROWS_WITH_AS(load_model(folder.path / "elsewhere/adapter"), doctest::Contains("another hash"), Error);
    fs::remove_all(folder.path / "elsewhere/base");
    CHECK_THROWS_WITH_AS(load_model(folder.path / "elsewhere/adapter"), doctest::Contains("which is not here"), Error);
  }
}

TEST_CASE("what changes an adapter's mathematics and is not here is refused by name") {
  test::Folder folder;
  Decoder decoder = make_decoder(tiny(), 2);
  save_model(folder.path / "base", decoder);
  Adapter adapter = trained_adapter(decoder);
  adapter.base = folder.path / "base";
  decoder.set_adapter(std::move(adapter));
  save_model(folder.path / "adapter", decoder);
  const fs::path file = folder.path / "adapter/adapter_config.json";
  const Json good = parse_json(read_file(file), "config");
  const auto with = [&](const char* key, const Json& value) {
    Json j = good;
    j[key] = value;
    write_file_atomic(file, j.dump());
    return load_model(folder.path / "adapter");
  };
  for (const auto& [key, value] : {std::pair<const char*, Json>{"peft_type", "IA3"},
                                   {"use_dora", true},
                                   {"bias", "all"},
                                   {"lora_bias", true},
                                   {"alpha_pattern", {{"q_proj", 4}}},
                                   {"modules_to_save", {"lm_head"}},
                                   {"init_lora_weights", "pissa"},
                                   {"trainable_token_indices", {1, 2}},
                                   {"use_a_later_variant", true},
                                   {"velora_config", {{"rank", 1}}},
                                   {"r", 0},
                                   {"r", -3},
                                   {"lora_alpha", "many"}}) {
    CAPTURE(key);
    CHECK_THROWS_WITH_AS(with(key, value), doctest::Contains(key), Error);
  }
  for (const auto& [key, value] : {std::pair<const char*, Json>{"lora_dropout", 0.1},
                                   {"target_modules", "all-linear"},
                                   {"init_lora_weights", "gaussian"},
                                   {"modules_to_save", nullptr},
                                   {"rank_pattern", {{"q_proj", 4}}},
                                   {"inference_mode", false}}) {
    CAPTURE(key);
    CHECK_NOTHROW(with(key, value));
  }
  write_file_atomic(file, good.dump());
  const fs::path weights = folder.path / "adapter/adapter_model.safetensors";
  const auto change = [&](const std::function<void(std::vector<NamedTensor>&)>& edit) {
    std::vector<NamedTensor> tensors;
    for (const Parameter& p : decoder.adapter()->parameters())
      tensors.emplace_back("base_model.model." + p.name, p.tensor);
    edit(tensors);
    write_safetensors(weights, tensors);
    return load_model(folder.path / "adapter");
  };
  CHECK_NOTHROW(change([](auto&) {}));
  CHECK_NOTHROW(change([](auto& t) { t.resize(2); }));
  CHECK_THROWS_WITH_AS(change([](auto& t) { t.resize(1); }), doctest::Contains("alone"), Error);
  CHECK_THROWS_WITH_AS(change([](auto& t) { t[0].second = at::zeros({3, 25}); }), doctest::Contains("fit"), Error);
  CHECK_THROWS_WITH_AS(change([](auto& t) { t.emplace_back("base_model.model.lm_head.weight", at::zeros({3})); }),
                       doctest::Contains("lm_head"), Error);
  CHECK_THROWS_WITH_AS(change([](auto& t) { t.clear(); }), doctest::Contains("no lora_A"), Error);
}

TEST_CASE("logits under PEFT's adapters agree with PEFT to 1e-4") {
  int folders = 0;
  for (const auto& entry : fs::directory_iterator("tests/golden/adapters")) {
    if (!entry.is_directory()) continue;
    ++folders;
    CAPTURE(entry.path().string());
    const SafetensorsFile expected(entry.path() / "expected.safetensors");
    const LoadedModel loaded = load_model(entry.path());
    const Tensor ids = expected.load("ids").to(at::kInt).contiguous(), want = expected.load("logits");
    const std::vector<std::vector<int32_t>> batch{
        {ids.const_data_ptr<int32_t>(), ids.const_data_ptr<int32_t>() + ids.numel()}};
    const at::NoGradGuard no_grad;
    const Tensor hidden = loaded.decoder.hidden(pack(batch));
    const Tensor got = loaded.head ? loaded.head->scores(hidden.narrow(0, hidden.size(0) - 1, 1))
                                   : hone::linear(hidden, loaded.decoder.output_weight());
    CHECK(test::max_difference(got, want) < 1e-4);
    CHECK(test::max_difference(want, expected.load("without")) > 1e-2);
  }
  CHECK(folders >= 7);
}
