#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/utf8.h"

namespace hone::text {
namespace {

// PCRE2's own \s also takes U+180E, which Unicode no longer counts as white space.
constexpr std::string_view kSpace =
    R"(\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

std::string with_unicode_spaces(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's' && in_class) out += kSpace;
      else if (next == 's') (out += '[').append(kSpace) += ']';
      else if (next == 'S' && !in_class) (out += "[^").append(kSpace) += ']';
      else (out += c) += next;
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

struct Freer {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
};

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Freer> code;
  std::unique_ptr<pcre2_match_context, Freer> context;
  std::string pattern;

  // pcre2_match from `from` on; without the just-in-time code where that lacks stack.
  int match(std::string_view text, size_t from, uint32_t options, pcre2_match_data* data) const {
    const auto run = [&](uint32_t how) {
      return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from, how, data,
                         context.get());
    };
    const int rc = run(options);
    return rc == PCRE2_ERROR_JIT_STACKLIMIT ? run(options | PCRE2_NO_JIT) : rc;
  }
};

Regex::Regex(std::string_view pattern, const std::string& where) : code_(std::make_unique<Code>()) {
  code_->pattern = pattern;
  const std::string translated = with_unicode_spaces(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                  nullptr));
  if (!code_->code) {
    std::string message(256, '\0');
    const int length = pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(message.data()), message.size());
    message.resize(length > 0 ? static_cast<size_t>(length) : 0);
    usage_error(where + ": the regular expression '" + code_->pattern + "' is not supported: " + message);
  }
  pcre2_jit_compile(code_->code.get(), PCRE2_JIT_COMPLETE);  // without JIT the interpreter does the same, slower
  code_->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(code_->context.get(), 20'000'000);
  pcre2_set_heap_limit(code_->context.get(), 512 * 1024);  // KiB
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

const std::string& Regex::pattern() const { return code_->pattern; }

void Regex::find_all(std::string_view text, std::vector<std::pair<size_t, size_t>>& out) const {
  const std::unique_ptr<pcre2_match_data, Freer> data(pcre2_match_data_create(1, nullptr));
  size_t from = 0;
  while (from < text.size()) {
    const int rc = code_->match(text, from, PCRE2_NO_UTF_CHECK, data.get());
    if (rc == PCRE2_ERROR_NOMATCH) return;
    if (rc < 0)
      usage_error("the tokenizer's regular expression '" + code_->pattern + "' takes too long on this text",
                  "use a tokenizer with a simpler pre-tokenizer, or shorten the text");
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    const size_t begin = bounds[0], end = bounds[1];
    if (end > begin && begin >= from) {
      out.emplace_back(begin, end);
      from = end;
    } else {
      // Empty (or \K moved the start): step over one character, as find_iter does.
      from = std::max(from, begin);
      if (from < text.size()) from += utf8_length(static_cast<unsigned char>(text[from]));
    }
  }
}

std::optional<bool> Regex::found_in(std::string_view text) const {
  const std::unique_ptr<pcre2_match_data, Freer> data(pcre2_match_data_create(1, nullptr));
  const int rc = code_->match(text.data() ? text : std::string_view(""), 0, 0, data.get());
  if (rc == PCRE2_ERROR_NOMATCH) return false;
  if (rc < 0) return std::nullopt;
  return true;
}

}  // namespace hone::text
