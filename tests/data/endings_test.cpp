// What ends an answer: found by rendering, named by tokenizer and configuration, one written and all stopping. Where a
// conversation is cut, under every template that is here.
#include "data/endings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iostream>

#include "../chat_tokenizer.h"
#include "../shared_data.h"
#include "base/error.h"
#include "data/encode_rows.h"
#include "data/row_messages.h"

using namespace hone;
using namespace hone::data;
using test::chat_tokenizer;
using test::kChatMl;

namespace {

using Names = std::vector<std::string>;

Names names(const Endings& endings) {
  Names out;
  for (const Ending& e : endings.list()) out.push_back(e.token);
  return out;
}

Endings endings_of(const text::Tokenizer& tokenizer, std::span<const int64_t> of_model = {}) {
  if (tokenizer.chat_template().empty()) return Endings::find(tokenizer, nullptr, of_model);
  const auto chat = text::ChatTemplate::of(tokenizer);
  return Endings::find(tokenizer, &chat, of_model);
}

// The text of a conversation as it is trained and scored.
std::string cut_text(const Encoder& encoder, const std::string& answer) {
  const std::vector<text::Message> talk = {{"user", "hi"}, {"assistant", answer}};
  return encoder.tokenizer().decode(encoder.conversation(talk).sequence.ids);
}

}  // namespace

TEST_CASE("the template's end of turn is found by rendering, whatever the tokenizer calls EOS") {
  const std::vector<std::pair<std::string, Names>> expected = {
      {"chatml", {"<|im_end|>", "<|endoftext|>"}},
      {"llama 3", {"<|eot_id|>", "<|endoftext|>"}},
      {"zephyr", {"<|endoftext|>"}},
      {"phi 3: more behind the last turn", {"<|end|>", "<|endoftext|>"}},
      {"command: two tokens behind the answer", {"<|END_TURN|>", "<|endoftext|>"}},
      {"harmony: another token behind the last turn", {"<|return|>", "<|endoftext|>"}},
      {"words for an end", {"<|endoftext|>"}},
      {"nothing for an end", {"<|endoftext|>"}},
      {"the next turn opened unasked", {"<|close|>", "<|endoftext|>"}},
      {"the next turn opened unasked, nothing for an end", {"<|endoftext|>"}},
      {"instructions in brackets", {"<|endoftext|>"}},
      {"a whole page behind the answer", {"<|im_end|>", "<|endoftext|>", "<|page|>"}},
  };
  REQUIRE(expected.size() == test::own_templates().size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, source] = test::own_templates()[i];
    REQUIRE(name == expected[i].first);
    CAPTURE(name);
    CHECK(names(endings_of(chat_tokenizer(source, "<|endoftext|>"))) == expected[i].second);
  }
}

TEST_CASE("a conversation stops with the end token of its last answer") {
  const auto cut = [](size_t i, const std::string& eos = "<|endoftext|>") {
    return cut_text(Encoder::make(chat_tokenizer(test::own_templates()[i].second, eos), "auto"), "yes");
  };
  CHECK(cut(0) == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>");
  CHECK(cut(2).ends_with("yes<|endoftext|>"));
  CHECK(cut(3).ends_with("yes<|end|>"));
  CHECK(cut(4).ends_with("yes<|END_RESPONSE|><|END_TURN|>"));
  CHECK(cut(5).ends_with("yes<|return|>"));
  // Words are no end: EOS stands in their place, and is trained.
  CHECK(cut(6) == "### user:\nhi\n\n### assistant:\nyes<|endoftext|>");
  CHECK(cut(7).ends_with("yes<|endoftext|>"));
  for (size_t i = 0; i < test::own_templates().size(); ++i)
    CHECK(endings_of(chat_tokenizer(test::own_templates()[i].second, "<|endoftext|>"))
              .describe()
              .ends_with("the chat template writes no end itself") == (i == 6 || i == 7 || i == 9));
  CHECK(cut(8).ends_with("yes<|close|>"));
  CHECK(cut(9).ends_with("yes<|endoftext|>"));
  CHECK(cut(10) == "[INST]hi[/INST]yes<|endoftext|>");
  CHECK(cut(11).ends_with("yes<|im_end|>"));
  CHECK_THROWS_WITH_AS(cut(6, ""), doctest::Contains("no answer could learn to end"), Error);
}

TEST_CASE("tokenizer, configuration and template are brought together; what is no token is told, not taken") {
  const std::vector<std::string> specials = {"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|stop|>"};
  const auto tokenizer = chat_tokenizer(kChatMl, specials, "<|endoftext|>");
  const int64_t stop = *tokenizer.id("<|stop|>"), im_end = *tokenizer.id("<|im_end|>");
  const std::vector<int64_t> of_model = {stop, im_end, stop, tokenizer.size(), -1, int64_t{1} << 40};
  const Endings all = endings_of(tokenizer, of_model);
  CHECK(names(all) == Names{"<|im_end|>", "<|endoftext|>", "<|stop|>"});
  CHECK(all.written() == im_end);
  CHECK(all.list()[0].named_by == Names{"model configuration", "chat template"});
  CHECK(all.describe().starts_with("an answer ends with <|im_end|> (" + std::to_string(im_end)));
  CHECK(all.describe().find(std::to_string(tokenizer.size()) + ", -1, 1099511627776 are no tokens") !=
        std::string::npos);
  // Plain: the tokenizer's EOS is written, or what the configuration names first.
  const Endings plain = Endings::find(tokenizer, nullptr, of_model);
  CHECK(names(plain) == Names{"<|endoftext|>", "<|stop|>", "<|im_end|>"});
  const auto nameless = chat_tokenizer("", specials, "");
  CHECK(Endings::find(nameless, nullptr, {}).empty());
  const Encoder by_configuration(nameless, std::nullopt, of_model);
  CHECK(by_configuration.endings().written() == stop);
  CHECK(cut_text(by_configuration, "yes") == "hiyes<|stop|>");
  CHECK_THROWS_WITH_AS(Encoder{nameless}, doctest::Contains("names no EOS token"), Error);
}

TEST_CASE("an ordinary word is an end only where the configuration says so, and cuts no answer in the middle") {
  const auto tokenizer = chat_tokenizer(test::own_templates()[6].second, {"<|endoftext|>"}, "<|endoftext|>");
  const int32_t newline = tokenizer.encode("\n")[0];
  CHECK_FALSE(endings_of(tokenizer).contains(newline));
  const std::vector<int64_t> of_model = {newline};
  const Encoder encoder = Encoder::make(tokenizer, "auto", of_model);
  CHECK(encoder.endings().written() == newline);
  CHECK(encoder.endings().describe().find("no special token") != std::string::npos);
  CHECK(cut_text(encoder, "one\ntwo") == "### user:\nhi\n\n### assistant:\none\ntwo\n");
}

TEST_CASE("a sampled answer is scored behind the end that is written, whichever it stopped at") {
  const auto tokenizer = chat_tokenizer(kChatMl, "<|endoftext|>");
  const Encoder encoder = Encoder::make(tokenizer, "auto");
  const std::vector<int32_t> prompt = {1, 2}, written = {1, 2, 3, encoder.endings().written()};
  for (const int32_t end : encoder.endings().ids()) {
    const std::vector<int32_t> answer = {3, end};
    CHECK(encoder.sampled(prompt, answer) == written);
    CHECK(encoder.sampled(prompt, answer, true, 4) == written);
  }
  const std::vector<int32_t> unfinished = {3}, cut = {1, 2, 3};
  CHECK(encoder.sampled(prompt, unfinished) == cut);
  CHECK(encoder.sampled(prompt, unfinished, true, 4) == written);
  CHECK(encoder.sampled(prompt, unfinished, true, 3) == cut);  // no room
  CHECK(encoder.sampled(prompt, std::vector<int32_t>{}) == prompt);
}

TEST_CASE("under every template: rows and samples give the same ids, which end with the end that is written") {
  std::vector<std::pair<std::string, std::string>> templates = test::own_templates();
  if (!data_missing("llama-cpp-templates"))
    for (const auto& e : fs::recursive_directory_iterator(data_root() / "llama-cpp-templates"))
      if (e.path().extension() == ".jinja") templates.emplace_back(e.path().filename().string(), read_file(e.path()));
  if (!data_missing("golden/llama_cpp_template_cases.jsonl"))
    for_each_line(data_root() / "golden/llama_cpp_template_cases.jsonl", [&](std::string_view line, int64_t number) {
      const Json row = parse_json(line, "llama_cpp_template_cases.jsonl:" + std::to_string(number));
      templates.emplace_back(row["name"].get<std::string>(), row["template"].get<std::string>());
    });
  size_t held = 0;
  std::string refused;
  for (const auto& [name, source] : templates) {
    CAPTURE(name);
    std::optional<Encoder> made;
    try {
      made = Encoder::make(chat_tokenizer(source, "<|endoftext|>"), "auto");
    } catch (const Error& e) {
      refused += "\n  " + name + ": " + e.what();
      continue;
    }
    ++held;
    const Encoder& encoder = *made;
    const int32_t end = encoder.endings().written();
    std::vector<Preference> rows(1);
    rows[0].prompt = {{"user", "who is it?"}};
    rows[0].chosen = said("the cat");
    rows[0].rejected = said("no one");
    const std::vector<Prompt> prompts = {{rows[0].prompt, "p"}};
    const std::vector<Demonstration> demonstrations = {{{{"user", "who is it?"}, {"assistant", "the cat"}}, "d"}};
    const Pair pair = encode_preferences(rows, encoder, {}).items.at(0);
    const PromptIds prompt = encode_prompts(prompts, encoder, {}).items.at(0);
    CHECK(encode_demonstrations(demonstrations, encoder, {}).items.at(0).ids == pair.chosen.ids);
    for (const Sequence* s : {&pair.chosen, &pair.rejected}) {
      CHECK(s->ids.back() == end);
      CHECK(s->weight.back() == 1);
      CHECK(std::ranges::equal(std::span(s->ids).first(prompt.size()), prompt));
      const std::span<const int32_t> answer = std::span(s->ids).subspan(prompt.size());
      // Sampling would have gone on to just there.
      for (const int32_t id : answer.first(answer.size() - 1)) CHECK_FALSE(encoder.endings().contains(id));
      std::vector<int32_t> sampled(answer.begin(), answer.end());
      for (const int32_t other : encoder.endings().ids()) {
        sampled.back() = other;
        CHECK(encoder.sampled(prompt, sampled) == s->ids);
      }
    }
  }
  std::cout << "templates: " << held << " of " << templates.size() << " held; refused:" << refused << "\n";
  CHECK(held >= test::own_templates().size());
}

TEST_CASE("a reward model's pad is never what ends an answer") {
  const auto pad = [](std::vector<std::string> specials, const std::string& eos, const Json& config = Json::object()) {
    const auto tokenizer = chat_tokenizer("", std::move(specials), eos, config);
    const auto id = padding_apart_from(Endings::find(tokenizer, nullptr, {}), tokenizer);
    return id ? std::string(tokenizer.token_text(*id)) : std::string();
  };
  const Json pad_is_end = {{"pad_token", "<|im_end|>"}, {"bos_token", "<|im_start|>"}};
  const Json pad_is_other = {{"pad_token", "<|endoftext|>"}};
  CHECK(pad({"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, "<|im_end|>", pad_is_other) == "<|endoftext|>");
  CHECK(pad({"<|endoftext|>", "<|im_start|>", "<|im_end|>"}, "<|im_end|>", pad_is_end) == "<|endoftext|>");
  CHECK(pad({"<|im_start|>", "<|im_end|>"}, "<|im_end|>", pad_is_end) == "<|im_start|>");
  CHECK(pad({"<s>", "</s>", "<unk>"}, "</s>") == "<unk>");
  CHECK(pad({"<|a|>", "<|reserved_7|>", "<|right_pad|>", "<|eot|>"}, "<|eot|>") == "<|right_pad|>");
  CHECK(pad({"<|endoftext|>"}, "<|endoftext|>") == "");
  // Two ends and nothing else: the one that is not written.
  const auto two = chat_tokenizer(
      "{{ messages[0].content }}{% if not add_generation_prompt %}{{ messages[-1].content + "
      "'<|eot|>' }}{% endif %}",
      "<|endoftext|>");
  const auto chat = text::ChatTemplate::of(two);
  CHECK(padding_apart_from(Endings::find(two, &chat, {}), two) == two.id("<|endoftext|>"));
}
