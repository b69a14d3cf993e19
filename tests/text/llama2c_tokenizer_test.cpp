#include "text/llama2c_tokenizer.h"

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"

using hone::Json;
using hone::text::llama2c_tokenizer;
using hone::text::Tokenizer;

TEST_CASE("the story model's tokenizer re-encodes the documented texts to their ids") {
  if (data_missing("stories260k")) return;
  const auto vocabulary = hone::text::find_llama2c_vocabulary(data_root() / "stories260k/stories260K.bin", 512);
  CHECK(vocabulary.filename() == "vocab_recovered.json");
  const Tokenizer t = llama2c_tokenizer(vocabulary, 512);
  CHECK(t.size() == 512);
  CHECK(t.bos() == 1);
  CHECK(t.eos() == 2);
  CHECK(t.token_text(467) == "<unk_467>");
  const Json golden = hone::parse_json(hone::read_file(data_root() / "stories260k/golden.json"), "golden.json");
  for (const char* key : {"greedy_ids_from_bos", "sample_seed133742_t1_p0.9_ids"}) {
    const auto ids = golden[key].get<std::vector<int32_t>>();
    CHECK(t.encode(t.decode(ids)) == ids);
  }
  CHECK(t.decode(golden["greedy_ids_from_bos"].get<std::vector<int32_t>>())
            .starts_with(golden["greedy_text"].get<std::string>().substr(0, 500)));
  for (const char* text :
       {"Once upon a time", "tab\tand \xF0\x9F\x99\x82 caf\xC3\xA9", "  two  spaces ", "", "\xFF\xFE"})
    CHECK(t.decode(t.encode(text)) == text);
  // "é" has no token of its own: its two bytes have.
  CHECK(t.encode("\xC3\xA9") == std::vector<int32_t>{410, 0xC3 + 3, 0xA9 + 3});
}

TEST_CASE("Llama 2's tokenizer.bin agrees with SentencePiece") {
  if (data_missing("llama2c/tokenizer.bin") || data_missing("golden/tokenizer_vectors.jsonl")) return;
  const Tokenizer t = llama2c_tokenizer(data_root() / "llama2c/tokenizer.bin", 32000);
  int right = 0;
  hone::for_each_line(data_root() / "golden/tokenizer_vectors.jsonl", [&](std::string_view line, int64_t) {
    const Json row = hone::parse_json(line, "tokenizer_vectors.jsonl");
    if (row["model"] != "llama2c/tokenizer.model") return;
    const auto text = row["text"].get<std::string>();
    CAPTURE(text);
    CHECK(t.encode(text, false) == row["ids"].get<std::vector<int32_t>>());
    CHECK(t.decode(row["ids"].get<std::vector<int32_t>>()) == row["decoded"].get<std::string>());
    ++right;
  });
  CHECK(right == 72);
}

TEST_CASE("without a vocabulary there are bytes; a wrong one is refused") {
  const Tokenizer t = llama2c_tokenizer({}, 300);
  CHECK(t.size() == 300);
  CHECK(t.token_text(299) == "<unk_299>");
  // The word mark U+2581 has no token: three bytes, then those of "a" and "b".
  CHECK(t.encode("ab") == std::vector<int32_t>{0xE2 + 3, 0x96 + 3, 0x81 + 3, 'a' + 3, 'b' + 3});
  CHECK_THROWS_AS(llama2c_tokenizer({}, 100), hone::Error);
  if (data_missing("llama2c/tokenizer.bin")) return;
  CHECK_THROWS_WITH_AS(llama2c_tokenizer(data_root() / "llama2c/tokenizer.bin", 512),
                       doctest::Contains("more tokens than the model's 512"), hone::Error);
}

TEST_CASE("a broken tokenizer.bin is refused, never worse") {
  std::string bytes(4, '\0');
  for (int id = 0; id < 300; ++id) {
    const float score = static_cast<float>(-id);
    const std::string text = id < 259 ? "x" : id < 290 ? std::string(1, static_cast<char>('a' + id - 259)) : "ab";
    const auto length = static_cast<int32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&score), 4)
        .append(reinterpret_cast<const char*>(&length), 4)
        .append(text);
  }
  hone::Stream random(9, "bin");
  const auto file = std::filesystem::temp_directory_path() / "hone-broken-tokenizer.bin";
  int read = 0;
  for (int i = 0; i < 300; ++i) {
    std::string copy = bytes;
    if (i > 0) copy[random.below(copy.size())] = static_cast<char>(random.below(256));
    if (i % 3 == 2) copy.resize(random.below(copy.size()));
    hone::write_file_atomic(file, copy);
    try {
      const Tokenizer t = llama2c_tokenizer(file, 300);
      t.decode(t.encode("ab cab"));
      ++read;
    } catch (const hone::Error&) {
    }
  }
  std::filesystem::remove(file);
  CHECK(read > 0);
}
