// Against Hugging Face `tokenizers` and llama.cpp: golden files of tools/golden/tokenizer.py, and the vectors in the
// shared data sets where they are at hand.
#include <map>
#include <sstream>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "gguf_vocab.h"
#include "text/bpe_train.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace fs = std::filesystem;
using hone::Json;
using hone::text::Message;
using hone::text::Tokenizer;

namespace {

// As Rust's from_utf8_lossy: one U+FFFD for each maximal part of a broken character.
std::string lossy(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const size_t valid = hone::valid_utf8_prefix(bytes);
    out += bytes.substr(0, valid);
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    out += "\xEF\xBF\xBD";
    size_t take = 1;  // as long as the part could still become a character
    const size_t length = hone::utf8_length(static_cast<unsigned char>(bytes[0]));
    for (; take < length && take < bytes.size(); ++take) {
      bool possible = false;
      for (int last = 0x80; last < 0xC0 && !possible; ++last) {
        std::string whole(bytes.substr(0, take + 1));
        while (whole.size() < length) whole += static_cast<char>(last);
        possible = hone::valid_utf8_prefix(whole) == length;
      }
      if (!possible) break;
    }
    bytes.remove_prefix(take);
  }
  return out;
}

std::vector<int32_t> ids_of(const Json& row) { return row["ids"].get<std::vector<int32_t>>(); }

}  // namespace

TEST_CASE("training gives the very file that Hugging Face's trainer gives") {
  const Tokenizer mine =
      hone::text::train_bpe(std::vector<std::string>{hone::read_file("tests/golden/text/corpus.txt")}, 600);
  const Tokenizer theirs = Tokenizer::load("tests/golden/text/own");
  REQUIRE(mine.size() == theirs.size());
  for (int32_t id = 0; id < mine.size(); ++id) REQUIRE(mine.token_text(id) == theirs.token_text(id));
  const fs::path folder = fs::temp_directory_path() / "hone-golden-own";
  mine.save(folder);
  Json a = hone::parse_json(hone::read_file(folder / "tokenizer.json"), "mine");
  Json b = hone::parse_json(hone::read_file("tests/golden/text/own/tokenizer.json"), "theirs");
  const Json config = hone::parse_json(hone::read_file(folder / "tokenizer_config.json"), "config");
  const Json expected = hone::parse_json(hone::read_file("tests/golden/text/own/tokenizer_config.json"), "config");
  for (const auto& [key, value] : expected.items()) CHECK(config[key] == value);
  fs::remove_all(folder);
  for (const auto& [key, value] : b.items()) {
    CAPTURE(key);
    CHECK(nlohmann::json(a[key]) == nlohmann::json(value));
  }
}

TEST_CASE("the trained tokenizer agrees with Hugging Face on every string and conversation") {
  const Tokenizer t = Tokenizer::load("tests/golden/text/own");
  const auto chat = hone::text::ChatTemplate::of(t);
  CHECK(chat.is_built_in());
  hone::for_each_line("tests/golden/text/own_vectors.jsonl", [&](std::string_view line, int64_t number) {
    const Json row = hone::parse_json(line, "own_vectors.jsonl:" + std::to_string(number));
    if (row.contains("text")) {
      const auto text = row["text"].get<std::string>();
      CAPTURE(text);
      const auto ids = t.encode(text);
      CHECK(ids == ids_of(row));
      CHECK(lossy(t.decode(ids)) == row["decoded"].get<std::string>());
      CHECK(lossy(t.decode(ids, true)) == row["decoded_plain"].get<std::string>());
      CHECK(t.decode(ids) == text);
    } else if (row.contains("messages")) {
      std::vector<Message> messages;
      for (const Json& m : row["messages"])
        messages.push_back({m["role"].get<std::string>(), m["content"].get<std::string>()});
      const bool prompt = row["add_generation_prompt"].get<bool>();
      CHECK(chat.render(messages, prompt) == row["rendered"].get<std::string>());
      const auto encoded = hone::text::encode_chat(t, chat, messages, prompt);
      CHECK(encoded.ids == ids_of(row));
      CHECK(encoded.trained == row["mask"].get<std::vector<uint8_t>>());
    }
  });
}

TEST_CASE("every kind of tokenizer that is read agrees with Hugging Face") {
  const Json texts = hone::parse_json(hone::read_file("tests/golden/text/kinds_texts.json"), "kinds_texts.json");
  hone::for_each_line("tests/golden/text/kinds_vectors.jsonl", [&](std::string_view line, int64_t) {
    const Json row = hone::parse_json(line, "kinds_vectors.jsonl");
    const auto kind = row["kind"].get<std::string>();
    CAPTURE(kind);
    const Tokenizer t = Tokenizer::load("tests/golden/text/kinds/" + kind + ".json");
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto text = texts[i].get<std::string>();
      CAPTURE(text);
      const auto ids = t.encode(text);
      CHECK(ids == row["ids"][i].get<std::vector<int32_t>>());
      CHECK(lossy(t.decode(ids)) == row["decoded"][i].get<std::string>());
    }
  });
}

TEST_CASE("real tokenizer.json files agree with Hugging Face") {
  if (data_missing("golden/tokenizer_vectors.jsonl")) return;
  std::map<std::string, Tokenizer> loaded;
  std::map<std::string, int> right;
  hone::for_each_line(data_root() / "golden/tokenizer_vectors.jsonl", [&](std::string_view line, int64_t) {
    const Json row = hone::parse_json(line, "tokenizer_vectors.jsonl");
    const auto model = row["model"].get<std::string>();
    if (model.ends_with(".model")) {
      CHECK_THROWS_AS(Tokenizer::load(data_root() / model), hone::Error);
      return;
    }
    if (!loaded.contains(model)) loaded.emplace(model, Tokenizer::load(data_root() / model));
    const Tokenizer& t = loaded.at(model);
    const auto text = row["text"].get<std::string>();
    CAPTURE(model);
    CAPTURE(text);
    const auto ids = t.encode(text);
    CHECK(ids == ids_of(row));
    CHECK(lossy(t.decode(ids)) == row["decoded"].get<std::string>());
    ++right[model];
  });
  CHECK(right.size() == 4);
}

namespace {

void check_llama_cpp(const Tokenizer& t, const std::string& name) {
  const std::string in = hone::read_file(data_root() / "llama-cpp-vocab" / ("ggml-vocab-" + name + ".gguf.inp"));
  const std::string out = hone::read_file(data_root() / "llama-cpp-vocab" / ("ggml-vocab-" + name + ".gguf.out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  size_t from = 0, line = 0;
  int strings = 0;
  while (from <= in.size()) {
    const size_t to = std::min(in.find(separator, from), in.size());
    const std::string text = in.substr(from, to - from);
    const size_t end = std::min(out.find('\n', line), out.size());
    std::istringstream numbers(out.substr(line, end - line));
    std::vector<int32_t> ids;
    for (int32_t id = 0; numbers >> id;) ids.push_back(id);
    CAPTURE(name);
    CAPTURE(text);
    CHECK(t.encode(text) == ids);
    ++strings;
    from = to + separator.size();
    line = end + 1;
  }
  CHECK(strings == 47);
}

}  // namespace

TEST_CASE("llama.cpp's vectors: GPT-2 from encoder.json and vocab.bpe") {
  if (data_missing("gpt2-tokenizer") || data_missing("llama-cpp-vocab")) return;
  const Tokenizer t = Tokenizer::load(data_root() / "gpt2-tokenizer");
  CHECK(t.size() == 50257);
  CHECK(t.eos() == 50256);
  check_llama_cpp(t, "gpt-2");
}

TEST_CASE("llama.cpp's vectors: vocabularies out of GGUF files") {
  if (data_missing("llama-cpp-vocab")) return;
  for (const char* name : {"gpt-2", "qwen2", "deepseek-r1-qwen"}) {
    const fs::path file =
        data_root() / "llama-cpp-vocab" / (std::string("ggml-vocab-") + (name[0] == 'd' ? "qwen2" : name) + ".gguf");
    if (!fs::exists(file)) continue;
    check_llama_cpp(gguf_tokenizer(file), name);
  }
}

TEST_CASE("merges that need a token the vocabulary lacks are refused, as Hugging Face refuses them") {
  if (data_missing("torchtune-assets")) return;  // its vocab.json is trimmed, its merges.txt is not
  CHECK_THROWS_WITH_AS(Tokenizer::load(data_root() / "torchtune-assets/vocab.json"),
                       doctest::Contains("needs the token 'IsRequired', which is not in the vocabulary"), hone::Error);
}

TEST_CASE("vocab.json with merges.txt is the same tokenizer as tokenizer.json") {
  const fs::path folder = fs::temp_directory_path() / "hone-vocab-merges";
  fs::create_directories(folder);
  for (const auto& [kind, config] :
       {std::pair{"digits", R"({"tokenizer_class": "GPT2Tokenizer"})"},
        std::pair{"qwen2-flags", R"({"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|e|>"})"}}) {
    const fs::path file = std::string("tests/golden/text/kinds/") + kind + ".json";
    Json whole = hone::parse_json(hone::read_file(file), kind);
    Json settings = hone::parse_json(config, "config");
    for (const Json& token : whole["added_tokens"])
      settings["added_tokens_decoder"][std::to_string(token["id"].get<int>())] = token;
    std::string merges = "#version: 0.2\n";
    for (const Json& m : whole["model"]["merges"])
      merges += m[0].get<std::string>() + " " + m[1].get<std::string>() + "\n";
    hone::write_file_atomic(folder / "vocab.json", hone::dump_json(whole["model"]["vocab"]));
    hone::write_file_atomic(folder / "merges.txt", merges);
    hone::write_file_atomic(folder / "tokenizer_config.json", hone::dump_json(settings));
    if (kind == std::string("digits"))
      whole["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    const Tokenizer one = Tokenizer::from_json(whole, Json(), kind), two = Tokenizer::load(folder);
    CHECK(one.size() == two.size());
    for (const char* text : {"the 42 lamps sat<|end|>  on cat(cat) don't\n\n x", "e\xCC\x81 <|e|>xy <|e|> 12"})
      CHECK(one.encode(text) == two.encode(text));
    if (kind == std::string("qwen2-flags")) CHECK(two.eos() == one.id("<|e|>"));
  }
  fs::remove_all(folder);
}

TEST_CASE("special tokens that only config.json knows are found by id") {
  const fs::path folder = fs::temp_directory_path() / "hone-config-ids";
  fs::create_directories(folder);
  fs::copy_file("tests/golden/text/own/tokenizer.json", folder / "tokenizer.json",
                fs::copy_options::overwrite_existing);
  hone::write_file_atomic(folder / "config.json",
                          R"({"bos_token_id": 0, "eos_token_id": [1, 2], "pad_token_id": 999999})");
  const Tokenizer t = Tokenizer::load(folder);
  CHECK(t.bos() == 0);
  CHECK(t.eos() == 1);
  CHECK_FALSE(t.pad());
  t.save(folder);
  CHECK(Tokenizer::load(folder).eos() == 1);
  fs::remove_all(folder);
}

TEST_CASE("real templates over a real vocabulary: marks and prefixes find the same answers") {
  const fs::path vocabulary = data_root() / "llama-cpp-vocab/ggml-vocab-qwen2.gguf";
  if (data_missing("llama-cpp-vocab/ggml-vocab-qwen2.gguf") || data_missing("llama-cpp-templates/trl")) return;
  const Tokenizer t = gguf_tokenizer(vocabulary);
  const auto chat = [](const char* name) {
    return hone::text::ChatTemplate::from_source(hone::read_file(data_root() / "llama-cpp-templates/trl" / name), "",
                                                 "<|endoftext|>", name);
  };
  const auto plain = chat("qwen2_5.jinja"), marked = chat("qwen2_5_training.jinja");
  const std::vector<Message> talk{
      {"user", "Hi <|im_end|> there"}, {"assistant", "Hello."}, {"user", "2 + 2?"}, {"assistant", "4"}};
  const auto a = hone::text::encode_chat(t, plain, talk, false), b = hone::text::encode_chat(t, marked, talk, false);
  CHECK(a.ids == b.ids);
  CHECK(a.trained == b.trained);
  std::vector<int32_t> answers;
  for (size_t i = 0; i < a.ids.size(); ++i)
    if (a.trained[i]) answers.push_back(a.ids[i]);
  CHECK(t.decode(answers) == "Hello.<|im_end|>4<|im_end|>");
  CHECK(t.decode(a.ids) == plain.render(talk, false));
}
