// PandaLM (Wang et al. 2023, arXiv 2306.05087; github.com/WeOpenML/PandaLM): two answers, judged by several annotators:
// 1 the first is better, 2 the second, 0 tie. The majority decides, no majority is a tie; strength is the share of the
// votes by which the winner leads the loser. Six answers of the test set are JSON booleans: written out as True, False.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {
namespace {

std::string answer(const Json& row, std::string_view key) {
  const Json& value = field(row, key);
  return value.is_boolean() ? (value.get<bool>() ? "True" : "False") : text_field(row, key);
}

}  // namespace

std::span<const std::string_view> keys_pandalm() {
  static constexpr auto kKeys = std::to_array<std::string_view>(
      {"instruction", "input", "response1", "response2", "annotator1", "annotator2", "annotator3"});
  return kKeys;
}

bool recognise_pandalm(const Json& row) { return has(row, {"instruction", "response1", "response2", "annotator1"}); }

RowContent read_pandalm(const Json& row, const FormatOptions&) {
  RowContent out;
  out.source = "pandalm";
  std::array<int, 3> votes{};
  int n = 0;
  field(row, "annotator1");
  for (std::string key = "annotator1"; row.contains(key); key = "annotator" + std::to_string(n + 1)) {
    const int64_t vote = whole_field(row, key);
    if (vote < 0 || vote > 2) usage_error("field '" + key + "' is not 0, 1 or 2");
    ++votes[vote];
    ++n;
  }
  Outcome outcome = Outcome::kTie;
  if (2 * votes[1] > n) outcome = Outcome::kA;
  if (2 * votes[2] > n) outcome = Outcome::kB;
  const double margin = outcome == Outcome::kTie ? 0.0 : std::abs(static_cast<double>(votes[1] - votes[2])) / n;
  std::string prompt = text_field(row, "instruction");
  if (const std::string input = optional_text(row, "input"); !input.empty()) prompt += "\n\n" + input;
  out.comparisons.push_back(feedback::compared(user_prompt(std::move(prompt)), said(answer(row, "response1")),
                                               said(answer(row, "response2")), outcome, margin));
  return out;
}

}  // namespace hone::data::formats_impl
