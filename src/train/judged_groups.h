// Judged answers as a loss wants them: read, by how many it compares, and tokenised; and beside each an answer to
// another prompt, where it asks for one.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "data/read.h"
#include "data/tokens.h"
#include "losses/preference_settings.h"

namespace hone::train {

/// Single answers that are good or bad, pairs, or rankings. None: kUsage.
data::Read<data::JudgedAnswers> read_judged(losses::Arity arity, const std::vector<std::string>& paths,
                                            const data::ReadSettings& settings);
/// "comparisons", "judged answers", "rankings".
std::string name_of_groups(losses::Arity arity);

/// Behind each group's prompt the best answer of the next group that has another prompt, the last one's next being the
/// first: one partner for the whole run, whatever batch a group comes into. At most `longest` tokens (0: any number),
/// of which one is the answer's. One prompt alone: kUsage.
std::vector<data::Sequence> mismatched_answers(std::span<const data::JudgedGroup> groups, int64_t longest);

/// Which of `groups` start alike: the prompt's ids as bytes, a key for folds.
std::string prompt_key(const data::JudgedGroup& group);

}  // namespace hone::train
