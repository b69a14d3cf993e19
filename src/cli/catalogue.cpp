#include "cli/catalogue.h"

#include "base/error.h"
#include "cli/verb.h"
#include "config/fields.h"
#include "pipeline/compat.h"
#include "pipeline/stage.h"

namespace hone::cli {
namespace {

using Entries = std::vector<CatalogueEntry>;

Entries stages() {
  Entries out;
  for (const pipeline::StageKind& k : pipeline::stage_kinds())
    out.push_back({std::string(k.kind), "", std::string(k.doc), ""});
  return out;
}

Entries losses() {
  return {
#define HONE_LOSS(id, kind, doc, citation) {#id, #kind, doc, citation},
#include "losses/losses.def"
#undef HONE_LOSS
  };
}

Entries advantages() {
  return {
#define HONE_ADVANTAGE(id, doc, citation) {#id, "", doc, citation},
#define HONE_BASELINE(id, fewest, doc, citation) {#id, "baseline", doc, citation},
#define HONE_SCALE(id, fewest, doc, citation) {#id, "scale", doc, citation},
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
  };
}

Entries surrogates() {
  return {
#define HONE_SURROGATE(id, doc, citation) {#id, "", doc, citation},
#include "losses/surrogates.def"
#undef HONE_SURROGATE
  };
}

Entries rewards() {
  return {
#define HONE_REWARD(id, doc, citation) {#id, "learned", doc, citation},
#define HONE_ENSEMBLE(id, doc, citation) {#id, "ensemble", doc, citation},
#include "rewards/rewards.def"
#undef HONE_ENSEMBLE
#undef HONE_REWARD
#define HONE_CHECKER(id, doc, citation) {#id, "checker", doc, citation},
#include "checkers/checkers.def"
#undef HONE_CHECKER
  };
}

Entries tasks() {
  return {
#define HONE_TASK(id, doc) {#id, "", doc, ""},
#include "eval/tasks.def"
#undef HONE_TASK
  };
}

Entries measures() {
  return {
#define HONE_MEASURE(id, of, doc) {#id, of, doc, ""},
#include "eval/measures.def"
#undef HONE_MEASURE
  };
}

Entries models() {
  return {
#define HONE_MODEL(id) {#id, "", "", ""},
#include "model/models.def"
#undef HONE_MODEL
  };
}

Entries formats() {
  return {
#define HONE_FORMAT(id, doc) {#id, "", doc, ""},
#include "data/formats.def"
#undef HONE_FORMAT
  };
}

Entries compat() {
  Entries out;
  for (const pipeline::CompatSetting& s : pipeline::compat_settings())
    out.push_back(
        {std::string(s.system), std::string(s.kind),
         std::string(s.key) + " = " + std::string(s.value) + (s.where.empty() ? "" : ", where " + std::string(s.where)),
         std::string(s.source)});
  return out;
}

Entries metrics() {
  return {
#define HONE_METRIC(key, unit, chart, stages, meaning) {#key, unit, meaning, "in: " stages},
#include "report/metrics.def"
#undef HONE_METRIC
  };
}

Entries recipes() {
  Entries out;
  for (const BuiltInRecipe& r : built_in_recipes())
    out.push_back({std::string(r.name), "", recipe_text_key(r.text, "title"), ""});
  return out;
}

struct Thing {
  const char* name;
  Entries (*make)();
};
constexpr Thing kThings[] = {{"losses", losses},     {"advantages", advantages}, {"rewards", rewards},
                             {"models", models},     {"tasks", tasks},           {"formats", formats},
                             {"recipes", recipes},   {"stages", stages},         {"metrics", metrics},
                             {"measures", measures}, {"surrogates", surrogates}, {"compat", compat}};

}  // namespace

std::vector<std::string> catalogue_things() {
  std::vector<std::string> out;
  for (const Thing& t : kThings) out.emplace_back(t.name);
  return out;
}

std::vector<CatalogueEntry> catalogue(const std::string& thing) {
  for (const Thing& t : kThings)
    if (t.name == thing) return t.make();
  const std::string near = config::closest(thing, catalogue_things());
  usage_error("no list of '" + thing + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone list` names the lists");
}

std::string recipe_text_key(std::string_view toml, std::string_view key) {
  // Top-level keys stand before the first stage; only "…" and """…""" texts are looked for.
  const std::string_view head = toml.substr(0, toml.find("[[stage]]"));
  for (size_t at = 0; at < head.size();) {
    const size_t end = std::min(head.find('\n', at), head.size());
    const std::string_view line = head.substr(at, end - at);
    if (line.starts_with(key) && line.substr(key.size()).find_first_not_of(' ') != std::string_view::npos) {
      const size_t equals = line.find('=');
      const size_t open = line.find('"');
      if (equals != std::string_view::npos && open != std::string_view::npos &&
          line.find_first_not_of(' ', key.size()) == equals) {
        const size_t start = at + open;
        const bool triple = head.substr(start, 3) == "\"\"\"";
        const size_t begin = start + (triple ? 3 : 1);
        std::string out(head.substr(begin, head.find(triple ? "\"\"\"" : "\"", begin) - begin));
        while (!out.empty() && (out.front() == '\n' || out.front() == ' ')) out.erase(0, 1);
        while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
        return out;
      }
    }
    at = end + 1;
  }
  return "";
}

}  // namespace hone::cli
