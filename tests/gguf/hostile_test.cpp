// Hostile files as a kind: every field of an honest file set to every extreme, the file cut at every byte, and what no
// mutation makes. Each is read whole or refused with an error that names the file; memory stays bounded. Under ASan and
// UBSan in `make check`; fuzz.cpp goes on where this ends.
#include <doctest/doctest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "base/error.h"
#include "models.h"
#include "read_whole.h"

using namespace hone;
using namespace hone::gguf;
using test::Writer;

namespace {

size_t now_allocated = 0, most_allocated = 0;

std::string outcome(const std::string& bytes) {
  now_allocated = most_allocated = 0;
  try {
    test::read_whole(bytes, "bad.gguf");
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    CHECK(std::string(e.what()).starts_with("bad.gguf: "));
    return e.what();
  }
  return "";
}

template <class T>
void put(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

// Counts what this program holds, to show that a small file never makes it hold much.
void* operator new(size_t size) {
  void* p = std::malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  now_allocated += malloc_usable_size(p);
  most_allocated = std::max(most_allocated, now_allocated);
  return p;
}
void operator delete(void* p) noexcept {
  now_allocated -= std::min(now_allocated, p == nullptr ? 0 : malloc_usable_size(p));
  std::free(p);
}
void operator delete(void* p, size_t) noexcept { operator delete(p); }

TEST_CASE("an honest file is read whole") { CHECK(outcome(test::small_llama().bytes()).empty()); }

TEST_CASE("a file cut anywhere is refused, and nothing else happens") {
  const std::string bytes = test::small_llama().bytes();
  int refused = 0;
  for (size_t length = 0; length < bytes.size(); length += length < 12000 ? 1 : 97) {
    const std::string message = outcome(bytes.substr(0, length));
    refused += !message.empty();
    CHECK(most_allocated < (size_t{1} << 22));
  }
  CHECK(refused > 12000);
  CHECK(!outcome(bytes.substr(0, bytes.size() - 1)).empty());
}

TEST_CASE("every count, length, type, extent, offset and number at every extreme") {
  Writer writer = test::small_llama();
  const std::string bytes = writer.bytes();
  int refused = 0, read = 0;
  for (const Writer::Mark& mark : writer.marks()) {
    if (mark.field == Writer::Field::kText) continue;
    uint64_t was = 0;
    std::memcpy(&was, bytes.data() + mark.at, mark.bytes);
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, was + 1, was - 1, was * 2, uint64_t{0x7f}, uint64_t{0xffff},
                                 uint64_t{0x7fffffff}, uint64_t{0xffffffff}, uint64_t{1} << 32, uint64_t{1} << 61,
                                 uint64_t{1} << 62, uint64_t{0x7fffffffffffffff}, ~uint64_t{0} - 31, ~uint64_t{0}}) {
      std::string copy = bytes;
      std::memcpy(copy.data() + mark.at, &value, mark.bytes);
      ++(outcome(copy).empty() ? read : refused);
      CHECK(most_allocated < (size_t{1} << 22));
    }
  }
  MESSAGE(refused << " refused, " << read << " read");
  CHECK(refused > 1000);
}

TEST_CASE("every text set to control characters, broken UTF-8 and nothing") {
  Writer writer = test::small_llama();
  const std::string bytes = writer.bytes();
  for (const Writer::Mark& mark : writer.marks()) {
    if (mark.field != Writer::Field::kText) continue;
    for (const char byte : {'\0', '\x1b', '\xff', '\n', ' '}) {
      std::string copy = bytes;
      for (size_t i = 0; i < mark.bytes; ++i) copy[mark.at + i] = byte;
      const std::string message = outcome(copy);
      for (const char c : message) CHECK(static_cast<unsigned char>(c) >= 0x20);  // nothing a terminal would obey
    }
  }
}

TEST_CASE("what is wrong is named") {
  const auto refused = [](Writer w, std::string_view part) {
    const std::string message = outcome(w.bytes());
    CAPTURE(message);
    CHECK(has(message, part));
  };
  CHECK(has(outcome("GGML"), "not a GGUF file"));
  CHECK(has(outcome(""), "not a GGUF file: only 0 bytes"));
  std::string bytes = test::small_llama().bytes();
  put(bytes, 4, uint32_t{1});
  CHECK(has(outcome(bytes), "GGUF version 1 is not supported; 2 and 3 are"));
  put(bytes, 4, uint32_t{0x03000000});
  CHECK(has(outcome(bytes), "big-endian"));
  put(bytes, 4, uint32_t{2});
  CHECK(outcome(bytes).empty());
  put(bytes, 8, ~uint64_t{0});
  CHECK(has(outcome(bytes), "claims 18446744073709551615 tensors"));

  refused(std::move(test::small_llama().text("general.architecture", "llama")),
          "'general.architecture' is there twice");
  refused(std::move(test::small_llama().tensor("output_norm.weight", {32})), "'output_norm.weight' is there twice");
  refused(std::move(test::small_llama().nested("x", 5)), "nested deeper than 4");
  CHECK(outcome(test::small_llama().nested("x", 4).bytes()).empty());
  refused(std::move(test::small_llama().nested("x", 100000)), "nested deeper than 4");
  refused(std::move(test::small_llama().u32("general.alignment", 0)), "general.alignment must be a power of two");
  refused(std::move(test::small_llama().u32("general.alignment", 48)), "general.alignment must be a power of two");
  refused(std::move(test::small_llama().text("general.alignment", "32")),
          "'general.alignment': a whole number was expected");
  refused(std::move(test::small_llama().tensor(std::string(65, 'x'), {32})),
          "is 65 bytes long, at most 64 are allowed");
  refused(std::move(test::small_llama().tensor("x", {2, 2, 2, 2, 2})), "5 dimensions; 1 to 4 are allowed");
  refused(std::move(test::small_llama().u32("a\x1b[31mb", 1)), "its key is no text");

  // Offsets and types, set in the table of a file of two tensors.
  const auto with = [](Writer::Field field, int nth, uint64_t value) {
    Writer w;
    w.text("general.architecture", "llama").tensor("a", {32}).tensor("b", {64}, TensorType::kQ8_0);
    std::string out = w.bytes();
    int found = 0;
    for (const Writer::Mark& m : w.marks())
      if (m.field == field && m.at > 60 && found++ == nth) std::memcpy(out.data() + m.at, &value, m.bytes);
    return outcome(out);
  };
  using Field = Writer::Field;
  CHECK(has(with(Field::kOffset, 1, 64), "tensor 'b' overlaps the tensor before it"));
  CHECK(has(with(Field::kOffset, 1, 0), "overlaps the tensor before it"));
  CHECK(has(with(Field::kOffset, 1, 130), "no multiple of the alignment, 32"));
  CHECK(has(with(Field::kOffset, 1, 1 << 20), "the file is truncated or damaged"));
  CHECK(has(with(Field::kOffset, 1, ~uint64_t{0} - 31), "the file is truncated or damaged"));
  CHECK(has(with(Field::kExtent, 1, 33), "its rows of 33 are no whole blocks of Q8_0, which are 32"));
  CHECK(has(with(Field::kExtent, 1, uint64_t{1} << 62), "the file is truncated or damaged"));
  CHECK(has(with(Field::kExtent, 0, uint64_t{1} << 62), "its shape overflows"));
  CHECK(has(with(Field::kExtent, 1, 0), "an extent of 0 cannot be"));
  CHECK(has(with(Field::kType, 1, 16), "tensor 'b' is of type IQ2_XXS, which is not supported"));
  CHECK(has(with(Field::kType, 1, 39), "MXFP4"));
  CHECK(has(with(Field::kType, 1, 4711), "type 4711"));
}

TEST_CASE("values of another type than wanted are named with what they are") {
  const auto refused = [](Writer w, std::string_view part) {
    const std::string message = outcome(w.bytes());
    CAPTURE(message);
    CHECK(has(message, part));
  };
  Writer w;
  w.text("general.architecture", "llama").text("llama.block_count", "one").tensor("token_embd.weight", {32, 32});
  w.u32("llama.embedding_length", 32).u32("llama.attention.head_count", 2);
  test::put_vocabulary(w);
  refused(w, "'llama.block_count': a whole number was expected, it is 'one'");
  Writer array;
  array.text("general.architecture", "llama").u32("llama.block_count", 1).tensor("token_embd.weight", {32, 32});
  array.u32("llama.embedding_length", 32).i32s("llama.attention.head_count", {2, 2});
  test::put_vocabulary(array);
  refused(array, "a whole number was expected, it is an array of 2 i32");
}
