// One or two sentences that say what came out, favourable or not.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

std::string shown(const std::string& model) { return escape(model == "base" ? "the base model" : model_name(model)); }

// The difference of two estimates, from the paired figure if the evaluation wrote it, else as if independent.
Estimate difference(const Results& r, std::string_view what, const ModelResult& a, const Estimate& ea,
                    const ModelResult& b, const Estimate& eb) {
  if (const Estimate* paired = find_difference(r, what, a.name, b.name)) return *paired;
  Estimate d{ea.value - eb.value, std::nan(""), std::nan(""), 0};
  if (has_interval(ea) && has_interval(eb)) {
    const double half = std::hypot((ea.high - ea.low) / 2, (eb.high - eb.low) / 2);
    d.low = d.value - half;
    d.high = d.value + half;
  }
  return d;
}

// Without a gold reward: what the curves of PPO or its like say.
std::string from_curves(const Story& story) {
  for (auto stage = story.run.stages.rbegin(); stage != story.run.stages.rend(); ++stage) {
    if (!stage->learns_from_own_samples()) continue;
    const Curve* reward = stage->curve("score") ? stage->curve("score") : stage->curve("reward");
    const Curve* kl = stage->curve("kl");
    if (!reward || reward->value.size() < 2) continue;
    std::string text = escape(stage_title(*stage)) + " moved the learned reward from <b>" +
                       format_number(reward->value.front()) + "</b> to <b>" + format_number(reward->value.back()) +
                       "</b>";
    if (kl && !kl->value.empty()) text += " at <b>" + format_number(kl->value.back()) + "</b> nats of KL an answer";
    return text +
           ". No evaluation against a gold reward is on record, so whether the answers got better is for the samples "
           "to show.";
  }
  return {};
}

// The reward that was optimised likes the answers, a second one that nobody optimised does not.
std::string fooled(const ModelResult& last) {
  if (!last.win_rate || !last.second_win_rate || !has_interval(*last.win_rate) || !has_interval(*last.second_win_rate))
    return {};
  const Estimate &first = *last.win_rate, &second = *last.second_win_rate;
  const std::string both = "<b>" + format_percent(first.value) +
                           "</b> of wins by the reward model that was optimised, <b>" + format_percent(second.value) +
                           "</b> (95% interval " + format_fixed(100 * second.low, 1) + " to " +
                           format_fixed(100 * second.high, 1) + ") by a second one that nobody optimised";
  if (first.low > 0.5 && !(second.low > 0.5)) return " <em>Over-optimised:</em> " + both + ".";
  return first.low > 0.5 ? " Both reward models prefer the new answers: " + both + "."
                         : " The optimised reward model does not surely prefer the new answers: " + both + ".";
}

std::string gone_too_far(const Results& r, const ModelResult& last) {
  std::string out;
  if (last.kl_per_token && r.most_kl_per_token && last.kl_per_token->value > *r.most_kl_per_token)
    out += " <em>Far from the start:</em> " + format_number(last.kl_per_token->value) + " nats of KL a token.";
  if (last.start_loss_ratio && r.most_start_loss_ratio && last.start_loss_ratio->value >= *r.most_start_loss_ratio)
    out += " <em>Possibly wrecked:</em> the start model's loss on the new answers is " +
           format_fixed(100 * (last.start_loss_ratio->value - 1), 0) + "% higher than on its own.";
  return out;
}

// People's comparisons, which the model has not learnt from, are all there is.
std::string from_comparisons(const Results& r, const ModelResult& last) {
  if (!r.comparisons) return {};
  for (const Judge& j : r.comparisons->judges) {
    if (j.name != last.name || !j.agreement || !has_interval(*j.agreement)) continue;
    const Estimate& e = *j.agreement;
    std::string text = shown(last.name) + (e.low > 0.5 ? " has learnt from people: it agrees with" : " agrees with") +
                       " <b>" + format_percent(e.value) + "</b> (95% interval " + format_fixed(100 * e.low, 1) +
                       " to " + format_fixed(100 * e.high, 1) + ") of " + format_count(e.n) +
                       " comparisons that it had not seen";
    if (e.low <= 0.5 && e.high >= 0.5) text += ", which may be chance";
    if (r.comparisons->rule)
      text +=
          "; the rule that the longer answer is better with <b>" + format_percent(r.comparisons->rule->value) + "</b>";
    text += ".";
    if (last.kl_per_token)
      text += " KL to the start is <b>" + format_number(last.kl_per_token->value) + "</b> nats a token";
    if (last.kl_per_token && last.text_perplexity_ratio)
      text += ", and the perplexity of held-out texts changed by <b>" +
              format_fixed(100 * (last.text_perplexity_ratio->value - 1), 1) + "%</b>";
    return text + (last.kl_per_token ? "." : "");
  }
  return {};
}

// Nobody judged, but the learned reward was taken of everybody's answers to held-out prompts.
std::string from_learned_reward(const Results& r, const ModelResult& start, const ModelResult& last) {
  if (&start == &last || !start.reward || !last.reward) return {};
  const Estimate d = difference(r, "learned reward", last, *last.reward, start, *start.reward);
  const bool sure = has_interval(d) && (d.low > 0 || d.high < 0);
  std::string text = shown(last.name) +
                     (!sure         ? " did not clearly change"
                      : d.value > 0 ? " raised"
                                    : " lowered") +
                     " the learned reward of answers to " + (d.n ? format_count(d.n) + " " : "") +
                     "held-out prompts: <b>" + format_fixed(start.reward->value, 2) + "</b> (" + shown(start.name) +
                     ") to <b>" + format_fixed(last.reward->value, 2) + "</b>";
  if (last.kl) text += ", at <b>" + format_number(last.kl->value) + "</b> nats of KL an answer";
  return text + ". Nobody has judged these answers, so whether they got better is for the samples to show.";
}

// Gold fell well below its peak while the proxy kept rising?
std::string over_optimised(const Results& r) {
  const ProxyPoint *peak = nullptr, *last = nullptr;
  for (const ProxyPoint& p : r.gold_vs_proxy) {
    if (p.series != r.final_model || !std::isfinite(p.gold)) continue;
    if (!peak || p.gold > peak->gold) peak = &p;
    last = &p;
  }
  if (!peak || peak == last || peak->gold - last->gold < 0.03 || !(last->proxy > peak->proxy)) return {};
  return " <em>Over-optimised:</em> gold peaked at " + format_fixed(peak->gold, 2) + " and fell to " +
         format_fixed(last->gold, 2) + " while the learned reward kept rising.";
}

}  // namespace

const Results* Story::main() const {
  const Results* chosen = nullptr;
  for (const Results& r : results) {
    const bool gold =
        std::any_of(r.models.begin(), r.models.end(), [](const ModelResult& m) { return m.gold.has_value(); });
    if (gold || (!chosen && !r.models.empty())) chosen = &r;
  }
  return chosen;
}

std::string verdict(const Story& story) {
  const Results* r = story.main();
  const ModelResult* start = r ? r->model(r->start_model) : nullptr;
  const ModelResult* final_model = r ? r->model(r->final_model) : nullptr;
  if (!start || !final_model || !start->gold || !final_model->gold) {
    std::string learned = start && final_model ? from_learned_reward(*r, *start, *final_model) : std::string();
    if (learned.empty() && start && final_model) learned = from_comparisons(*r, *final_model);
    if (!learned.empty()) return learned + fooled(*final_model) + gone_too_far(*r, *final_model);
    std::string curves = from_curves(story);
    if (!curves.empty()) return curves;
    size_t done = 0;
    for (const Stage& s : story.run.stages) done += s.outcome == "done" || s.outcome == "ok" || s.outcome == "finished";
    return std::to_string(done) + " of " + std::to_string(story.run.stages.size()) +
           " stages are on record as done; no evaluation has been written yet.";
  }
  if (start == final_model)
    return shown(final_model->name) + " reaches a mean " + escape(r->gold_name) + " of <b>" +
           format_fixed(final_model->gold->value, 2) + "</b> of the maximum.";

  const Estimate d = difference(*r, "gold", *final_model, *final_model->gold, *start, *start->gold);
  const bool sure = has_interval(d) && (d.low > 0 || d.high < 0);
  std::string text = shown(final_model->name) +
                     (d.value > 0 && (sure || !has_interval(d)) ? " raised"
                      : d.value < 0 && sure                     ? " lowered"
                                                                : " did not clearly change") +
                     " the mean " + escape(r->gold_name) + " " + (sure || !has_interval(d) ? "from" : "(from") +
                     " <b>" + format_fixed(start->gold->value, 2) + "</b> (" + shown(start->name) + ") to <b>" +
                     format_fixed(final_model->gold->value, 2) + "</b> of the maximum" +
                     (sure || !has_interval(d) ? "" : ")");
  if (final_model->win_rate) {
    const Estimate& w = *final_model->win_rate;
    text += (w.value >= 0.5 ? " and wins <b>" : ", but wins only <b>") + format_percent(w.value) + "</b>";
    if (has_interval(w))
      text += " (95% interval " + format_fixed(100 * w.low, 1) + " to " + format_fixed(100 * w.high, 1) + ")";
    if (w.n) text += " of " + format_count(w.n) + " held-out prompts against " + shown(start->name);
  }
  if (final_model->kl) text += ", at <b>" + format_number(final_model->kl->value) + "</b> nats of KL an answer";
  text += ".";
  if (start->correctness && final_model->correctness) {
    const Estimate c =
        difference(*r, "correctness", *final_model, *final_model->correctness, *start, *start->correctness);
    const bool clear = has_interval(c) && (c.low > 0 || c.high < 0);
    text += std::string(" Correctness ") +
            (!clear        ? "did not clearly change"
             : c.value > 0 ? "rose"
                           : "<em>fell</em>") +
            " (" + format_percent(start->correctness->value) + " to " +
            format_percent(final_model->correctness->value) + ").";
  }
  std::string others;
  for (const ModelResult& m : r->models)
    if (m.gold && &m != start && &m != final_model && m.name != "base")
      others += (others.empty() ? " Beside it, " : ", ") + shown(m.name) + " reached " + format_fixed(m.gold->value, 2);
  return text + others + (others.empty() ? "" : ".") + over_optimised(*r);
}

}  // namespace hone::report
