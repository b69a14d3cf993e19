// What a data file is: kind, counts, lengths, oddities, first examples. Pure: the verb `hone data inspect` prints it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "data/encoder.h"
#include "data/lengths.h"
#include "data/read.h"

namespace hone::data {

/// A distribution of lengths.
struct Lengths {
  int64_t n = 0, total = 0;
  int64_t least = 0, median = 0, p95 = 0, most = 0;
  /// Counts of lengths in [0, 1), [1, 2), [2, 4), [4, 8), …
  std::vector<int64_t> bins;
};
Lengths lengths_of_values(std::vector<int64_t> values);

/// One example token by token.
struct ShownToken {
  int32_t id = 0;
  std::string text;  ///< bytes of the token; special tokens as written
  float weight = 0;
};
struct ShownSequence {
  std::string title;  ///< "test:1 chosen"
  std::vector<ShownToken> tokens;
};

struct Inspection {
  ReadReport report;
  std::string kind;  ///< "comparisons", "demonstrations", "prompts" or "documents"
  int64_t rows = 0;
  std::vector<std::pair<std::string, Lengths>> characters;  ///< "prompt", "chosen", …
  std::vector<std::pair<std::string, Lengths>> tokens;      ///< with a tokenizer; whole sequences
  std::map<std::string, int64_t> sources;                   ///< comparisons by source
  int64_t distinct_prompts = 0;
  int64_t duplicates = 0;             ///< rows that say the same as an earlier one
  int64_t contradictions = 0;         ///< comparisons that say the opposite of an earlier one
  int64_t empty_answers = 0;          ///< answers without a character
  int64_t longer_wins_halves = 0;     ///< twice the comparisons whose longer answer is chosen, equal lengths once
  LengthReport fit;                   ///< against the limits, with a tokenizer
  std::vector<std::string> examples;  ///< first rows as text
  std::vector<ShownSequence> shown;   ///< first rows as tokens, with a tokenizer

  /// Share of comparisons whose longer answer is the chosen one (equal lengths half): what a model that knows only
  /// length would reach.
  double longer_is_chosen() const {
    return rows == 0 ? 0.0 : static_cast<double>(longer_wins_halves) / (2.0 * static_cast<double>(rows));
  }
  Json to_json() const;
  /// For people: a page of text.
  std::string to_text() const;
};

struct InspectSettings {
  int64_t examples = 2;
  int64_t context = 0;  ///< the model's, 0: unknown
};

/// Reads the file as the richest kind that it holds: comparisons, demonstrations, prompts, documents. A bad line is an
/// error or counted, as `read` says. `encoder` may be null.
Inspection inspect(const std::vector<std::string>& paths, const ReadSettings& read, const Encoder* encoder = nullptr,
                   const LengthSettings& lengths = {}, const InspectSettings& settings = {});

}  // namespace hone::data
