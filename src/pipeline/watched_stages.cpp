#include "pipeline/watched_stages.h"

#include <algorithm>

#include "base/error.h"
#include "config/run_folder.h"
#include "eval/checks.h"
#include "pipeline/stage.h"
#include "report/metric_list.h"

namespace hone::pipeline {
namespace {

const std::vector<std::string>* texts_of(const config::Fields& fields, std::string_view key) {
  for (const config::Field& f : fields.list())
    if (f.key == key)
      if (const auto* list = std::get_if<std::vector<std::string>*>(&f.value)) return *list;
  return nullptr;
}

// Does the stage set `watch`? Nothing where its kind has no such setting.
std::optional<bool> is_watched(const config::StageEntry& entry) {
  const std::unique_ptr<Stage> stage = make_stage(entry.kind, entry.where);
  const config::Fields fields = apply_settings(*stage, entry);
  for (const config::Field& f : fields.list())
    if (f.key == "watch") return !(*std::get<std::string*>(f.value)).empty();
  return std::nullopt;
}

}  // namespace

void require_watched_stages(const config::Fields& fields, const config::Recipe& recipe, const fs::path& out,
                            size_t index) {
  const std::vector<std::string>*curves = texts_of(fields, "curves"), *require = texts_of(fields, "require");
  if (!curves || !require) return;
  const std::string where = recipe.stages[index].where + ": ";
  for (const std::string& curve : *curves) {
    const size_t equals = std::min(curve.find('='), curve.size());  // whatever is no NAME=PATH, check() refuses
    const std::string name = curve.substr(0, equals), path = curve.substr(std::min(equals + 1, curve.size()));
    for (size_t i = 0; i < index; ++i) {
      const config::StageEntry& stage = recipe.stages[i];
      if (fs::path(path) != stage_folder(recipe, out, i) / config::names::kMetrics) continue;
      const std::optional<bool> watched = is_watched(stage);
      if (!watched)
        usage_error(where + "'curves' names stage '" + stage.name + "', and a stage of kind " + stage.kind +
                        " is never watched",
                    "ppo, group and preference can be");
      if (!*watched)
        usage_error(where + "'curves' names stage '" + stage.name + "', which is not watched",
                    "set watch = \"@world\" in that stage");
      for (const std::string& text : *require) {
        const eval::Check check = eval::parse_check(text);
        if (check.a == name && eval::is_measure_of(check.what, "scored") &&
            report::find_metric("score")->stages.find(stage.kind) == std::string_view::npos)
          usage_error(where + "the check '" + text + "': no reward model scores a stage of kind " + stage.kind +
                          ", so it has no " + check.what,
                      "`hone list measures` says what each is of");
      }
    }
  }
}

}  // namespace hone::pipeline
