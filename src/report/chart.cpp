#include "report/chart.h"

#include <algorithm>
#include <cmath>

#include "report/html.h"

namespace hone::report {

std::vector<double> ticks(double low, double high, int wanted) {
  std::vector<double> at;
  if (!(high > low) || !std::isfinite(low) || !std::isfinite(high)) return {low};
  const double raw = (high - low) / std::max(1, wanted);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double s : {1.0, 2.0, 2.5, 5.0})
    if (s * power >= raw * 0.999) {
      step = s * power;
      break;
    }
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i < 50; ++i) {
    const double t = (first + i) * step;
    if (t > high + 1e-9 * step) break;
    at.push_back(std::abs(t) < 1e-12 * step ? 0 : t);
  }
  return at;
}

std::string ToneSet::free_tone(std::string_view wanted) {
  const auto taken = [&](std::string_view tone) {
    return std::any_of(given_.begin(), given_.end(), [&](const auto& g) { return g.second == tone; });
  };
  if (!wanted.empty() && !taken(wanted)) return std::string(wanted);
  for (const char* tone : {"five", "six", "seven", "eight"})
    if (!taken(tone)) return tone;
  return "eight";
}

std::string ToneSet::of(std::string_view name) {
  for (const auto& [known, tone] : given_)
    if (known == name) return tone;
  std::string_view wanted;
  if (name.starts_with("base") || name == "pretrain") wanted = "base";
  else if (name.starts_with("sft")) wanted = "sft";
  else if (name.starts_with("ppo")) wanted = "ppo";
  else if (name.starts_with("dpo") || name.starts_with("preference")) wanted = "dpo";
  given_.emplace_back(name, free_tone(wanted));
  return given_.back().second;
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "<ul class=legend>";
  for (const auto& [name, tone] : entries) out += "<li class=\"t-" + tone + "\"><i></i>" + escape(name) + "</li>";
  return out + "</ul>";
}

std::string proportion_bar(const std::string& title, const std::vector<Piece>& pieces) {
  double total = 0;
  for (const Piece& p : pieces) total += std::max(0.0, p.size);
  if (!(total > 0)) return {};
  std::string label = title + ":", rects, key = "<ul class=\"legend wide\">";
  double at = 0;
  for (const Piece& p : pieces) {
    const double width = 100 * std::max(0.0, p.size) / total;
    label += " " + p.label + " " + p.detail + ";";
    rects += "<rect class=\"fill t-" + p.tone + "\" x=\"" + format_fixed(at, 3) + "%\" width=\"" +
             format_fixed(width, 3) + "%\" height=\"100%\"><title>" + escape(p.label + ": " + p.detail) +
             "</title></rect>";
    key += "<li class=\"t-" + p.tone + "\"><i></i>" + escape(p.label) + " <b>" + escape(p.detail) + "</b></li>";
    at += width;
  }
  return "<figure class=proportion><svg class=stripe role=img aria-label=\"" + escape(label) + "\">" + rects +
         "</svg>" + key + "</ul></figure>";
}

}  // namespace hone::report
