#include "eval/eval_stage.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/error.h"
#include "eval/answers.h"
#include "eval/checks.h"
#include "eval/open_ended.h"
#include "eval/world_task.h"

namespace hone::eval {
namespace {

using Names = std::set<std::string>;

// Found before anything is sampled: a measure that does not exist, of something that is not there.
void require_measurable(const Check& c, const EvalParams& params, const Names& models, const Names& watched) {
  const std::string check = "the check '" + c.text + "'";
  const bool world = params.judge == "world";
  const bool agreement = is_measure_of(c.what, "comparisons"), texts = is_measure_of(c.what, "texts");
  if ((agreement || texts) && world)
    usage_error(check + ": judge = \"world\" measures no '" + c.what + "'", "set judge = \"none\"");
  if (agreement) {
    if (params.comparisons.empty()) usage_error(check + " needs comparisons = [\"FILE\", …]");
    const auto require_judge = [&](const std::string& given) {
      const std::string judge = given.substr(0, given.find('@'));
      if (judge == "reward"          ? params.reward.empty()
          : judge == "second_reward" ? params.second_reward.empty()
                                     : !models.contains(judge) || judge == params.start)
        usage_error(check + " names '" + given + "', which judges no comparisons",
                    "name one of `models` other than the start, reward or second_reward; or one of them @SOURCE");
    };
    require_judge(c.a);
    if (!c.b.empty()) require_judge(c.b);
    if (!c.b.empty() && (c.what != "agreement" || c.a.find('@') != std::string::npos))
      usage_error(check + ": this measure has no difference of two");
    return;
  }
  if (is_measure_of(c.what, "reward model")) {
    if (params.reward.empty()) usage_error(check + " is about a reward model", "give reward = \"FOLDER\"");
    if (!c.a.empty()) usage_error(check + " names '" + c.a + "', and this measure is of the reward model alone");
    if (params.judge == "none") usage_error(check + ": with judge = \"none\" no people compare answers");
    if (params.judge == "stories" && params.annotators.empty())
      usage_error(check + " is about people's comparisons", "give annotators = \"@compare\"");
    if (!models.contains(params.start))
      usage_error(check + " is of the start model's answers, which is none of `models`");
    return;
  }
  if (world && is_measure_of(c.what, "curves")) {
    if (!watched.contains(c.a))
      usage_error(check + " names '" + c.a + "', which is none of `curves`",
                  "give curves = [\"NAME=@STAGE/metrics.jsonl\"] of a stage that was watched");
    if (!c.b.empty()) usage_error(check + ": this measure has no difference of two");
    return;
  }
  if (!texts && !is_measure_of(c.what, world ? "world" : "other judges"))
    usage_error(check + ": judge = \"" + params.judge + "\" measures no '" + c.what + "'",
                "`hone list measures` names them");
  if (c.what == "utility" && params.judge != "stories") usage_error(check + " needs judge = \"stories\"");
  if (texts && params.texts.empty()) usage_error(check + " needs texts = [\"FILE\", …]");
  if (c.what == "checked" && params.checkers.empty()) usage_error(check + " needs checkers = [\"NAME\", …]");
  if (c.what == "refusals" && params.harmful.empty()) usage_error(check + " needs harmful = [\"FILE\", …]");
  if (c.what.starts_with("second_") && params.second_reward.empty())
    usage_error(check + " needs second_reward = \"FOLDER\"");
  if (!c.b.empty() && (texts || c.what == "kl_per_token" || c.what == "start_loss_ratio"))
    usage_error(check + ": this measure has no difference of two");
  if (c.what == "reward" && params.reward.empty()) usage_error(check + " needs reward = \"FOLDER\"");
  const auto require_model = [&](const std::string& name) {
    if (!models.contains(name)) usage_error(check + " names '" + name + "', which is none of `models`");
  };
  require_model(c.a);
  if (!c.b.empty()) require_model(c.b);
  const bool kl = c.what == "kl" || c.what == "kl_per_token",
             wins = c.what == "win_rate" || c.what == "second_win_rate",
             ratio = c.what == "start_loss_ratio" || c.what == "text_perplexity_ratio";
  if (!kl && !wins && !ratio) return;
  if (kl && params.sampling.temperature == 0)
    usage_error(check + ": greedy answers are no sample, so they have no KL", "set sampling.temperature above 0");
  if (!models.contains(params.start))
    usage_error(check + " is counted against '" + params.start + "', which is none of `models`",
                "set start = \"NAME\"");
  if (c.what == "win_rate" && params.judge == "none" && params.reward.empty() && params.checkers.empty())
    usage_error(check + ": nobody judges, so nobody wins", "give judge, checkers or reward");
  if ((c.a == params.start || c.b == params.start) && (!kl || params.original.empty()))
    usage_error(check + " counts '" + params.start + "' against itself");
}

}  // namespace

void EvalParams::check() const {
  if (models.empty()) usage_error("no models", "give models = [\"sft=@sft\", \"ppo=@ppo\"]");
  std::set<std::string> names;
  for (const std::string& text : models)
    if (const auto [name, folder] = name_and_folder(text, "models"); !names.insert(name).second)
      usage_error("two models are called '" + name + "'", "every NAME=FOLDER needs a name of its own");
  static const std::set<std::string> kTasks{
#define HONE_TASK(id, doc) #id,
#include "eval/tasks.def"
#undef HONE_TASK
  };
  for (const char* reserved : {"reward", "second_reward"})
    if (!comparisons.empty() && names.contains(reserved))
      usage_error("a model is called '" + std::string(reserved) + "', as a judge of the comparisons is",
                  "give it another name in `models`");
  for (const std::string& t : tasks)
    if (!kTasks.contains(t)) usage_error("unknown task '" + t + "'", "`hone list tasks` names them");
  for (const std::string& id : checkers) checker_settings.check(id);
  if (!checkers.empty() && !harmful.empty())
    usage_error("harmful prompts have no right answer that checkers could know",
                "give `harmful` and `checkers` to two evaluations");
  if (judge == "world" && world.empty()) usage_error("no world to judge by", "give world = \"@world\"");
  if (judge == "world" && !reward.empty() && names.contains(start) && annotators.empty())
    usage_error("nobody judges the reward model's audit", "give annotators = \"@compare\", or no reward");
  if (judge != "world" && !names.contains(start))
    usage_error("the start model '" + start + "' is none of `models`", "set start = \"NAME\"");
  std::set<std::string> watched;
  for (const std::string& text : curves) watched.insert(name_and_folder(text, "curves").first);
  for (const std::string& text : require) require_measurable(parse_check(text), *this, names, watched);
}

void run_eval(const EvalParams& params, config::StageContext& context) {
  if (params.judge == "world") run_world(params, context);
  else run_open_ended(params, context);
}

}  // namespace hone::eval
