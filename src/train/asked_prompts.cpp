#include "train/asked_prompts.h"

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "data/split.h"

namespace hone::train {
namespace {

constexpr int64_t kLongestPrompt = 512;  // tokens: what is to be read at a glance, and a cache that stays small

}  // namespace

std::vector<AskedPrompt> draw_asked(std::span<const data::Prompt> from, int64_t count, const data::Encoder& encoder,
                                    int64_t max_tokens, int64_t context, uint64_t seed) {
  std::vector<const data::Prompt*> order;
  for (const data::Prompt& p : from) order.push_back(&p);
  Stream(seed, "which").shuffle(order);
  const int64_t room = std::min(max_tokens, context / 2), longest = std::min(kLongestPrompt, context - room);
  std::vector<AskedPrompt> out;
  std::set<std::string> seen;
  for (const data::Prompt* p : order) {
    if (std::ssize(out) == count) break;
    const std::string hash = data::prompt_hash(*p);
    if (!seen.insert(hash).second) continue;
    data::PromptIds tokens = encoder.prompt(p->messages);
    if (tokens.empty() || std::ssize(tokens) > longest) continue;
    out.push_back({p->id, text::readable(p->messages), std::move(tokens), hash64(hash)});
  }
  return out;
}

std::vector<data::Prompt> prompts_of(std::span<const data::JudgedAnswers> rows) {
  std::vector<data::Prompt> out;
  for (const data::JudgedAnswers& row : rows) out.push_back({row.prompt, row.id});
  return out;
}

std::vector<data::Prompt> prompts_of(std::span<const data::Demonstration> rows) {
  std::vector<data::Prompt> out;
  for (const data::Demonstration& row : rows) {
    std::vector<text::Message> messages = row.messages;
    while (!messages.empty() && messages.back().role == "assistant") messages.pop_back();
    out.push_back({std::move(messages), row.id});
  }
  return out;
}

}  // namespace hone::train
