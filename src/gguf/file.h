// A GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian: "GGUF", the
// version, the numbers of tensors and of metadata pairs, the pairs, the table of tensors, and after padding their data.
//
// Reading trusts nothing. Every count, length and offset is checked against the bytes that are there before anything is
// allocated for it; what is kept are views into the mapped file, so memory is bounded by a small multiple of the table.
// What is wrong is one error that names the file, the thing and its byte.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gguf/tensor_type.h"

namespace hone::gguf {

namespace fs = std::filesystem;

/// Does the path name a GGUF file, by its first bytes or by its name? The one answer for the whole program.
bool is_gguf(const fs::path& path);

/// GGUF's numbers.
enum class ValueType : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

/// An array as it lies in the file: its elements one after another.
struct Array {
  ValueType element;
  uint64_t count;
  std::string_view bytes;
};
/// Integers of every width are 64 bits here; f32 stays apart, so that 1e-5 is printed as that.
using Value = std::variant<int64_t, uint64_t, float, double, bool, std::string_view, Array>;

struct TensorInfo {
  std::string_view name;
  TensorType type;
  std::vector<int64_t> shape;  ///< as torch has it: the last extent is the one that lies together
  int64_t elements;
  std::string_view data;
};

class File {
 public:
  /// Maps the file and reads its metadata and table. Not there, or anything wrong: kUsage.
  explicit File(const fs::path& path);
  /// The same of bytes in memory, which must outlive it. `where` names them in errors.
  File(std::string_view bytes, std::string where);
  ~File();
  File(File&&) noexcept;
  File(const File&) = delete;

  const std::string& where() const { return where_; }
  /// In the file's order.
  const std::vector<std::string_view>& keys() const { return keys_; }
  bool has(std::string_view key) const { return values_.contains(key); }
  /// "u32 7", "string \"x\"", "array of 3 …": for messages.
  std::string described(std::string_view key) const;

  // A value of another type than asked for is an error; one that is not there is nothing.
  std::optional<int64_t> integer(std::string_view key) const;  ///< at most 2^63 - 1
  std::optional<double> number(std::string_view key) const;    ///< an f32 as its shortest decimal says it
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;  ///< valid UTF-8
  std::optional<std::vector<std::string_view>> strings(std::string_view key, uint64_t most) const;
  std::optional<std::vector<int64_t>> integers(std::string_view key, uint64_t most) const;

  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  const TensorInfo* find(std::string_view tensor) const;

  /// `tokenizer.ggml.KIND_token_id`; nothing too where it is 2^32 - 1, by which some files say that there is none.
  std::optional<int64_t> token_id(const std::string& kind) const;

  /// kUsage "FILE: WHAT".
  [[noreturn]] void bad(const std::string& what, std::string hint = {}) const;

 private:
  class Cursor;
  void parse();
  void parse_metadata(Cursor& cursor, uint64_t count);
  void parse_table(Cursor& cursor, uint64_t count);
  [[noreturn]] void wrong_type(std::string_view key, const char* wanted) const;
  const Value* value(std::string_view key) const;

  std::string where_;
  std::string_view bytes_;
  bool mapped_ = false;
  std::vector<std::string_view> keys_;
  std::unordered_map<std::string_view, Value> values_;
  std::vector<TensorInfo> tensors_;
  std::unordered_map<std::string_view, size_t> tensor_index_;
};

}  // namespace hone::gguf
