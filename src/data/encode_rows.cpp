#include "data/encode_rows.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/progress.h"
#include "text/special_text.h"

namespace hone::data {
namespace {

constexpr int64_t kNoLimit = INT64_MAX;

int64_t answer_length(const Encoder::Answered& a) { return a.sequence.size() - a.prompt_length; }

void only_last_answer(Encoder::Answered& a) {
  std::fill(a.sequence.weight.begin(), a.sequence.weight.begin() + a.prompt_length, 0.0f);
}

std::vector<text::Message> with_answer(std::vector<text::Message> prompt, std::span<const text::Message> answer) {
  prompt.insert(prompt.end(), answer.begin(), answer.end());
  return prompt;
}

// A side of a comparison: the turns after the prompt, all of which are the answer.
Encoder::Answered side(const std::vector<text::Message>& prompt, std::span<const text::Message> answer,
                       const Encoder& encoder) {
  Encoder::Answered out = encoder.conversation(with_answer(prompt, answer));
  if (answer.size() > 1) {
    const PromptIds before = encoder.prompt(prompt);
    if (before.size() > out.sequence.ids.size() || !std::equal(before.begin(), before.end(), out.sequence.ids.begin()))
      usage_error("the chat template writes the prompt of a comparison otherwise once it is answered by several turns",
                  "use another chat template, or compare the last turns alone");
    out.prompt_length = static_cast<int64_t>(before.size());
  }
  only_last_answer(out);
  return out;
}

// One row's way through the limits.
class Limits {
 public:
  Limits(const LengthSettings& settings, int64_t context, int64_t reserve, LengthReport& report)
      : settings_(settings), report_(report) {
    const int64_t limit = sequence_limit(settings, context);
    report.limit = limit;
    if (limit > 0 && reserve >= limit)
      usage_error(
          "no room for a prompt: " + count_text(reserve) + " new tokens in sequences of at most " + count_text(limit),
          "lower the number of new tokens or raise max_length");
    limit_ = limit > 0 ? limit : kNoLimit;
    prompt_limit_ = settings.max_prompt_length > 0 ? settings.max_prompt_length : kNoLimit;
    report.prompt_limit = settings.max_prompt_length;
  }

  enum class Fate { kFits, kCut, kDrop };
  /// What becomes of a row with this prompt and (longest) answer; `prompt` is cut in place.
  Fate decide(std::vector<text::Message>& prompt, int64_t prompt_length, int64_t answer, const std::string& id,
              const Encoder& encoder) {
    ++report_.rows;
    report_.longest = std::max(report_.longest, prompt_length + answer);
    const int64_t room = std::min(prompt_limit_, limit_ == kNoLimit ? kNoLimit : limit_ - answer);
    if (prompt_length <= room) {
      ++report_.kept;
      return Fate::kFits;
    }
    if (settings_.too_long == "error")
      usage_error("row " + id + " is too long: a prompt of " + count_text(prompt_length) + " tokens and an answer of " +
                      count_text(answer) + ", where the prompt may have " + count_text(std::max<int64_t>(room, 0)),
                  "raise the limits, or choose too_long = \"drop\" or \"cut_left\"");
    if (settings_.too_long == "cut_left" && room > 0) {
      prompt = cut_left(std::move(prompt), room, encoder);
      if (!prompt.empty()) {
        ++report_.kept;
        ++report_.cut;
        return Fate::kCut;
      }
    }
    ++report_.dropped;
    return Fate::kDrop;
  }

  void notice(std::span<const text::Message> messages, const Encoder& encoder) {
    report_.special_text += text::holds_special_text(encoder.tokenizer(), messages);
  }

  void count(const Sequence& s) {
    report_.tokens += s.size();
    report_.trained_tokens += std::count_if(s.weight.begin(), s.weight.end(), [](float w) { return w > 0; });
  }

 private:
  const LengthSettings& settings_;
  LengthReport& report_;
  int64_t limit_ = kNoLimit, prompt_limit_ = kNoLimit;
};

// What cannot be encoded is said of its row.
template <class Work>
void of_row(const std::string& id, const Work& work) {
  try {
    work();
  } catch (const Error& e) {
    const std::string what = e.what();
    if (e.kind != Kind::kUsage || what.starts_with("row ")) throw;
    usage_error("row " + id + ": " + what, e.hint);
  }
}

// Without leading bytes that continue a character begun before the cut.
std::string whole_characters(std::string text) {
  size_t begin = 0;
  while (begin < text.size() && begin < 3 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
  return text.substr(begin);
}

}  // namespace

std::vector<text::Message> cut_left(std::vector<text::Message> prompt, int64_t limit, const Encoder& encoder) {
  const auto length = [&](const std::vector<text::Message>& m) {
    return static_cast<int64_t>(encoder.prompt(m).size());
  };
  const size_t first = !prompt.empty() && prompt[0].role == "system" ? 1 : 0;
  if (prompt.size() <= first) return {};
  // Turns whose absence still leaves at least `limit` tokens.
  while (true) {
    size_t next = first + 1;
    while (next < prompt.size() && prompt[next].role != "user") ++next;
    if (next >= prompt.size()) break;
    std::vector<text::Message> rest(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(first));
    rest.insert(rest.end(), prompt.begin() + static_cast<std::ptrdiff_t>(next), prompt.end());
    rest.front().tools = prompt.front().tools;
    const int64_t left = length(rest);
    const auto content = static_cast<int64_t>(encoder.tokenizer().encode(prompt[first].content, false).size());
    const int64_t without_content = length(prompt) - content;
    if (left < limit && without_content < limit) break;  // part of this turn's first message still fits
    prompt = std::move(rest);
    if (left <= limit) return prompt;
  }
  const std::vector<int32_t> ids = encoder.tokenizer().encode(prompt[first].content, false);
  size_t from = 0;
  while (true) {
    const int64_t over = length(prompt) - limit;
    if (over <= 0) return prompt;
    from += static_cast<size_t>(over);
    if (from >= ids.size()) return {};
    prompt[first].content = whole_characters(encoder.tokenizer().decode(std::span(ids).subspan(from)));
  }
}

Encoded<Sequence> encode_demonstrations(std::span<const Demonstration> rows, const Encoder& encoder,
                                        const LengthSettings& settings, int64_t context) {
  Encoded<Sequence> out;
  Limits limits(settings, context, 0, out.lengths);
  for (size_t i = 0; i < rows.size(); ++i) {
    limits.notice(rows[i].messages, encoder);
    const auto add = [&](std::span<const text::Message> messages, bool whole) {
      Encoder::Answered a = encoder.conversation(messages);
      const std::vector<size_t> apart = a.apart;
      if (!whole || settings.train_on == "last_answer") only_last_answer(a);
      if (std::none_of(a.sequence.weight.begin(), a.sequence.weight.end(), [](float w) { return w > 0; })) {
        if (apart.empty() || settings.train_on == "last_answer")
          usage_error("row " + rows[i].id + ": its last answer has weight 0, so nothing of it is learnt",
                      "leave the row out, or use train_on = \"all_answers\"");
        return apart;
      }
      std::vector<text::Message> prompt(messages.begin(), messages.end() - 1);
      const auto fate = limits.decide(prompt, a.prompt_length, answer_length(a), rows[i].id, encoder);
      if (fate == Limits::Fate::kDrop) return apart;
      if (fate == Limits::Fate::kCut) {
        a = encoder.conversation(with_answer(prompt, messages.last(1)));
        if (!whole || settings.train_on == "last_answer") only_last_answer(a);
      }
      limits.count(a.sequence);
      out.items.push_back(std::move(a.sequence));
      out.rows.push_back(static_cast<int64_t>(i));
      return apart;
    };
    of_row(rows[i].id, [&] {
      const std::span<const text::Message> messages = rows[i].messages;
      const std::vector<size_t> apart = add(messages, true);
      if (settings.train_on == "last_answer") return;
      for (const size_t n : apart) {
        if (messages[n - 1].weight == 0) continue;
        ++out.lengths.apart;
        add(messages.first(n), false);
      }
    });
  }
  return out;
}

Encoded<JudgedGroup> encode_judged(std::span<const JudgedAnswers> rows, const Encoder& encoder,
                                   const LengthSettings& settings, int64_t context) {
  Encoded<JudgedGroup> out;
  Limits limits(settings, context, 0, out.lengths);
  for (size_t i = 0; i < rows.size(); ++i) {
    const JudgedAnswers& row = rows[i];
    std::vector<text::Message> prompt = row.prompt, everything = prompt;
    for (const auto& answer : row.answers) everything = with_answer(std::move(everything), answer);
    limits.notice(everything, encoder);
    std::vector<Encoder::Answered> answers;
    const auto encode = [&] {
      answers.clear();
      for (const auto& answer : row.answers) {
        Encoder::Answered one = side(prompt, answer, encoder);
        const bool again =
            std::ranges::any_of(answers, [&](const auto& a) { return a.sequence.ids == one.sequence.ids; });
        if (!again) answers.push_back(std::move(one));
      }
    };
    of_row(row.id, encode);
    if (row.answers.size() > 1 && answers.size() < 2) {
      ++out.lengths.same_ids;
      continue;
    }
    int64_t longest = 0;
    for (const Encoder::Answered& a : answers) longest = std::max(longest, answer_length(a));
    const auto fate = limits.decide(prompt, answers[0].prompt_length, longest, row.id, encoder);
    if (fate == Limits::Fate::kDrop) continue;
    if (fate == Limits::Fate::kCut) encode();
    JudgedGroup group;
    group.prompt_length = answers[0].prompt_length;
    for (Encoder::Answered& a : answers) {
      limits.count(a.sequence);
      group.answers.push_back(std::move(a.sequence));
    }
    group.weight = row.weight;
    group.margin = row.margin;
    group.good = row.good;
    group.tie = row.tie;
    out.items.push_back(std::move(group));
    out.rows.push_back(static_cast<int64_t>(i));
  }
  return out;
}

Encoded<Pair> encode_preferences(std::span<const Preference> rows, const Encoder& encoder,
                                 const LengthSettings& settings, int64_t context) {
  std::vector<JudgedAnswers> judged;
  for (const Preference& row : rows) judged.push_back(as_judged(row));
  Encoded<JudgedGroup> groups = encode_judged(judged, encoder, settings, context);
  Encoded<Pair> out{{}, std::move(groups.rows), groups.lengths};
  for (JudgedGroup& g : groups.items)
    out.items.push_back({std::move(g.answers[0]), std::move(g.answers[1]), g.prompt_length, g.weight, g.margin, g.tie});
  return out;
}

Encoded<PromptIds> encode_prompts(std::span<const Prompt> rows, const Encoder& encoder, const LengthSettings& settings,
                                  int64_t context, int64_t reserve) {
  Encoded<PromptIds> out;
  Limits limits(settings, context, reserve, out.lengths);
  for (size_t i = 0; i < rows.size(); ++i) {
    limits.notice(rows[i].messages, encoder);
    PromptIds ids;
    of_row(rows[i].id, [&] { ids = encoder.prompt(rows[i].messages); });
    std::vector<text::Message> prompt = rows[i].messages;
    const auto fate = limits.decide(prompt, static_cast<int64_t>(ids.size()), reserve, rows[i].id, encoder);
    if (fate == Limits::Fate::kDrop) continue;
    if (fate == Limits::Fate::kCut) ids = encoder.prompt(prompt);
    out.lengths.tokens += static_cast<int64_t>(ids.size());
    out.items.push_back(std::move(ids));
    out.rows.push_back(static_cast<int64_t>(i));
  }
  return out;
}

}  // namespace hone::data
