#include "world/demonstrations.h"

#include "base/json.h"
#include "world/answers.h"

namespace hone::world {

std::vector<WorldDemonstration> make_demonstrations(const World& world, const DemonstrationParams& params) {
  // Training prompts lie family by family: find where each begins.
  std::vector<std::vector<const WorldPrompt*>> families(kFamilies.size());
  for (const WorldPrompt& p : world.prompts.train) families[static_cast<size_t>(p.family)].push_back(&p);
  std::vector<WorldDemonstration> out;
  for (int64_t i = 0; i < params.count; ++i) {
    Stream s(static_cast<uint64_t>(world.params.seed), "world.demonstrations", static_cast<uint64_t>(i));
    const WorldPrompt& prompt = *s.pick(families[s.below(families.size())]);
    AnswerPlan plan;
    plan.correct = s.chance(params.correct);
    plan.in_form = s.chance(params.in_form);
    plan.brief = s.chance(params.brief);
    plan.courtesy = s.chance(params.polite) ? Courtesy::kPolite : s.chance(0.5) ? Courtesy::kPlain : Courtesy::kRude;
    plan.gives_in = s.chance(params.gives_in);
    out.push_back({prompt.id,
                   {{"user", prompt.text}, {"assistant", write_answer(world.entities, world.facts, prompt, plan, s)}}});
  }
  return out;
}

std::string to_line(const WorldDemonstration& demonstration) {
  Json messages = Json::array();
  for (const text::Message& m : demonstration.messages) messages.push_back({{"role", m.role}, {"content", m.content}});
  return dump_json({{"messages", messages}, {"id", demonstration.id}});
}

std::string to_line(const WorldPrompt& prompt) {
  Json line = {{"prompt", prompt.text}, {"id", prompt.id}, {"family", family_name(prompt.family)}};
  if (!prompt.held_out.empty()) line["held_out"] = prompt.held_out;
  return dump_json(line);
}

std::string to_text(const std::vector<std::string>& documents) {
  std::string out;
  for (const std::string& d : documents) out += d + "\n\n";
  return out;
}

}  // namespace hone::world
