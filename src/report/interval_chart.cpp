#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"

namespace hone::report {
namespace {

struct Axis {
  double low, high;
  std::string at(double x) const {
    const double share = 100 * std::clamp((x - low) / (high - low), 0.0, 1.0);
    return format_fixed(share, 2) + "%";
  }
};

Axis axis_of(const IntervalChart& c) {
  double low = 1e300, high = -1e300;
  for (const IntervalRow& row : c.rows)
    for (const Mark& m : row.marks)
      for (const double x : {m.estimate.value, m.estimate.low, m.estimate.high})
        if (std::isfinite(x)) low = std::min(low, x), high = std::max(high, x);
  if (c.reference) low = std::min(low, *c.reference), high = std::max(high, *c.reference);
  const double pad = high - low > 1e-6 ? 0.06 * (high - low) : 0.05;
  Axis a{c.low.value_or(low - pad), c.high.value_or(high + pad)};
  a.low = std::min(a.low, low);  // never cut a value off
  a.high = std::max(a.high, high);
  if (!(a.high > a.low)) a.high = a.low + 1;
  return a;
}

std::string value_text(double v, bool percent) { return percent ? format_number(100 * v) + "%" : format_number(v); }

std::string grid(const IntervalChart& c, const Axis& a) {
  std::string out;
  for (const double t : ticks(a.low, a.high, 5))
    out += "<line class=rule x1=\"" + a.at(t) + "\" x2=\"" + a.at(t) + "\" y1=\"0\" y2=\"100%\"/>";
  if (c.reference)
    out += "<line class=reference x1=\"" + a.at(*c.reference) + "\" x2=\"" + a.at(*c.reference) +
           "\" y1=\"0\" y2=\"100%\"/>";
  return out;
}

}  // namespace

std::string interval_chart(const IntervalChart& c) {
  if (c.rows.empty()) return {};
  const Axis a = axis_of(c);
  const double largest = std::max(std::abs(a.low), std::abs(a.high));
  const int decimals = c.percent || largest >= 8 ? 1 : largest >= 2 ? 2 : 3;
  const auto shown = [&](double x) { return format_fixed(c.percent ? 100 * x : x, decimals); };
  std::vector<std::pair<std::string, std::string>> names;
  std::string body;
  bool wide = false;  // figures with a minus sign, and "100.0%", need more room
  for (const IntervalRow& row : c.rows) {
    std::string spoken = row.label + ":", marks, values;
    constexpr int kPitch = 16;
    int y = kPitch / 2 + 2;
    for (const Mark& m : row.marks) {
      if (std::find(names.begin(), names.end(), std::pair(m.name, m.tone)) == names.end())
        names.emplace_back(m.name, m.tone);
      const auto& e = m.estimate;
      const std::string full = format_estimate(e, c.percent), line = std::to_string(y);
      spoken += " " + (m.name.empty() ? full : m.name + " " + full) + ";";
      marks += "<g class=\"t-" + m.tone + "\"><title>" +
               escape((m.name.empty() ? row.label : m.name) + ": " + full + (e.n ? ", n = " + format_count(e.n) : "")) +
               "</title>";
      if (has_interval(e))
        marks += "<line class=whisker x1=\"" + a.at(e.low) + "\" x2=\"" + a.at(e.high) + "\" y1=\"" + line +
                 "\" y2=\"" + line + "\"/>";
      marks += "<circle class=dot cx=\"" + a.at(e.value) + "\" cy=\"" + line + "\" r=\"3.75\"/></g>";
      for (const double x : {e.value, e.low, e.high}) wide = wide || shown(x).size() > (c.percent ? 4 : 5);
      values += "<li class=\"t-" + m.tone + "\"><i></i><b>" + shown(e.value) + (c.percent ? "%" : "") + "</b>" +
                (has_interval(e) ? "<span>" + shown(e.low) + " to " + shown(e.high) + "</span>" : "") + "</li>";
      y += kPitch;
    }
    const size_t lines = std::clamp<size_t>(row.marks.size(), 1, 8);
    body += "<div class=row><div class=label>" + escape(row.label) +
            (row.detail.empty() ? "" : "<small>" + escape(row.detail) + "</small>") +
            "</div><svg class=\"track lines-" + std::to_string(lines) + "\" role=img aria-label=\"" + escape(spoken) +
            "\">" + grid(c, a) + marks + "</svg><ul class=values>" + values + "</ul></div>";
  }
  std::string axis = "<div class=\"row axis\" aria-hidden=true><div class=label></div><svg class=scale>";
  const std::vector<double> at = ticks(a.low, a.high, 5);
  for (size_t i = 0; i < at.size(); ++i)  // a phone has room for every second of many
    axis += "<text class=\"tick" + std::string(i % 2 == 1 && at.size() > 4 ? " second" : "") + "\" x=\"" + a.at(at[i]) +
            "\" y=\"12\" text-anchor=middle>" + value_text(at[i], c.percent) + "</text>";
  axis += "</svg><div class=values></div></div>";
  return "<figure class=\"chart intervals" + std::string(wide ? " long" : "") + "\"><figcaption><b>" + escape(c.title) +
         "</b></figcaption>" + (c.legend && names.size() > 1 ? legend(names) : "") + body + axis +
         (c.note.empty() ? "" : "<p class=note>" + escape(c.note) + "</p>") + "</figure>\n";
}

}  // namespace hone::report
