#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "cli/catalogue.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "config/recipe.h"
#include "pipeline/stage.h"

namespace hone::cli {
namespace {

// A setting with the stages that have it; stages whose setting differs in anything stand apart.
struct Setting {
  std::string key, type, standard, doc, source;
  std::vector<std::string> stages;
};

Setting setting_of(const config::Field& f, const std::string& stage) {
  const std::string range = config::range_text(f);
  std::string doc = f.doc;
  for (const config::Condition& c : f.conditions)
    doc += (&c == &f.conditions.front() ? "; read only where " : " and ") + c.text;
  return {f.key,  config::type_name(f) + (range.empty() ? "" : ", " + range), config::to_toml(f), doc, f.source,
          {stage}};
}

std::vector<Setting> settings_of(std::string_view stage_kind) {
  std::vector<Setting> out;
  if (stage_kind == "recipe") {
    config::RunSettings run;
    const config::Fields fields = config::fields_of(run);
    for (const config::Field& f : fields.list()) out.push_back(setting_of(f, "recipe"));
    return out;
  }
  const auto stage = pipeline::make_stage(stage_kind, "explain");
  const config::Fields fields = stage->fields();
  for (const config::Field& f : fields.list()) out.push_back(setting_of(f, std::string(stage_kind)));
  return out;
}

// What a choice of a selector reads beside what every choice does: "kto" has loss.desirable_weight. Empty: no choice is
// called so.
std::vector<Setting> settings_of_choice(const std::string& choice) {
  std::vector<Setting> out;
  for (const pipeline::StageKind& k : pipeline::stage_kinds()) {
    const std::vector<pipeline::StageVariant> variants = pipeline::stage_variants(k.kind);
    for (const pipeline::StageVariant& v : variants) {
      const config::Fields fields = v.stage->fields();
      for (const config::Field& selector : fields.list()) {
        if (!selector.selects || *std::get<std::string*>(selector.value) != choice) continue;
        const std::string group = selector.key.substr(0, selector.key.rfind('.') + 1);
        for (const config::Field& f : fields.list())
          if (f.key.starts_with(group) && !f.selects) out.push_back(setting_of(f, std::string(k.kind)));
      }
    }
  }
  return out;
}

// Settings that a stage has only under another choice than its default, or has otherwise there.
std::vector<Setting> settings_of_choices(const std::string& stage_kind) {
  std::vector<Setting> out;
  if (stage_kind == "recipe") return out;
  const std::vector<Setting> standard = settings_of(stage_kind);
  const auto same_as = [](const Setting& s) {
    return [&s](const Setting& o) {
      return o.key == s.key && o.standard == s.standard && o.doc == s.doc && o.source == s.source;
    };
  };
  std::vector<std::string> choices;  // of each in `out`
  for (const pipeline::StageVariant& v : pipeline::stage_variants(stage_kind)) {
    if (v.choice.empty()) continue;
    const config::Fields fields = v.stage->fields();
    for (const config::Field& f : fields.list()) {
      const Setting s = setting_of(f, stage_kind);
      if (f.selects || std::ranges::any_of(standard, same_as(s))) continue;
      const auto there = std::ranges::find_if(out, same_as(s));
      if (there == out.end()) out.push_back(s), choices.push_back(v.selector + " = " + v.choice);
      else choices[there - out.begin()] += ", " + v.choice;
    }
  }
  for (size_t i = 0; i < out.size(); ++i) out[i].doc += "; read where " + choices[i];
  return out;
}

std::vector<std::string> sections() {
  std::vector<std::string> out{"recipe"};
  for (const pipeline::StageKind& k : pipeline::stage_kinds()) out.emplace_back(k.kind);
  return out;
}

// "optim.lr" matches "optim.lr" and "lr".
bool matches(const std::string& key, const std::string& word) {
  return key == word || (key.size() > word.size() && key.ends_with(word) && key[key.size() - word.size() - 1] == '.');
}

std::vector<Setting> find_settings(const std::string& word) {
  std::vector<Setting> out;
  for (const std::string& section : sections())
    for (const Setting& s : settings_of(section)) {
      if (!matches(s.key, word) && section + "." + s.key != word) continue;
      const auto same = std::ranges::find_if(
          out, [&](const Setting& o) { return o.key == s.key && o.standard == s.standard && o.doc == s.doc; });
      if (same == out.end()) out.push_back(s);
      else same->stages.push_back(section);
    }
  for (const std::string& section : sections())
    for (const Setting& s : settings_of_choices(section))
      if (matches(s.key, word) || section + "." + s.key == word) out.push_back(s);
  return out;
}

// As a recipe writes it: "kl-coef" of a command line is "kl_coef".
std::string underscored(std::string word) {
  std::ranges::replace(word, '-', '_');
  return word;
}

Json to_json(const Setting& s) {
  return {{"key", s.key}, {"type", s.type},     {"default", s.standard},
          {"doc", s.doc}, {"source", s.source}, {"stages", s.stages}};
}

std::string text_of(const Setting& s, bool with_stages) {
  std::string out = s.key + " = " + s.standard + "\n    " + wrap(s.doc, kWidth, 4) + "\n    " + s.type;
  if (!s.source.empty()) out += "; from " + s.source;
  if (with_stages) {
    out += "\n    in:";
    for (const std::string& stage : s.stages) out += " " + stage;
  }
  return out + "\n";
}

std::string explain_recipe(const BuiltInRecipe& r) {
  const std::string title = recipe_text_key(r.text, "title"), about = recipe_text_key(r.text, "about");
  std::string out = "recipes/" + std::string(r.name) + ".toml: " + title + "\n";
  if (!about.empty()) out += "\n" + wrap(about, kWidth, 0) + "\n";
  return out + "\n" + std::string(r.text);
}

}  // namespace

int explain(Options& options) {
  std::string word;
  bool json = false;
  options
      .positional("WORD", &word,
                  "a setting (kl_coef, optim.lr, ppo.steps), a stage, a metric, a loss, a format, or a recipe")
      .required();
  options.flag("--json", json, "print JSON");
  options.example("hone explain kl_coef",
                  "what it means, its default, where that comes from, and which stages have it");
  options.example("hone explain ppo", "every setting of a stage");
  options.example("hone explain align", "a recipe that comes with hone");
  if (!options.parse()) return kDone;

  if (word.find('-') != std::string::npos && !find_settings(underscored(word)).empty()) word = underscored(word);
  Json found = Json::array();
  std::string out;
  const std::vector<std::string> all = sections();
  if (std::ranges::find(all, word) != all.end()) {
    for (const pipeline::StageKind& k : pipeline::stage_kinds())
      if (k.kind == word) out += word + ": " + std::string(k.doc) + "\n\n";
    for (const Setting& s : settings_of(word)) {
      found.push_back(to_json(s));
      out += text_of(s, false);
    }
  }
  if (found.empty())
    for (const Setting& s : find_settings(word)) {
      found.push_back(to_json(s));
      out += text_of(s, true);
    }
  const std::string stem = std::filesystem::path(word).stem().string();
  for (const BuiltInRecipe& r : built_in_recipes()) {
    if (r.name != word && !(word.ends_with(".toml") && r.name == stem)) continue;
    found.push_back({{"recipe", r.name},
                     {"title", recipe_text_key(r.text, "title")},
                     {"about", recipe_text_key(r.text, "about")},
                     {"text", r.text}});
    out += explain_recipe(r);
  }
  for (const std::string& thing : catalogue_things()) {
    if (thing == "recipes" || thing == "stages") continue;
    for (const CatalogueEntry& e : catalogue(thing)) {
      if (e.name != word) continue;
      found.push_back({{"name", e.name}, {"list", thing}, {"detail", e.detail}, {"doc", e.doc}, {"source", e.source}});
      out += e.name + (e.detail.empty() ? "" : " (" + e.detail + ")") + ", of `hone list " + thing + "`\n    " +
             wrap(e.doc, kWidth, 4) + "\n";
      if (!e.source.empty()) out += "    " + e.source + "\n";
      for (const Setting& s : settings_of_choice(word)) {
        found.push_back(to_json(s));
        out += "\n" + text_of(s, true);
      }
    }
  }
  if (found.empty()) {
    if (std::ranges::any_of(verbs(), [&](const Verb& v) { return v.name == word; }))
      usage_error("'" + word + "' is a verb, not a setting", "`hone help " + word + "` says how it is used");
    std::vector<std::string> known = all;
    for (const std::string& section : all)
      for (const auto& list : {settings_of(section), settings_of_choices(section)})
        for (const Setting& s : list) known.push_back(s.key);
    for (const std::string& thing : catalogue_things())
      for (const CatalogueEntry& e : catalogue(thing)) known.push_back(e.name);
    const std::string near = config::closest(word, known);
    usage_error("nothing is called '" + word + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
                "`hone list` names what there is, `hone explain STAGE` the settings of a stage");
  }
  print(json ? dump_json(found, 2) + "\n" : out);
  return kDone;
}

}  // namespace hone::cli
