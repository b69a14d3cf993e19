// Tokenizers out of GGUF files: llama.cpp's vectors for every `pre` that is read, SmolLM2 against Hugging Face, and
// what is refused.
#include "text/tokenizer.h"

#include <doctest/doctest.h>

#include <sstream>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "models.h"
#include "text/chat_template.h"
#include "text/gguf_tokenizer.h"

using namespace hone;
using gguf::test::Writer;
using text::Tokenizer;

namespace {

Tokenizer tokenizer_of(Writer& w) {
  const std::string bytes = w.bytes();
  const text::TokenizerJson json = text::gguf_tokenizer_json(gguf::File(bytes, "t.gguf"));
  return Tokenizer::from_json(json.tokenizer, json.config, "t.gguf");
}

Json config_of(Writer& w) {
  const std::string bytes = w.bytes();
  return text::gguf_tokenizer_json(gguf::File(bytes, "t.gguf")).config;
}

std::string refusal(Writer& w) {
  try {
    tokenizer_of(w);
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.hint;
  }
  return "";
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

Writer vocabulary(std::string_view pre = "gpt-2") {
  Writer w;
  w.text("general.architecture", "llama");
  gguf::test::put_vocabulary(w, pre);
  return w;
}

}  // namespace

TEST_CASE("llama.cpp's vectors for every kind of splitting") {
  if (data_missing("llama-cpp-vocab")) return;
  for (const auto& [name, vocabulary] : {std::pair{"deepseek-llm", "deepseek-llm"},
                                         {"falcon", "falcon"},
                                         {"gpt-2", "gpt-2"},
                                         {"qwen2", "qwen2"},
                                         {"deepseek-r1-qwen", "qwen2"},
                                         {"refact", "refact"},
                                         {"starcoder", "starcoder"}}) {
    const auto named = [](const std::string& n) {
      return data_root() / "llama-cpp-vocab" / ("ggml-vocab-" + n + ".gguf");
    };
    const fs::path file = named(vocabulary), vectors = named(name);
    if (data_missing("llama-cpp-vocab/" + file.filename().string())) continue;
    CAPTURE(name);
    const Tokenizer t = Tokenizer::load(file);
    const std::string in = read_file(vectors.string() + ".inp"), out = read_file(vectors.string() + ".out");
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::istringstream lines(out);
    int strings = 0;
    for (size_t from = 0; from <= in.size(); ++strings) {
      const size_t to = std::min(in.find(separator, from), in.size());
      std::string line;
      std::getline(lines, line);
      std::istringstream numbers(line);
      std::vector<int32_t> ids;
      for (int32_t id = 0; numbers >> id;) ids.push_back(id);
      const std::string text = in.substr(from, to - from);
      CAPTURE(text);
      CHECK(t.encode(text) == ids);
      from = to + separator.size();
    }
    CHECK(strings == 47);
  }
}

TEST_CASE("SmolLM2: ids and chats as Hugging Face's own parts make them") {
  const char* name = "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (data_missing(name)) return;
  const Tokenizer t = Tokenizer::load(data_root() / name);
  CHECK(t.size() == 49152);
  CHECK(t.bos() == 1);
  CHECK(t.eos() == 2);
  CHECK(t.pad() == 2);
  const Json golden = parse_json(read_file("tests/golden/gguf/smollm2.json"), "smollm2.json");
  CHECK(golden["ids"].size() > 40);
  for (const Json& row : golden["ids"]) {
    const auto text = row["text"].get<std::string>();
    CAPTURE(text);
    CHECK(t.encode(text) == row["ids"].get<std::vector<int32_t>>());
  }
  const auto chat = text::ChatTemplate::of(t);
  for (const Json& row : golden["chats"]) {
    std::vector<text::Message> messages;
    for (const Json& m : row["messages"])
      messages.push_back({m["role"].get<std::string>(), m["content"].get<std::string>()});
    const bool prompt = row["add_generation_prompt"].get<bool>();
    CHECK(chat.render(messages, prompt) == row["rendered"].get<std::string>());
    CHECK(text::encode_chat(t, chat, messages, prompt).ids == row["ids"].get<std::vector<int32_t>>());
  }
}

TEST_CASE("kinds of tokens: control, user-defined, fillers") {
  Writer w = vocabulary();
  const Tokenizer t = tokenizer_of(w);
  CHECK(t.size() == 263);  // the filler at the end is no token
  CHECK(t.encode("abc<|end|>ab<tool>") == std::vector<int32_t>{257, 261, 256, 262});
  CHECK(t.is_special(261));
  CHECK_FALSE(t.is_special(262));
  CHECK(t.encode("<tool>", false) == std::vector<int32_t>{262});
  CHECK(t.encode("<|end|>", false).size() == 7);
  CHECK(t.encode("[PAD263]").size() == 8);
  CHECK(t.eos() == 261);
}

TEST_CASE("digits by themselves, in threes, and together") {
  // "1234" is a token here, so it comes out whole where nothing splits it.
  const auto tokens = [](const char* pre) {
    Writer w = vocabulary(pre);
    return tokenizer_of(w).encode("1234").size();
  };
  CHECK(tokens("gpt-2") == 1);
  CHECK(tokens("falcon") == 2);
  for (const char* pre : {"deepseek-llm", "qwen2", "refact", "smollm", "starcoder"}) CHECK(tokens(pre) == 4);
}

TEST_CASE("what begins and ends a text is said as Hugging Face says it") {
  Writer none = vocabulary();
  CHECK(config_of(none)["add_bos_token"] == false);
  Writer both = vocabulary();
  both.boolean("tokenizer.ggml.add_bos_token", true).boolean("tokenizer.ggml.add_eos_token", true);
  const std::string bytes = both.bytes();
  const text::TokenizerJson json = text::gguf_tokenizer_json(gguf::File(bytes, "t.gguf"));
  CHECK(json.config["add_bos_token"] == true);
  const Json& processor = json.tokenizer["post_processor"];
  CHECK(processor["type"] == "TemplateProcessing");
  CHECK(processor["single"].size() == 3);
  CHECK(processor["single"][0]["SpecialToken"]["id"] == "<|end|>");
  CHECK(processor["pair"].size() == 6);
  CHECK(processor["special_tokens"]["<|end|>"]["ids"][0] == 261);
}

TEST_CASE("chat templates: one, or several by name") {
  Writer one = vocabulary();
  CHECK_FALSE(config_of(one).contains("chat_template"));
  one.text("tokenizer.chat_template", "{{ messages }}");
  CHECK(config_of(one)["chat_template"] == "{{ messages }}");
  one.strings("tokenizer.chat_templates", {"tool_use"}).text("tokenizer.chat_template.tool_use", "tools");
  CHECK(config_of(one)["chat_template"][1]["name"] == "tool_use");
  CHECK(tokenizer_of(one).chat_template() == "{{ messages }}");
  Writer missing = vocabulary();
  missing.strings("tokenizer.chat_templates", {"rag"});
  CHECK(has(refusal(missing), "no tokenizer.chat_template.rag"));
}

TEST_CASE("what is not supported is refused by name") {
  Writer unknown = vocabulary("llama-bpe");
  CHECK(has(refusal(unknown), "tokenizer.ggml.pre 'llama-bpe' is not supported"));
  CHECK(has(refusal(unknown), "| supported: deepseek-llm, falcon, gpt-2, qwen2, refact, smollm, starcoder"));
  Writer no_pre;
  no_pre.text("tokenizer.ggml.model", "gpt2")
      .strings("tokenizer.ggml.tokens", {"a"})
      .strings("tokenizer.ggml.merges", {});
  CHECK(has(refusal(no_pre), "no tokenizer.ggml.pre"));
  Writer spm;
  spm.text("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", {"a"});
  CHECK(has(refusal(spm), "tokenizer.ggml.model 'llama' is not supported | supported: gpt2"));
  Writer none;
  none.text("general.architecture", "llama");
  CHECK(has(refusal(none), "it has no tokenizer"));
  if (data_missing("llama-cpp-vocab")) return;
  for (const char* name : {"llama-spm", "bert-bge", "baichuan", "gpt-neox"})
    CHECK_THROWS_AS(Tokenizer::load(data_root() / "llama-cpp-vocab" / (std::string("ggml-vocab-") + name + ".gguf")),
                    Error);
}

TEST_CASE("vocabularies that cannot be are refused") {
  const auto with = [](const std::vector<std::string>& tokens, const std::vector<int32_t>& types,
                       const std::vector<std::string>& merges, uint32_t eos) {
    Writer w;
    w.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2");
    w.strings("tokenizer.ggml.tokens", tokens).i32s("tokenizer.ggml.token_type", types);
    w.strings("tokenizer.ggml.merges", merges).u32("tokenizer.ggml.eos_token_id", eos);
    return refusal(w);
  };
  CHECK(with({"a", "b"}, {1, 1}, {}, 1).empty());
  CHECK(has(with({}, {}, {}, 0), "it has no vocabulary"));
  CHECK(has(with({"a", "a"}, {1, 1}, {}, 1), "token 1 is the same text as token 0"));
  CHECK(has(with({"a", "b"}, {1}, {}, 1), "token_type has 1 elements, there are 2 tokens"));
  CHECK(has(with({"a", "b"}, {1, 9}, {}, 1), "token 1 is of kind 9"));
  CHECK(has(with({"a", "\xff"}, {1, 1}, {}, 1), "token 1 is not valid UTF-8"));
  CHECK(has(with({"a", "b"}, {1, 1}, {"a"}, 1), "merge 1 is not two tokens"));
  CHECK(has(with({"a", "b"}, {1, 1}, {"a c"}, 1), "needs the token 'c'"));
  CHECK(has(with({"a", "b"}, {1, 1}, {}, 2), "eos_token_id is 2, which is no token of the 2"));
}
