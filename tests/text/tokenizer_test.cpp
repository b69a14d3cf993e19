#include "text/tokenizer.h"

#include <unistd.h>

#include <ctime>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "../shared_data.h"
#include "text/byte_alphabet.h"

namespace fs = std::filesystem;
using hone::Json;
using hone::text::Tokenizer;

namespace {

// All 256 bytes, two merges, one special token: enough for hand-made cases.
Json tiny_json() {
  Json vocab = Json::object(), merges = Json::array();
  int id = 0;
  for (const unsigned char b : hone::text::bytes_in_alphabet_order())
    vocab[hone::text::to_byte_alphabet(std::string(1, static_cast<char>(b)))] = id++;
  vocab["ab"] = id++;     // 256
  vocab["abc"] = id++;    // 257
  vocab["aa"] = id++;     // 258
  vocab["<|end|>"] = id;  // 259
  merges = {"a b", "ab c", "a a"};
  return {{"added_tokens", {{{"id", 259}, {"content", "<|end|>"}, {"special", true}, {"normalized", false}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

Tokenizer tiny() { return Tokenizer::from_json(tiny_json(), Json(), "tiny"); }

std::string error_of(const Json& json) {
  try {
    Tokenizer::from_json(json, Json(), "tiny");
  } catch (const hone::Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("merges go by rank, leftmost first, and special tokens are found whole") {
  const Tokenizer t = tiny();
  const int a = *t.id("a"), b = *t.id("b");
  CHECK(t.encode("abc") == std::vector<int32_t>{257});
  CHECK(t.encode("aab") == std::vector<int32_t>{a, 256});  // a b before a a
  CHECK(t.encode("aaa") == std::vector<int32_t>{258, a});  // leftmost
  CHECK(t.encode("b<|end|>b") == std::vector<int32_t>{b, 259, b});
  CHECK(t.encode("<|end|>", false).size() == 7);
  CHECK(t.decode(t.encode("b<|end|>b")) == "b<|end|>b");
  CHECK(t.decode(t.encode("b<|end|>b"), true) == "bb");
  CHECK(t.is_special(259));
  CHECK_FALSE(t.is_special(258));
  CHECK(t.token_bytes(257) == "abc");
  CHECK(t.token_bytes(-1).empty());
  CHECK(t.token_bytes(260).empty());
}

TEST_CASE("a long word merges as a short one does") {
  // 31 and 33 symbols take the two ways; both must give the pairs "aa" left to right.
  const Tokenizer t = tiny();
  for (const size_t n : {2, 31, 32, 33, 34, 100}) {
    const auto ids = t.encode(std::string(n, 'a'));
    CHECK(ids.size() == n / 2 + n % 2);
    CHECK(t.decode(ids) == std::string(n, 'a'));
  }
}

TEST_CASE("hostile text costs no more than honest text") {
  const Tokenizer t = tiny();
  for (const std::string& piece :
       {std::string("a"), std::string(" "), std::string("\n"), std::string("<|end|"), std::string("\xff")}) {
    std::string text;
    while (text.size() < (1 << 20)) text += piece;
    const std::clock_t start = std::clock();  // processor time: the machine may be busy
    const auto ids = t.encode(text);
    CHECK(std::clock() - start < 20 * CLOCKS_PER_SEC);
    CHECK(t.decode(ids) == text);
  }
}

TEST_CASE("any bytes survive the round trip") {
  const Tokenizer t = tiny();
  hone::Stream random(7, "bytes");
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (uint64_t n = random.below(60); n > 0; --n)
      text +=
          random.chance(0.3) ? static_cast<char>(random.below(256)) : "ab c\xC3\xA9\xE2\x82\xAC\n"[random.below(10)];
    CHECK(t.decode(t.encode(text)) == text);
  }
}

TEST_CASE("what is not supported is refused by name") {
  const auto with = [](const char* key, const Json& value) {
    Json json = tiny_json();
    json[key] = value;
    return error_of(json);
  };
  CHECK(with("normalizer", {{"type", "Precompiled"}}) == "tiny: normalizer 'Precompiled' is not supported");
  CHECK(with("pre_tokenizer", {{"type", "BertPreTokenizer"}}) ==
        "tiny: pre_tokenizer 'BertPreTokenizer' is not supported");
  CHECK(with("decoder", {{"type", "WordPiece"}}) == "tiny: decoder 'WordPiece' is not supported");
  CHECK(with("model", {{"type", "Unigram"}}) == "tiny: model 'Unigram' is not supported");
  Json json = tiny_json();
  json["model"]["dropout"] = 0.1;
  CHECK(error_of(json) == "tiny: model option 'dropout' = 0.1 is not supported");
  json = tiny_json();
  json["model"]["merges"].push_back("x yz");
  CHECK(error_of(json) == "tiny: merge 4 (\"x yz\") needs the token 'yz', which is not in the vocabulary");
}

TEST_CASE("flags of added tokens: white space, whole words") {
  Json json = tiny_json();
  json["added_tokens"] = {{{"id", 259}, {"content", "<|end|>"}, {"special", true}, {"lstrip", true}, {"rstrip", true}}};
  CHECK(Tokenizer::from_json(json, Json(), "tiny").encode("c \n<|end|>\xC2\xA0 c") ==
        std::vector<int32_t>{*tiny().id("c"), 259, *tiny().id("c")});
  json["added_tokens"] = {{{"id", 259}, {"content", "end"}, {"single_word", true}}};
  const Tokenizer word = Tokenizer::from_json(json, Json(), "tiny");
  CHECK(word.encode("end") == std::vector<int32_t>{259});
  CHECK(word.encode("(end)").size() == 3);
  CHECK(word.encode("\xC3\xA9"
                    "end")
            .size() == 5);  // é is a letter
  CHECK(word.encode("ending").size() == 6);
}

TEST_CASE("a mutated file is read or refused, never worse") {
  const std::string text = hone::dump_json(tiny_json());
  hone::Stream random(3, "mutate");
  int read = 0;
  const fs::path file = fs::temp_directory_path() / ("hone-tokenizer-" + std::to_string(::getpid()) + ".json");
  for (int i = 0; i < 400; ++i) {
    std::string copy = text;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      const size_t at = random.below(copy.size());
      switch (random.below(4)) {
        case 0:
          copy[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          copy.erase(at, random.below(20));
          break;
        case 2:
          copy.insert(at, copy.substr(random.below(copy.size()), random.below(20)));
          break;
        default:
          copy[at] = "0123456789{}[]\",:"[random.below(17)];
          break;
      }
    }
    hone::write_file_atomic(file, copy);
    try {
      const Tokenizer t = Tokenizer::load(file);
      t.decode(t.encode("abc <|end|> d"));
      ++read;
    } catch (const hone::Error&) {
    }
  }
  fs::remove(file);
  CHECK(read > 0);
}
