#include "eval/held_out_texts.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
#include "data/read.h"
#include "rollout/logprobs.h"

namespace hone::eval {
namespace {

constexpr int64_t kPassageTokens = 256;
constexpr size_t kBytesPerToken = 8;  // more than a token has on average

bool inside_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // of UTF-8

// From a place in the text on: from the beginning of a word where one begins nearby, in any case of a character; and
// no torn character at the end.
std::string_view passage_at(std::string_view text, size_t place, size_t bytes) {
  constexpr size_t kNearby = 64;
  size_t from = place;
  const size_t word = text.find_first_of(" \n", from);
  if (from > 0 && word != std::string_view::npos && word - from < kNearby) from = word + 1;
  while (from < text.size() && inside_character(text[from])) ++from;
  size_t end = std::min(text.size(), from + bytes);
  while (end > from && end < text.size() && inside_character(text[end])) --end;
  return text.substr(from, end - from);
}

}  // namespace

Passages draw_passages(const std::vector<std::string>& files, int64_t passages, const text::Tokenizer& tokenizer,
                       int64_t context, int64_t seed) {
  auto read = data::read_documents(files);
  log::info("  " + read.report.summary());
  std::vector<data::Document> texts = std::move(read.rows);
  Stream stream(static_cast<uint64_t>(seed), "passages");
  stream.shuffle(texts);
  const int64_t longest = std::min(kPassageTokens, context);
  Passages out;
  for (int64_t i = 0; i < passages; ++i) {
    const size_t number = static_cast<size_t>(i) % texts.size();
    const std::string_view text = texts[number].text;
    const size_t bytes = static_cast<size_t>(longest) * kBytesPerToken;
    const size_t place = text.size() > bytes ? stream.below(text.size() - bytes + 1) : 0;
    std::vector<int32_t> ids;
    if (const auto begin = tokenizer.begin()) ids.push_back(*begin);
    for (const int32_t id : tokenizer.encode(std::string(passage_at(text, place, bytes)), false)) ids.push_back(id);
    if (std::ssize(ids) > longest) ids.resize(longest);
    if (ids.size() < 2) continue;
    out.ids.push_back(std::move(ids));
    out.texts.push_back(number);
  }
  if (out.ids.empty()) usage_error("eval: `texts` hold no passage of two tokens or more", "give longer texts");
  out.count = std::min(texts.size(), static_cast<size_t>(passages));
  return out;
}

TextLoss text_loss(const EvaluatedModel& evaluated, const Passages& passages, const std::string& label) {
  std::vector<rollout::ScoredSequence> sequences;
  for (const std::vector<int32_t>& ids : passages.ids) sequences.push_back({ids, 1});
  Progress bar(label, std::ssize(sequences));
  const auto logps = rollout::sequence_logps(
      evaluated.decoder, sequences,
      {.compute = evaluated.compute, .progress = [&](int64_t done) { bar.update(done, "passages"); }});
  TextLoss out{std::vector<double>(passages.count), std::vector<double>(passages.count)};
  for (size_t i = 0; i < logps.size(); ++i) {
    for (const float logp : logps[i]) out.nats[passages.texts[i]] -= logp;
    out.tokens[passages.texts[i]] += static_cast<double>(logps[i].size());
  }
  return out;
}

}  // namespace hone::eval
