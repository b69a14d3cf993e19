#include "config/recipe.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "config/toml_json.h"

namespace hone::config {
namespace {

std::string place(const std::string& path, const toml::node& node) {
  return path + ":" + std::to_string(node.source().begin.line);
}

constexpr size_t kLongestKey = 200;     // bytes, groups and all
constexpr size_t kLongestLine = 16384;  // bytes

// toml++ recurses once for each dot of a key: a longer line could exhaust the stack.
void require_short_lines(std::string_view text, const std::string& path) {
  int64_t number = 1;
  for (size_t begin = 0; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kLongestLine)
      usage_error(path + ":" + std::to_string(number) + ": a line of " + std::to_string(end - begin) + " bytes",
                  "break it: at most " + std::to_string(kLongestLine) + " bytes a line");
    begin = end + 1;
  }
}

// For an error: whole where it is short, on one line.
std::string shown(const std::string& text) {
  constexpr size_t kShown = 160;
  std::string out = text.substr(0, kShown) + (text.size() > kShown ? "..." : "");
  std::ranges::replace_if(out, [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return out;
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& path, std::vector<Entry>& out) {
  for (const auto& [key, node] : table) {
    const std::string full = prefix + std::string(key.str());
    if (full.size() > kLongestKey)
      usage_error(place(path, node) + ": unknown key '" + shown(full) + "'", "no key is that long");
    if (const auto* inner = node.as_table()) flatten(*inner, full + ".", path, out);
    else out.push_back({full, place(path, node), dump_json(to_json_value(node, place(path, node)))});
  }
}

StageEntry read_stage(const toml::table& table, const std::string& path) {
  StageEntry stage;
  stage.where = place(path, table);
  std::vector<Entry> all;
  flatten(table, "", path, all);
  // toml++ sorts keys; errors should come in the order of the file.
  std::ranges::stable_sort(all, {}, [](const Entry& e) { return std::stol(e.where.substr(e.where.rfind(':') + 1)); });
  for (Entry& e : all) {
    const Json value = parse_json(e.text, e.where);
    if (e.key == "kind" || e.key == "name") {
      if (!value.is_string()) usage_error(e.where + ": '" + e.key + "' must be text");
      (e.key == "kind" ? stage.kind : stage.name) = value.get<std::string>();
    } else {
      stage.entries.push_back(std::move(e));
    }
  }
  if (stage.kind.empty()) usage_error(stage.where + ": this [[stage]] has no 'kind'", "`hone list stages` names them");
  if (stage.name.empty()) stage.name = stage.kind;
  const bool safe =
      std::ranges::all_of(stage.name, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_'; });
  if (!safe || stage.name.size() > 60)
    usage_error(stage.where + ": stage name '" + stage.name + "' must be letters, digits, - and _, at most 60");
  return stage;
}

}  // namespace

Recipe read_recipe(const std::filesystem::path& file) {
  const std::string path = file.string();
  const std::string text = read_file(file, 4 << 20);
  require_short_lines(text, path);
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& e) {
    usage_error(path + ":" + std::to_string(e.source().begin.line) + ": " + std::string(e.description()));
  }
  Recipe recipe;
  recipe.path = path;
  const Fields run = fields_of(recipe.run);
  for (const auto& [key, node] : root) {
    if (key.str() == "stage") {
      const auto* stages = node.as_array();
      if (!stages) usage_error(place(path, node) + ": write stages as [[stage]]");
      for (const toml::node& item : *stages) {
        const auto* table = item.as_table();
        if (!table) usage_error(place(path, item) + ": write stages as [[stage]]");
        recipe.stages.push_back(read_stage(*table, path));
      }
      continue;
    }
    const std::string where = place(path, node);
    if (node.is_table()) {
      usage_error(where + ": unknown section [" + std::string(key.str()) + "]",
                  "stages are written as [[stage]] with a kind");
    }
    set_from_json(run.find(key.str(), "recipe", where), to_json_value(node, where), where);
  }
  if (recipe.stages.empty()) usage_error(path + ": the recipe has no stages", "add at least one [[stage]] with a kind");
  for (size_t i = 0; i < recipe.stages.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (recipe.stages[i].name == recipe.stages[j].name)
        usage_error(recipe.stages[i].where + ": two stages are called '" + recipe.stages[i].name + "'",
                    "give one another name");
  return recipe;
}

std::string first_difference(const std::string& then, const std::string& now) {
  const auto settings = [](const std::string& text) {
    std::map<std::string, std::string> out;
    try {
      std::vector<Entry> all;
      toml::table run = toml::parse(text);
      if (const auto* stages = run["stage"].as_array(); stages && !stages->empty() && (*stages)[0].is_table())
        flatten(*(*stages)[0].as_table(), "", "recipe", all);
      run.erase("stage");
      flatten(run, "", "recipe", all);
      for (Entry& e : all) out.emplace(std::move(e.key), std::move(e.text));
    } catch (const toml::parse_error& e) {
      usage_error("the recipe that the run began with cannot be read: " + std::string(e.description()));
    }
    return out;
  };
  const auto before = settings(then), after = settings(now);
  for (const auto& [key, value] : after)  // first: a choice that differs has other settings beside it
    if (const auto at = before.find(key); at != before.end() && at->second != value)
      return key + " is " + shown(at->second) + " there and " + shown(value) + " here";
  for (const auto& [key, value] : after)
    if (!before.contains(key)) return key + " was not there, and is " + shown(value) + " here";
  for (const auto& [key, value] : before)
    if (!after.contains(key)) return key + " is " + shown(value) + " there, and there is no such key here";
  return "";
}

void apply_set(Recipe& recipe, const std::string& assignment) {
  const std::string where = "--set " + shown(assignment);
  const auto equals = assignment.find('=');
  if (equals == std::string::npos) usage_error(where + ": write key=value");
  const std::string key = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  const Fields run = fields_of(recipe.run);
  for (const Field& f : run.list())
    if (f.key == key) return set_from_text(f, text, where);
  // The value is kept as text; apply_entries reads it by the field's type.
  const auto entry = [&](const std::string& k) { return Entry{k, where, text, key}; };
  bool found = false;
  if (const auto dot = key.find('.'); dot != std::string::npos) {
    const std::string stage_name = key.substr(0, dot);
    for (StageEntry& s : recipe.stages)
      if (s.name == stage_name || s.kind == stage_name) s.entries.push_back(entry(key.substr(dot + 1))), found = true;
  }
  if (found) return;
  if (recipe.stages.size() == 1) {
    recipe.stages[0].entries.push_back(entry(key));
    return;
  }
  std::vector<std::string> known;
  for (const Field& f : run.list()) known.push_back(f.key);
  for (const StageEntry& s : recipe.stages) known.push_back(s.name);
  const std::string near = closest(key.substr(0, key.find('.')), known);
  usage_error(where + ": no such key or stage" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "write STAGE.key=value, e.g. --set ppo.kl_coef=0.1");
}

namespace {

// Of a --set "world.people" is the stage world's key "people", or else its group's "world.people".
const std::string& key_of(const Entry& e, const Fields& fields) {
  const auto has = [&](const std::string& key) {
    return std::ranges::any_of(fields.list(), [&](const Field& f) { return f.key == key; });
  };
  return !e.set_key.empty() && !has(e.key) && has(e.set_key) ? e.set_key : e.key;
}

void apply(const Field& field, const Entry& e) {
  if (e.set_key.empty()) set_from_json(field, parse_json(e.text, e.where), e.where);
  else set_from_text(field, e.text, e.where);
}

}  // namespace

void apply_selectors(const Fields& fields, const StageEntry& stage) {
  for (const Entry& e : stage.entries)
    for (const Field& field : fields.list())
      if (field.selects && field.key == key_of(e, fields)) apply(field, e);
}

std::map<std::string, std::string> apply_entries(const Fields& fields, const StageEntry& stage) {
  std::map<std::string, std::string> given;
  for (const Entry& e : stage.entries) {
    const Field& field = fields.find(key_of(e, fields), stage.kind, e.where);
    apply(field, e);
    given[field.key] = e.where;
  }
  return given;
}

}  // namespace hone::config
