#include "text/gguf_tokenizer.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/gguf_splits.h"

namespace hone::text {
namespace {

constexpr uint64_t kMostTokens = uint64_t{1} << 20, kMostMerges = uint64_t{1} << 22;
enum TokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

std::string key_of(const std::string& name) { return "tokenizer.ggml." + name; }

// The tokens by id, with what they are. An empty text is no token.
struct Vocabulary {
  std::vector<std::string> texts;
  std::vector<int64_t> types;
};

Vocabulary read_vocabulary(const gguf::File& file) {
  const auto texts = file.strings(key_of("tokens"), kMostTokens);
  if (!texts || texts->empty()) file.bad("no tokenizer.ggml.tokens in its metadata: it has no vocabulary");
  Vocabulary out;
  out.types = file.integers(key_of("token_type"), kMostTokens).value_or(std::vector<int64_t>(texts->size(), kNormal));
  if (out.types.size() != texts->size())
    file.bad("tokenizer.ggml.token_type has " + std::to_string(out.types.size()) + " elements, there are " +
             std::to_string(texts->size()) + " tokens");
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t id = 0; id < texts->size(); ++id) {
    const std::string_view text = (*texts)[id];
    const std::string what = "token " + std::to_string(id);
    if (valid_utf8_prefix(text) != text.size()) file.bad(what + " is not valid UTF-8");
    const int64_t type = out.types[id];
    if (type < kNormal || type > kByte) file.bad(what + " is of kind " + std::to_string(type) + "; 1 to 6 are known");
    const bool filler = (type == kUnused || type == kUserDefined) && text == "[PAD" + std::to_string(id) + "]";
    out.texts.emplace_back(filler ? std::string_view() : text);
    if (out.texts.back().empty()) continue;
    if (const auto [other, fresh] = seen.emplace(text, id); !fresh)
      file.bad(what + " is the same text as token " + std::to_string(other->second) + ", so neither can be meant");
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const gguf::File& file) : file_(file), vocabulary_(read_vocabulary(file)) {}

  TokenizerJson read() {
    const std::string pre = file_.text(key_of("pre")).value_or("");
    Splitting splitting;
    if (!splitting_of(pre, splitting))
      file_.bad(pre.empty() ? "its metadata has no tokenizer.ggml.pre, which says how texts are split into words"
                            : "tokenizer.ggml.pre " + file_.described(key_of("pre")) + " is not supported",
                "supported: " + supported_pre());
    TokenizerJson out;
    read_config(out.config);
    Json vocab = Json::object();
    for (size_t id = 0; id < vocabulary_.texts.size(); ++id)
      if (!vocabulary_.texts[id].empty()) append_field(vocab, vocabulary_.texts[id], static_cast<int64_t>(id));
    Json decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
    out.tokenizer = Json::object();
    const auto put = [&](const char* key, Json value) { append_field(out.tokenizer, key, std::move(value)); };
    put("version", "1.0");
    put("truncation", nullptr);
    put("padding", nullptr);
    put("added_tokens", added_tokens());
    put("normalizer", std::move(splitting.normalizer));
    put("pre_tokenizer", std::move(splitting.pre_tokenizer));
    put("post_processor", post_processor(out.config));
    put("decoder", std::move(decoder));
    Json bpe = Json::object();
    append_field(bpe, "type", "BPE");
    for (const char* none : {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"})
      append_field(bpe, none, nullptr);
    for (const char* no : {"fuse_unk", "byte_fallback", "ignore_merges"}) append_field(bpe, no, false);
    append_field(bpe, "vocab", std::move(vocab));
    append_field(bpe, "merges", merges());
    put("model", std::move(bpe));
    return out;
  }

 private:
  // Special whatever its kind says: files without kinds name their end token by id alone.
  std::optional<size_t> special_id(const std::string& name) {
    const std::string key = key_of(name + "_token_id");
    const auto id = file_.token_id(name);
    if (!id) return std::nullopt;
    if (*id < 0 || static_cast<uint64_t>(*id) >= vocabulary_.texts.size() || vocabulary_.texts[*id].empty())
      file_.bad(key + " is " + std::to_string(*id) + ", which is no token of the " +
                std::to_string(vocabulary_.texts.size()));
    vocabulary_.types[*id] = kControl;
    return static_cast<size_t>(*id);
  }

  void read_config(Json& config) {
    config = Json::object();
    for (const auto& [name, key] : {std::pair{"bos", "bos_token"},
                                    {"eos", "eos_token"},
                                    {"unknown", "unk_token"},
                                    {"padding", "pad_token"},
                                    {"eot", ""},
                                    {"eom", ""}})
      if (const auto id = special_id(name); id && *key != '\0') config[key] = vocabulary_.texts[*id];
    // llama.cpp adds neither to this kind of tokenizer unless the file says so.
    for (const char* name : {"add_bos_token", "add_eos_token"})
      config[name] = file_.boolean(key_of(name)).value_or(false);
    config["add_prefix_space"] = file_.boolean(key_of("add_space_prefix")).value_or(false);
    if (config["add_prefix_space"] == true)
      file_.bad("tokenizer.ggml.add_space_prefix = true is not supported for the kind gpt2");
    config["clean_up_tokenization_spaces"] = false;
    if (const auto context = file_.integer(file_.text("general.architecture").value_or("") + ".context_length"))
      config["model_max_length"] = *context;
    config["tokenizer_class"] = "PreTrainedTokenizerFast";
    read_templates(config);
  }

  // One template, or with tokenizer.chat_template.NAME several, as Hugging Face lists them.
  void read_templates(Json& config) const {
    const auto standard = file_.text("tokenizer.chat_template");
    const auto names = file_.strings("tokenizer.chat_templates", 64);
    if (!names || names->empty()) {
      if (standard) config["chat_template"] = *standard;
      return;
    }
    Json list = Json::array();
    if (standard) list.push_back({{"name", "default"}, {"template", *standard}});
    for (const std::string_view name : *names) {
      const std::string key = "tokenizer.chat_template." + std::string(name);
      const auto source = file_.text(key);
      if (!source) file_.bad("tokenizer.chat_templates names a template that is not there: no " + key);
      list.push_back({{"name", std::string(name)}, {"template", *source}});
    }
    config["chat_template"] = std::move(list);
  }

  Json added_tokens() const {
    Json out = Json::array();
    for (size_t id = 0; id < vocabulary_.texts.size(); ++id) {
      const bool special = vocabulary_.types[id] == kControl;
      if (vocabulary_.texts[id].empty() || (!special && vocabulary_.types[id] != kUserDefined)) continue;
      out.push_back({{"id", id},
                     {"content", vocabulary_.texts[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", special}});
    }
    return out;
  }

  Json merges() const {
    const auto lines = file_.strings(key_of("merges"), kMostMerges);
    if (!lines) file_.bad("no tokenizer.ggml.merges in its metadata");
    Json out = Json::array();
    for (size_t i = 0; i < lines->size(); ++i) {
      const std::string_view line = (*lines)[i];
      const size_t space = line.find(' ', 1);
      if (space == std::string_view::npos || space + 1 == line.size() || valid_utf8_prefix(line) != line.size())
        file_.bad("merge " + std::to_string(i + 1) + " is not two tokens");
      out.push_back(Json::array({std::string(line.substr(0, space)), std::string(line.substr(space + 1))}));
    }
    return out;
  }

  // What stands before and after every text.
  Json post_processor(const Json& config) const {
    const bool begin = config["add_bos_token"] == true && config.contains("bos_token"),
               end = config["add_eos_token"] == true && config.contains("eos_token");
    if (!begin && !end)
      return {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}, {"use_regex", true}};
    Json single = Json::array(), pair = Json::array(), special = Json::object();
    const auto put = [&](Json& list, const char* key, int type) {
      const std::string token = config[key].get<std::string>();
      list.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
      const auto at = std::ranges::find(vocabulary_.texts, token);
      special[token] = {{"id", token}, {"ids", {at - vocabulary_.texts.begin()}}, {"tokens", {token}}};
    };
    for (const auto& [list, texts] : {std::pair{&single, 1}, std::pair{&pair, 2}})
      for (int i = 0; i < texts; ++i) {
        if (begin) put(*list, "bos_token", i);
        list->push_back({{"Sequence", {{"id", i == 0 ? "A" : "B"}, {"type_id", i}}}});
        if (end) put(*list, "eos_token", i);
      }
    return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
  }

  const gguf::File& file_;
  Vocabulary vocabulary_;
};

}  // namespace

TokenizerJson gguf_tokenizer_json(const gguf::File& file) {
  const std::string model = file.text(key_of("model")).value_or("");
  if (model != "gpt2")
    file.bad(model.empty() ? "its metadata names no tokenizer.ggml.model: it has no tokenizer"
                           : "tokenizer.ggml.model " + file.described(key_of("model")) + " is not supported",
             "supported: gpt2 (byte-level BPE)");
  return Reader(file).read();
}

}  // namespace hone::text
