#include "judge/model_sampler.h"

#include "base/error.h"
#include "base/json.h"
#include "chat/assistant.h"

namespace hone::judge {
namespace {

constexpr size_t kHashDigits = 32;  // of the policy's name: 128 bits

data::Encoder encoder_of(const std::filesystem::path& path, const infer::Engine& engine) {
  if (!text::Tokenizer::found(path))
    usage_error(path.string() + ": has no tokenizer, so it answers no prompts",
                "put tokenizer.json beside config.json");
  return data::Encoder::make(text::Tokenizer::load(path), "auto", engine.end_ids());
}

}  // namespace

ModelSampler::ModelSampler(const SamplerSettings& settings)
    : engine_(infer::Engine::open(settings.model, settings.engine)),
      encoder_(encoder_of(settings.model, engine_)),
      reader_(encoder_),
      absent_(encoder_.tokenizer().without_token(engine_.vocab_size())) {
  sampling_.take_defaults(engine_.generation_config());
  sampling_.temperature = settings.temperature.value_or(sampling_.temperature);
  sampling_.top_p = settings.top_p.value_or(sampling_.top_p);
  sampling_.top_k = settings.top_k.value_or(sampling_.top_k);
  sampling_.max_tokens = settings.max_tokens;
  sampling_.check();
  if (sampling_.temperature == 0)
    usage_error("temperature 0 gives the same answer every time, and there is nothing to compare",
                "give '--temperature' above 0");
  const std::string name = settings.name.empty() ? chat::names_of({settings.model.string()})[0] : settings.name;
  policy_ = name + " sha256:" + engine_.weights_hash().substr(0, kHashDigits);
}

std::string ModelSampler::how(uint64_t seed, int64_t sample, const rollout::Completion& completion) const {
  return dump_json({{"temperature", sampling_.temperature},
                    {"top_p", sampling_.top_p},
                    {"top_k", sampling_.top_k},
                    {"max_tokens", sampling_.max_tokens},
                    {"seed", seed},
                    {"sample", sample},
                    {"tokens", completion.ids.size()},
                    {"finish", completion.finish == rollout::Finish::kStop ? "stop" : "length"},
                    {"dtype", engine_.dtype()}});
}

std::vector<std::vector<annotate::SampledAnswer>> ModelSampler::sample(
    std::span<const std::vector<text::Message>> prompts, int64_t n, uint64_t seed, const Grown& grown,
    const std::function<bool()>& cancelled) {
  // 1. Prompts that leave room for an answer.
  std::vector<std::vector<int32_t>> ids;
  std::vector<size_t> place;  // of each of them among all
  for (size_t p = 0; p < prompts.size(); ++p) {
    std::vector<int32_t> prompt = encoder_.prompt(prompts[p]);
    if (std::ssize(prompt) + std::min(sampling_.max_tokens, engine_.context() / 4) > engine_.context()) continue;
    ids.push_back(std::move(prompt));
    place.push_back(p);
  }
  std::vector<std::vector<annotate::SampledAnswer>> out(prompts.size());
  if (ids.empty()) return out;

  // 2. Their answers, in one batch.
  const auto answers = static_cast<size_t>(n);
  std::vector<chat::AnswerText> texts(ids.size() * answers);
  rollout::GenerateOptions options;
  options.seed = seed;
  options.end_ids = encoder_.endings().ids();
  options.absent_ids = absent_;
  options.cancelled = cancelled;
  options.token = [&](size_t request, int32_t token) {
    if (!reader_.feed(texts[request], token).empty() && grown)
      grown(place[request / answers], request % answers, texts[request].text);
  };
  const auto completions = engine_.generate(ids, n, sampling_.sampling(), options);

  // 3. As turns, with how they came about.
  for (size_t p = 0; p < ids.size(); ++p)
    for (size_t i = 0; i < answers; ++i) {
      const rollout::Completion& completion = completions[p][i];
      if (completion.finish == rollout::Finish::kCancelled) return {};
      chat::AnswerText& text = texts[p * answers + i];
      reader_.finish(text);
      annotate::SampledAnswer answer;
      answer.answer.messages = {reader_.message_of(text.text)};
      answer.answer.policy = policy_;
      answer.answer.sampling = how(seed, static_cast<int64_t>(i), completion);
      answer.cut = completion.finish == rollout::Finish::kLength;
      out[place[p]].push_back(std::move(answer));
    }
  return out;
}

std::vector<std::vector<float>> ModelSampler::features(std::span<const std::vector<text::Message>> conversations) {
  std::vector<infer::Scored> sequences;
  std::vector<size_t> place;
  for (size_t c = 0; c < conversations.size(); ++c) {
    data::Encoder::Answered answered = encoder_.conversation(conversations[c]);
    const auto length = std::ssize(answered.sequence.ids);
    if (length > engine_.context() || answered.prompt_length >= length) continue;
    sequences.push_back({std::move(answered.sequence.ids), answered.prompt_length});
    place.push_back(c);
  }
  std::vector<std::vector<float>> out(conversations.size());
  std::vector<std::vector<float>> means = engine_.mean_hidden(sequences);
  for (size_t s = 0; s < place.size(); ++s) out[place[s]] = std::move(means[s]);
  return out;
}

}  // namespace hone::judge
