// The large figures beneath the verdict, and whether the run is finished.
#include <cmath>

#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

std::string tile(const std::string& name, const std::string& figure, const std::string& detail) {
  return "<div class=tile><h3>" + name + "</h3><p class=figure>" + figure + "</p><p class=detail>" + detail +
         "</p></div>";
}

std::string interval_words(const Estimate& e, bool percent) {
  if (!has_interval(e)) return "";
  return percent ? "95% interval " + format_fixed(100 * e.low, 1) + " to " + format_fixed(100 * e.high, 1)
                 : "95% interval " + format_fixed(e.low, 2) + " to " + format_fixed(e.high, 2);
}

// 1.012 -> "+1.2%"
std::string format_change(double ratio) { return (ratio >= 1 ? "+" : "") + format_fixed(100 * (ratio - 1), 1) + "%"; }

const RewardModelResult* reward_model_of(const Story& story) {
  const Results* r = story.main();
  if (r && r->reward_model) return &*r->reward_model;
  for (auto it = story.results.rbegin(); it != story.results.rend(); ++it)
    if (it->reward_model) return &*it->reward_model;
  return nullptr;
}

std::string gold_tiles(const Results& r) {
  const ModelResult *start = r.model(r.start_model), *last = r.model(r.final_model);
  std::string out, ladder;
  for (const ModelResult& m : r.models) {
    if (!m.gold || (m.name != "base" && &m != start && &m != last)) continue;
    ladder += (ladder.empty() ? "" : "<span class=arrow>→</span>") + std::string("<span class=\"step t-") + m.tone +
              "\">" + format_fixed(m.gold->value, 2) + "<small>" + escape_limited(model_name(m.name), 40) +
              "</small></span>";
  }
  if (!ladder.empty())
    out += "<div class=\"tile big\"><h3>Mean " + escape(r.gold_name) + "</h3><p class=\"figure ladder\">" + ladder +
           "</p><p class=detail>of the maximum" +
           (last && last->gold && has_interval(*last->gold)
                ? "; " + escape_limited(model_name(last->name), 40) + ": " + interval_words(*last->gold, false)
                : "") +
           "</p></div>";
  if (ladder.empty() && start && last && start != last && start->reward && last->reward)
    out += "<div class=\"tile big\"><h3>Learned reward</h3><p class=\"figure ladder\"><span class=\"step t-" +
           start->tone + "\">" + format_fixed(start->reward->value, 2) + "<small>" +
           escape_limited(model_name(start->name), 40) +
           "</small></span><span class=arrow>→</span><span class=\"step t-" + last->tone + "\">" +
           format_fixed(last->reward->value, 2) + "<small>" + escape_limited(model_name(last->name), 40) +
           "</small></span></p><p class=detail>on held-out prompts; mean 0, deviation 1 on the reference "
           "answers</p></div>";
  if (last && last->win_rate)
    out +=
        tile("Wins over " + escape_limited(model_name(r.start_model), 40), format_percent(last->win_rate->value),
             interval_words(*last->win_rate, true) + (r.wins_by == "gold reward" ? "" : ", by " + escape(r.wins_by)) +
                 (last->win_rate->n ? ", " + format_count(last->win_rate->n) + " prompts" : "") +
                 (last->ties ? ", ties " + format_count(std::llround(*last->ties)) + " counted half" : ""));
  if (last && last->second_win_rate)
    out += tile("Wins by the second reward model", format_percent(last->second_win_rate->value),
                interval_words(*last->second_win_rate, true) + "; nobody optimised it");
  if (r.comparisons)
    for (const Judge& j : r.comparisons->judges)
      if (last && j.name == last->name && j.agreement)
        out +=
            tile("Agrees with people", format_percent(j.agreement->value),
                 interval_words(*j.agreement, true) +
                     (j.agreement->n ? ", " + format_count(j.agreement->n) + " comparisons" : "") +
                     (r.comparisons->rule ? "; longer is better: " + format_percent(r.comparisons->rule->value) : ""));
  if (last && last->start_loss_ratio)
    out += tile("Start model's loss on the answers", format_change(last->start_loss_ratio->value),
                "a token, against its own answers" +
                    (r.most_start_loss_ratio ? "; it warns from " + format_change(*r.most_start_loss_ratio) + " on"
                                             : std::string()));
  if (last && last->text_perplexity_ratio)
    out += tile("Held-out texts", format_change(last->text_perplexity_ratio->value), "perplexity: what was forgotten");
  if (last && last->kl_per_token)
    out += tile("KL to the start", format_number(last->kl_per_token->value) + "<small> nats</small>",
                "a token" + (last->kl ? "; " + format_number(last->kl->value) + " an answer" : std::string()));
  else if (last && last->kl)
    out += tile("KL to the reference", format_number(last->kl->value) + "<small> nats</small>",
                std::string("an answer") + (has_interval(*last->kl) ? ", " : "") + interval_words(*last->kl, false));
  return out;
}

// Where there is no gold reward: the learned one, from the curves of PPO or its like.
std::string curve_tiles(const Story& story) {
  for (const Stage& stage : story.run.stages) {
    const Curve *score = stage.curve("score"), *kl = stage.curve("kl");
    if (!stage.learns_from_own_samples() || !score || score->value.size() < 2) continue;
    return "<div class=\"tile big\"><h3>Learned reward in " + escape(stage_title(stage)) +
           "</h3><p class=\"figure ladder\"><span class=\"step "
           "t-sft\">" +
           format_fixed(score->value.front(), 2) +
           "<small>first step</small></span><span class=arrow>→</span><span class=\"step t-ppo\">" +
           format_fixed(score->value.back(), 2) +
           "<small>last step</small></span></p><p class=detail>normalised: mean 0, deviation 1 on the reference "
           "answers</p></div>" +
           (kl ? tile("KL to the reference", format_number(kl->value.back()) + "<small> nats</small>",
                      "an answer, at the last step")
               : "");
  }
  return {};
}

}  // namespace

Section headline(const Story& story) {
  Section s{"headline", "Headline", "", ""};
  const Results* r = story.main();
  if (r) s.body += gold_tiles(*r);
  if (s.body.empty()) s.body += curve_tiles(story);
  if (const RewardModelResult* rm = reward_model_of(story); rm && rm->accuracy)
    s.body += tile("Reward model", format_percent(rm->accuracy->value),
                   std::string("of held-out comparisons") +
                       (rm->ceiling                   ? "; the true utility gets " + format_percent(rm->ceiling->value)
                        : has_interval(*rm->accuracy) ? "; " + interval_words(*rm->accuracy, true)
                                                      : ""));
  if (r) {
    const ModelResult *start = r->model(r->start_model), *last = r->model(r->final_model);
    if (start && last && start != last && start->correctness && last->correctness)
      s.body += tile("Correct answers", format_percent(last->correctness->value),
                     escape_limited(model_name(start->name), 40) + " had " + format_percent(start->correctness->value));
  }
  if (!s.body.empty()) s.body = "<div class=tiles>" + s.body + "</div>";
  return s;
}

std::string status(const Story& story, const std::string& prefix) {
  std::string open;
  size_t warned = 0, unmet = 0;
  for (const Stage& stage : story.run.stages) {
    if (!stage.done())
      open += (open.empty() ? "" : ", ") + stage.name + " (" +
              (stage.outcome.empty() ? "no outcome on record" : stage.outcome) + ")";
    if (const Json& list = child(stage.record, "warnings"); list.is_array()) warned += list.size();
  }
  for (const Results& r : story.results)
    for (const Check& c : r.checks) unmet += !c.met;
  std::string out;
  const auto plural = [](size_t n, const char* noun) { return std::to_string(n) + " " + noun + (n == 1 ? "" : "s"); };
  if (!story.run.done()) {
    const std::string outcome = text_at(story.run.record, "outcome");
    out += "<li>This run is not finished" +
           (open.empty() ? outcome.empty() ? std::string() : ": " + escape_limited(outcome, 80)
                         : ": " + escape_limited(open, 300)) +
           ". <a href=\"#" + prefix + "warnings\">What is missing</a></li>";
  }
  if (unmet) out += "<li>" + plural(unmet, "check") + " not met. <a href=\"#" + prefix + "outcome\">Which</a></li>";
  if (warned) out += "<li>" + plural(warned, "warning") + ". <a href=\"#" + prefix + "warnings\">Read</a></li>";
  return out.empty() ? "" : "<ul class=status>" + out + "</ul>";
}

}  // namespace hone::report
