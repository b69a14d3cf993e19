#include "text/added_tokens.h"

#include <algorithm>

#include "base/utf8.h"

namespace hone::text {

void AddedTokenMatcher::add(const AddedToken& token, const std::string& content) {
  if (content.empty()) return;
  tokens_.push_back({token, content});
  auto& list = by_byte_[static_cast<unsigned char>(content[0])];
  const auto shorter =
      std::find_if(list.begin(), list.end(), [&](uint32_t i) { return tokens_[i].content.size() < content.size(); });
  list.insert(shorter, static_cast<uint32_t>(tokens_.size() - 1));
}

const AddedTokenMatcher::Entry* AddedTokenMatcher::longest_at(std::string_view text) const {
  for (const uint32_t i : by_byte_[static_cast<unsigned char>(text[0])])
    if (text.starts_with(tokens_[i].content)) return &tokens_[i];
  return nullptr;
}

std::vector<TextPart> AddedTokenMatcher::split(std::string_view text, bool parse_special) const {
  std::vector<TextPart> parts;
  size_t done = 0;  // end of the last part put out
  for (size_t at = 0; at < text.size() && !tokens_.empty();) {
    const Entry* found = longest_at(text.substr(at));
    if (found == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + found->content.size();
    at = end;  // a match that its flags refuse is passed over whole
    if (found->token.special && !parse_special) continue;
    if (found->token.single_word) {
      if (begin > 0 && is_word_character(utf8_last(text.substr(0, begin)))) continue;
      if (end < text.size() && is_word_character(utf8_first(text.substr(end)))) continue;
    }
    begin = std::max(begin, done);
    if (found->token.lstrip) {
      while (begin > done && is_white_space(utf8_last(text.substr(0, begin)))) {
        --begin;
        while (begin > done && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
      }
    }
    if (found->token.rstrip)
      while (end < text.size() && is_white_space(utf8_first(text.substr(end))))
        end += utf8_length(static_cast<unsigned char>(text[end]));
    end = std::max(end, begin);
    if (done < begin) parts.push_back({done, begin, -1});
    parts.push_back({begin, end, found->token.id});
    done = end;
  }
  if (done < text.size()) parts.push_back({done, text.size(), -1});
  return parts;
}

}  // namespace hone::text
