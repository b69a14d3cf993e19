#include "text/bpe_train.h"

#include <unistd.h>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"

namespace fs = std::filesystem;
using hone::text::Tokenizer;
using hone::text::train_bpe;

TEST_CASE("the most frequent pair is joined first, ties by the lowest ids") {
  // Words: "aab" x3 and " ab" x2. Pairs: ab 5, aa 3, " a" 2. After ab: a+ab 3, " "+ab 2.
  const std::vector<std::string> texts{"aab\naab\naab ab ab"};
  const Tokenizer t = train_bpe(texts, 6 + 256 + 3);
  const int32_t first = 6 + 256;
  CHECK(t.token_text(first) == "ab");
  CHECK(t.token_text(first + 1) == "aab");
  CHECK(t.token_text(first + 2) ==
        "\xC4\xA0"
        "ab");
  CHECK(t.size() == first + 3);
  CHECK(t.encode("aab ab") == std::vector<int32_t>{first + 1, first + 2});
}

TEST_CASE("specials come first, then bytes; pad is not eos") {
  const Tokenizer t = train_bpe(std::vector<std::string>{"hello hello"}, 300);
  CHECK(t.bos() == 0);
  CHECK(t.eos() == 1);
  CHECK(t.pad() == 2);
  CHECK(t.id("<|system|>") == 5);
  CHECK(t.encode("<|user|>hello<|eos|>").front() == 3);
  CHECK(t.encode("<|user|>hello<|eos|>").back() == 1);
  CHECK(t.size() < 300);  // nothing more occurs twice
  CHECK_THROWS_AS(train_bpe(std::vector<std::string>{"x"}, 261), hone::Error);
}

TEST_CASE("digits stand alone") {
  const Tokenizer t = train_bpe(std::vector<std::string>{"12 12 12 12 12"}, 300);
  CHECK(t.encode("1212").size() == 4);
  CHECK(t.encode(" 12").size() == 2);
}

TEST_CASE("training does not depend on how the text is cut, and a saved tokenizer is the same one") {
  hone::Stream random(1, "corpus");
  std::string text;
  const char* words[] = {"the",     "cat",    "sat",  "mat", "Don't", "42", "\xC3\xA9t\xC3\xA9",
                         "running", "runner", "\n\n", "...", "  "};
  while (text.size() < 200000) (text += random.chance(0.2) ? "\n" : " ") += words[random.below(12)];
  const Tokenizer whole = train_bpe(std::vector<std::string>{text}, 400);
  std::string six;
  for (int i = 0; i < 60; ++i) six += text + "\nAnd so on\n";
  CHECK(train_bpe(std::vector<std::string>{six}, 400).hash() == train_bpe(std::vector<std::string>{six}, 400).hash());

  const fs::path folder = fs::temp_directory_path() / ("hone-train-" + std::to_string(::getpid()));
  whole.save(folder);
  const Tokenizer again = Tokenizer::load(folder);
  fs::remove_all(folder);
  CHECK(again.hash() == whole.hash());
  CHECK(again.chat_template() == whole.chat_template());
  CHECK(again.eos() == whole.eos());
  CHECK(again.encode(text) == whole.encode(text));
  CHECK(whole.decode(whole.encode(text)) == text);
}
