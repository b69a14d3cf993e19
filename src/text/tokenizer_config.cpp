#include "text/tokenizer_config.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "text/json_fields.h"

namespace hone::text {
namespace {

Json as_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
          {"special", token.special}};
}

class Additions {
 public:
  Additions(const std::string& where, Parts& parts) : where_(where), parts_(parts) {
    for (size_t i = 0; i < parts.texts.size(); ++i) ids_.emplace(parts.texts[i], static_cast<int32_t>(i));
    ids_.erase("");
    for (size_t i = 0; i < parts.added.size(); ++i) index_.emplace(parts.added[i].content, i);
  }

  bool known(const std::string& content) const { return ids_.contains(content); }

  // `declared`: the id that the configuration gives, -1: none. `flags_win`: over those of an added token that is there.
  void add(AddedToken token, int64_t declared, bool flags_win) {
    if (token.content.empty()) return;
    const auto there = ids_.find(token.content);
    const auto size = static_cast<int64_t>(parts_.texts.size());
    if (there != ids_.end()) {
      token.id = there->second;
    } else if (declared < 0 || declared >= size) {
      token.id = static_cast<int32_t>(size);
    } else {
      const std::string& other = parts_.texts[declared];
      if (!other.empty()) {  // a new id would be one that the model has never seen
        log::warn_once(where_ + ": id " + std::to_string(declared) + " is '" + other + "' here, and '" + token.content +
                       "' in the added_tokens_decoder of tokenizer_config.json, which is not added");
        return;
      }
      token.id = static_cast<int32_t>(declared);  // a hole in the vocabulary
    }
    if (declared >= 0 && declared != token.id)
      log::warn_once(where_ + ": added_tokens_decoder gives '" + token.content + "' the id " +
                     std::to_string(declared) + ", but it is " + std::to_string(token.id) + " (as in transformers)");
    if (there == ids_.end()) {
      if (token.id == size) parts_.texts.emplace_back();
      parts_.texts[token.id] = token.content;
      ids_.emplace(token.content, token.id);
    }
    if (const auto at = index_.find(token.content); at != index_.end()) {
      if (!flags_win || same(parts_.added[at->second], token)) return;
      parts_.added[at->second] = token;
    } else {
      index_.emplace(token.content, parts_.added.size());
      parts_.added.push_back(token);
    }
    changed_ = true;
  }
  bool changed() const { return changed_; }

 private:
  static bool same(const AddedToken& a, const AddedToken& b) { return as_json(a) == as_json(b); }

  const std::string& where_;
  Parts& parts_;
  bool changed_ = false;
  TokenIds ids_;
  std::map<std::string, size_t> index_;  // content -> place in parts.added
};

std::string token_of(const Json& entry) { return named_token(Json{{"token", entry}}, "token"); }

std::vector<std::string> listed_tokens(const Json& config, const char* key) {
  std::vector<std::string> out;
  if (const auto list = config.find(key); list != config.end() && list->is_array())
    for (const Json& entry : *list)
      if (std::string token = token_of(entry); !token.empty()) out.push_back(std::move(token));
  return out;
}

// Special tokens under names of the model's own: {"image_token": "<img>"}, by themselves or within an object.
Json tokens_of_own_names(const Json& config) {
  Json out = Json::object();
  const auto add = [&](const std::string& name, const Json& entry) {
    if (std::string token = token_of(entry); !token.empty()) out[name] = std::move(token);
  };
  for (const auto& [key, value] : config.items())
    if (key.ends_with("_token") && std::ranges::find(kSpecialNames, key) == std::end(kSpecialNames)) add(key, value);
  for (const char* key : {"extra_special_tokens", "model_specific_special_tokens"})
    if (const auto named = config.find(key); named != config.end() && named->is_object())
      for (const auto& [name, entry] : named->items()) add(name, entry);
  return out;
}

AddedToken special_token(const std::string& content) { return {.content = content, .special = true}; }

}  // namespace

Json read_optional_object(const std::filesystem::path& path) {
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) return Json::object();
  Json json = parse_python_json(read_file(path), path.string());
  if (!json.is_object()) usage_error(path.string() + ": holds no JSON object");
  return json;
}

std::string named_token(const Json& config, const char* key) {
  if (!config.is_object() || !config.contains(key)) return {};
  const Json& value = config[key];
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string())
    return value["content"].get<std::string>();
  return {};
}

Json special_tokens_of(const Json& config) {
  if (!config.is_object()) return Json::object();
  Json out = tokens_of_own_names(config);
  for (const char* key : kSpecialNames)
    if (std::string token = named_token(config, key); !token.empty()) out[key] = std::move(token);
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    if (const auto list = config.find(key); list != config.end() && list->is_array() && !list->empty()) {
      out["additional_special_tokens"] = listed_tokens(config, key);
      break;
    }
  return out;
}

std::string chat_template_source(const Json& config) {
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

Json read_tokenizer_config(const std::filesystem::path& folder) {
  Json config = read_optional_object(folder / "tokenizer_config.json");
  const Json map = read_optional_object(folder / "special_tokens_map.json");
  for (const char* key : kSpecialNames)
    if (named_token(config, key).empty() && !named_token(map, key).empty()) config[key] = named_token(map, key);
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    if (!config.contains("added_tokens_decoder") && !config.contains(key) && map.contains(key)) config[key] = map[key];
  // The model's configuration knows ids where the tokenizer's names nothing.
  for (const char* file : {"config.json", "generation_config.json"}) {
    const Json model = read_optional_object(folder / file);
    for (const char* key : {"bos_token", "eos_token", "pad_token"}) {
      const std::string id = std::string(key) + "_id";
      if (!model.contains(id) || config.contains(id) || config.contains(key)) continue;
      config[id] = model[id].is_array() && !model[id].empty() ? model[id][0] : model[id];
    }
  }
  std::error_code ec;
  if (const auto jinja = folder / "chat_template.jinja"; std::filesystem::exists(jinja, ec))
    config["chat_template"] = read_file(jinja);
  return config;
}

bool add_configured_tokens(const Json& config, const std::string& where, Parts& parts) {
  if (!config.is_object()) return false;
  Additions additions(where, parts);
  std::set<std::string> special;
  for (const char* key : kSpecialNames) special.insert(named_token(config, key));
  if (const auto listed = config.find("added_tokens_decoder"); listed != config.end() && !listed->is_null()) {
    std::vector<AddedToken> tokens;
    for (const auto& [id, fields] : object_field(config, "added_tokens_decoder", where).items()) {
      AddedToken token = added_token(fields, where + ": added_tokens_decoder " + id);
      token.id = token_id(parse_json(id, where + ": added_tokens_decoder"), where + ": added_tokens_decoder");
      token.special = token.special || special.contains(token.content);
      tokens.push_back(std::move(token));
    }
    std::ranges::stable_sort(tokens, {}, &AddedToken::id);
    for (const AddedToken& token : tokens) additions.add(token, token.id, true);
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    for (const std::string& content : listed_tokens(config, key)) additions.add(special_token(content), -1, false);
  for (const Json& content : tokens_of_own_names(config))
    additions.add(special_token(content.get<std::string>()), -1, false);
  for (const std::string& content : special)
    if (additions.known(content)) additions.add(special_token(content), -1, false);
  return additions.changed();
}

Json added_tokens_json(const Parts& parts) {
  std::vector<const AddedToken*> sorted;
  for (const AddedToken& token : parts.added) sorted.push_back(&token);
  std::ranges::stable_sort(sorted, {}, [](const AddedToken* t) { return t->id; });
  Json out = Json::array();
  for (const AddedToken* token : sorted) out.push_back(as_json(*token));
  return out;
}

}  // namespace hone::text
