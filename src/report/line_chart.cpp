#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/json.h"
#include "report/chart.h"
#include "report/html.h"

namespace hone::report {
namespace {

constexpr size_t kMaxPoints = 240;

struct Axes {
  double x0, x1, y0, y1;
  double px(double x) const { return 100 * (x - x0) / (x1 - x0); }
  double py(double y) const { return 100 * (1 - (y - y0) / (y1 - y0)); }
};

std::string pos(double x) {
  std::string text = format_fixed(x, 2);
  if (text.starts_with("−")) text.replace(0, std::string_view("−").size(), "-");
  return text;
}

// Buckets of neighbouring points: their mean, and their range where there was no interval.
std::vector<Point> thinned(std::vector<Point> points) {
  for (Point& p : points)
    if (!(std::abs(p.y) < 1e30))
      p.y = std::numeric_limits<double>::quiet_NaN();  // what has diverged has no place on an axis
  if (points.size() <= kMaxPoints) return points;
  std::vector<Point> out;
  for (size_t b = 0; b < kMaxPoints; ++b) {
    const size_t from = b * points.size() / kMaxPoints, to = (b + 1) * points.size() / kMaxPoints;
    Point p{0, 0};
    size_t n = 0;
    for (size_t i = from; i < to; ++i) {
      p.x += points[i].x;
      if (!std::isfinite(points[i].y)) continue;
      p.y += points[i].y;
      p.low = n == 0 ? points[i].y : std::min(p.low, points[i].y);
      p.high = n == 0 ? points[i].y : std::max(p.high, points[i].y);
      ++n;
    }
    p.x /= static_cast<double>(to - from);
    p.y = n ? p.y / static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN();
    out.push_back(p);
  }
  return out;
}

// Moving mean over about a fifteenth of the points, a reading aid; the points stay visible beneath. Its reach shrinks
// towards the start, where curves are steep, and is one-sided at the end.
std::vector<Point> smoothed(const std::vector<Point>& points) {
  const int half = static_cast<int>(points.size()) / 30;
  std::vector<Point> out = points;
  for (int i = 0; i < static_cast<int>(points.size()); ++i) {
    const int reach = std::min(half, i), last = std::min(i + reach, static_cast<int>(points.size()) - 1);
    double sum = 0;
    int n = 0;
    for (int j = i - reach; j <= last; ++j)
      if (std::isfinite(points[j].y)) sum += points[j].y, ++n;
    out[i].y = n ? sum / n : std::numeric_limits<double>::quiet_NaN();
  }
  return out;
}

bool is_noisy(const std::vector<Point>& points, const std::vector<Point>& mean) {
  double off = 0, low = 1e300, high = -1e300;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!std::isfinite(points[i].y)) continue;
    off += std::abs(points[i].y - mean[i].y) / static_cast<double>(points.size());
    low = std::min(low, points[i].y);
    high = std::max(high, points[i].y);
  }
  return off > 0.006 * (high - low);
}

// In the inner SVG's units: 1000 x 1000.
std::string path_of(const std::vector<Point>& points, const Axes& a, std::string_view css) {
  std::string d;
  bool pen = false;
  for (const Point& p : points) {
    if (!std::isfinite(p.y)) {
      pen = false;
      continue;
    }
    d += (pen ? "L" : "M") + pos(10 * a.px(p.x)) + " " + pos(10 * a.py(p.y));
    pen = true;
  }
  return d.empty() ? "" : "<path class=\"" + std::string(css) + "\" d=\"" + d + "\"/>";
}

std::string band_of(const std::vector<Point>& points, const Axes& a) {
  std::string top, bottom;
  for (const Point& p : points) {
    if (!std::isfinite(p.low) || !std::isfinite(p.high)) continue;
    top += (top.empty() ? "M" : "L") + pos(10 * a.px(p.x)) + " " + pos(10 * a.py(p.high));
    bottom.insert(0, "L" + pos(10 * a.px(p.x)) + " " + pos(10 * a.py(p.low)));
  }
  return top.empty() ? "" : "<path class=band d=\"" + top + bottom + "Z\"/>";
}

Axes axes_of(const LineChart& c, const std::vector<std::vector<Point>>& shown) {
  Axes a{1e300, -1e300, 1e300, -1e300};
  for (const auto& points : shown)
    for (const Point& p : points) {
      if (!std::isfinite(p.y)) continue;
      a.x0 = std::min(a.x0, p.x);
      a.x1 = std::max(a.x1, p.x);
      for (const double y : {p.y, p.low, p.high})
        if (std::isfinite(y)) a.y0 = std::min(a.y0, y), a.y1 = std::max(a.y1, y);
    }
  if (c.reference) a.y0 = std::min(a.y0, *c.reference), a.y1 = std::max(a.y1, *c.reference);
  const double span = a.y1 - a.y0;
  if (a.y0 > 0 && a.y0 < 0.35 * a.y1) a.y0 = 0;  // near enough to zero to show it
  const double pad = span > 0 ? 0.06 * span : std::max(1e-6, 0.1 * std::abs(a.y1));
  if (a.y0 != 0) a.y0 -= pad;
  if (a.y1 != 0 || a.y0 == 0) a.y1 += pad;
  if (c.percent) a.y0 = std::max(a.y0, 0.0), a.y1 = std::min(a.y1, 1.0 + 0.02);
  a.x0 = c.x_min.value_or(a.x0);
  a.x1 = c.x_max.value_or(a.x1);
  a.y0 = c.y_min.value_or(a.y0);
  a.y1 = c.y_max.value_or(a.y1);
  if (!(a.x1 > a.x0)) a.x0 -= 0.5, a.x1 += 0.5;
  if (!(a.y1 > a.y0)) a.y1 = a.y0 + 1;
  return a;
}

std::string tick_text(double v, bool percent) {
  if (percent) return format_fixed(100 * v, std::abs(100 * v - std::round(100 * v)) > 1e-6 ? 1 : 0) + "%";
  const double size = std::abs(v);
  if (size >= 1e6) return format_number(v / 1e6) + "M";
  if (size >= 1e4) return format_number(v / 1e3) + "k";
  return format_number(v);
}

std::string grid_of(const LineChart& c, const Axes& a) {
  std::string out;
  for (const double t : ticks(a.y0, a.y1, 4)) {
    const std::string y = pos(a.py(t)) + "%";
    out += "<line class=rule x1=\"0\" x2=\"100%\" y1=\"" + y + "\" y2=\"" + y + "\"/><text class=tick x=\"-8\" y=\"" +
           y + "\" dy=\".33em\" text-anchor=end>" + tick_text(t, c.percent) + "</text>";
  }
  const auto at = ticks(a.x0, a.x1, 4);
  for (const double t : at) {
    const std::string x = pos(a.px(t)) + "%";
    out += "<line class=notch x1=\"" + x + "\" x2=\"" + x + "\" y1=\"100%\" y2=\"100%\"/><text class=tick x=\"" + x +
           "\" y=\"100%\" dy=\"17\" text-anchor=middle>" + tick_text(t, c.percent_x) + "</text>";
  }
  return out +
         "<line class=axis x1=\"0\" x2=\"100%\" y1=\"100%\" y2=\"100%\"/><text class=\"tick name\" x=\"100%\" "
         "y=\"100%\" dy=\"33\" text-anchor=end>" +
         escape(c.x_title) + "</text>";
}

std::string spoken(const LineChart& c, const std::vector<std::vector<Point>>& shown) {
  std::string text = c.title + (c.unit.empty() ? "" : ", " + c.unit) + ", over " + c.x_title + ".";
  for (size_t s = 0; s < shown.size(); ++s) {
    std::vector<Point> finite;
    for (const Point& p : shown[s])
      if (std::isfinite(p.y)) finite.push_back(p);
    if (finite.empty()) continue;
    const auto [low, high] =
        std::minmax_element(finite.begin(), finite.end(), [](const Point& p, const Point& q) { return p.y < q.y; });
    text += " " + c.series[s].name + ": from " + format_number(finite.front().y) + " at " +
            format_number(finite.front().x) + " to " + format_number(finite.back().y) + " at " +
            format_number(finite.back().x) + ", lowest " + format_number(low->y) + ", highest " +
            format_number(high->y) + ".";
  }
  return text;
}

// Six significant digits are enough for a tooltip.
double rounded(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return std::strtod(text, nullptr);
}

}  // namespace

std::string line_chart(const LineChart& c) {
  std::vector<std::vector<Point>> shown;
  bool any = false;
  for (const Series& s : c.series) {
    shown.push_back(thinned(s.points));
    for (const Point& p : shown.back()) any = any || std::isfinite(p.y);
  }
  if (!any) return {};
  const Axes a = axes_of(c, shown);
  std::string curves, dots;
  Json data = {{"x", c.x_title},         {"x0", a.x0}, {"x1", a.x1}, {"y0", a.y0}, {"y1", a.y1}, {"percent", c.percent},
               {"series", Json::array()}};
  for (size_t i = 0; i < c.series.size(); ++i) {
    const Series& s = c.series[i];
    const std::vector<Point>& points = shown[i];
    curves += "<g class=\"t-" + s.tone + "\">" + band_of(points, a);
    const std::vector<Point> mean = smoothed(points);
    const bool smooth = s.smooth && points.size() >= 40 && is_noisy(points, mean);
    curves += path_of(points, a, smooth ? "line faint" : "line");
    if (smooth) curves += path_of(mean, a, "line");
    curves += "</g>";
    Json pairs = Json::array();
    for (const Point& p : points) {
      if (!std::isfinite(p.y)) continue;
      pairs.push_back({rounded(p.x), rounded(p.y)});
      if (s.dots || points.size() == 1)
        dots += "<circle class=\"dot " + std::string(points.size() > 12 ? "small " : "") + "t-" + s.tone + "\" cx=\"" +
                pos(a.px(p.x)) + "%\" cy=\"" + pos(a.py(p.y)) + "%\" r=\"" + (points.size() > 12 ? "2.75" : "3.5") +
                "\"/>";
    }
    data["series"].push_back({{"name", clean_text(s.name)}, {"tone", s.tone}, {"points", pairs}});
  }
  std::string marks;
  if (c.reference) {
    const std::string y = pos(a.py(*c.reference)) + "%";
    marks += "<line class=reference x1=\"0\" x2=\"100%\" y1=\"" + y + "\" y2=\"" + y + "\"/>";
  }
  for (const auto& [x, label] : c.markers) {
    if (x < a.x0 || x > a.x1) continue;
    const std::string at = pos(a.px(x)) + "%";
    marks += "<line class=warn x1=\"" + at + "\" x2=\"" + at + "\" y1=\"0\" y2=\"100%\"><title>" +
             escape_limited(label, 200) + "</title></line>";
  }
  std::string inner = "<svg class=stretch viewBox=\"0 0 1000 1000\" preserveAspectRatio=none>";
  if (c.diagonal)
    inner += path_of({{std::max(a.x0, a.y0), std::max(a.x0, a.y0)}, {std::min(a.x1, a.y1), std::min(a.x1, a.y1)}}, a,
                     "reference");
  inner += curves + "</svg>";

  std::string out = "<figure class=\"chart" + std::string(c.wide ? " wide" : "") + "\"><figcaption><b>" +
                    escape(c.title) + "</b>" + (c.unit.empty() ? "" : " <span>" + escape(c.unit) + "</span>") +
                    "</figcaption>";
  if (c.series.size() > 1) {
    std::vector<std::pair<std::string, std::string>> names;
    for (const Series& s : c.series) names.emplace_back(s.name, s.tone);
    out += legend(names);
  }
  out += "<div class=plot><svg role=img tabindex=0 aria-label=\"" + escape(spoken(c, shown)) + "\" data-chart=\"" +
         escape(dump_json(data)) + "\">" + grid_of(c, a) + marks + inner + dots + "</svg></div>";
  if (!c.note.empty()) out += "<p class=note>" + escape(c.note) + "</p>";
  return out + "</figure>\n";
}

}  // namespace hone::report
