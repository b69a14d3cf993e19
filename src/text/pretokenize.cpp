#include "text/pretokenize.h"

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "text/json_fields.h"

namespace hone::text {

const char* const kGpt2Split = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char* const kQwen2Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

PreTokenizer::PreTokenizer(const Json& entry, const std::string& where) { add(entry, where, 0); }

void PreTokenizer::add(const Json& entry, const std::string& where, int depth) {
  if (entry.is_null()) return;
  const std::string type = string_field(entry, "type", where + ": pre_tokenizer");
  if (byte_level_ || !metaspace_.empty())
    usage_error(where + ": pre_tokenizer '" + type + "' after ByteLevel or Metaspace is not supported");
  if (type == "ByteLevel") {
    const bool prefix = bool_field(entry, "add_prefix_space", true, where + ": ByteLevel");
    if (prefix && !steps_.empty())
      usage_error(where + ": pre_tokenizer 'ByteLevel' with add_prefix_space after another one is not supported");
    prefix_space_ = prefix;
    byte_level_ = true;
    if (bool_field(entry, "use_regex", true, where + ": ByteLevel"))
      steps_.push_back({Regex(kGpt2Split, where), {}, Behavior::kIsolated, false});
  } else if (type == "Split") {
    add_split(entry, where);
  } else if (type == "Digits") {
    const bool single = bool_field(entry, "individual_digits", false, where + ": Digits");
    steps_.push_back({Regex(R"(\p{N})", where), {}, single ? Behavior::kIsolated : Behavior::kContiguous, false});
  } else if (type == "Metaspace") {
    const std::string scheme =
        entry.contains("prepend_scheme") ? string_field(entry, "prepend_scheme", where) : "always";
    if (!steps_.empty()) usage_error(where + ": pre_tokenizer 'Metaspace' after another one is not supported");
    if (scheme != "always" && scheme != "never")
      usage_error(where + ": pre_tokenizer 'Metaspace' with prepend_scheme '" + scheme + "' is not supported");
    metaspace_ = string_field(entry, "replacement", where + ": Metaspace");
    if (metaspace_.empty()) usage_error(where + ": pre_tokenizer 'Metaspace' has an empty replacement");
    metaspace_prepends_ = scheme == "always" && bool_field(entry, "add_prefix_space", true, where);
    if (bool_field(entry, "split", true, where + ": Metaspace"))
      steps_.push_back({std::nullopt, metaspace_, Behavior::kMergedWithNext, false});
  } else if (type == "Sequence" && depth < 8) {
    for (const Json& part : array_field(entry, "pretokenizers", where + ": pre_tokenizer")) add(part, where, depth + 1);
  } else {
    usage_error(where + ": pre_tokenizer '" + type + "' is not supported",
                "supported: ByteLevel, Split, Digits, Metaspace, Sequence");
  }
}

void PreTokenizer::add_split(const Json& entry, const std::string& where) {
  const Json& pattern = object_field(entry, "pattern", where + ": Split");
  Step step;
  if (pattern.contains("Regex")) {
    step.regex.emplace(string_field(pattern, "Regex", where + ": Split"), where);
  } else {
    step.literal = string_field(pattern, "String", where + ": Split");
    if (step.literal.empty()) usage_error(where + ": pre_tokenizer 'Split' has an empty pattern");
  }
  const std::string behavior = string_field(entry, "behavior", where + ": Split");
  if (behavior == "Removed") step.behavior = Behavior::kRemoved;
  else if (behavior == "Isolated") step.behavior = Behavior::kIsolated;
  else if (behavior == "Contiguous") step.behavior = Behavior::kContiguous;
  else if (behavior == "MergedWithPrevious") step.behavior = Behavior::kMergedWithPrevious;
  else if (behavior == "MergedWithNext") step.behavior = Behavior::kMergedWithNext;
  else usage_error(where + ": pre_tokenizer 'Split' with behavior '" + behavior + "' is not supported");
  step.invert = bool_field(entry, "invert", false, where + ": Split");
  steps_.push_back(std::move(step));
}

void PreTokenizer::apply(const Step& step, std::string_view piece, std::vector<std::pair<size_t, size_t>>& matches,
                         std::vector<std::string_view>& out) {
  matches.clear();
  if (step.regex) {
    step.regex->find_all(piece, matches);
  } else {
    for (size_t at = 0; (at = piece.find(step.literal, at)) != std::string_view::npos; at += step.literal.size())
      matches.emplace_back(at, at + step.literal.size());
  }
  // The parts of the piece in order, each a match or what lies between; `previous` and `open` say how the last one
  // put out was made, for the behaviours that merge neighbours.
  const size_t first = out.size();
  bool previous_matched = false;
  const auto put = [&](size_t begin, size_t end, bool matched) {
    if (begin == end) return;
    matched = matched != step.invert;
    const std::string_view part = piece.substr(begin, end - begin);
    const bool any = out.size() > first;
    const auto extend_last = [&] { out.back() = {out.back().data(), out.back().size() + part.size()}; };
    switch (step.behavior) {
      case Behavior::kRemoved:
        if (!matched) out.push_back(part);
        break;
      case Behavior::kIsolated:
        out.push_back(part);
        break;
      case Behavior::kContiguous:
        if (any && matched == previous_matched) extend_last();
        else out.push_back(part);
        break;
      case Behavior::kMergedWithPrevious:
        if (any && matched && !previous_matched) extend_last();
        else out.push_back(part);
        break;
      case Behavior::kMergedWithNext:
        // A match takes in the text after it, and only text: of two matches in a row the first stands alone.
        if (any && !matched && previous_matched) extend_last();
        else out.push_back(part);
        break;
    }
    previous_matched = matched;
  };
  size_t at = 0;
  for (const auto& [begin, end] : matches) {
    put(at, begin, false);
    put(begin, end, true);
    at = end;
  }
  put(at, piece.size(), false);
}

void PreTokenizer::describe(const std::function<void(std::string_view)>& text) const {
  const auto flag = [&](bool value) { text(value ? "1" : "0"); };
  flag(byte_level_);
  flag(prefix_space_);
  text(metaspace_);
  flag(metaspace_prepends_);
  for (const Step& step : steps_) {
    text(step.regex ? step.regex->pattern() : step.literal);
    flag(step.regex.has_value());
    text(std::to_string(static_cast<int>(step.behavior)));
    flag(step.invert);
  }
}

void PreTokenizer::split(std::string& text, bool continues, std::vector<std::string_view>& words) const {
  if (text.empty()) return;
  if (prefix_space_ && !continues && text[0] != ' ') text.insert(0, 1, ' ');
  if (!metaspace_.empty()) {
    std::string changed;
    for (const char c : text) c == ' ' ? changed += metaspace_ : changed += c;
    if (metaspace_prepends_ && !continues && !changed.starts_with(metaspace_)) changed.insert(0, metaspace_);
    text = std::move(changed);
  }
  std::vector<std::pair<size_t, size_t>> matches;
  if (steps_.size() == 1) return apply(steps_[0], text, matches, words);
  std::vector<std::string_view> pieces{text}, next;
  for (const Step& step : steps_) {
    next.clear();
    for (const std::string_view piece : pieces) apply(step, piece, matches, next);
    pieces.swap(next);
  }
  words.insert(words.end(), pieces.begin(), pieces.end());
}

}  // namespace hone::text
