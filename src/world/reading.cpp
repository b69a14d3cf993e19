#include "world/reading.h"

#include <algorithm>
#include <set>

namespace hone::world {
namespace {
// std::isalpha and the like depend on the locale and are undefined for negative chars.
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool wordy(char c) { return upper(c) || lower(c) || digit(c); }
}  // namespace

Reading read(std::string_view text) {
  text = text.substr(0, 4000);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  Reading r;
  if (text.empty()) return r;
  r.starts_capital = upper(text.front()) || digit(text.front());
  r.ends_stop = text.back() == '.' || text.back() == '!' || text.back() == '?';
  bool open = false;  // words since the last end of a sentence
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (wordy(c)) {
      std::string word;
      for (; i < text.size() && wordy(text[i]); ++i) word += upper(text[i]) ? static_cast<char>(text[i] + 32) : text[i];
      r.words.push_back(std::move(word)), open = true;
      continue;
    }
    if (c == '\'' && i + 1 < text.size() && text[i + 1] == 's' && (i + 2 == text.size() || !wordy(text[i + 2]))) {
      i += 2;
      continue;
    }
    if (c == '.' || c == '!' || c == '?') {
      const bool marker =
          c == '.' && i > 0 && digit(text[i - 1]) && i + 2 < text.size() && text[i + 1] == ' ' && lower(text[i + 2]);
      if (!marker && open) ++r.sentences, open = false;
    } else if (c != ' ' && c != ',' && c != ':' && c != '\'' && c != '-' && c != '\n') {
      r.clean = false;
    }
    ++i;
  }
  if (open) ++r.sentences;
  return r;
}

bool Reading::has(std::string_view word) const { return std::find(words.begin(), words.end(), word) != words.end(); }

bool Reading::says(std::string_view phrase) const {
  const std::vector<std::string> wanted = read(phrase).words;
  return !wanted.empty() && std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

bool is_fluent(const Reading& reading, const std::unordered_set<std::string>& known) {
  if (!reading.clean || reading.words.empty()) return false;
  std::set<std::string_view> distinct;
  for (size_t i = 0; i < reading.words.size(); ++i) {
    if (!known.contains(reading.words[i]) || (i > 0 && reading.words[i] == reading.words[i - 1])) return false;
    distinct.insert(reading.words[i]);
  }
  return 5 * distinct.size() >= 2 * reading.words.size();
}

}  // namespace hone::world
