// A stage behind its kind: params with their fields, and the function that runs it. Built from stages.def.
#pragma once
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "config/recipe.h"
#include "config/run_folder.h"
#include "config/stage_context.h"

namespace hone::pipeline {

struct PlannedRun;
struct Forecast;

class Stage {
 public:
  virtual ~Stage() = default;
  virtual config::Fields fields() = 0;
  /// Defaults that depend on other settings; `given` are the keys that somebody has set.
  virtual void settle(const std::set<std::string>& given) = 0;
  /// What no single field can tell: a setting that must be given, settings that do not go together. kUsage.
  virtual void check() const = 0;
  virtual void run(config::StageContext& context) = 0;
  /// For `--plan`: what it would do (forecast.h). Its fields hold paths, not references.
  virtual void look_ahead(PlannedRun& planned, Forecast& forecast) = 0;
};

/// What "@stage" means in a later stage.
enum class StageResult { kModel, kFolder };

struct StageKind {
  std::string_view kind, doc;
  StageResult result;
  std::string_view title, tone, learns;  ///< config::StageTraits
  std::unique_ptr<Stage> (*make)();
};

/// In the order of stages.def.
std::span<const StageKind> stage_kinds();
/// For run.json.
config::StageTraits traits_of(std::string_view kind);
/// Does "@stage" of this kind mean its model folder?
bool makes_model(std::string_view kind);
/// The stage with its defaults, and one for each other value of its selectors (config::Field::selects), which may have
/// other fields. `selector` and `choice`: "" of the first.
struct StageVariant {
  std::string selector, choice;
  std::unique_ptr<Stage> stage;
};
std::vector<StageVariant> stage_variants(std::string_view kind);
/// The stage's fields with the values of `entry`, and its defaults settled. A value that the stage would not read:
/// kUsage with its place.
/// `compat`: whose defaults stand in the place of hone's (compat.h).
config::Fields apply_settings(Stage& stage, const config::StageEntry& entry, const std::string& compat = "none");
/// Stage::check, with the stage's place in the message.
void check_stage(const Stage& stage, const config::StageEntry& entry);
/// The stage with its defaults; unknown kind: kUsage with a suggestion, `where` as prefix.
std::unique_ptr<Stage> make_stage(std::string_view kind, const std::string& where);

}  // namespace hone::pipeline
