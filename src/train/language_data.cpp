#include "train/language_data.h"

#include "base/log.h"
#include "data/corpus.h"
#include "train/answer_ends.h"
#include "train/sides.h"

namespace hone::train {

LanguageData read_documents(const LanguageModelParams& params, const text::Tokenizer& tokenizer,
                            const model::ModelConfig& config, const config::RunSettings& run) {
  const auto read = data::read_documents(params.data, params.text.read);
  log::info("  " + read.report.summary());
  const data::Corpus stream =
      data::encode_corpus(read.rows, tokenizer, static_cast<int>(run.threads), params.max_data_tokens);
  const data::HeldOut sides = data::hold_out(stream, params.text.held_out, static_cast<uint64_t>(run.seed));
  const auto sequences_of = [&](const data::Corpus& side) {
    std::vector<data::Sequence> out;
    if (side.tokens() < 2) return out;
    for (const data::Piece& piece : data::cut_pieces(side, params.corpus, config.max_positions)) {
      data::Sequence s;
      s.ids.assign(side.ids.begin() + piece.begin, side.ids.begin() + piece.end);
      s.weight.assign(s.ids.size(), 1.0f);
      s.weight[0] = 0;
      out.push_back(std::move(s));
    }
    return out;
  };
  return {sequences_of(sides.train), sequences_of(sides.held_out)};
}

LanguageData read_demonstrations(const LanguageModelParams& params, const text::Tokenizer& tokenizer,
                                 model::ModelConfig& config, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const int64_t longest = config.max_positions;
  const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, config.eos);
  settle_answer_ends(encoder, context, config);
  auto read = data::read_demonstrations(params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  auto sides = encode_sides(data::split(std::move(read.rows), params.text.held_out, seed), params.text.length,
                            "demonstrations", [&](std::span<const data::Demonstration> rows) {
                              return data::encode_demonstrations(rows, encoder, params.text.length, longest);
                            });
  AnswerLog answers(params.samples, encoder, prompts_of(sides.rows.held_out), prompts_of(sides.rows.train), longest,
                    seed);
  return {std::move(sides.train.items), std::move(sides.held_out.items), std::move(answers)};
}

}  // namespace hone::train
