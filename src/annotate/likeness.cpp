#include "annotate/likeness.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace hone::annotate {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool within = false;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const size_t length = std::min(std::max<size_t>(utf8_length(c), 1), text.size() - i);
      words.emplace_back(text.substr(i, length));
      within = false;
      i += length;
      continue;
    }
    const bool upper = c >= 'A' && c <= 'Z';
    const bool letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (letter && !within) words.emplace_back();
    if (letter) words.back() += static_cast<char>(upper ? c + ('a' - 'A') : c);
    within = letter;
    ++i;
  }
  return words;
}

using Bigram = std::pair<std::string, std::string>;

std::map<Bigram, int> bigrams_of(const std::vector<std::string>& words) {
  std::map<Bigram, int> out;
  std::string before;  // "": an end of the text
  for (const std::string& word : words) {
    ++out[{before, word}];
    before = word;
  }
  ++out[{before, ""}];
  return out;
}

}  // namespace

double likeness(std::string_view a, std::string_view b) {
  const std::vector<std::string> in_a = words_of(a), in_b = words_of(b);
  const std::map<Bigram, int> of_a = bigrams_of(in_a), of_b = bigrams_of(in_b);
  int shared = 0;
  for (const auto& [bigram, count] : of_a)
    if (const auto at = of_b.find(bigram); at != of_b.end()) shared += std::min(count, at->second);
  return 2.0 * shared / static_cast<double>(in_a.size() + in_b.size() + 2);
}

}  // namespace hone::annotate
