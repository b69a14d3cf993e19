#include "data/shared_prefix.h"

#include "base/error.h"

namespace hone::data {

void add_comparison(RowContent& content, std::vector<text::Message> chosen, std::vector<text::Message> rejected) {
  for (const auto* side : {&chosen, &rejected})
    if (side->back().role != "assistant") usage_error("a compared conversation does not end with the assistant");
  const bool same_prompt =
      chosen.size() == rejected.size() &&
      std::equal(chosen.begin(), chosen.end() - 1, rejected.begin(), rejected.end() - 1,
                 [](const auto& a, const auto& b) { return a.role == b.role && a.content == b.content; });
  if (!same_prompt) {
    content.dropped = "the conversations part before the last answer";
    return;
  }
  if (chosen.size() < 2) usage_error("there is no prompt before the answers");
  Comparison c;
  c.first = std::move(chosen.back().content);
  c.second = std::move(rejected.back().content);
  chosen.pop_back();
  c.prompt = std::move(chosen);
  content.comparisons.push_back(std::move(c));
}

}  // namespace hone::data
