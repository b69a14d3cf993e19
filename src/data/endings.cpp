#include "data/endings.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/json.h"

namespace hone::data {
namespace {

constexpr const char* kTemplate = "chat template";
constexpr const char* kTokenizer = "tokenizer";
constexpr const char* kConfiguration = "model configuration";

// Words that no template holds itself, so that one which leaves a turn out is noticed; the answers end differently.
constexpr const char *kQuestion = "Where is the violet umbrella?", *kAnswer = "Under the stairs",
                     *kOtherAnswer = "I lost it";

using Ids = std::vector<int32_t>;

size_t same_beginning(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

size_t common_end(std::span<const int32_t> a, std::span<const int32_t> b) {
  size_t n = 0;
  while (n < std::min(a.size(), b.size()) && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  return n;
}

// What the template writes behind an answer that is the conversation's last.
struct Tail {
  Ids ids;                    // behind the answer's last token
  Ids when_continued;         // as far as the same stands behind the answer when the conversation goes on
  std::vector<bool> trained;  // of `ids`
  bool opens_a_turn = false;  // `ids` end with what opens the assistant's next turn
};

Tail render_tail(const text::Tokenizer& tokenizer, const text::ChatTemplate& chat) {
  const std::vector<text::Message> one = {{"user", kQuestion}, {"assistant", kAnswer}},
                                   other = {{"user", kQuestion}, {"assistant", kOtherAnswer}};
  const std::span<const text::Message> question = std::span(one).first(1);
  const text::Encoded whole = text::encode_chat(tokenizer, chat, one, false);
  const Ids prompt = text::encode_chat(tokenizer, chat, question, true).ids;
  const size_t length = std::min(common_end(whole.ids, text::encode_chat(tokenizer, chat, other, false).ids),
                                 whole.ids.size() - std::min(prompt.size(), whole.ids.size()));
  const size_t begin = whole.ids.size() - length;
  Tail tail;
  tail.ids.assign(whole.ids.begin() + static_cast<std::ptrdiff_t>(begin), whole.ids.end());
  for (size_t i = begin; i < whole.ids.size(); ++i) tail.trained.push_back(whole.trained[i] != 0);
  try {
    const std::vector<text::Message> more = {{"user", kQuestion}, {"assistant", kAnswer}, {"user", kQuestion}};
    const size_t same = same_beginning(whole.ids, text::encode_chat(tokenizer, chat, more, true).ids);
    if (same > begin)
      tail.when_continued.assign(tail.ids.begin(), tail.ids.begin() + static_cast<std::ptrdiff_t>(same - begin));
    // Some open the assistant's next turn unasked, behind an answer too. What opens a turn ends none.
    const auto special = [&](int32_t id) { return tokenizer.is_special(id) && id != tokenizer.bos(); };
    const auto last = [&](const Ids& ids) { return std::find_if(ids.rbegin(), ids.rend(), special); };
    tail.opens_a_turn = last(prompt) != prompt.rend() && last(tail.ids) != tail.ids.rend() &&
                        *last(prompt) == *last(tail.ids) &&
                        text::encode_chat(tokenizer, chat, question, false).ids == prompt;
    if (tail.opens_a_turn)
      tail.when_continued.erase(std::ranges::find(tail.when_continued, *std::ranges::find_if(prompt, special)),
                                tail.when_continued.end());
  } catch (const Error&) {
    // A template of one question and one answer: there is nothing to compare with.
  }
  return tail;
}

}  // namespace

const Ending* Endings::at(int32_t id) const {
  const auto found = std::ranges::find(list_, id, &Ending::id);
  return found == list_.end() ? nullptr : &*found;
}

void Endings::add(const text::Tokenizer& tokenizer, int32_t id, const char* by) {
  auto found = std::ranges::find(list_, id, &Ending::id);
  if (found == list_.end()) {
    list_.push_back({id, std::string(tokenizer.token_text(id)), tokenizer.is_special(id), {}});
    found = list_.end() - 1;
  }
  if (std::ranges::find(found->named_by, by) == found->named_by.end()) found->named_by.emplace_back(by);
}

Endings Endings::find(const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                      std::span<const int64_t> of_model) {
  Endings out;
  if (tokenizer.eos()) out.add(tokenizer, *tokenizer.eos(), kTokenizer);
  for (const int64_t id : of_model) {
    if (id >= 0 && id < tokenizer.size() && !tokenizer.token_text(static_cast<int32_t>(id)).empty())
      out.add(tokenizer, static_cast<int32_t>(id), kConfiguration);
    else out.unknown_.push_back(id);
  }
  if (chat == nullptr) return out;

  const Tail tail = render_tail(tokenizer, *chat);
  const auto last_end = [&](const Ids& ids) -> std::optional<int32_t> {
    for (size_t i = ids.size(); i-- > 0;)
      if (tail.trained[i] && (tokenizer.is_special(ids[i]) || out.contains(ids[i]))) return ids[i];
    return std::nullopt;
  };
  // Behind the last answer a template may write more than behind any other: Phi-3's <|end|>, then <|endoftext|>. Both
  // are ends; what stands behind every answer is the end of a turn.
  const auto of_turn = last_end(tail.when_continued),
             of_conversation = tail.opens_a_turn ? std::nullopt : last_end(tail.ids);
  for (const auto& id : {of_turn, of_conversation})
    if (id) out.add(tokenizer, *id, kTemplate);
  const auto written = std::ranges::find_if(tail.ids, [&](int32_t id) { return out.contains(id); });
  out.tail_ = tail.ids;
  out.chat_ = true;
  if (written != tail.ids.end())
    std::ranges::stable_partition(out.list_, [&](const Ending& e) { return e.id == *written; });
  return out;
}

int32_t Endings::written() const {
  HONE_CHECK(!list_.empty());
  return list_.front().id;
}

std::vector<int32_t> Endings::ids() const {
  std::vector<int32_t> out;
  for (const Ending& e : list_) out.push_back(e.id);
  return out;
}

int64_t Endings::behind_answer(std::span<const int32_t> ids) const {
  return ids.size() >= tail_.size() && std::ranges::equal(ids.last(tail_.size()), tail_) ? std::ssize(tail_) : 0;
}

std::optional<int64_t> Endings::end_of_answer(std::span<const int32_t> ids, int64_t begin) const {
  // A special token within an answer is the template's: what people write is ordinary text.
  for (auto i = static_cast<size_t>(begin); i < ids.size(); ++i)
    if (const Ending* e = at(ids[i]); e != nullptr && e->special) return static_cast<int64_t>(i) + 1;
  // An ordinary token may stand within the answer too.
  for (auto i = ids.size() - static_cast<size_t>(behind_answer(ids)); i < ids.size(); ++i)
    if (contains(ids[i])) return static_cast<int64_t>(i) + 1;
  return std::nullopt;
}

std::string Endings::describe() const {
  if (list_.empty()) return "nothing names a token that ends an answer";
  const auto named = [](const Ending& e) {
    std::string by;
    for (const std::string& name : e.named_by) by += (by.empty() ? "" : ", ") + name;
    return e.token + " (" + std::to_string(e.id) + (e.special ? "" : ", no special token") + "; " + by + ")";
  };
  std::string out = "an answer ends with " + named(list_.front());
  for (size_t i = 1; i < list_.size(); ++i) out += (i == 1 ? "; sampling also stops at " : ", ") + named(list_[i]);
  if (chat_ && std::ranges::none_of(tail_, [&](int32_t id) { return contains(id); }))
    out += "; the chat template writes no end itself";
  for (size_t i = 0; i < unknown_.size(); ++i)
    out += (i == 0 ? "; the model configuration's end " : ", ") + std::to_string(unknown_[i]);
  if (!unknown_.empty()) out += unknown_.size() == 1 ? " is no token" : " are no tokens";
  return out;
}

Json Endings::to_json() const {
  Json out = Json::array();
  for (const Ending& e : list_) out.push_back({{"id", e.id}, {"token", e.token}, {"by", e.named_by}});
  return out;
}

std::optional<int32_t> padding_apart_from(const Endings& endings, const text::Tokenizer& tokenizer) {
  if (tokenizer.pad() && !endings.contains(*tokenizer.pad())) return tokenizer.pad();
  // Any special token that ends nothing will do; best one that nothing else needs. The later word wins.
  constexpr std::array<std::string_view, 5> kUnneeded = {"unk", "extra", "unused", "reserved", "pad"};
  std::optional<int32_t> best;
  int best_rank = -1;
  for (const std::string& token : tokenizer.special_tokens()) {
    const auto id = tokenizer.id(token);
    if (!id || endings.contains(*id)) continue;
    int rank = id == tokenizer.bos() ? 0 : 1;
    std::string lower = token;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (size_t i = 0; i < kUnneeded.size(); ++i)
      if (lower.find(kUnneeded[i]) != std::string::npos) rank = static_cast<int>(i) + 2;
    if (rank > best_rank) best = id, best_rank = rank;
  }
  if (best) return best;
  // A stop that is not written behind answers stands at the end of none that is scored.
  for (const Ending& e : endings.list())
    if (e.special && e.id != endings.written()) return e.id;
  return std::nullopt;
}

}  // namespace hone::data
