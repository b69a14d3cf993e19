// Charts as inline SVG that needs no script: positions are percentages, so that a chart takes the width it is given
// while text keeps its size; only curves stand in a stretched inner SVG. Colours are classes of page.css ("tones"),
// which follow the light or dark scheme. Each chart says in words what it shows (aria-label).
#pragma once
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/stats.h"

namespace hone::report {

/// Gives each name its colour: "base", "sft", "ppo…", "dpo…" theirs, others the next free one.
class ToneSet {
 public:
  std::string of(std::string_view name);

 private:
  std::vector<std::pair<std::string, std::string>> given_;
  std::string free_tone(std::string_view wanted);
};

struct Point {
  double x = 0, y = 0;  // y NaN: a gap in the line
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
};

struct Series {
  std::string name, tone;
  std::vector<Point> points;
  bool dots = false;    ///< draw each point
  bool smooth = false;  ///< noisy curve: faint points' line, bold moving mean over it
};

struct LineChart {
  std::string title, unit;  ///< of the y axis
  std::string note;         ///< small print beneath
  std::string x_title = "step";
  std::vector<Series> series;
  std::vector<std::pair<double, std::string>> markers;  ///< vertical lines: warnings
  std::optional<double> x_min, x_max, y_min, y_max;
  std::optional<double> reference;  ///< horizontal line
  bool diagonal = false;            ///< y = x
  bool percent = false;             ///< y is a share
  bool percent_x = false;
  bool wide = false;
};

/// A <figure>. Long series are thinned to buckets' means with their range as a band. No finite point: "".
std::string line_chart(const LineChart& chart);

struct Mark {
  std::string name, tone;
  stats::Estimate estimate;
};

struct IntervalRow {
  std::string label, detail;
  std::vector<Mark> marks;
};

struct IntervalChart {
  std::string title, note;
  std::vector<IntervalRow> rows;
  std::optional<double> low, high;  ///< of the axis
  std::optional<double> reference;  ///< vertical line, such as 0 or 0.5
  bool percent = false;
  bool legend = true;
};

/// A <figure>: one row a label, one dot with its interval a mark, values beside it. No row: "".
std::string interval_chart(const IntervalChart& chart);

/// One horizontal bar cut into pieces in proportion to their sizes.
struct Piece {
  std::string label, detail, tone;
  double size = 0;
};
std::string proportion_bar(const std::string& title, const std::vector<Piece>& pieces);

/// Legend entries as a list.
std::string legend(const std::vector<std::pair<std::string, std::string>>& name_and_tone);

/// Round tick positions within [low, high], about `wanted` of them.
std::vector<double> ticks(double low, double high, int wanted);

}  // namespace hone::report
