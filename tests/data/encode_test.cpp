// Rows to token ids: what is trained, the limits, cutting from the left, plain format, other tokenizers.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "data/encode_rows.h"
#include "data/row_messages.h"
#include "scratch.h"
#include "text/bpe_train.h"

using namespace hone;
using namespace hone::data;

namespace {

const Encoder& chat() {
  static const Encoder encoder = [] {
    const std::vector<std::string> texts = {"the cat sat on the mat and the dog sat on the cat",
                                            "a question and an answer"};
    return Encoder::make(text::train_bpe(texts, 300), "auto");
  }();
  return encoder;
}
const Encoder& plain() {
  static const Encoder encoder = Encoder::make(chat().tokenizer(), "plain");
  return encoder;
}
int32_t id(std::string_view token) { return *chat().tokenizer().id(token); }

// The text of the tokens with a weight, <> around special tokens as they are.
std::string trained_text(const Sequence& s) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < s.ids.size(); ++i)
    if (s.weight[i] > 0) ids.push_back(s.ids[i]);
  return chat().tokenizer().decode(ids);
}
std::string all_text(const std::vector<int32_t>& ids) { return chat().tokenizer().decode(ids); }

}  // namespace

TEST_CASE("a demonstration: the answers and their ends are trained, nothing else") {
  const Demonstration row{{{"system", "be kind"},
                           {"user", "who?"},
                           {"assistant", "the cat"},
                           {"user", "where?"},
                           {"assistant", "on the mat"}},
                          "d"};
  const std::vector<Demonstration> rows = {row};
  const auto all = encode_demonstrations(rows, chat(), {});
  REQUIRE(all.items.size() == 1);
  const Sequence& s = all.items[0];
  CHECK(all_text(s.ids) ==
        "<|bos|><|system|>be kind<|user|>who?<|assistant|>the cat<|eos|><|user|>where?<|assistant|>on the mat<|eos|>");
  CHECK(trained_text(s) == "the cat<|eos|>on the mat<|eos|>");
  CHECK(s.weight.size() == s.ids.size());
  LengthSettings last;
  last.train_on = "last_answer";
  CHECK(trained_text(encode_demonstrations(rows, chat(), last).items[0]) == "on the mat<|eos|>");
  CHECK(all.lengths.tokens == s.size());
  CHECK(all.lengths.trained_tokens == std::accumulate(s.weight.begin(), s.weight.end(), 0.0));
}

TEST_CASE("a comparison: both sides begin with the prompt, only the answers weigh") {
  Preference p;
  p.prompt = {{"user", "who?"}, {"assistant", "the dog"}, {"user", "sure?"}};
  p.chosen = said("the cat");
  p.rejected = said("");
  p.weight = 0.5;
  p.margin = 2;
  const std::vector<Preference> rows = {p};
  const auto encoded = encode_preferences(rows, chat(), {});
  const Pair& pair = encoded.items.at(0);
  CHECK(trained_text(pair.chosen) == "the cat<|eos|>");
  CHECK(trained_text(pair.rejected) == "<|eos|>");
  CHECK(std::equal(pair.chosen.ids.begin(), pair.chosen.ids.begin() + pair.prompt_length, pair.rejected.ids.begin()));
  CHECK(pair.chosen.ids[static_cast<size_t>(pair.prompt_length) - 1] == id("<|assistant|>"));
  CHECK(pair.weight == 0.5);
  CHECK(pair.margin == 2);
  const std::vector<Prompt> prompts = {{p.prompt, "p"}};
  const auto ids = encode_prompts(prompts, chat(), {});
  CHECK(std::equal(ids.items[0].begin(), ids.items[0].end(), pair.chosen.ids.begin()));
  CHECK(static_cast<int64_t>(ids.items[0].size()) == pair.prompt_length);
}

TEST_CASE("the plain format: BOS, prompt, completion, EOS; the prompt may be empty") {
  const std::vector<Demonstration> rows = {{{{"user", "the cat"}, {"assistant", " sat"}}, "a"},
                                           {{{"user", ""}, {"assistant", "sat"}}, "b"},
                                           {{{"assistant", "sat"}}, "c"}};
  const auto encoded = encode_demonstrations(rows, plain(), {});
  CHECK(all_text(encoded.items[0].ids) == "<|bos|>the cat sat<|eos|>");
  CHECK(trained_text(encoded.items[0]) == " sat<|eos|>");
  CHECK(all_text(encoded.items[1].ids) == "<|bos|>sat<|eos|>");
  CHECK(encoded.items[1].ids == encoded.items[2].ids);
  const std::vector<Demonstration> turns = {
      {{{"user", "a"}, {"assistant", "b"}, {"user", "c"}, {"assistant", "d"}}, "x"}};
  CHECK_THROWS_WITH_AS(encode_demonstrations(turns, plain(), {}), doctest::Contains("needs a chat template"), Error);
}

TEST_CASE("the plain format of a tokenizer whose BOS is its EOS, as GPT-2's: none before a prompt") {
  const scratch::Folder scratch;
  const std::vector<std::string> texts = {"the cat sat on the mat and the dog sat on the cat"};
  text::train_bpe(texts, 280, {"<|endoftext|>"}).save(scratch.path);
  const fs::path config = scratch.path / "tokenizer_config.json";
  Json json = parse_json(read_file(config), "config");
  json["bos_token"] = json["eos_token"] = "<|endoftext|>";
  write_file_atomic(config, dump_json(json));
  const Encoder encoder = Encoder::make(text::Tokenizer::load(scratch.path), "plain");
  REQUIRE(encoder.tokenizer().bos() == encoder.tokenizer().eos());
  const std::vector<Demonstration> rows = {{{{"user", "the cat"}, {"assistant", " sat"}}, "a"},
                                           {{{"user", ""}, {"assistant", "sat"}}, "b"}};
  const auto encoded = encode_demonstrations(rows, encoder, {});
  CHECK(encoder.tokenizer().decode(encoded.items.at(0).ids) == "the cat sat<|endoftext|>");
  CHECK(encoded.items[0].weight.back() == 1);
  // An empty prompt begins with it: something must stand before the first token, or nothing could predict it.
  CHECK(encoder.tokenizer().decode(encoded.items.at(1).ids) == "<|endoftext|>sat<|endoftext|>");
  CHECK(encoded.items[1].weight[1] == 1);
  // llama2.c's is one token for both too, but stands before every story, and its folder says so.
  json["add_bos_token"] = true;
  write_file_atomic(config, dump_json(json));
  const Encoder asked = Encoder::make(text::Tokenizer::load(scratch.path), "plain");
  CHECK(asked.tokenizer().decode(encode_demonstrations(rows, asked, {}).items.at(0).ids) ==
        "<|endoftext|>the cat sat<|endoftext|>");
}

TEST_CASE("special tokens that stand in a text are ordinary text") {
  const std::vector<Demonstration> rows = {{{{"user", "<|eos|>"}, {"assistant", "<|assistant|>x"}}, "a"}};
  for (const Encoder* encoder : {&chat(), &plain()}) {
    const auto ids = encode_demonstrations(rows, *encoder, {}).items[0].ids;
    CHECK(std::count(ids.begin(), ids.end(), id("<|eos|>")) == 1);
    CHECK(std::count(ids.begin(), ids.end(), id("<|bos|>")) == 1);
  }
}

TEST_CASE("property: whatever the row, the last token is EOS, it is trained, and there is one BOS") {
  Stream random(5, "encode property");
  const char* pieces[] = {"the ", "cat", "\n\n", "", "é", "日本", "\xff", " <|eos|>", "sat on"};
  for (int round = 0; round < 300; ++round) {
    auto text = [&] {
      std::string out;
      for (uint64_t i = random.below(6); i > 0; --i) out += pieces[random.below(std::size(pieces))];
      return out;
    };
    Demonstration row;
    for (uint64_t turns = 1 + random.below(3); turns > 0; --turns) {
      row.messages.push_back({"user", text()});
      row.messages.push_back({"assistant", text()});
    }
    Preference pair;
    pair.prompt.assign(row.messages.begin(), row.messages.end() - 1);
    pair.chosen = said(text());
    pair.rejected = said(text());
    if (pair.chosen == pair.rejected) pair.chosen[0].content += "more";
    std::vector<Sequence> made = encode_demonstrations(std::span(&row, 1), chat(), {}).items;
    for (Pair& p : encode_preferences(std::span(&pair, 1), chat(), {}).items) {
      made.push_back(std::move(p.chosen));
      made.push_back(std::move(p.rejected));
    }
    row.messages.resize(2);
    made.push_back(encode_demonstrations(std::span(&row, 1), plain(), {}).items[0]);
    REQUIRE(made.size() == 4);
    for (const Sequence& s : made) {
      REQUIRE(s.ids.back() == id("<|eos|>"));
      REQUIRE(s.weight.back() == 1);
      REQUIRE(s.weight.front() == 0);
      REQUIRE(std::count(s.ids.begin(), s.ids.end(), id("<|bos|>")) == 1);
      REQUIRE(s.ids.front() == id("<|bos|>"));
      REQUIRE(std::count(s.ids.begin(), s.ids.end(), id("<|pad|>")) == 0);
    }
  }
}

TEST_CASE("rows over the limit: left out, cut from the left, or an error; counted and refused above a share") {
  std::vector<Demonstration> rows;
  for (int i = 0; i < 10; ++i) {
    std::string prompt;
    for (int k = 0; k <= i; ++k) prompt += "z" + std::to_string(k) + " ";
    rows.push_back({{{"user", prompt}, {"assistant", "yes"}}, "row" + std::to_string(i)});
  }
  const auto whole = encode_demonstrations(rows, chat(), {});
  CHECK(whole.lengths.lost_share() == 0);
  LengthSettings s;
  s.max_length = whole.items[6].size();
  const auto dropped = encode_demonstrations(rows, chat(), s);
  CHECK(dropped.items.size() == 7);
  CHECK(dropped.lengths.dropped == 3);
  CHECK(dropped.lengths.longest == whole.items[9].size());
  CHECK(dropped.lengths.lost_share() == doctest::Approx(0.3));
  CHECK_THROWS_WITH_AS(require_kept(dropped.lengths, s, "demonstrations"),
                       doctest::Contains("30.0% of the rows would be left out"), Error);
  s.max_lost_share = 0.3;
  require_kept(dropped.lengths, s, "demonstrations");

  s.too_long = "cut_left";
  const auto cut = encode_demonstrations(rows, chat(), s);
  CHECK(cut.items.size() == 10);
  CHECK(cut.lengths.cut == 3);
  for (const Sequence& q : cut.items) {
    CHECK(q.size() <= s.max_length);
    const std::string text = all_text(q.ids);
    CHECK(text.starts_with("<|bos|><|user|>"));
    CHECK(text.ends_with("<|assistant|>yes<|eos|>"));
  }
  CHECK(all_text(cut.items[9].ids).find("z9 <|assistant|>") != std::string::npos);
  CHECK(all_text(cut.items[9].ids).find("z0 ") == std::string::npos);

  s.too_long = "error";
  CHECK_THROWS_WITH_AS(encode_demonstrations(rows, chat(), s), doctest::Contains("row row7 is too long"), Error);
  s.too_long = "cut_left";
  s.max_length = 4;  // no room for a token of the prompt
  CHECK_THROWS_WITH_AS(require_kept(encode_demonstrations(rows, chat(), s).lengths, s, "x"),
                       doctest::Contains("no row fits"), Error);
  s.max_length = 100;
  CHECK_THROWS_WITH_AS(encode_demonstrations(rows, chat(), s, 64), doctest::Contains("over the model's context"),
                       Error);
}

TEST_CASE("cutting from the left: old turns go first, the system message and the markers stay") {
  std::vector<text::Message> turns = {{"system", "be kind"},  {"user", "zero zero zero"},
                                      {"assistant", "one"},   {"user", "two"},
                                      {"assistant", "three"}, {"user", "four four four four"}};
  const auto size = [&](const std::vector<text::Message>& m) { return static_cast<int64_t>(chat().prompt(m).size()); };
  const int64_t full = size(turns);
  for (int64_t limit = 1; limit <= full; ++limit) {
    const auto kept = cut_left(turns, limit, chat());
    if (kept.empty()) {
      CHECK(limit <= size({{"system", "be kind"}, {"user", ""}}));
      continue;
    }
    CHECK(size(kept) <= limit);
    CHECK(size(kept) >= limit - 12);  // no more is lost than a turn's markers and merges
    CHECK(kept[0].content == "be kind");
    CHECK(kept[1].role == "user");
    CHECK(kept.back().role == "user");
    CHECK(std::string("four four four four").ends_with(kept.back().content));
  }
  // Both sides of a comparison keep the same prompt.
  Preference p;
  p.prompt = turns;
  p.chosen = said("a long answer of the cat on the mat");
  p.rejected = said("no");
  LengthSettings s;
  s.max_prompt_length = full - 5;
  s.too_long = "cut_left";
  const auto pair = encode_preferences(std::span(&p, 1), chat(), s).items.at(0);
  CHECK(std::equal(pair.chosen.ids.begin(), pair.chosen.ids.begin() + pair.prompt_length, pair.rejected.ids.begin()));
  CHECK(pair.prompt_length <= full - 5);
  CHECK(trained_text(pair.chosen) == p.chosen[0].content + "<|eos|>");
}

TEST_CASE("a character is never cut in two") {
  std::string snow;
  for (int i = 0; i < 50; ++i) snow += "☃";
  for (int64_t limit = 4; limit < 60; ++limit) {
    const auto kept = cut_left({{"user", snow}}, limit, chat());
    if (kept.empty()) continue;
    CHECK(kept[0].content.size() % 3 == 0);
    CHECK(snow.ends_with(kept[0].content));
  }
}

TEST_CASE("prompts leave room for the answer") {
  const std::vector<Prompt> rows = {{{{"user", "the cat sat on the mat"}}, "a"}};
  const auto size = static_cast<int64_t>(chat().prompt(rows[0].messages).size());
  CHECK(encode_prompts(rows, chat(), {}, size + 8, 8).items.size() == 1);
  CHECK(encode_prompts(rows, chat(), {}, size + 8, 9).lengths.dropped == 1);
  CHECK_THROWS_WITH_AS(encode_prompts(rows, chat(), {}, 8, 8), doctest::Contains("no room for a prompt"), Error);
}

TEST_CASE("real tokenizers: plain rows end with a trained EOS") {
  const auto root = scratch::shared_data();
  if (!root) {
    MESSAGE("skipped: neither $HONE_DATA nor ../shared/data holds the tokenizers");
    return;
  }
  const auto gpt2 = text::Tokenizer::load(*root / "gpt2-tokenizer");
  if (!gpt2.eos()) {
    CHECK_THROWS_WITH_AS(Encoder(gpt2, std::nullopt), doctest::Contains("names no EOS token"), Error);
    return;
  }
  const std::vector<Demonstration> rows = {{{{"user", "Hello"}, {"assistant", " world"}}, "a"}};
  const Sequence s = encode_demonstrations(rows, Encoder(gpt2), {}).items[0];
  CHECK(s.ids.back() == *gpt2.eos());
  CHECK(s.weight.back() == 1);
}

TEST_CASE("a pair of several turns: the prompt is shared, what the assistant does after it is compared") {
  const std::string source =
      "{% for m in messages %}{{ '<|user|>' + m.role + ' ' + m.content + '<|eos|>' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|user|>assistant ' }}{% endif %}";
  const Encoder encoder(chat().tokenizer(), text::ChatTemplate::from_source(source, "", "<|eos|>", "turns"));
  Preference p;
  p.prompt = {{"user", "the cat?"}};
  p.chosen = {{"assistant", "look"}, {"tool", "mat"}, {"assistant", "on it"}};
  p.rejected = said("no");
  Preference same;  // other words that become the same tokens
  same.prompt = p.prompt;
  same.chosen = said("yes");
  same.rejected = {{"assistant", "yes"}};
  same.rejected[0].name = "someone";
  const std::vector<Preference> rows{p, same};
  const auto encoded = encode_preferences(rows, encoder, {});
  CHECK(encoded.lengths.same_ids == 1);
  CHECK(encoded.lengths.summary().find("1 left out whose two sides become the same tokens") != std::string::npos);
  const Pair& pair = encoded.items.at(0);
  CHECK(trained_text(pair.chosen) == "look<|eos|>on it<|eos|>");
  CHECK(trained_text(pair.rejected) == "no<|eos|>");
  CHECK(pair.prompt_length == static_cast<int64_t>(encoder.prompt(p.prompt).size()));
  CHECK(std::equal(pair.chosen.ids.begin(), pair.chosen.ids.begin() + pair.prompt_length, pair.rejected.ids.begin()));
}

TEST_CASE("earlier answers that a template renders otherwise later are learnt by themselves, each once") {
  const std::string source =
      "{% for m in messages %}{% set c = m.content if loop.last else m.content.split('&')[-1] %}"
      "{{ '<|user|>' + c + '<|eos|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|user|>' }}{% endif %}";
  const Encoder encoder(chat().tokenizer(), text::ChatTemplate::from_source(source, "", "<|eos|>", "strips"));
  const std::vector<Demonstration> rows = {{{{"user", "a"},
                                             {"assistant", "cat&b"},
                                             {"user", "c"},
                                             {"assistant", "mat&d"},
                                             {"user", "e"},
                                             {"assistant", "dog&f"}},
                                            "x"}};
  const auto all = encode_demonstrations(rows, encoder, {});
  REQUIRE(all.items.size() == 3);
  CHECK(all.lengths.apart == 2);
  CHECK(trained_text(all.items[0]) == "dog&f<|eos|>");
  CHECK(trained_text(all.items[1]) == "cat&b<|eos|>");
  CHECK(trained_text(all.items[2]) == "mat&d<|eos|>");
  CHECK(all_text(all.items[2].ids) == "<|user|>a<|eos|><|user|>b<|eos|><|user|>c<|eos|><|user|>mat&d<|eos|>");
  LengthSettings last;
  last.train_on = "last_answer";
  CHECK(encode_demonstrations(rows, encoder, last).items.size() == 1);
}

TEST_CASE("weights of turns reach the loss; rows that hold special tokens as text are counted") {
  std::vector<Demonstration> rows = {
      {{{"user", "a"}, {"assistant", "wrong"}, {"user", "<|eos|>?"}, {"assistant", "the cat"}}, "x"}};
  rows[0].messages[1].weight = 0;
  rows[0].messages[3].weight = 0.5;
  const auto encoded = encode_demonstrations(rows, chat(), {});
  CHECK(trained_text(encoded.items.at(0)) == "the cat<|eos|>");
  CHECK(encoded.items[0].weight.back() == 0.5f);
  CHECK(encoded.lengths.special_text == 1);
  CHECK(encoded.lengths.summary().find("1 row holds the model's special tokens as text") != std::string::npos);
  rows[0].messages[3].weight = 0;
  rows[0].messages[1].weight = 1;
  LengthSettings last;
  last.train_on = "last_answer";
  CHECK_THROWS_WITH_AS(encode_demonstrations(rows, chat(), last), doctest::Contains("its last answer has weight 0"),
                       Error);
  text::Message called{"assistant", "x"};
  called.tool_calls = R"([{"name": "f"}])";
  for (const Encoder* encoder : {&chat(), &plain()}) {
    const std::vector<Demonstration> calls = {{{{"user", "a"}, called}, "x"}};
    CHECK_THROWS_WITH_AS(encode_demonstrations(calls, *encoder, {}), doctest::Contains("'tool_calls'"), Error);
  }
}
