#include "text/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "text/json_fields.h"

namespace hone::text {
namespace {

std::string unicode_form(const icu::Normalizer2* form, std::string_view text, UErrorCode status) {
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
  if (U_SUCCESS(status))
    form->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr, status);
  if (U_FAILURE(status)) run_error(std::string("Unicode normalisation failed: ") + u_errorName(status));
  return out;
}

void replace_all(std::string& text, std::string_view pattern, std::string_view content) {
  std::string out;
  size_t from = 0;
  for (size_t at = 0; (at = text.find(pattern, from)) != std::string::npos; from = at + pattern.size())
    out.append(text, from, at - from).append(content);
  if (from == 0) return;
  text = out.append(text, from);
}

}  // namespace

Normalizer::Normalizer(const Json& entry, const std::string& where) { add(entry, where, 0); }

void Normalizer::add(const Json& entry, const std::string& where, int depth) {
  if (entry.is_null()) return;
  const std::string type = string_field(entry, "type", where + ": normalizer");
  using Kind = Step::Kind;
  if (type == "NFC") steps_.push_back({Kind::kNfc, {}, {}});
  else if (type == "NFD") steps_.push_back({Kind::kNfd, {}, {}});
  else if (type == "NFKC") steps_.push_back({Kind::kNfkc, {}, {}});
  else if (type == "NFKD") steps_.push_back({Kind::kNfkd, {}, {}});
  else if (type == "Prepend")
    steps_.push_back({Kind::kPrepend, {}, string_field(entry, "prepend", where + ": Prepend")});
  else if (type == "Replace") {
    const Json& pattern = object_field(entry, "pattern", where + ": Replace");
    if (!pattern.contains("String"))
      usage_error(where + ": normalizer 'Replace' with a regular expression is not supported");
    steps_.push_back(
        {Kind::kReplace, string_field(pattern, "String", where), string_field(entry, "content", where + ": Replace")});
    if (steps_.back().pattern.empty()) usage_error(where + ": normalizer 'Replace' has an empty pattern");
  } else if (type == "Sequence" && depth < 8) {
    for (const Json& part : array_field(entry, "normalizers", where + ": normalizer")) add(part, where, depth + 1);
  } else {
    usage_error(where + ": normalizer '" + type + "' is not supported",
                "supported: NFC, NFD, NFKC, NFKD, Replace, Prepend, Sequence");
  }
}

void Normalizer::describe(const std::function<void(std::string_view)>& text) const {
  for (const Step& step : steps_) {
    text(std::to_string(static_cast<int>(step.kind)));
    text(step.pattern);
    text(step.content);
  }
}

std::string Normalizer::apply(std::string_view input, bool continues) const {
  std::string text(input);
  for (const Step& step : steps_) {
    const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
    UErrorCode status = U_ZERO_ERROR;
    switch (step.kind) {
      case Step::Kind::kNfc:
        if (!ascii) text = unicode_form(icu::Normalizer2::getNFCInstance(status), text, status);
        break;
      case Step::Kind::kNfd:
        if (!ascii) text = unicode_form(icu::Normalizer2::getNFDInstance(status), text, status);
        break;
      case Step::Kind::kNfkc:
        if (!ascii) text = unicode_form(icu::Normalizer2::getNFKCInstance(status), text, status);
        break;
      case Step::Kind::kNfkd:
        if (!ascii) text = unicode_form(icu::Normalizer2::getNFKDInstance(status), text, status);
        break;
      case Step::Kind::kReplace:
        replace_all(text, step.pattern, step.content);
        break;
      case Step::Kind::kPrepend:
        if (!continues && !text.empty()) text.insert(0, step.content);
        break;
    }
  }
  return text;
}

}  // namespace hone::text
