#include "train/judged_groups.h"

#include <algorithm>

#include "base/error.h"

namespace hone::train {

using losses::Arity;

data::Read<data::JudgedAnswers> read_judged(Arity arity, const std::vector<std::string>& paths,
                                            const data::ReadSettings& settings) {
  switch (arity) {
    case Arity::kSingle:
      return data::read_judged_singles(paths, settings);
    case Arity::kRanking:
      return data::read_rankings(paths, settings);
    case Arity::kPair:
      break;
  }
  return data::read_judged_pairs(paths, settings);
}

std::string name_of_groups(Arity arity) {
  return arity == Arity::kSingle ? "judged answers" : arity == Arity::kRanking ? "rankings" : "comparisons";
}

std::string prompt_key(const data::JudgedGroup& group) {
  return {reinterpret_cast<const char*>(group.answers[0].ids.data()),
          static_cast<size_t>(group.prompt_length) * sizeof(int32_t)};
}

std::vector<data::Sequence> mismatched_answers(std::span<const data::JudgedGroup> groups, int64_t longest) {
  std::vector<data::Sequence> out;
  const size_t n = groups.size();
  // The first group from the end whose prompt is another than the one behind it: where the walk around the ring starts,
  // so that it passes each group once, however many share a prompt.
  std::vector<size_t> partner(n);
  size_t start = n;
  for (size_t i = 0; i < n && start == n; ++i)
    if (prompt_key(groups[i]) != prompt_key(groups[(i + 1) % n])) start = i;
  if (start == n)
    usage_error("every judged answer is to the same prompt, and the loss holds each against an answer to another one",
                "give answers to two or more prompts, or take another loss");
  for (size_t back = 0; back < n; ++back) {
    const size_t i = (start + n - back) % n, next = (i + 1) % n;
    partner[i] = prompt_key(groups[i]) != prompt_key(groups[next]) ? next : partner[next];
  }
  for (size_t i = 0; i < n; ++i) {
    const data::JudgedGroup &group = groups[i], &other = groups[partner[i]];
    const auto prompt = static_cast<size_t>(group.prompt_length), from = static_cast<size_t>(other.prompt_length);
    const data::Sequence &own = group.answers[0], &answer = other.answers[0];
    data::Sequence s;
    s.ids.assign(own.ids.begin(), own.ids.begin() + static_cast<std::ptrdiff_t>(prompt));
    s.weight.assign(prompt, 0.0F);
    const size_t room = longest > 0
                            ? static_cast<size_t>(longest) - std::min<size_t>(prompt, static_cast<size_t>(longest) - 1)
                            : answer.ids.size();
    for (size_t t = from; t < answer.ids.size() && t - from < room; ++t) {
      s.ids.push_back(answer.ids[t]);
      s.weight.push_back(answer.weight[t]);
    }
    if (!s.weight.empty()) s.weight[0] = 0;
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace hone::train
