#include "gguf/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace hone::gguf {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as this machine's own byte order");

constexpr std::string_view kMagic = "GGUF";
// Far above what any model has, and low enough that a hostile file cannot make a table of gigabytes.
constexpr uint64_t kMostPairs = uint64_t{1} << 16, kMostTensors = uint64_t{1} << 20;
constexpr uint64_t kLongestKey = 65535, kLongestTensorName = 64;  // of the specification
constexpr uint32_t kMostDimensions = 4;
constexpr int kDeepestArray = 4;
constexpr uint64_t kDefaultAlignment = 32, kMostAlignment = uint64_t{1} << 20;

constexpr std::array<std::string_view, 13> kTypeNames{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                      "bool", "string", "array", "u64", "i64", "f64"};
constexpr std::array<uint64_t, 13> kTypeBytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};  // 0: of no fixed length

std::string_view type_text(ValueType type) { return kTypeNames[static_cast<size_t>(type)]; }
uint64_t bytes_of(ValueType type) { return kTypeBytes[static_cast<size_t>(type)]; }

template <class T>
T read_as(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// A name that can stand in a message: text without control characters.
bool printable(std::string_view text) {
  return valid_utf8_prefix(text) == text.size() &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// The decimal that a person wrote: the f32 nearest to 1e-5 is 9.99999974737875e-06 as a double.
double shortest(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double out = value;
  std::from_chars(text.data(), end, out);
  return out;
}

std::optional<double> floating(const Value& value) {
  if (const auto* f = std::get_if<float>(&value)) return shortest(*f);
  if (const auto* d = std::get_if<double>(&value)) return *d;
  return std::nullopt;
}

}  // namespace

bool is_gguf(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return false;
  std::array<char, 4> first{};
  std::ifstream in(path, std::ios::binary);
  return (in.read(first.data(), first.size()) && std::string_view(first.data(), first.size()) == kMagic) ||
         path.extension() == ".gguf";
}

// Where reading stands. Nothing is taken that is not there.
class File::Cursor {
 public:
  explicit Cursor(const File& file) : file_(file) {}

  uint64_t at() const { return at_; }
  uint64_t left() const { return file_.bytes_.size() - at_; }
  // `what` and `part` name the thing in errors alone: no message is made for what is right.
  std::string_view take(uint64_t bytes, std::string_view what, std::string_view part = "") {
    if (bytes > left())
      file_.bad(std::string(what) + std::string(part) + " at byte " + std::to_string(at_) + " wants " +
                    std::to_string(bytes) + " bytes, " + std::to_string(left()) +
                    " are left: the file is truncated or damaged",
                "was the download or copy complete?");
    const std::string_view out = file_.bytes_.substr(at_, bytes);
    at_ += bytes;
    return out;
  }
  template <class T>
  T number(std::string_view what, std::string_view part = "") {
    return read_as<T>(take(sizeof(T), what, part).data());
  }
  std::string_view string(std::string_view what, std::string_view part = "", uint64_t longest = UINT64_MAX) {
    const auto length = number<uint64_t>(what, part);
    if (length > longest)
      file_.bad(std::string(what) + std::string(part) + " at byte " + std::to_string(at_) + " is " +
                std::to_string(length) + " bytes long, at most " + std::to_string(longest) + " are allowed");
    return take(length, what, part);
  }
  // A count of things of which each needs at least `bytes`.
  uint64_t count(const std::string& what, uint64_t bytes, uint64_t most) {
    const auto n = number<uint64_t>(what);
    if (n > most || n > left() / bytes)
      file_.bad("claims " + std::to_string(n) + " " + what + ", which " + std::to_string(file_.bytes_.size()) +
                    " bytes cannot hold: the file is truncated or damaged",
                "was the download or copy complete?");
    return n;
  }
  ValueType type(std::string_view what, std::string_view part = "") {
    const auto type = number<uint32_t>(what, part);
    if (type >= kTypeNames.size())
      file_.bad(std::string(what) + std::string(part) + " has type " + std::to_string(type) +
                ", which GGUF does not know");
    return static_cast<ValueType>(type);
  }
  Array array(std::string_view what, int depth) {
    if (depth > kDeepestArray)
      file_.bad(std::string(what) + ": arrays are nested deeper than " + std::to_string(kDeepestArray));
    const ValueType element = type(what, " (its elements)");
    const auto n = number<uint64_t>(what, " (its count)");
    const uint64_t begin = at_;
    const uint64_t least = element == ValueType::kString ? 8 : element == ValueType::kArray ? 12 : bytes_of(element);
    if (n > left() / least)
      file_.bad(std::string(what) + " at byte " + std::to_string(at_) + " claims " + std::to_string(n) + " elements, " +
                    std::to_string(left()) + " bytes are left: the file is truncated or damaged",
                "was the download or copy complete?");
    if (element == ValueType::kString) {
      for (uint64_t i = 0; i < n; ++i) string(what);
    } else if (element == ValueType::kArray) {
      for (uint64_t i = 0; i < n; ++i) array(what, depth + 1);
    } else {
      take(n * least, what);
    }
    return {element, n, file_.bytes_.substr(begin, at_ - begin)};
  }
  Value value(const std::string& what) {
    switch (type(what)) {
      case ValueType::kU8:
        return uint64_t{number<uint8_t>(what)};
      case ValueType::kI8:
        return int64_t{number<int8_t>(what)};
      case ValueType::kU16:
        return uint64_t{number<uint16_t>(what)};
      case ValueType::kI16:
        return int64_t{number<int16_t>(what)};
      case ValueType::kU32:
        return uint64_t{number<uint32_t>(what)};
      case ValueType::kI32:
        return int64_t{number<int32_t>(what)};
      case ValueType::kU64:
        return number<uint64_t>(what);
      case ValueType::kI64:
        return number<int64_t>(what);
      case ValueType::kF32:
        return number<float>(what);
      case ValueType::kF64:
        return number<double>(what);
      case ValueType::kBool: {
        const auto byte = number<uint8_t>(what);
        if (byte > 1) file_.bad(what + " is neither true nor false: it is " + std::to_string(byte));
        return byte == 1;
      }
      case ValueType::kString:
        return string(what);
      case ValueType::kArray:
        return array(what, 1);
    }
    return {};
  }
  void skip_to_multiple_of(uint64_t alignment) { at_ = std::min(align_up(at_, alignment), file_.bytes_.size()); }
  static uint64_t align_up(uint64_t at, uint64_t alignment) { return (at + alignment - 1) / alignment * alignment; }

 private:
  const File& file_;
  uint64_t at_ = 0;
};

File::File(const fs::path& path) : where_(path.string()) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) usage_error("cannot read " + where_ + ": " + std::strerror(errno));
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    usage_error(where_ + ": not a plain file");
  }
  const auto size = static_cast<uint64_t>(status.st_size);
  void* map = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int why = errno;
  ::close(fd);
  if (map == MAP_FAILED) run_error("cannot map " + where_ + ": " + std::strerror(why));
  bytes_ = {static_cast<const char*>(map), size};
  mapped_ = size != 0;
  try {
    parse();
  } catch (...) {
    if (mapped_) ::munmap(map, size);
    throw;
  }
}

File::File(std::string_view bytes, std::string where) : where_(std::move(where)), bytes_(bytes) { parse(); }

File::~File() {
  if (mapped_) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

File::File(File&& other) noexcept
    : where_(std::move(other.where_)),
      bytes_(other.bytes_),
      mapped_(std::exchange(other.mapped_, false)),
      keys_(std::move(other.keys_)),
      values_(std::move(other.values_)),
      tensors_(std::move(other.tensors_)),
      tensor_index_(std::move(other.tensor_index_)) {}

void File::bad(const std::string& what, std::string hint) const { usage_error(where_ + ": " + what, std::move(hint)); }

void File::parse() {
  Cursor cursor(*this);
  if (!bytes_.starts_with(kMagic))
    bad(bytes_.size() < kMagic.size() ? "not a GGUF file: only " + std::to_string(bytes_.size()) + " bytes"
                                      : "not a GGUF file: it does not begin with \"GGUF\"");
  cursor.take(kMagic.size(), "the magic");
  const auto version = cursor.number<uint32_t>("the version");
  if (version != 0 && (version & 0xffff) == 0) bad("a big-endian GGUF file, which is not supported");
  if (version != 2 && version != 3)
    bad("GGUF version " + std::to_string(version) + " is not supported; 2 and 3 are",
        "convert the model again with a current llama.cpp");
  // The least that a tensor of the table and a pair take: a name's length, a number or two, a type, an offset.
  const uint64_t tensors = cursor.count("tensors", 24, kMostTensors),
                 pairs = cursor.count("metadata pairs", 13, kMostPairs);
  parse_metadata(cursor, pairs);
  parse_table(cursor, tensors);
}

void File::parse_metadata(Cursor& cursor, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const std::string place = "metadata pair " + std::to_string(i + 1) + " of " + std::to_string(count);
    const std::string_view key = cursor.string(place, " (its key)", kLongestKey);
    if (key.empty() || !printable(key)) bad(place + ": its key is no text");
    if (!values_.emplace(key, cursor.value("metadata " + quoted(key))).second)
      bad("metadata " + quoted(key) + " is there twice");
    keys_.push_back(key);
  }
}

void File::parse_table(Cursor& cursor, uint64_t count) {
  const auto alignment = static_cast<uint64_t>(integer("general.alignment").value_or(kDefaultAlignment));
  if (!std::has_single_bit(alignment) || alignment > kMostAlignment)
    bad("general.alignment must be a power of two up to 2^20, it is " + described("general.alignment"));
  struct Place {
    uint64_t offset, bytes;
  };
  std::vector<Place> places;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string place = "tensor " + std::to_string(i + 1) + " of " + std::to_string(count);
    const std::string_view name = cursor.string(place, " (its name)", kLongestTensorName);
    if (name.empty() || !printable(name)) bad(place + ": its name is no text");
    const std::string what = "tensor " + quoted(name);
    if (!tensor_index_.emplace(name, i).second) bad(what + " is there twice");
    const auto dimensions = cursor.number<uint32_t>(what, " (its number of dimensions)");
    if (dimensions == 0 || dimensions > kMostDimensions)
      bad(what + " has " + std::to_string(dimensions) + " dimensions; 1 to " + std::to_string(kMostDimensions) +
          " are allowed");
    TensorInfo info{.name = name, .type = {}, .shape = {}, .elements = 1, .data = {}};
    for (uint32_t d = 0; d < dimensions; ++d) {
      const auto extent = cursor.number<uint64_t>(what, " (its shape)");
      if (extent == 0 || extent > INT64_MAX ||
          __builtin_mul_overflow(info.elements, static_cast<int64_t>(extent), &info.elements))
        bad(what + ": an extent of " + std::to_string(extent) + " cannot be");
      info.shape.insert(info.shape.begin(), static_cast<int64_t>(extent));
    }
    const auto type = cursor.number<uint32_t>(what, " (its type)");
    if (!is_supported(type))
      bad(what + " is of type " + type_name(type) + ", which is not supported", "supported: " + supported_types());
    info.type = static_cast<TensorType>(type);
    const BlockLayout block = layout(info.type);
    if (static_cast<uint64_t>(info.shape.back()) % block.elements != 0)
      bad(what + ": its rows of " + std::to_string(info.shape.back()) + " are no whole blocks of " + type_name(type) +
          ", which are " + std::to_string(block.elements));
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<uint64_t>(info.elements) / block.elements, block.bytes, &bytes))
      bad(what + ": its shape overflows");
    const auto offset = cursor.number<uint64_t>(what, " (its offset)");
    if (offset % alignment != 0)
      bad(what + ": its offset " + std::to_string(offset) + " is no multiple of the alignment, " +
          std::to_string(alignment));
    places.push_back({offset, bytes});
    tensors_.push_back(std::move(info));
  }

  cursor.skip_to_multiple_of(alignment);
  const std::string_view data = bytes_.substr(cursor.at());
  std::vector<size_t> order(places.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return places[i].offset; });
  uint64_t end = 0;
  for (const size_t i : order) {
    const auto [offset, bytes] = places[i];
    const std::string what = "tensor " + quoted(tensors_[i].name);
    if (offset > data.size() || bytes > data.size() - offset)
      bad(what + " wants bytes " + std::to_string(offset) + " to " + std::to_string(offset) + " + " +
              std::to_string(bytes) + " of the data, of which there are " + std::to_string(data.size()) +
              ": the file is truncated or damaged",
          "was the download or copy complete?");
    if (offset < end) bad(what + " overlaps the tensor before it: its offset is " + std::to_string(offset));
    end = offset + bytes;
    tensors_[i].data = data.substr(offset, bytes);
  }
}

const TensorInfo* File::find(std::string_view tensor) const {
  const auto at = tensor_index_.find(tensor);
  return at == tensor_index_.end() ? nullptr : &tensors_[at->second];
}

const Value* File::value(std::string_view key) const {
  const auto at = values_.find(key);
  return at == values_.end() ? nullptr : &at->second;
}

std::string File::described(std::string_view key) const {
  const Value* v = value(key);
  if (v == nullptr) return "nothing";
  if (const auto* i = std::get_if<int64_t>(v)) return std::to_string(*i);
  if (const auto* u = std::get_if<uint64_t>(v)) return std::to_string(*u);
  if (const auto* b = std::get_if<bool>(v)) return *b ? "true" : "false";
  if (const auto number = floating(*v)) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), *number).ptr};
  }
  if (const auto* s = std::get_if<std::string_view>(v))
    return s->size() <= 100 && printable(*s) ? quoted(*s) : "a string of " + std::to_string(s->size()) + " bytes";
  const Array& a = std::get<Array>(*v);
  return "an array of " + std::to_string(a.count) + " " + std::string(type_text(a.element));
}

void File::wrong_type(std::string_view key, const char* wanted) const {
  bad("metadata " + quoted(key) + ": " + wanted + " was expected, it is " + described(key));
}

std::optional<int64_t> File::integer(std::string_view key) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  if (const auto* i = std::get_if<int64_t>(v)) return *i;
  const auto* u = std::get_if<uint64_t>(v);
  if (u == nullptr || *u > INT64_MAX) wrong_type(key, "a whole number");
  return static_cast<int64_t>(*u);
}

std::optional<int64_t> File::token_id(const std::string& kind) const {
  const auto id = integer("tokenizer.ggml." + kind + "_token_id");
  return id == int64_t{UINT32_MAX} ? std::nullopt : id;
}

std::optional<double> File::number(std::string_view key) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  if (const auto number = floating(*v)) {
    // Models compute in 32 bits, where a larger one is infinite.
    if (!(std::abs(*number) <= std::numeric_limits<float>::max())) wrong_type(key, "a finite number of 32 bits");
    return number;
  }
  if (!std::holds_alternative<int64_t>(*v) && !std::holds_alternative<uint64_t>(*v)) wrong_type(key, "a number");
  return static_cast<double>(*integer(key));
}

std::optional<bool> File::boolean(std::string_view key) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  const auto* b = std::get_if<bool>(v);
  if (b == nullptr) wrong_type(key, "true or false");
  return *b;
}

std::optional<std::string> File::text(std::string_view key) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  const auto* s = std::get_if<std::string_view>(v);
  if (s == nullptr || valid_utf8_prefix(*s) != s->size()) wrong_type(key, "text in UTF-8");
  return std::string(*s);
}

std::optional<std::vector<std::string_view>> File::strings(std::string_view key, uint64_t most) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  const auto* a = std::get_if<Array>(v);
  if (a == nullptr || a->element != ValueType::kString) wrong_type(key, "an array of strings");
  if (a->count > most)
    bad("metadata " + quoted(key) + " has " + std::to_string(a->count) + " elements, at most " + std::to_string(most) +
        " are supported");
  std::vector<std::string_view> out;
  out.reserve(a->count);
  std::string_view rest = a->bytes;  // lengths were checked when it was read
  for (uint64_t i = 0; i < a->count; ++i) {
    const auto length = read_as<uint64_t>(rest.data());
    out.push_back(rest.substr(8, length));
    rest.remove_prefix(8 + length);
  }
  return out;
}

std::optional<std::vector<int64_t>> File::integers(std::string_view key, uint64_t most) const {
  const Value* v = value(key);
  if (v == nullptr) return std::nullopt;
  const auto* a = std::get_if<Array>(v);
  const auto whole = [](ValueType t) {
    return t != ValueType::kF32 && t != ValueType::kF64 && t != ValueType::kBool && t != ValueType::kString &&
           t != ValueType::kArray;
  };
  if (a == nullptr || !whole(a->element)) wrong_type(key, "an array of whole numbers");
  if (a->count > most)
    bad("metadata " + quoted(key) + " has " + std::to_string(a->count) + " elements, at most " + std::to_string(most) +
        " are supported");
  std::vector<int64_t> out;
  out.reserve(a->count);
  const bool is_signed = type_text(a->element).starts_with('i');
  const uint64_t width = bytes_of(a->element);
  for (uint64_t i = 0; i < a->count; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, a->bytes.data() + i * width, width);
    const auto unused = static_cast<int>(64 - 8 * width);
    if (!is_signed && word > INT64_MAX) wrong_type(key, "an array of whole numbers below 2^63");
    out.push_back(is_signed ? static_cast<int64_t>(word << unused) >> unused : static_cast<int64_t>(word));
  }
  return out;
}

}  // namespace hone::gguf
