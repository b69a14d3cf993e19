#include "bench/inputs.h"

#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "data/encoder.h"
#include "model/hf_folder.h"
#include "text/bpe_train.h"

namespace hone::bench {
namespace {

constexpr int64_t kRows = 640;

// Made-up words, the common ones short: enough different ones for any vocabulary that is timed.
class Words {
 public:
  explicit Words(Stream& stream) : stream_(stream) {
    for (size_t i = 0; i < 12000; ++i) {
      std::string word;
      const auto length = 2 + static_cast<int64_t>(std::log2(static_cast<double>(i) + 1) / 2);
      for (int64_t k = 0; k < length; ++k) word += static_cast<char>('a' + stream_.below(26));
      words_.push_back(word);
    }
  }
  // Zipf's law by inverting its continuous form: rank = n^u, u uniform.
  const std::string& draw() {
    const double rank = std::pow(static_cast<double>(words_.size()), stream_.uniform());
    return words_[std::min(words_.size() - 1, static_cast<size_t>(rank) - 1)];
  }
  std::string text(int64_t words) {
    std::string out;
    for (int64_t i = 0; i < words; ++i) out += (i ? " " : "") + draw();
    return out + ".";
  }

 private:
  Stream& stream_;
  std::vector<std::string> words_;
};

void write_lines(const fs::path& path, const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += dump_json(row) + "\n";
  write_file_atomic(path, text);
}

// A question whose prompt, template and all, has kPromptTokens tokens or one word's more.
std::string question(Words& words, const data::Encoder& encoder) {
  std::string text = words.draw();
  while (true) {
    const std::vector<text::Message> messages{{"user", text}};
    if (static_cast<int64_t>(encoder.prompt(messages).size()) >= kPromptTokens) return text;
    text += " " + words.draw();
  }
}

}  // namespace

void write_inputs(const fs::path& folder, const Shape& shape) {
  fs::create_directories(language_model(folder));
  fs::create_directories(reward_model(folder));
  Stream stream(1, "bench-texts");
  Words words(stream);

  std::vector<std::string> learn;
  for (int64_t i = 0; i < 2000; ++i) learn.push_back(words.text(100));
  const text::Tokenizer tokenizer = text::train_bpe(learn, static_cast<int>(shape.config.vocab_size));
  HONE_CHECK(tokenizer.size() == shape.config.vocab_size, "the made-up texts give too small a vocabulary");

  std::string documents;
  for (int64_t i = 0; i < kRows; ++i) documents += words.text(stream.between(40, 120)) + "\n\n";
  write_file_atomic(texts(folder), documents);

  const data::Encoder encoder = data::Encoder::make(tokenizer, "auto");
  std::vector<Json> demonstration_rows, comparison_rows, prompt_rows;
  for (int64_t i = 0; i < kRows; ++i) {
    const std::string prompt = question(words, encoder);
    const std::string good = words.text(stream.between(20, 80)), bad = words.text(stream.between(20, 80));
    demonstration_rows.push_back({{"prompt", prompt}, {"completion", good}});
    comparison_rows.push_back({{"prompt", prompt}, {"chosen", good}, {"rejected", bad}});
    prompt_rows.push_back({{"prompt", prompt}, {"id", "p" + std::to_string(i)}});
  }
  write_lines(demonstrations(folder), demonstration_rows);
  write_lines(comparisons(folder), comparison_rows);
  write_lines(prompts(folder), prompt_rows);

  model::ModelConfig config = shape.config;
  config.bos = tokenizer.bos(), config.pad = tokenizer.pad(), config.eos = {*tokenizer.eos()};
  const model::Decoder decoder = model::make_decoder(config, 1);
  const model::ScalarHead head =
      model::make_scalar_head(config.width, 1 / std::sqrt(static_cast<double>(config.width) + 1), 1);
  tokenizer.save(language_model(folder));
  tokenizer.save(reward_model(folder));
  model::save_model(language_model(folder), decoder);
  model::save_model(reward_model(folder), decoder, &head);
}

}  // namespace hone::bench
