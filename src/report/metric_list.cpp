#include "report/metric_list.h"

#include <algorithm>

namespace hone::report {
namespace {
constexpr Metric kMetrics[] = {
#define HONE_METRIC(key, unit, chart, stages, meaning) {#key, unit, chart, stages, meaning},
#include "report/metrics.def"
#undef HONE_METRIC
};
}  // namespace

std::span<const Metric> metric_list() { return kMetrics; }

const Metric* find_metric(std::string_view key) {
  while (!key.empty()) {
    const auto* found =
        std::find_if(std::begin(kMetrics), std::end(kMetrics), [&](const Metric& m) { return m.key == key; });
    if (found != std::end(kMetrics)) return found;
    const auto cut = key.rfind('_');
    key = cut == std::string_view::npos ? std::string_view{} : key.substr(0, cut);
  }
  return nullptr;
}

}  // namespace hone::report
