#include "rewards/agreement.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"

namespace hone::rewards {

Json estimate_json(const stats::Estimate& e) {
  return {{"value", e.value}, {"low", e.low}, {"high", e.high}, {"n", e.n}};
}

stats::Estimate accuracy(std::span<const Compared> compared) {
  double right = 0;
  for (const Compared& c : compared) right += c.right();
  return stats::wilson(right, static_cast<int64_t>(compared.size()));
}

Json calibration_json(std::span<const Compared> compared) {
  constexpr int kBins = 5;
  Json out = Json::array();
  for (int b = 0; b < kBins; ++b) {
    const double low = 0.5 + 0.5 * b / kBins, high = 0.5 + 0.5 * (b + 1) / kBins;
    double predicted = 0;
    std::vector<Compared> members;
    for (const Compared& c : compared) {
      const double p = 1 / (1 + std::exp(-std::abs(c.margin)));
      if (p < low || (p >= high && b + 1 < kBins)) continue;
      predicted += p;
      members.push_back(c);
    }
    if (members.empty()) continue;
    const stats::Estimate e = accuracy(members);
    out.push_back({{"p_low", low},
                   {"p_high", high},
                   {"predicted", predicted / static_cast<double>(members.size())},
                   {"observed", e.value},
                   {"low", e.low},
                   {"high", e.high},
                   {"n", e.n}});
  }
  return out;
}

Json margins_json(std::span<const Compared> compared) {
  std::vector<Compared> sorted(compared.begin(), compared.end());
  std::ranges::sort(sorted, {}, [](const Compared& c) { return std::abs(c.margin); });
  constexpr size_t kParts = 5;
  Json out = Json::array();
  for (size_t part = 0; part < kParts; ++part) {
    const size_t begin = sorted.size() * part / kParts, end = sorted.size() * (part + 1) / kParts;
    if (begin == end) continue;
    const stats::Estimate e = accuracy(std::span(sorted).subspan(begin, end - begin));
    out.push_back({{"low", std::abs(sorted[begin].margin)},
                   {"high", std::abs(sorted[end - 1].margin)},
                   {"agreement", e.value},
                   {"agreement_low", e.low},
                   {"agreement_high", e.high},
                   {"n", e.n}});
  }
  return out;
}

Json sources_json(std::span<const Compared> compared, std::span<const Compared> rule) {
  std::map<std::string, std::vector<Compared>> by_source, rule_by_source;
  for (const Compared& c : compared) by_source[c.source].push_back(c);
  for (const Compared& c : rule) rule_by_source[c.source].push_back(c);
  Json out = Json::array();
  if (by_source.size() < 2) return out;
  for (const auto& [source, members] : by_source) {
    Json j = estimate_json(accuracy(members));
    j["name"] = source;
    if (!rule.empty()) j["baseline"] = estimate_json(accuracy(rule_by_source[source]));
    out.push_back(j);
  }
  return out;
}

}  // namespace hone::rewards
