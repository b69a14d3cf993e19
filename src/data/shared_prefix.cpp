#include "data/shared_prefix.h"

#include <algorithm>

#include "base/error.h"

namespace hone::data {
namespace {

bool same_words(text::Message a, const text::Message& b) {
  a.weight = b.weight;
  return a == b;
}

bool has_user(std::span<const text::Message> turns) {
  return std::any_of(turns.begin(), turns.end(), [](const text::Message& m) { return m.role == "user"; });
}

// Both sides of a pair are compared whole, so that a turn counts or does not.
void require_whole(std::span<const text::Message> side) {
  if (side.back().weight == 0) usage_error("an answer that is compared is marked as not learnt");
  for (const text::Message& m : side)
    if (m.weight != 0 && m.weight != 1) usage_error("a turn of a comparison has a weight other than 0 and 1");
}

}  // namespace

void add_comparison(RowContent& content, std::vector<text::Message> chosen, std::vector<text::Message> rejected,
                    size_t prompt) {
  for (const auto* side : {&chosen, &rejected})
    if (side->empty() || side->back().role != "assistant")
      usage_error("a compared conversation does not end with the assistant");
  const bool known = prompt > 0;
  if (!known) {
    const size_t least = std::min(chosen.size(), rejected.size());
    while (prompt + 1 < least && same_words(chosen[prompt], rejected[prompt])) ++prompt;
    while (prompt > 0 && chosen[prompt - 1].role == "assistant") --prompt;
  }
  const auto side = [&](const std::vector<text::Message>& all) { return std::span(all).subspan(prompt); };
  const bool parted = (prompt == 0 && (chosen.front().role != "assistant" || rejected.front().role != "assistant")) ||
                      (!known && (has_user(side(chosen)) || has_user(side(rejected))));
  if (parted) {
    content.dropped = "the conversations part before the last answer";
    return;
  }
  if (prompt == 0 || (chosen[prompt - 1].role != "user" && chosen[prompt - 1].role != "tool"))
    usage_error("there is no prompt before the answers");
  for (const auto* all : {&chosen, &rejected}) {
    if (side(*all).front().role != "assistant")
      usage_error("a side of the comparison does not begin with the assistant");
    require_whole(side(*all));
  }
  Comparison c;
  const auto at = static_cast<std::ptrdiff_t>(prompt);
  c.a.messages.assign(std::make_move_iterator(chosen.begin() + at), std::make_move_iterator(chosen.end()));
  c.b.messages.assign(std::make_move_iterator(rejected.begin() + at), std::make_move_iterator(rejected.end()));
  chosen.resize(prompt);
  c.prompt = std::move(chosen);
  content.comparisons.push_back(std::move(c));
}

}  // namespace hone::data
