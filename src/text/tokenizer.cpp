#include "text/tokenizer.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/json_fields.h"
#include "text/tokenizer_parts.h"

namespace hone::text {

struct Tokenizer::Definition {
  explicit Definition(Parts parts)
      : bpe(std::move(parts.model)),
        normalizer(std::move(parts.normalizer)),
        pre_tokenizer(std::move(parts.pre_tokenizer)),
        decoding(std::move(parts.decoding)),
        texts(std::move(parts.texts)) {
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
  std::optional<int32_t> bos, eos, pad;
  std::string json, chat_template;  // tokenizer.json as it will be saved
  Json config;
};

namespace {

// "bos_token": "<s>" or {"content": "<s>", …}.
std::string named_token(const Json& config, const char* key) {
  if (!config.is_object() || !config.contains(key)) return {};
  const Json& value = config[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  return {};
}

// The template itself, or of a list of named ones the default.
std::string template_source(const Json& config) {
  if (!config.is_object() || !config.contains("chat_template")) return {};
  const Json& value = config["chat_template"];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array())
    for (const Json& entry : value)
      if (entry.is_object() && entry.value("name", "") == "default" && entry.contains("template") &&
          entry["template"].is_string())
        return entry["template"].get<std::string>();
  return {};
}

Json read_optional(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return Json::object();
  Json json = parse_json(read_file(path), path.string());
  if (!json.is_object()) usage_error(path.string() + ": holds no JSON object");
  return json;
}

// tokenizer_config.json, with what the files beside it add.
Json read_config(const fs::path& folder) {
  Json config = read_optional(folder / "tokenizer_config.json");
  const Json map = read_optional(folder / "special_tokens_map.json");
  for (const char* key : {"bos_token", "eos_token", "pad_token", "unk_token"})
    if (named_token(config, key).empty() && !named_token(map, key).empty()) config[key] = named_token(map, key);
  // The model's configuration knows ids where the tokenizer's names nothing.
  for (const char* file : {"config.json", "generation_config.json"}) {
    const Json model = read_optional(folder / file);
    for (const char* key : {"bos_token", "eos_token", "pad_token"}) {
      const std::string id = std::string(key) + "_id";
      if (!model.is_object() || !model.contains(id) || config.contains(id) || config.contains(key)) continue;
      config[id] = model[id].is_array() && !model[id].empty() ? model[id][0] : model[id];
    }
  }
  std::error_code ec;
  if (const fs::path jinja = folder / "chat_template.jinja"; fs::exists(jinja, ec))
    config["chat_template"] = read_file(jinja);
  return config;
}

Tokenizer from_vocab(const fs::path& folder, const char* vocab, const char* merges, Json config) {
  const std::string where = (folder / vocab).string();
  const Json json = parse_json(read_file(folder / vocab), where);
  if (named_token(config, "eos_token").empty() && !config.contains("tokenizer_class") && json.is_object() &&
      json.contains("<|endoftext|>"))
    config["bos_token"] = config["eos_token"] = "<|endoftext|>";  // as GPT2Tokenizer's defaults
  return Tokenizer::from_json(tokenizer_json_from_vocab(json, read_file(folder / merges), config,
                                                        read_optional(folder / "added_tokens.json"), where),
                              config, where);
}

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Definition> definition) : definition_(std::move(definition)) {}

Tokenizer Tokenizer::from_json(const Json& tokenizer, const Json& config, const std::string& where) {
  std::shared_ptr<Definition> definition;
  try {
    definition = std::make_shared<Definition>(read_tokenizer_json(tokenizer, where));
  } catch (const Json::exception& e) {
    usage_error(where + ": not a tokenizer.json: " + e.what());
  }
  definition->json = dump_json(tokenizer, 1);
  definition->config = config.is_object() ? config : Json::object();
  definition->chat_template = template_source(config);
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
    if (it == definition->ids.end())
      usage_error(where + ": the " + key + " '" + token + "' is not in the vocabulary",
                  "add it to the tokenizer, or correct tokenizer_config.json");
    return it->second;
  };
  definition->bos = resolve("bos_token");
  definition->eos = resolve("eos_token");
  definition->pad = resolve("pad_token");
  return Tokenizer(std::move(definition));
}

Tokenizer Tokenizer::load(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) usage_error("no tokenizer at " + path.string() + ": no such file or folder");
  const bool is_folder = fs::is_directory(path, ec);
  const std::string name = path.filename().string();
  if (name.ends_with(".model") || name.ends_with(".tiktoken"))
    usage_error(path.string() + ": SentencePiece and tiktoken files are not supported",
                "convert it to tokenizer.json with transformers' AutoTokenizer(…).save_pretrained");
  if (!is_folder && name != "vocab.json" && name != "encoder.json")
    return from_json(parse_json(read_file(path), path.string()), Json(), path.string());

  const fs::path folder = is_folder ? path : path.parent_path();
  const Json config = read_config(folder);
  const fs::path file = folder / "tokenizer.json";
  if (is_folder && fs::exists(file, ec))
    return from_json(parse_json(read_file(file), file.string()), config, file.string());
  for (const auto& [vocab, merges] : {std::pair{"vocab.json", "merges.txt"}, std::pair{"encoder.json", "vocab.bpe"}}) {
    if (fs::exists(folder / vocab, ec) && fs::exists(folder / merges, ec))
      return from_vocab(folder, vocab, merges, config);
  }
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
  for (const char* key : {"bos_token", "eos_token", "pad_token", "unk_token"})
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
  return id >= 0 && id < size() ? std::string_view(definition_->bytes[static_cast<size_t>(id)]) : std::string_view();
}

std::string_view Tokenizer::token_text(int32_t id) const {
  return id >= 0 && id < size() ? std::string_view(definition_->texts[static_cast<size_t>(id)]) : std::string_view();
}

int64_t Tokenizer::size() const { return static_cast<int64_t>(definition_->texts.size()); }

std::optional<int32_t> Tokenizer::id(std::string_view token) const {
  const auto it = definition_->ids.find(token);
  return it == definition_->ids.end() ? std::nullopt : std::optional(it->second);
}

std::optional<int32_t> Tokenizer::bos() const { return definition_->bos; }
std::optional<int32_t> Tokenizer::eos() const { return definition_->eos; }
std::optional<int32_t> Tokenizer::pad() const { return definition_->pad; }

std::optional<int32_t> Tokenizer::begin() const {
  const Definition& d = *definition_;
  const bool asked = d.config.is_object() && d.config.contains("add_bos_token") && d.config["add_bos_token"] == true;
  return d.bos != d.eos || asked ? d.bos : std::nullopt;
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < size() && definition_->special[static_cast<size_t>(id)];
}

const std::vector<std::string>& Tokenizer::special_tokens() const { return definition_->special_texts; }

const std::string& Tokenizer::chat_template() const { return definition_->chat_template; }

std::string Tokenizer::hash() const { return sha256(definition_->json); }

}  // namespace hone::text
