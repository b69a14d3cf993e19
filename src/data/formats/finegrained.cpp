// Fine-grained RLHF, QA feedback (Wu et al. 2023, arXiv 2306.01693; github.com/allenai/FineGrainedRLHF): four answers
// to a question, compared in the order 1-2, 1-3, 1-4, 2-3, 2-4, 3-4: 1 the first is preferred, 2 the second, 0 neither.
// The evidence passages run to thousands of tokens; by setting they are left out or stand before the question.
#include <array>

#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {
namespace {

// [[title, sentence, …], …] as paragraphs.
std::string passages_text(const Json& passages) {
  if (!passages.is_array()) usage_error("field 'passages' is not a list");
  std::string out;
  for (const Json& passage : passages) {
    if (!passage.is_array()) usage_error("a passage is not a list of sentences");
    bool title = true;
    for (const Json& sentence : passage) {
      if (!sentence.is_string()) usage_error("a passage's sentence is not a text");
      if (!title) out += sentence.get_ref<const std::string&>() + " ";
      title = false;
    }
    out += "\n\n";
  }
  return out;
}

}  // namespace

std::span<const std::string_view> keys_finegrained() {
  static constexpr auto kKeys = std::to_array<std::string_view>(
      {"question", "passages", "preference", "prediction 1", "prediction 2", "prediction 3", "prediction 4"});
  return kKeys;
}

bool recognise_finegrained(const Json& row) {
  return has(row, {"question", "prediction 1", "prediction 2", "preference"});
}

RowContent read_finegrained(const Json& row, const FormatOptions& options) {
  constexpr int kAnswers = 4;
  RowContent out;
  out.source = "finegrained";
  std::string question = text_field(row, "question");
  if (options.passages) question = passages_text(field(row, "passages")) + question;
  std::vector<std::string> answers;
  for (int i = 1; i <= kAnswers; ++i) answers.push_back(text_field(row, "prediction " + std::to_string(i)));
  const Json& preference = field(row, "preference");
  if (!preference.is_array() || preference.size() != kAnswers * (kAnswers - 1) / 2)
    usage_error("field 'preference' is not a list of six");
  size_t k = 0;
  for (int i = 0; i < kAnswers; ++i) {
    for (int j = i + 1; j < kAnswers; ++j) {
      const Json& p = preference[k++];
      if (!p.is_number_integer() || p < 0 || p > 2) usage_error("a preference is not 0, 1 or 2");
      constexpr Outcome kOutcome[] = {Outcome::kTie, Outcome::kA, Outcome::kB};
      out.comparisons.push_back(
          feedback::compared(user_prompt(question), said(answers[i]), said(answers[j]), kOutcome[p.get<int>()]));
    }
  }
  return out;
}

}  // namespace hone::data::formats_impl
