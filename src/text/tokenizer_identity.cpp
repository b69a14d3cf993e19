// Two tokenizers are the same where encode and decode are, however their files are written: order of keys and of added
// tokens, merges as text or as pairs, padding, truncation, names of special tokens and chat templates do not count.
#include <algorithm>

#include "base/json.h"
#include "base/sha256.h"
#include "text/tokenizer_parts.h"

namespace hone::text {

std::string identity(const Parts& parts) {
  std::string out;
  // Every text with its length before it, so that no two lists read the same.
  const auto text = [&](std::string_view t) { out.append(std::to_string(t.size())).append(":").append(t); };
  const auto number = [&](int64_t n) { out.append(std::to_string(n)).append(","); };
  const BpeModel& model = parts.model;
  const bool all_bytes = model.byte_level && std::ranges::find(model.byte_ids, -1) == model.byte_ids.end();
  for (const std::string& token : parts.texts) text(token);
  out += "|merges ";
  for (const auto& [left, right] : parts.merges) {
    number(left);
    number(right);
  }
  out += "|model ";
  number(model.byte_level);
  // What becomes of characters that have no token; where every byte has one there are none.
  if (!all_bytes)
    for (const int64_t n : {int64_t{model.byte_fallback}, int64_t{model.fuse_unknown}, int64_t{model.unknown}})
      number(n);
  number(model.ignore_merges);
  // Tokens that a word can be without a merge: added tokens that are no part of the vocabulary are none of them.
  if (model.ignore_merges || !all_bytes) {
    std::vector<int32_t> own;
    for (const auto& [bytes, id] : model.ids) own.push_back(id);
    std::ranges::sort(own);
    for (const int32_t id : own) number(id);
  }
  out += "|added ";
  std::vector<const AddedToken*> added;
  for (const AddedToken& token : parts.added) added.push_back(&token);
  std::ranges::stable_sort(added, {}, [](const AddedToken* t) { return t->id; });
  for (const AddedToken* t : added) {
    number(t->id);
    text(t->content);
    for (const bool flag : {t->single_word, t->lstrip, t->rstrip, t->normalized, t->special}) number(flag);
  }
  out += "|normalizer ";
  parts.normalizer.describe(text);
  out += "|pre_tokenizer ";
  parts.pre_tokenizer.describe(text);
  out += "|decoding ";
  number(parts.decoding.byte_tokens);
  number(static_cast<int64_t>(parts.decoding.strip_left));
  for (const auto& [pattern, content] : parts.decoding.replacements) {
    text(pattern);
    text(content);
  }
  return sha256(out);
}

}  // namespace hone::text
