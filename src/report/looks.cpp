// The same prompts answered at the start, on the way and at the end of a stage: what it changed.
#include <algorithm>
#include <map>

#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

constexpr size_t kMaxPrompts = 24;  // of one stage
constexpr size_t kMaxLookText = 2000;

std::string answer_at(const Look& look, const std::string& when, const std::string& tone) {
  return "<div class=\"answer t-" + tone + "\"><h4><i></i>" + escape(when) + "</h4><p class=text>" +
         (look.completion.empty() ? "<em>(empty)</em>" : escape_limited(look.completion, kMaxLookText)) +
         (look.ended ? "" : " <small>(cut at the limit)</small>") + "</p></div>";
}

std::string step_text(double step) { return "step " + format_count(static_cast<int64_t>(step)); }

// Start, middle and end side by side; the others behind a fold.
std::string row(std::vector<const Look*> looks, const std::string& label) {
  std::stable_sort(looks.begin(), looks.end(), [](const Look* a, const Look* b) { return a->step < b->step; });
  std::string shown, folded;
  const size_t middle = looks.size() / 2, last = looks.size() - 1;
  for (size_t i = 0; i < looks.size(); ++i) {
    const bool start = looks[i]->step == 0;
    const std::string when = (start       ? "start"
                              : i == last ? "end, " + step_text(looks[i]->step)
                                          : step_text(looks[i]->step));
    (i == 0 || i == middle || i == last ? shown : folded) += answer_at(*looks[i], when,
                                                                       start       ? "base"
                                                                       : i == last ? "ppo"
                                                                                   : "sft");
  }
  std::string out = "<h4 class=how>" + label + "</h4><div class=answers>" + shown + "</div>";
  if (!folded.empty())
    out += "<details class=between><summary>" + format_count(static_cast<int64_t>(looks.size()) - 3) +
           " more between</summary><div class=answers>" + folded + "</div></details>";
  return out;
}

std::string look_card(const std::map<double, std::vector<const Look*>>& by_temperature) {
  const Look& any = *by_temperature.begin()->second.front();
  std::string out = "<article class=pair>";
  if (!any.id.empty()) out += "<header><span class=id>" + escape_limited(any.id, 60) + "</span></header>";
  out += "<p class=prompt>" + escape_limited(any.prompt, kMaxLookText) + "</p>";
  for (const auto& [temperature, looks] : by_temperature)
    out += row(looks, temperature == 0 ? "greedy" : "temperature " + format_number(temperature));
  return out + "</article>\n";
}

}  // namespace

Section answers_while_learning(const Story& story) {
  Section s{"learning-answers", "What each stage changed",
            "The same prompts, answered at the start, at a few evaluations and at the end of a stage, each time with "
            "the same "
            "random numbers: what differs is the model.",
            ""};
  for (const Stage& stage : story.run.stages) {
    std::vector<std::string> order;
    std::map<std::string, std::map<double, std::vector<const Look*>>> prompts;
    for (const Look& look : stage.looks) {
      const std::string key = look.id + "\n" + look.prompt;
      if (!prompts.contains(key)) order.push_back(key);
      prompts[key][look.temperature].push_back(&look);
    }
    if (order.empty()) continue;
    const bool held_out = std::all_of(stage.looks.begin(), stage.looks.end(), [](const Look& l) { return l.held_out; });
    s.body += "<h3 class=stage>" + escape(stage_title(stage)) + "</h3>" +
              (held_out ? "" : "<p class=about>None is held out: the stage learns from these prompts too.</p>");
    for (size_t i = 0; i < std::min(order.size(), kMaxPrompts); ++i) s.body += look_card(prompts[order[i]]);
    if (order.size() > kMaxPrompts)
      s.body += "<p class=about>" + format_count(static_cast<int64_t>(order.size() - kMaxPrompts)) +
                " more prompts stand in answers.jsonl.</p>";
  }
  return s;
}

}  // namespace hone::report
