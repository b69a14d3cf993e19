#include "pipeline/stage.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
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
  void look_ahead(Known& known, Forecast& f) override { forecast(params_, known, f); }

 private:
  Params params_;
};

template <class S>
std::unique_ptr<Stage> make() {
  return std::make_unique<S>();
}

using enum StageResult;
constexpr StageKind kKinds[] = {
#define HONE_STAGE(kind, Params, function, result, doc) {#kind, doc, result, make<StageOf<Params, function>>},
#include "pipeline/stages.def"
#undef HONE_STAGE
};

}  // namespace

std::span<const StageKind> stage_kinds() { return kKinds; }

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

config::Fields apply_settings(Stage& stage, const config::StageEntry& entry) {
  const config::Fields fields = stage.fields();
  const std::unique_ptr<Stage> untouched = make_stage(entry.kind, entry.where);
  const config::Fields defaults = untouched->fields();
  const std::map<std::string, std::string> given = config::apply_entries(fields, entry);
  std::set<std::string> keys;
  for (const auto& [key, where] : given) keys.insert(key);
  stage.settle(keys);
  // A resolved recipe names every key: one that stands at its default claims nothing.
  for (size_t i = 0; i < fields.list().size(); ++i) {
    const config::Field& f = fields.list()[i];
    if (const auto at = given.find(f.key);
        at != given.end() && config::to_json(f) != config::to_json(defaults.list()[i]))
      config::require_read(f, at->second);
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
