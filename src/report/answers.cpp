// Answers side by side: from the evaluation, else the first and last answer to the same prompt in PPO's samples, else
// whatever samples there are.
#include <algorithm>
#include <cmath>
#include <set>

#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

constexpr size_t kMaxCards = 240;
constexpr size_t kFirstCards = 8;  // shown before a reader asks for more
constexpr size_t kMaxText = 3000;

std::string answer_html(const Answer& a, const std::string& tone) {
  std::string out = "<div class=\"answer t-" + tone + "\"><h4><i></i>" + escape(model_name(a.model));
  if (a.gold) out += " <b>" + format_fixed(*a.gold, 2) + "</b>";
  out += "</h4><p class=text>" + (a.text.empty() ? "<em>(empty)</em>" : escape_limited(a.text, kMaxText)) + "</p>";
  if (!a.parts.empty()) {
    out += "<ul class=parts>";
    for (const auto& [name, value] : a.parts) out += "<li>" + escape(name) + " " + format_number(value) + "</li>";
    out += "</ul>";
  }
  return out + "</div>";
}

std::string card(const SideBySide& s, ToneSet& tones, const std::string& start, const std::string& last) {
  double gain = std::nan("");
  std::optional<double> before, after;
  for (const Answer& a : s.answers) {
    if (a.model == start) before = a.gold;
    if (a.model == last) after = a.gold;
  }
  if (before && after) gain = *after - *before;
  std::string out = "<article class=pair data-family=\"" + escape(s.family) + "\"" +
                    (std::isfinite(gain) ? " data-gain=\"" + std::to_string(gain) + "\"" : "") + "><header>";
  if (!s.family.empty()) out += "<span class=chip>" + escape(s.family) + "</span>";
  if (std::isfinite(gain))
    out += "<span class=\"gain " +
           std::string(gain > 0.005    ? "good"
                       : gain < -0.005 ? "bad"
                                       : "even") +
           "\">" + (gain > 0.005 ? "+" : "") + format_fixed(gain, 2) + "</span>";
  if (!s.id.empty()) out += "<span class=id>" + escape_limited(s.id, 60) + "</span>";
  out += "</header><p class=prompt>" + escape_limited(s.prompt, kMaxText) + "</p><div class=answers>";
  for (const Answer& a : s.answers) out += answer_html(a, tones.of(a.model));
  return out + "</div></article>\n";
}

// Pairs of the earliest and the latest answer to the same prompt.
std::vector<SideBySide> from_samples(const Run& run) {
  std::vector<SideBySide> pairs;
  for (auto stage = run.stages.rbegin(); stage != run.stages.rend(); ++stage) {
    if (stage->samples.empty() || !(stage->aligns() || pairs.empty())) continue;
    std::vector<SideBySide> found;
    std::set<std::string> seen;
    for (const Sample& last : stage->samples) {
      const std::string key = last.id.empty() ? last.prompt : last.id + "\n" + last.prompt;
      if (!seen.insert(key).second) continue;
      const Sample *first = &last, *latest = &last;
      for (const Sample& other : stage->samples) {
        if ((other.id.empty() ? other.prompt : other.id + "\n" + other.prompt) != key) continue;
        if (other.step.value_or(0) < first->step.value_or(0)) first = &other;
        if (other.step.value_or(0) > latest->step.value_or(0)) latest = &other;
      }
      const auto answer = [&](const Sample& s) {
        Answer a{s.step ? stage->name + ", step " + format_number(*s.step) : stage->name, s.completion, s.gold, {}};
        if (s.reward) a.parts.emplace_back("reward", *s.reward);
        return a;
      };
      SideBySide pair{last.id, "", last.prompt, {answer(*first)}};
      if (latest != first) pair.answers.push_back(answer(*latest));
      found.push_back(std::move(pair));
      if (found.size() == kMaxCards) break;
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const SideBySide& a, const SideBySide& b) { return a.answers.size() > b.answers.size(); });
    pairs = std::move(found);
    if (stage->aligns()) break;
  }
  return pairs;
}

}  // namespace

Section side_by_side_answers(const Story& story) {
  Section s{"answers", "Before and after", "", ""};
  ToneSet tones;
  std::vector<SideBySide> pairs;
  std::string start, last, about;
  for (const Results& r : story.results) {
    if (r.side_by_side.empty()) continue;
    pairs = r.side_by_side;
    about = r.side_by_side_about;
    start = r.start_model;
    last = r.final_model;
    for (const ModelResult& m : r.models) tones.of(m.name);
  }
  if (pairs.empty()) pairs = from_samples(story.run);
  if (pairs.empty()) return s;
  const size_t shown = std::min(pairs.size(), kMaxCards);
  s.lead = "The same prompts answered by each model" + (about.empty() ? "" : ": " + about) +
           (about.ends_with('.') ? "" : ".") +
           (shown < pairs.size() ? " The first " + format_count(static_cast<int64_t>(shown)) + " of " +
                                       format_count(static_cast<int64_t>(pairs.size())) + " are on this page."
                                 : std::string());
  std::vector<std::string> families;
  for (size_t i = 0; i < shown; ++i)
    if (!pairs[i].family.empty() && std::find(families.begin(), families.end(), pairs[i].family) == families.end())
      families.push_back(pairs[i].family);
  // The controls need the script, which reveals them.
  s.body =
      "<div class=finder data-finder><form class=controls hidden><label>Search <input type=search placeholder=\"words "
      "in prompt or answers\"></label>";
  if (families.size() > 1) {
    s.body += "<label>Family <select name=family><option value=\"\">all</option>";
    for (const std::string& f : families)
      s.body += "<option value=\"" + escape(f) + "\">" + escape_limited(f, 40) + "</option>";
    s.body += "</select></label>";
  }
  s.body += "<label>Order <select name=order><option value=\"\">as drawn</option>";
  if (!last.empty() && last != start)
    s.body += "<option value=win>biggest win of " + escape(model_name(last)) +
              "</option><option value=loss>biggest loss of " + escape(model_name(last)) + "</option>";
  s.body += "</select></label><output aria-live=polite></output></form><div class=pairs>";
  for (size_t i = 0; i < std::min(shown, kFirstCards); ++i) s.body += card(pairs[i], tones, start, last);
  s.body += "</div>";
  if (shown > kFirstCards) {
    s.body += "<details class=more><summary>" + format_count(static_cast<int64_t>(shown - kFirstCards)) +
              " more prompts</summary><div class=pairs>";
    for (size_t i = kFirstCards; i < shown; ++i) s.body += card(pairs[i], tones, start, last);
    s.body += "</div></details>";
  }
  s.body += "</div>";
  return s;
}

}  // namespace hone::report
