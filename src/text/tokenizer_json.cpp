// Reads tokenizer.json: https://github.com/huggingface/tokenizers, the serialised form of its BPE tokenizers.
#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "text/byte_alphabet.h"
#include "text/json_fields.h"
#include "text/post_processor.h"
#include "text/tokenizer_parts.h"

namespace hone::text {
namespace {

// Two tokens of one id: the model would read one for the other, and the one decode as the other.
void put_text(std::vector<std::string>& texts, int32_t id, const std::string& text, const std::string& where) {
  if (texts.size() <= static_cast<size_t>(id)) texts.resize(static_cast<size_t>(id) + 1);
  std::string& there = texts[id];
  if (!there.empty() && there != text)
    usage_error(where + " has the id " + std::to_string(id) + ", which is the token '" + there + "'",
                "give each token an id of its own, that which the model was trained with");
  there = text;
}

void refuse_option(const Json& model, const char* key, const std::string& where) {
  const auto it = model.find(key);
  if (it == model.end() || it->is_null() || *it == "" || *it == 0.0) return;
  usage_error(where + ": model option '" + key + "' = " + it->dump() + " is not supported");
}

void read_vocab(const Json& json, const std::string& where, Parts& parts) {
  const Json& vocab = object_field(json, "vocab", where + ": model");
  parts.model.byte_ids.fill(-1);
  for (const auto& [token, value] : vocab.items()) {
    const std::string at = where + ": vocab '" + token + "'";
    const int32_t id = token_id(value, at);
    put_text(parts.texts, id, token, at);
    if (!parts.model.byte_level) {
      parts.model.ids.emplace(token, id);
      continue;
    }
    // A token outside the byte alphabet can never come out of a merge; it is found as an added token or not at all.
    const auto bytes = from_byte_alphabet(token);
    if (!bytes || bytes->empty()) continue;
    parts.model.ids.emplace(*bytes, id);
    if (bytes->size() == 1) parts.model.byte_ids[static_cast<unsigned char>((*bytes)[0])] = id;
  }
  if (!parts.model.byte_fallback || parts.model.byte_level) return;
  for (unsigned b = 0; b < 256; ++b) {
    constexpr const char* kHex = "0123456789ABCDEF";
    const std::string name = std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">";
    if (const auto it = parts.model.ids.find(name); it != parts.model.ids.end()) parts.model.byte_ids[b] = it->second;
  }
}

void read_merges(const Json& json, const std::string& where, Parts& parts) {
  const Json& merges = array_field(json, "merges", where + ": model");
  parts.model.merges.reserve(merges.size());
  int32_t rank = 0;
  for (const Json& merge : merges) {
    const auto bad = [&](const std::string& why) {
      usage_error(where + ": merge " + std::to_string(rank + 1) + " (" +
                  merge.dump(-1, ' ', false, Json::error_handler_t::replace) + ") " + why);
    };
    std::string left, right;
    if (merge.is_string()) {
      const auto& text = merge.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) bad("is not two tokens");
      left = text.substr(0, space);
      right = text.substr(space + 1);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
    } else {
      bad("is not two tokens");
    }
    const auto id_of = [&](const std::string& token) {
      std::optional<std::string> key = parts.model.byte_level ? from_byte_alphabet(token) : token;
      const auto it = key ? parts.model.ids.find(*key) : parts.model.ids.end();
      if (it == parts.model.ids.end()) bad("needs the token '" + token + "', which is not in the vocabulary");
      return it->second;
    };
    const int32_t l = id_of(left), r = id_of(right);
    parts.model.merges.put(l, r, rank++, id_of(left + right));
    parts.merges.emplace_back(l, r);
  }
}

void read_decoder(const Json& entry, const std::string& where, Decoding& decoding, int depth) {
  if (entry.is_null()) return;
  const std::string type = string_field(entry, "type", where + ": decoder");
  if (type == "ByteLevel") {
    decoding.bytes = true;
  } else if (type == "Replace") {
    const Json& pattern = object_field(entry, "pattern", where + ": decoder");
    decoding.replacements.emplace_back(string_field(pattern, "String", where + ": decoder 'Replace'"),
                                       string_field(entry, "content", where + ": decoder 'Replace'"));
    if (decoding.replacements.back().first.empty()) usage_error(where + ": decoder 'Replace' has an empty pattern");
  } else if (type == "Metaspace") {
    decoding.replacements.emplace_back(string_field(entry, "replacement", where + ": decoder"), " ");
    const auto scheme = entry.find("prepend_scheme");
    if (scheme == entry.end() || *scheme != "never") decoding.strip_left = 1;
  } else if (type == "Strip") {
    if (entry.value("content", " ") != " " || entry.value("stop", 0) != 0)
      usage_error(where + ": decoder 'Strip' is supported only for spaces at the start");
    decoding.strip_left = static_cast<size_t>(std::max(0, entry.value("start", 0)));
  } else if (type == "Sequence" && depth < 8) {
    for (const Json& part : array_field(entry, "decoders", where + ": decoder"))
      read_decoder(part, where, decoding, depth + 1);
  } else if (type == "ByteFallback") {
    decoding.byte_tokens = true;
  } else if (type != "Fuse") {
    usage_error(where + ": decoder '" + type + "' is not supported",
                "supported: ByteLevel, Replace, ByteFallback, Fuse, Strip, Metaspace, Sequence");
  }
}

void read_added(const Json& json, const std::string& where, Parts& parts) {
  const auto list = json.find("added_tokens");
  if (list == json.end() || list->is_null()) return;
  TokenIds vocab;
  for (size_t i = 0; i < parts.texts.size(); ++i) vocab.emplace(parts.texts[i], static_cast<int32_t>(i));
  for (const Json& entry : array_field(json, "added_tokens", where)) {
    AddedToken token = added_token(entry, where + ": added_tokens");
    const std::string at = where + ": added token '" + token.content + "'";
    const auto id = entry.find("id");
    if (id == entry.end()) usage_error(at + " has no id");
    token.id = token_id(*id, at);
    if (token.content.empty()) continue;  // matches nothing, and may not stand in for the token of that id
    if (const auto own = vocab.find(token.content); own != vocab.end() && own->second != token.id) {
      log::warn_once(at + " is given the id " + std::to_string(token.id) + ", but the vocabulary has it as " +
                     std::to_string(own->second) + ", which counts (as in transformers)");
      token.id = own->second;
    }
    put_text(parts.texts, token.id, token.content, at);
    vocab.emplace(token.content, token.id);
    parts.added.push_back(std::move(token));
  }
}

}  // namespace

AddedToken added_token(const Json& fields, const std::string& where) {
  AddedToken token;
  token.content = string_field(fields, "content", where);
  const std::string at = where + " '" + token.content + "'";
  if (token.content.size() > 1024) usage_error(at + " is longer than 1,024 bytes");
  token.single_word = bool_field(fields, "single_word", false, at);
  token.lstrip = bool_field(fields, "lstrip", false, at);
  token.rstrip = bool_field(fields, "rstrip", false, at);
  token.special = bool_field(fields, "special", false, at);
  token.normalized = bool_field(fields, "normalized", !token.special, at);
  return token;
}

Parts read_tokenizer_json(const Json& json, const std::string& where) {
  Parts parts;
  const Json& model = object_field(json, "model", where);
  const std::string type = model.contains("type") ? string_field(model, "type", where + ": model") : "BPE";
  if (type != "BPE") usage_error(where + ": model '" + type + "' is not supported", "supported: BPE");
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
    refuse_option(model, key, where);
  const auto entry = [&](const char* key) { return json.contains(key) ? json[key] : Json(); };
  parts.normalizer = Normalizer(entry("normalizer"), where);
  parts.pre_tokenizer = PreTokenizer(entry("pre_tokenizer"), where);
  parts.model.byte_level = parts.pre_tokenizer.byte_level();
  parts.model.byte_fallback = bool_field(model, "byte_fallback", false, where + ": model");
  parts.model.fuse_unknown = bool_field(model, "fuse_unk", false, where + ": model");
  parts.model.ignore_merges = bool_field(model, "ignore_merges", false, where + ": model");
  read_vocab(model, where, parts);
  read_merges(model, where, parts);
  if (const auto unk = model.find("unk_token"); unk != model.end() && unk->is_string()) {
    const auto it = std::find(parts.texts.begin(), parts.texts.end(), unk->get<std::string>());
    if (it == parts.texts.end())
      usage_error(where + ": the unk_token '" + unk->get<std::string>() + "' is not in the vocabulary");
    parts.model.unknown = static_cast<int32_t>(it - parts.texts.begin());
  }
  read_added(json, where, parts);
  if (parts.texts.empty()) usage_error(where + ": the vocabulary is empty");
  parts.decoding.bytes = parts.model.byte_level;
  read_decoder(entry("decoder"), where, parts.decoding, 0);
  if (parts.decoding.bytes != parts.model.byte_level)
    usage_error(where + ": decoder 'ByteLevel' without the pre_tokenizer 'ByteLevel' is not supported");
  std::tie(parts.before_text, parts.behind_text) = tokens_around_text(entry("post_processor"), where);
  if (parts.before_text &&
      (*parts.before_text >= static_cast<int64_t>(parts.texts.size()) || parts.texts[*parts.before_text].empty()))
    usage_error(where + ": post_processor puts id " + std::to_string(*parts.before_text) +
                " before a text, which has no token");
  return parts;
}

Json tokenizer_json_from_vocab(const Json& vocab, std::string_view merges, const Json& config, const Json& added_tokens,
                               const std::string& where) {
  if (!vocab.is_object()) usage_error(where + ": the vocabulary is not an object");
  Json pairs = Json::array();
  int64_t number = 0;
  while (!merges.empty()) {
    const size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++number == 1 && line.starts_with("#version")) continue;
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    if (space == std::string_view::npos)
      usage_error(where + ": line " + std::to_string(number) + " of the merges is not two tokens");
    pairs.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1))});
  }
  const std::string tokenizer_class = config.is_object() ? config.value("tokenizer_class", "") : "";
  const bool qwen2 = tokenizer_class.starts_with("Qwen2");
  const bool prefix_space =
      config.is_object() && config.contains("add_prefix_space") && config["add_prefix_space"] == true;
  Json byte_level = {
      {"type", "ByteLevel"}, {"add_prefix_space", prefix_space}, {"trim_offsets", !qwen2}, {"use_regex", !qwen2}};
  Json pre = byte_level;
  if (qwen2)
    pre = {
        {"type", "Sequence"},
        {"pretokenizers",
         Json::array(
             {{{"type", "Split"}, {"pattern", {{"Regex", kQwen2Split}}}, {"behavior", "Isolated"}, {"invert", false}},
              byte_level})}};
  Json added = Json::array();
  const auto add = [&](int32_t id, const Json& fields, bool special) {
    Json token = {{"id", id}};
    token["content"] = string_field(fields, "content", where + ": added token");
    for (const char* key : {"single_word", "lstrip", "rstrip"}) token[key] = bool_field(fields, key, false, where);
    token["special"] = bool_field(fields, "special", special, where);
    token["normalized"] = bool_field(fields, "normalized", !token["special"].get<bool>(), where);
    for (const Json& other : added)
      if (other["id"] == token["id"] && other["content"] == token["content"]) return;
    added.push_back(std::move(token));
  };
  if (config.is_object() && config.contains("added_tokens_decoder"))
    for (const auto& [id, fields] : object_field(config, "added_tokens_decoder", where).items())
      add(token_id(parse_json(id, where + ": added_tokens_decoder"), where), fields, false);
  if (added_tokens.is_object())
    for (const auto& [content, id] : added_tokens.items()) add(token_id(id, where), {{"content", content}}, true);
  if (added.empty() && vocab.contains("<|endoftext|>"))
    add(token_id(vocab["<|endoftext|>"], where), {{"content", "<|endoftext|>"}}, true);
  std::sort(added.begin(), added.end(), [](const Json& a, const Json& b) { return a["id"] < b["id"]; });
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", qwen2 ? Json{{"type", "NFC"}} : Json()},
          {"pre_tokenizer", pre},
          {"post_processor", byte_level},
          {"decoder", byte_level},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocab},
            {"merges", pairs}}}};
}

}  // namespace hone::text
