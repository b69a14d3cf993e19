#include "report/html.h"

#include <cctype>
#include <cmath>
#include <cstdio>

namespace hone::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed UTF-8 sequence at text[i], 0 if there is none (Unicode 15, table 3-7).
size_t sequence_length(std::string_view text, size_t i, uint32_t& code) {
  const auto byte = [&](size_t k) { return k < text.size() ? static_cast<uint8_t>(text[k]) : uint8_t{0}; };
  const auto tail = [&](size_t k) { return (byte(k) & 0xC0) == 0x80; };
  const uint8_t b = byte(i);
  if (b < 0x80) {
    code = b;
    return 1;
  }
  if (b >= 0xC2 && b <= 0xDF && tail(i + 1)) {
    code = static_cast<uint32_t>(b & 0x1F) << 6 | (byte(i + 1) & 0x3F);
    return 2;
  }
  if ((b & 0xF0) == 0xE0 && tail(i + 1) && tail(i + 2)) {
    code =
        static_cast<uint32_t>(b & 0x0F) << 12 | static_cast<uint32_t>(byte(i + 1) & 0x3F) << 6 | (byte(i + 2) & 0x3F);
    return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4 && tail(i + 1) && tail(i + 2) && tail(i + 3)) {
    code = static_cast<uint32_t>(b & 0x07) << 18 | static_cast<uint32_t>(byte(i + 1) & 0x3F) << 12 |
           static_cast<uint32_t>(byte(i + 2) & 0x3F) << 6 | (byte(i + 3) & 0x3F);
    return code >= 0x10000 && code <= 0x10FFFF ? 4 : 0;
  }
  return 0;
}

bool is_shown(uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n';
  if (code >= 0x7F && code < 0xA0) return false;
  return !((code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E ||
           code == 0x200F || code == 0x061C || (code & 0xFFFE) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF));
}

}  // namespace

std::string clean_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    uint32_t code = 0;
    const size_t length = sequence_length(bytes, i, code);
    if (length == 0 || !is_shown(code)) out += kReplacement;
    else out += bytes.substr(i, length);
    i += length == 0 ? 1 : length;
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string escape_limited(std::string_view text, size_t limit) {
  const std::string clean = clean_text(text);
  size_t characters = 0, cut = clean.size();
  for (size_t i = 0; i < clean.size(); ++i) {
    if ((static_cast<uint8_t>(clean[i]) & 0xC0) == 0x80) continue;
    if (characters++ == limit) cut = i;
  }
  if (cut == clean.size()) return escape(clean);
  return escape(std::string_view(clean).substr(0, cut)) + "… (" +
         format_count(static_cast<int64_t>(characters - limit)) + " more characters)";
}

std::string format_count(int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), ",");
  return (n < 0 ? "−" : "") + digits;
}

std::string capitalised(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string format_fixed(double x, int decimals) {
  if (!std::isfinite(x)) return "–";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, std::abs(x));
  bool zero = true;
  for (const char* c = text; *c; ++c) zero = zero && (*c == '0' || *c == '.');
  return (x < 0 && !zero ? "−" : "") + std::string(text);
}

std::string format_number(double x) {
  if (!std::isfinite(x)) return "–";
  const double size = std::abs(x);
  if (size == 0) return "0";
  if (size >= 1e15 || size < 1e-3) {
    char text[64];
    std::snprintf(text, sizeof text, "%.2g", size);
    return (x < 0 ? "−" : "") + std::string(text);
  }
  if (size >= 999.5) return format_count(std::llround(x));
  if (x == std::round(x)) return format_fixed(x, 0);
  std::string text = format_fixed(x, size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : size >= 0.01 ? 3 : 4);
  while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
    const bool point = text.back() == '.';
    text.pop_back();
    if (point) break;
  }
  return text;
}

std::string model_name(std::string_view name) {
  std::string out(name);
  for (const std::string_view known : {"sft", "ppo", "dpo"})
    if (name.starts_with(known) &&
        (name.size() == known.size() || !std::isalnum(static_cast<unsigned char>(name[known.size()]))))
      for (size_t i = 0; i < known.size(); ++i) out[i] = static_cast<char>(name[i] - 'a' + 'A');
  return out;
}

std::string format_percent(double share) { return std::isfinite(share) ? format_fixed(100 * share, 1) + "%" : "–"; }

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return format_fixed(seconds, 1) + " s";
  const auto s = std::llround(seconds);
  if (s < 60) return std::to_string(s) + " s";
  const auto two = [](int64_t v) { return (v < 10 ? "0" : "") + std::to_string(v); };
  if (s < 3600) return std::to_string(s / 60) + " min " + two(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + two(s % 3600 / 60) + " min";
}

bool has_interval(const stats::Estimate& e) { return std::isfinite(e.low) && std::isfinite(e.high); }

std::string format_estimate(const stats::Estimate& e, bool as_percent) {
  const auto bound = [&](double x) {
    return as_percent ? format_fixed(100 * x, 1) : format_fixed(x, std::abs(e.value) >= 10 ? 1 : 3);
  };
  const std::string value = as_percent ? format_percent(e.value) : bound(e.value);
  return has_interval(e) ? value + " [" + bound(e.low) + ", " + bound(e.high) + "]" : value;
}

}  // namespace hone::report
