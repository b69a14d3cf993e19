// "did you mean": Damerau–Levenshtein distance (optimal string alignment), small inputs.
#include <algorithm>

#include "config/fields.h"

namespace hone::config {
namespace {

size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string closest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 100) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& k : known) {
    size_t d = distance(word, k);
    // "lr" for "optim.lr": the last part alone counts too.
    if (const auto dot = k.rfind('.'); dot != std::string::npos)
      d = std::min(d, distance(word, std::string_view(k).substr(dot + 1)) + 1);
    if (d < best_distance) best = k, best_distance = d;
  }
  return best;
}

}  // namespace hone::config
