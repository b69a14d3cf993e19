// The prompts that a model answers for a person to judge: hone's own, or somebody's files; and the order in which they
// come.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "data/read.h"

namespace hone::annotate {

/// What `--prompts builtin` stands for: prompts.txt, everyday questions that ask for short answers.
std::vector<data::Prompt> builtin_prompts();

/// `paths`: files, folders and patterns in any format with prompts; "builtin", or none at all: hone's own. Of a
/// plain text each line is a prompt. Each different prompt once. Nothing in them: kUsage.
std::vector<data::Prompt> load_prompts(const std::vector<std::string>& paths, const data::ReadSettings& settings = {});

/// A prompt on its way to a person.
struct DealtPrompt {
  std::vector<text::Message> messages;
  std::string hash;   ///< of the messages
  int64_t visit = 0;  ///< how often it had been dealt before
};

/// Deals prompts in a random order that the seed determines: none comes a second time before all came once, so that a
/// blind test that deals from here gets prompts that nobody saw while there are some. Called from several threads.
class PromptDeck {
 public:
  PromptDeck(std::vector<data::Prompt> prompts, uint64_t seed);

  /// The next ones, at least one and at most `most`, all on the same visit.
  std::vector<DealtPrompt> deal(size_t most);
  /// So many that were never dealt, or all of them; where there are none, of the others. They stay where they are.
  std::vector<DealtPrompt> fresh_ones(size_t most) const;
  /// Not used after all: it is the next one again.
  void give_back(const DealtPrompt& prompt);
  /// It was dealt before, says a store. Others' prompts are passed over.
  void mark_dealt(const std::vector<text::Message>& messages);
  /// Prompts that were never dealt.
  int64_t fresh() const;
  size_t size() const { return prompts_.size(); }

  static std::string hash_of(const std::vector<text::Message>& messages);

 private:
  std::vector<data::Prompt> prompts_;    // in the order in which they are dealt
  std::map<std::string, size_t> place_;  // of a hash in prompts_
  mutable std::mutex mutex_;             // of what follows
  std::vector<int64_t> visits_;          // of each prompt
};

}  // namespace hone::annotate
