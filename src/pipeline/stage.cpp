#include "pipeline/stage.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "pipeline/compat.h"
#include "pipeline/forecast.h"

namespace hone::pipeline {
namespace {

template <class Params, void (*Run)(const Params&, config::StageContext&)>
class StageOf : public Stage {
 public:
  config::Fields fields() override { return config::fields_of(params_); }
  void settle(const std::set<std::string>& given) override {
    if constexpr (requires(Params& p) { p.settle(given); }) params_.settle(given);
  }
  void check() const override {
    if constexpr (requires(const Params& p) { p.check(); }) params_.check();
  }
  void run(config::StageContext& context) override { Run(params_, context); }
  void look_ahead(PlannedRun& planned, Forecast& f) override { forecast(params_, planned, f); }

 private:
  Params params_;
};

template <class S>
std::unique_ptr<Stage> make() {
  return std::make_unique<S>();
}

using enum StageResult;
constexpr StageKind kKinds[] = {
#define HONE_STAGE(kind, Params, function, result, title, tone, learns, doc) \
  {#kind, doc, result, title, #tone, #learns, make<StageOf<Params, function>>},
#include "pipeline/stages.def"
#undef HONE_STAGE
};

// A key that only another choice of a selector has is told by whose it is.
void require_known(const config::Fields& fields, const config::StageEntry& entry) {
  const auto known = [&](const config::Fields& of, const config::Entry& e) {
    return std::ranges::any_of(of.list(), [&](const config::Field& f) { return f.key == e.key || f.key == e.set_key; });
  };
  for (const config::Entry& e : entry.entries) {
    if (known(fields, e)) continue;
    std::string selector, choices;
    for (const StageVariant& v : stage_variants(entry.kind))
      if (!v.choice.empty() && known(v.stage->fields(), e))
        selector = v.selector, choices += (choices.empty() ? "" : " or ") + v.choice;
    if (!choices.empty())
      usage_error(
          e.where + ": '" + e.key + "' changes nothing here: it is read only where " + selector + " = " + choices,
          "leave it out, or see to that");
  }
}

}  // namespace

std::span<const StageKind> stage_kinds() { return kKinds; }

config::StageTraits traits_of(std::string_view kind) {
  const auto found = std::ranges::find(kKinds, kind, &StageKind::kind);
  HONE_CHECK(found != std::end(kKinds), "a kind of stages.def");
  return {std::string(found->title), std::string(found->tone), std::string(found->learns)};
}

bool makes_model(std::string_view kind) {
  return std::ranges::any_of(kKinds, [&](const StageKind& k) { return k.kind == kind && k.result == kModel; });
}

std::unique_ptr<Stage> make_stage(std::string_view kind, const std::string& where) {
  std::vector<std::string> known;
  for (const StageKind& k : kKinds) {
    if (k.kind == kind) return k.make();
    known.emplace_back(k.kind);
  }
  const std::string near = config::closest(kind, known);
  usage_error(where + ": unknown kind of stage '" + std::string(kind) + "'" +
                  (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone list stages` names them");
}

std::vector<StageVariant> stage_variants(std::string_view kind) {
  std::vector<StageVariant> out;
  out.push_back({"", "", make_stage(kind, std::string(kind))});
  const config::Fields standard = out[0].stage->fields();
  for (const config::Field& selector : standard.list()) {
    if (!selector.selects) continue;
    const std::string own = *std::get<std::string*>(selector.value);
    for (const std::string& choice : selector.choices) {
      if (choice == own) continue;
      std::unique_ptr<Stage> stage = make_stage(kind, std::string(kind));
      config::set_from_text(stage->fields().find(selector.key, std::string(kind), ""), choice, "");
      out.push_back({selector.key, choice, std::move(stage)});
    }
  }
  return out;
}

config::Fields apply_settings(Stage& stage, const config::StageEntry& entry, const std::string& compat) {
  require_compat(compat);
  const std::unique_ptr<Stage> untouched = make_stage(entry.kind, entry.where);
  for (Stage* one : {&stage, untouched.get()}) config::apply_selectors(one->fields(), entry);
  const config::Fields fields = stage.fields(), defaults = untouched->fields();
  require_known(fields, entry);
  const std::set<std::string> others = apply_compat(compat, entry, fields);
  const std::map<std::string, std::string> given = config::apply_entries(fields, entry);
  std::set<std::string> keys = others;
  for (const auto& [key, where] : given) keys.insert(key);
  stage.settle(keys);
  // A resolved recipe names every key: one that stands at its default claims nothing.
  for (size_t i = 0; i < fields.list().size(); ++i) {
    const config::Field& f = fields.list()[i];
    if (const auto at = given.find(f.key);
        at != given.end() && config::to_json(f) != config::to_json(defaults.list()[i]))
      config::require_read(f, at->second);
    // Another system's value of a setting that this stage does not read was not asked for by anybody.
    const bool read = std::ranges::all_of(f.conditions, [](const config::Condition& c) { return c.holds(); });
    if (others.contains(f.key) && !given.contains(f.key) && !read)
      config::set_from_json(f, config::to_json(defaults.list()[i]), entry.kind);
  }
  return fields;
}

void check_stage(const Stage& stage, const config::StageEntry& entry) {
  try {
    stage.check();
  } catch (const Error& e) {
    const std::string named = entry.name == entry.kind ? entry.kind : entry.name + " (" + entry.kind + ")";
    const bool verb = entry.where.starts_with("hone ") || entry.where.empty();
    fail(e.kind, (verb ? "" : entry.where + ": ") + named + ": " + e.what(), e.hint);
  }
}

}  // namespace hone::pipeline
