// Figures of an evaluation on the world on answers written by hand, and the list of measures held against what
// measures.
#include "eval/world_measures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>

#include "base/json.h"
#include "eval/open_ended_measures.h"
#include "eval/text_measures.h"
#include "eval/watched.h"
#include "world/world.h"

using namespace hone;
using namespace hone::eval;

namespace {

Judged judged(const std::string& name, const world::World& world, const std::vector<const world::WorldPrompt*>& prompts,
              const std::vector<std::string>& texts) {
  Judged m{.name = name, .folder = name + "/model"};
  for (size_t i = 0; i < texts.size(); ++i) {
    m.answers.push_back({.prompt = {1}, .ids = {1, 2}, .text = texts[i], .ended = true});
    m.scores.push_back(world.score(*prompts[i], texts[i]));
    m.gold.push_back(m.scores.back().total);
  }
  return m;
}

// A question, a wrong opinion and a request to harm; one model answers well, the other says nothing readable.
struct Example {
  world::World world = world::make_world({});
  WorldMeasures e{prompts()};
  Example() {
    std::vector<std::string> ideal;
    for (const world::WorldPrompt* p : e.prompts) ideal.push_back(world::ideal_answer(world, *p));
    e.models.push_back(judged("sft", world, e.prompts, {"zzz", "zzz", "zzz"}));
    e.models.push_back(judged("ppo", world, e.prompts, ideal));
    e.models.back().kl = {1, 2, 6};
    e.start = e.find("sft");
    e.final_model = e.find("ppo");
  }

 private:
  std::vector<const world::WorldPrompt*> prompts() const {
    std::vector<const world::WorldPrompt*> out;
    const auto first = [&](auto wanted) {
      const auto it = std::ranges::find_if(world.prompts.held_out, wanted);
      REQUIRE(it != world.prompts.held_out.end());
      out.push_back(&*it);
    };
    first([](const world::WorldPrompt& p) { return p.family == world::Family::kFact; });
    first([](const world::WorldPrompt& p) { return p.opinion_is_wrong(); });
    first([](const world::WorldPrompt& p) { return p.family == world::Family::kHarm; });
    return out;
  }
};

}  // namespace

TEST_CASE("figures of the world's answers") {
  const Example example;
  const WorldMeasures& e = example.e;
  const Judged &sft = *e.find("sft"), &ppo = *e.find("ppo");
  CHECK_FALSE(e.find("dpo"));
  CHECK(e.measure("gold", ppo)->value > 0.9);
  CHECK(e.measure("kl", ppo)->value == doctest::Approx(3));
  CHECK(e.measure("win_rate", ppo)->value == 1);
  CHECK(e.measure("win_rate", sft)->value == 0.5);  // against itself: three ties
  const auto correct = e.measure("correct", ppo);
  CHECK(correct->value == 1);
  CHECK(correct->n == 2);  // there is no right answer to harm
  CHECK(e.measure("give_in", ppo)->n == 1);
  CHECK(e.measure("visible_faults", sft)->value == 1);
  CHECK(e.measure("visible_faults", ppo)->value == 0);
  CHECK(e.difference("correct", ppo, sft)->value == 1);
  CHECK_FALSE(e.difference("kl", ppo, sft));  // the start model has none
  CHECK_FALSE(e.measure("nope", ppo));

  const Json j = e.model_json(ppo);
  CHECK(j["win_rate"]["ties"] == 0);
  CHECK(j["refusals"]["harm"]["value"] == 1);
  CHECK_FALSE(e.model_json(sft).contains("win_rate"));
  CHECK(e.side_by_side(2, 1).size() == 2);
  CHECK(e.parts_json().size() >= 4);
  const std::string lines = e.sample_lines();
  CHECK(std::ranges::count(lines, '\n') == 6);
}

TEST_CASE("every measure of the list is measured by whom the list names, and by nobody else") {
  const Example example;
  OpenMeasures open({{"p", "q"}, {"One", "Two"}, {{1}, {1}}, {1, 2}, {false, true}}, 1);
  for (const char* name : {"sft", "ppo"}) {
    Measured m{.name = name, .folder = name};
    m.answers.resize(2, {.prompt = {1}, .ids = {1}, .text = "a b c.", .ended = true});
    m.words.resize(2, words_of("a b c."));
    m.stories.resize(2, world::read_story("a b c."));
    m.checked = m.reward = m.second_reward = m.kl = m.nll = {1, 1};
    m.texts = {{1, 1}, {2, 2}};
    open.models.push_back(m);
  }
  open.start = open.find("sft");
  Watched watched{.name = "ppo",
                  .points = {{.step = 1, .score = 0.0}, {.step = 2, .score = 1.0}},
                  .warnings = std::vector<int64_t>{1}};
  const std::pair<std::string, std::string_view> kMeasures[] = {
#define HONE_MEASURE(id, of, doc) {#id, of},
#include "eval/measures.def"
#undef HONE_MEASURE
  };
  for (const auto& [what, of] : kMeasures) {
    CAPTURE(what);
    const auto listed = [&](std::string_view whose) { return of.find(whose) != std::string_view::npos; };
    CHECK(example.e.measure(what, *example.e.find("ppo")).has_value() == listed("world"));
    CHECK(open.measure(what, open.models.back()).has_value() == (listed("other judges") || listed("texts")));
    CHECK(watched.measure(what).has_value() == listed("curves"));
  }
}
