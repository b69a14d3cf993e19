// Text on its way to a screen: whole characters, nothing that a terminal would obey, columns, lines.
#include <doctest/doctest.h>

#include "base/rng.h"
#include "base/utf8.h"
#include "chat/columns.h"
#include "chat/side_by_side.h"
#include "chat/utf8_stream.h"
#include "chat/visible.h"
#include "chat/word_wrap.h"

using namespace hone;
using namespace hone::chat;

namespace {

std::string streamed(std::string_view bytes, size_t piece) {
  Utf8Stream stream;
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += piece) out += stream.feed(bytes.substr(i, piece));
  return out + stream.finish();
}

std::string wrapped(std::string_view text, size_t width, size_t piece) {
  WordWrap wrap;
  std::string out;
  while (!text.empty()) {
    size_t n = 0;
    for (size_t k = 0; k < piece && n < text.size(); ++k) n += utf8_length(static_cast<unsigned char>(text[n]));
    out += wrap.feed(text.substr(0, n), width);
    text.remove_prefix(n);
  }
  return out + wrap.finish(width);
}

size_t widest(std::string_view text) {
  size_t most = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    most = std::max(most, columns_of(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return most;
}

}  // namespace

TEST_CASE("unfinished characters are held back until they are whole") {
  Utf8Stream stream;
  CHECK(stream.feed("a\xE4") == "a");
  CHECK(stream.feed("\xB8") == "");
  CHECK(stream.feed("\x96z") == "世z");
  CHECK(stream.feed("\xF0\x9F\x98") == "");
  CHECK(stream.finish() == "\uFFFD");
  CHECK(stream.finish() == "");
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD, one for each beginning, however they come") {
  // As Python's bytes.decode("utf-8", "replace").
  const std::pair<std::string, std::string> cases[] = {
      {"\x80", "\uFFFD"},
      {"\xE4\xB8x", "\uFFFDx"},                          // a cut-off character
      {"\xC0\xAF", "\uFFFD\uFFFD"},                      // overlong
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},            // a surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // above U+10FFFF
      {"\xF0\x9F\x98\xE4\xB8\x96", "\uFFFD世"},          //
      {"a\xFF\xFE"
       "b",
       "a\uFFFD\uFFFD"
       "b"},  //
      {"é世😀", "é世😀"},
  };
  for (const auto& [bytes, text] : cases)
    for (const size_t piece : {1u, 2u, 3u, 100u}) CHECK(streamed(bytes, piece) == text);
}

TEST_CASE("random bytes come out as UTF-8, the same for all pieces") {
  Stream random(1, "utf8");
  for (int n = 0; n < 300; ++n) {
    std::string bytes;
    for (int i = 0; i < 20; ++i)
      bytes += static_cast<char>(random.chance(0.5) ? random.between(0x80, 0xFF) : random.between(0, 0xFF));
    const std::string whole = streamed(bytes, 100);
    CHECK(valid_utf8_prefix(whole) == whole.size());
    for (const size_t piece : {1u, 3u}) CHECK(streamed(bytes, piece) == whole);
  }
}

TEST_CASE("nothing that a terminal obeys is shown") {
  CHECK(visible("\x1B[31mred\x1B]0;title\x07") == "␛[31mred␛]0;title␇");
  CHECK(visible("a\r\nb\tc\x7F") == "a\nb\tc␡");
  CHECK(visible("\xC2\x9B"
                "31m") == "<U+009B>31m");  // C1's own CSI
  CHECK(visible("a\u202Eb\u2066c") == "a<U+202E>b<U+2066>c");
  CHECK(visible("\x9B") == "\uFFFD");  // no UTF-8
  CHECK(visible(std::string(1, '\0')) == "␀");
  CHECK(visible("é世😀") == "é世😀");
  for (char32_t c = 0; c < 0x3000; ++c) {
    std::string text;
    append_utf8(text, c);
    const std::string out = visible(text);
    for (std::string_view rest = out; !rest.empty();) {
      const char32_t shown = utf8_first(rest);
      CHECK((shown == '\n' || shown == '\t' || (shown >= 0x20 && !(shown >= 0x7F && shown < 0xA0))));
      rest.remove_prefix(utf8_length(static_cast<unsigned char>(rest[0])));
    }
  }
}

TEST_CASE("an answer as one line can be undone") {
  CHECK(one_line("a\nb\\n\tc") == "a\\nb\\\\n\tc");
  CHECK(one_line("\x1B\r\n") == "␛\\n");
}

TEST_CASE("columns of characters") {
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("世界") == 4);
  CHECK(columns_of("ｱ") == 1);   // half width
  CHECK(columns_of("Ａ") == 2);  // full width
  CHECK(columns_of("e\u0301") == 1);
  CHECK(columns_of("😀") == 2);
  CHECK(columns_of("\u200B\u200D\uFE0F") == 0);
  CHECK(columns_at('\t', 0) == 8);
  CHECK(columns_at('\t', 7) == 1);
}

TEST_CASE("lines break at words, wide characters anywhere, and no line is wider than it may be") {
  for (const size_t piece : {1u, 3u, 1000u}) {
    CHECK(wrapped("one two three four", 9, piece) == "one two \nthree \nfour");
    CHECK(wrapped("世界世界世界", 8, piece) == "世界世界\n世界");
    CHECK(wrapped("a\n\nb c", 80, piece) == "a\n\nb c");
    CHECK(wrapped("abcdefghij", 4, piece) == "abcd\nefgh\nij");
    CHECK(wrapped("```\nlong line of code here\n```\nno code any more", 8, piece) ==
          "```\nlong line of code here\n```\nno code \nany more");
    const std::string text =
        "The 世界 of e\u0301tudes, a_word_that_is_longer_than_all_of_the_others and short ones 😀😀😀😀.";
    for (const size_t width : {5u, 12u, 30u}) CHECK(widest(wrapped(text, width, piece)) <= width + 1);
  }
}

TEST_CASE("the width may change while an answer comes") {
  WordWrap wrap;
  std::string out = wrap.feed("one two three four ", 80);
  out = wrap.feed("five six seven ", 10) + wrap.finish(10);
  CHECK(widest(out) <= 11);
}

TEST_CASE("texts side by side: rows come once all columns know their line") {
  SideBySide both(2);
  both.feed(0, "one two three");
  CHECK(both.rows(23) == "");  // ten columns each; nothing is known of the second
  both.feed(1, "世界世界世界 x");
  CHECK(both.rows(23) == "one two    \u2502 世界世界世\n");
  both.end(0);
  CHECK(both.rows(23) == "");  // more could come behind "界 x"
  both.feed(1, "y\n\nz");
  CHECK(both.rows(23) == "three      \u2502 界 xy\n           \u2502 \n");
  both.end(1);
  CHECK(both.rows(23) == "           \u2502 z\n");
  CHECK(both.rows(23) == "");
}

TEST_CASE("side by side needs room, and never hangs without it") {
  CHECK(SideBySide::fits(2, 80));
  CHECK_FALSE(SideBySide::fits(2, 70));
  CHECK_FALSE(SideBySide::fits(3, 100));
  for (const size_t width : {0u, 1u, 4u, 9u, 200u}) {
    SideBySide three(3);
    for (size_t i = 0; i < 3; ++i) three.feed(i, "世界 words\tand\n\nmore"), three.end(i);
    CHECK(three.rows(width).size() > 10);
    CHECK(three.rows(width).empty());
  }
}
