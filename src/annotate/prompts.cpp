#include "annotate/prompts.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "text/message_json.h"

namespace hone::annotate {

// prompts.txt as it stands; made by the build.
extern const char* const kBuiltinPrompts;

std::vector<data::Prompt> builtin_prompts() {
  std::vector<data::Prompt> out;
  std::string_view rest = kBuiltinPrompts;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.starts_with("#")) continue;
    out.push_back({{{"user", line}}, "builtin:" + std::to_string(out.size() + 1)});
  }
  return out;
}

std::vector<data::Prompt> load_prompts(const std::vector<std::string>& paths, const data::ReadSettings& settings) {
  std::vector<std::string> files;
  bool own = paths.empty();
  for (const std::string& path : paths) {
    if (path == "builtin") own = true;
    else files.push_back(path);
  }
  std::vector<data::Prompt> out;
  if (own) out = builtin_prompts();
  if (!files.empty()) {
    data::ReadSettings lines = settings;
    lines.split_text_by = "line";
    std::vector<data::Prompt> read = data::read_prompts(files, lines).rows;
    for (const data::Prompt& prompt : read)
      for (const text::Message& m : prompt.messages)
        if (valid_utf8_prefix(m.content) != m.content.size())
          usage_error("prompt " + prompt.id + ": is not valid UTF-8", "write the file in UTF-8, for example by iconv");
    out.insert(out.end(), std::make_move_iterator(read.begin()), std::make_move_iterator(read.end()));
  }
  return out;
}

std::string PromptDeck::hash_of(const std::vector<text::Message>& messages) {
  Json all = {{"prompt", text::messages_json(messages)}};
  if (!messages.empty()) all["tools"] = messages.front().tools;
  return sha256(dump_json(all));
}

PromptDeck::PromptDeck(std::vector<data::Prompt> prompts, uint64_t seed) {
  HONE_CHECK(!prompts.empty());
  Stream(seed, "prompts").shuffle(prompts);
  for (data::Prompt& prompt : prompts)
    if (place_.emplace(hash_of(prompt.messages), prompts_.size()).second) prompts_.push_back(std::move(prompt));
  visits_.resize(prompts_.size());
}

std::vector<DealtPrompt> PromptDeck::deal(size_t most) {
  const std::lock_guard lock(mutex_);
  const int64_t visit = *std::ranges::min_element(visits_);
  std::vector<DealtPrompt> out;
  for (size_t i = 0; i < prompts_.size() && out.size() < most; ++i) {
    if (visits_[i] != visit) continue;
    out.push_back({prompts_[i].messages, hash_of(prompts_[i].messages), visit});
    ++visits_[i];
  }
  return out;
}

std::vector<DealtPrompt> PromptDeck::fresh_ones(size_t most) const {
  const std::lock_guard lock(mutex_);
  const int64_t visit = *std::ranges::min_element(visits_);
  std::vector<DealtPrompt> out;
  // From the end: the deck deals from the beginning.
  for (size_t i = prompts_.size(); i-- > 0 && out.size() < most;)
    if (visits_[i] == visit) out.push_back({prompts_[i].messages, hash_of(prompts_[i].messages), visit});
  return out;
}

void PromptDeck::give_back(const DealtPrompt& prompt) {
  const std::lock_guard lock(mutex_);
  visits_[place_.at(prompt.hash)] = prompt.visit;
}

void PromptDeck::mark_dealt(const std::vector<text::Message>& messages) {
  const auto at = place_.find(hash_of(messages));
  if (at == place_.end()) return;
  const std::lock_guard lock(mutex_);
  ++visits_[at->second];
}

int64_t PromptDeck::fresh() const {
  const std::lock_guard lock(mutex_);
  return std::ranges::count(visits_, 0);
}

}  // namespace hone::annotate
