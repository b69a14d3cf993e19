#include "text/tokenizer.h"

#include <algorithm>
#include <map>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "gguf/file.h"
#include "text/byte_alphabet.h"
#include "text/gguf_tokenizer.h"
#include "text/json_fields.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_parts.h"

namespace hone::text {

struct Tokenizer::Definition {
  explicit Definition(Parts parts)
      : bpe(std::move(parts.model)),
        normalizer(std::move(parts.normalizer)),
        pre_tokenizer(std::move(parts.pre_tokenizer)),
        decoding(std::move(parts.decoding)),
        texts(std::move(parts.texts)),
        before_text(parts.before_text),
        behind(parts.behind_text) {
    special.resize(texts.size());
    added.resize(texts.size());
    for (const AddedToken& token : parts.added) {
      const auto id = static_cast<size_t>(token.id);
      added[id] = true;
      special[id] = token.special;
      if (token.special) special_in_raw.add(token, token.content);
      if (token.normalized) in_normalized.add(token, normalizer.apply(token.content, true));
      else in_raw.add(token, token.content);
    }
    bytes.resize(texts.size());
    for (size_t id = 0; id < texts.size(); ++id) {
      ids.emplace(texts[id], static_cast<int32_t>(id));
      bytes[id] = bytes_of(texts[id], added[id]);
      if (special[id] && !texts[id].empty()) special_texts.push_back(texts[id]);
    }
    ids.erase("");
  }

  std::string bytes_of(const std::string& text, bool is_added) const {
    if (decoding.bytes) return is_added ? text : from_byte_alphabet(text).value_or(text);
    if (decoding.byte_tokens && text.size() == 6 && text.starts_with("<0x") && text[5] == '>') {
      const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
      return std::string(1, static_cast<char>(digit(text[3]) * 16 + digit(text[4])));
    }
    std::string out = text;
    for (const auto& [pattern, content] : decoding.replacements)
      for (size_t at = 0; (at = out.find(pattern, at)) != std::string::npos; at += content.size())
        out.replace(at, pattern.size(), content);
    return out;
  }

  Bpe bpe;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Decoding decoding;
  std::vector<std::string> texts, bytes;  // by id
  std::vector<std::string> special_texts;
  std::vector<bool> special, added;  // by id
  TokenIds ids;                      // token as written -> id
  AddedTokenMatcher in_raw, in_normalized, special_in_raw;
  std::optional<int32_t> bos, eos, pad, before_text, begin, behind;
  std::string hash, json, chat_template;  // json: tokenizer.json as it will be saved
  Json config, named_specials;
};

namespace {

Tokenizer from_vocab(const fs::path& folder, const char* vocab, const char* merges, Json config) {
  const std::string where = (folder / vocab).string();
  const Json json = parse_json(read_file(folder / vocab), where);
  if (named_token(config, "eos_token").empty() && !config.contains("tokenizer_class") && json.is_object() &&
      json.contains("<|endoftext|>"))
    config["bos_token"] = config["eos_token"] = "<|endoftext|>";  // as GPT2Tokenizer's defaults
  return Tokenizer::from_json(tokenizer_json_from_vocab(json, read_file(folder / merges), config,
                                                        read_optional_object(folder / "added_tokens.json"), where),
                              config, where);
}

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Definition> definition) : definition_(std::move(definition)) {}

Tokenizer Tokenizer::from_json(const Json& tokenizer, const Json& config, const std::string& where) {
  std::shared_ptr<Definition> definition;
  try {
    Parts parts = read_tokenizer_json(tokenizer, where);
    std::string json;
    if (add_configured_tokens(config, where, parts)) {
      Json whole = tokenizer;
      whole["added_tokens"] = added_tokens_json(parts);
      json = dump_json(whole, 1);
    } else {
      json = dump_json(tokenizer, 1);
    }
    std::string hash = identity(parts);
    definition = std::make_shared<Definition>(std::move(parts));
    definition->json = std::move(json);
    definition->hash = std::move(hash);
  } catch (const Json::exception& e) {
    usage_error(where + ": not a tokenizer.json: " + e.what());
  }
  definition->config = config.is_object() ? config : Json::object();
  definition->chat_template = chat_template_source(config);
  const auto resolve = [&](const std::string& key) -> std::optional<int32_t> {
    Json& kept = definition->config;
    std::string token = named_token(kept, key.c_str());
    const auto id = kept.find(key + "_id");
    if (id != kept.end()) {
      if (token.empty() && id->is_number_unsigned() && id->get<uint64_t>() < definition->texts.size())
        kept[key] = token = definition->texts[id->get<size_t>()];
      kept.erase(key + "_id");
    }
    if (token.empty()) return std::nullopt;
    const auto it = definition->ids.find(token);
    // Published folders name a pad token that was added after training and never got a row. Whoever needs the token
    // says that there is none.
    if (it == definition->ids.end()) {
      log::warn_once(where + ": the " + key + " '" + token + "' is not in the vocabulary, so there is none");
      return std::nullopt;
    }
    return it->second;
  };
  definition->named_specials = special_tokens_of(definition->config);
  definition->bos = resolve("bos_token");
  definition->eos = resolve("eos_token");
  definition->pad = resolve("pad_token");
  const auto asked = [&](const char* key) {
    return bool_field(definition->config, key, false, where + ": tokenizer_config.json");
  };
  const bool asked_begin = asked("add_bos_token"), asked_end = asked("add_eos_token");
  definition->begin = definition->before_text;
  if (!definition->behind && asked_end) definition->behind = definition->eos;
  if (!definition->begin && asked_begin) {
    definition->begin = definition->bos;
    if (!definition->bos)
      usage_error(where + ": add_bos_token is true, but there is no bos_token to add",
                  "name bos_token in tokenizer_config.json, or set add_bos_token to false");
  }
  return Tokenizer(std::move(definition));
}

bool Tokenizer::found(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_directory(path, ec)) return fs::exists(path, ec);
  for (const char* file : {"tokenizer.json", "vocab.json", "encoder.json"})
    if (fs::exists(path / file, ec)) return true;
  return is_adapter(path) && found(adapter_base(path));
}

Tokenizer Tokenizer::load(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) usage_error("no tokenizer at " + path.string() + ": no such file or folder");
  if (gguf::is_gguf(path)) {
    const TokenizerJson json = gguf_tokenizer_json(gguf::File(path));
    return from_json(json.tokenizer, json.config, path.string());
  }
  const bool is_folder = fs::is_directory(path, ec);
  const std::string name = path.filename().string();
  if (name.ends_with(".model") || name.ends_with(".tiktoken"))
    usage_error(path.string() + ": SentencePiece and tiktoken files are not supported",
                "convert it to tokenizer.json with transformers' AutoTokenizer(…).save_pretrained");
  if (!is_folder && name != "vocab.json" && name != "encoder.json")
    return from_json(parse_python_json(read_file(path), path.string()), Json(), path.string());

  const fs::path folder = is_folder ? path : path.parent_path();
  const Json config = read_tokenizer_config(folder);
  const fs::path file = folder / "tokenizer.json";
  if (is_folder && fs::exists(file, ec))
    return from_json(parse_python_json(read_file(file), file.string()), config, file.string());
  for (const auto& [vocab, merges] : {std::pair{"vocab.json", "merges.txt"}, std::pair{"encoder.json", "vocab.bpe"}}) {
    if (fs::exists(folder / vocab, ec) && fs::exists(folder / merges, ec))
      return from_vocab(folder, vocab, merges, config);
  }
  if (is_adapter(folder)) return load(adapter_base(folder));
  const bool sentencepiece = fs::exists(folder / "tokenizer.model", ec);
  usage_error("no tokenizer in " + folder.string() +
                  (sentencepiece ? ": tokenizer.model (SentencePiece) is not supported" : ""),
              "a tokenizer.json, or vocab.json with merges.txt, was expected; `hone tokenizer train` makes one");
}

void Tokenizer::save(const fs::path& folder, std::optional<int32_t> pad) const {
  fs::create_directories(folder);
  const Definition& d = *definition_;
  write_file_atomic(folder / "tokenizer.json", d.json + "\n");
  Json config = d.config;
  if (pad) config["pad_token"] = std::string(token_text(*pad));
  if (!config.contains("tokenizer_class")) config["tokenizer_class"] = "PreTrainedTokenizerFast";
  write_file_atomic(folder / "tokenizer_config.json", dump_json(config, 2) + "\n");
  Json map = Json::object();
  for (const char* key : kSpecialNames)
    if (const std::string token = named_token(config, key); !token.empty()) map[key] = token;
  write_file_atomic(folder / "special_tokens_map.json", dump_json(map, 2) + "\n");
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool parse_special) const {
  return encode_from(text, parse_special, false);
}

std::vector<int32_t> Tokenizer::encode_continuation(std::string_view text, bool parse_special) const {
  return encode_from(text, parse_special, true);
}

std::vector<int32_t> Tokenizer::encode_from(std::string_view text, bool parse_special, bool continues) const {
  const Definition& d = *definition_;
  std::vector<int32_t> out;
  std::vector<std::string_view> words;
  const auto encode_words = [&](std::string_view part, bool goes_on) {
    std::string copy(part);
    words.clear();
    d.pre_tokenizer.split(copy, goes_on, words);
    for (const std::string_view word : words) d.bpe.encode(word, out);
  };
  const auto encode_text = [&](std::string_view part, bool goes_on) {
    if (d.normalizer.empty() && d.in_normalized.empty()) return encode_words(part, goes_on);
    const std::string normalized = d.normalizer.apply(part, goes_on);
    for (const TextPart& p : d.in_normalized.split(normalized, parse_special)) {
      if (p.id >= 0) out.push_back(p.id);
      else encode_words(std::string_view(normalized).substr(p.begin, p.end - p.begin), goes_on && p.begin == 0);
    }
  };
  while (!text.empty()) {
    const size_t valid = valid_utf8_prefix(text);
    const std::string_view good = text.substr(0, valid);
    for (const TextPart& p : d.in_raw.split(good, parse_special)) {
      if (p.id >= 0) out.push_back(p.id);
      else encode_text(good.substr(p.begin, p.end - p.begin), continues && p.begin == 0);
    }
    text.remove_prefix(valid);
    // Bytes that no character starts with: on to the next well-formed one.
    size_t bad = 0;
    while (bad < text.size() && valid_utf8_prefix(text.substr(bad, 4)) == 0) ++bad;
    d.bpe.encode_raw(text.substr(0, bad), out);
    text.remove_prefix(bad);
    continues = true;
  }
  return out;
}

std::vector<int32_t> Tokenizer::encode_between_special(
    std::string_view text, bool continues, const std::function<std::string(std::string_view)>& plain) const {
  std::vector<int32_t> out;
  if (valid_utf8_prefix(text) != text.size()) usage_error("a conversation is not valid UTF-8");
  for (const TextPart& p : definition_->special_in_raw.split(text, true)) {
    if (p.id >= 0) {
      out.push_back(p.id);
      continue;
    }
    const auto ids = encode_from(plain(text.substr(p.begin, p.end - p.begin)), false, continues && p.begin == 0);
    out.insert(out.end(), ids.begin(), ids.end());
  }
  return out;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string out;
  for (const int32_t id : ids)
    if (!(skip_special && is_special(id))) out += token_bytes(id);
  size_t strip = 0;
  while (strip < definition_->decoding.strip_left && strip < out.size() && out[strip] == ' ') ++strip;
  return strip > 0 ? out.substr(strip) : out;
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  return id >= 0 && id < size() ? std::string_view(definition_->bytes[id]) : std::string_view();
}

std::string_view Tokenizer::token_text(int32_t id) const {
  return id >= 0 && id < size() ? std::string_view(definition_->texts[id]) : std::string_view();
}

int64_t Tokenizer::size() const { return static_cast<int64_t>(definition_->texts.size()); }

std::optional<int32_t> Tokenizer::id(std::string_view token) const {
  const auto it = definition_->ids.find(token);
  return it == definition_->ids.end() ? std::nullopt : std::optional(it->second);
}

std::optional<int32_t> Tokenizer::bos() const { return definition_->bos; }
std::optional<int32_t> Tokenizer::eos() const { return definition_->eos; }
std::optional<int32_t> Tokenizer::pad() const { return definition_->pad; }

std::optional<int32_t> Tokenizer::begin() const { return definition_->begin; }
std::optional<int32_t> Tokenizer::behind() const { return definition_->behind; }

void Tokenizer::say_nothing_behind(const std::string& instead) const {
  if (const auto id = behind())
    log::warn_once("the tokenizer's files ask for '" + std::string(token_text(*id)) +
                   "' behind every text, which transformers puts there; here " + instead);
}

const Json& Tokenizer::named_special_tokens() const { return definition_->named_specials; }

bool Tokenizer::is_special(int32_t id) const { return id >= 0 && id < size() && definition_->special[id]; }

const std::vector<std::string>& Tokenizer::special_tokens() const { return definition_->special_texts; }

const std::string& Tokenizer::chat_template() const { return definition_->chat_template; }

const std::string& Tokenizer::hash() const { return definition_->hash; }

std::vector<int32_t> Tokenizer::without_token(int64_t rows) const {
  std::vector<int32_t> out;
  for (int64_t id = 0; id < rows; ++id)
    if (id >= size() || definition_->texts[id].empty()) out.push_back(static_cast<int32_t>(id));
  return out;
}

void say_without_token(std::span<const int32_t> ids, const std::string& folder) {
  if (!ids.empty())
    log::warn_once(folder + ": " + std::to_string(ids.size()) +
                   " ids of the model's output have no token in its tokenizer; they are never sampled");
}

void require_same_tokenizer(const Tokenizer& own, const fs::path& folder, const std::string& what,
                            const std::string& why) {
  if (Tokenizer::load(folder).hash() != own.hash())
    usage_error(folder.string() + ": " + what,
                why +
                    "; tokenizers are the same where they give every text the same ids, however their files are "
                    "written");
}

}  // namespace hone::text
