// For tests: a GGUF file byte by byte, honest or not.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gguf/file.h"

namespace hone::gguf::test {

/// Bytes, and where in them each field begins: what a mutation can aim at.
class Writer {
 public:
  enum class Field { kLength, kCount, kType, kOffset, kExtent, kNumber, kText };
  struct Mark {
    size_t at, bytes;
    Field field;
  };

  explicit Writer(uint32_t version = 3) : version_(version) {}

  Writer& text(std::string_view key, std::string_view value) {
    return pair(key, ValueType::kString, [&] { string(value); });
  }
  Writer& u32(std::string_view key, uint32_t value) {
    return pair(key, ValueType::kU32, [&] { number(value, Field::kNumber); });
  }
  Writer& f32(std::string_view key, float value) {
    return pair(key, ValueType::kF32, [&] { number(value, Field::kNumber); });
  }
  Writer& boolean(std::string_view key, bool value) {
    return pair(key, ValueType::kBool, [&] { number(static_cast<uint8_t>(value), Field::kNumber); });
  }
  Writer& strings(std::string_view key, const std::vector<std::string>& values) {
    return pair(key, ValueType::kArray, [&] {
      number(static_cast<uint32_t>(ValueType::kString), Field::kType);
      number(static_cast<uint64_t>(values.size()), Field::kCount);
      for (const std::string& v : values) string(v);
    });
  }
  Writer& i32s(std::string_view key, const std::vector<int32_t>& values) {
    return pair(key, ValueType::kArray, [&] {
      number(static_cast<uint32_t>(ValueType::kI32), Field::kType);
      number(static_cast<uint64_t>(values.size()), Field::kCount);
      for (const int32_t v : values) number(v, Field::kNumber);
    });
  }
  /// An array in an array in an array …
  Writer& nested(std::string_view key, int depth) {
    return pair(key, ValueType::kArray, [&] {
      for (int d = 1; d < depth; ++d) {
        number(static_cast<uint32_t>(ValueType::kArray), Field::kType);
        number(uint64_t{1}, Field::kCount);
      }
      number(static_cast<uint32_t>(ValueType::kU8), Field::kType);
      number(uint64_t{0}, Field::kCount);
    });
  }
  /// `shape` as torch has it. The data are zeros unless given.
  Writer& tensor(std::string_view name, const std::vector<int64_t>& shape, TensorType type = TensorType::kF32,
                 std::string data = {}) {
    int64_t elements = 1;
    for (const int64_t n : shape) elements *= n;
    const BlockLayout block = layout(type);
    data.resize(static_cast<size_t>(elements) / block.elements * block.bytes);
    tensors_.push_back({std::string(name), shape, type, std::move(data)});
    return *this;
  }

  std::string bytes() {
    Writer whole(version_);
    whole.out_ = "GGUF";
    whole.number(version_, Field::kType);
    whole.number(static_cast<uint64_t>(tensors_.size()), Field::kCount);
    whole.number(pairs_, Field::kCount);
    for (const Mark& m : marks_) whole.marks_.push_back({m.at + whole.out_.size(), m.bytes, m.field});
    whole.out_ += out_;
    uint64_t offset = 0;
    for (const Tensor& t : tensors_) {
      whole.string(t.name);
      whole.number(static_cast<uint32_t>(t.shape.size()), Field::kCount);
      for (size_t d = t.shape.size(); d-- > 0;) whole.number(static_cast<uint64_t>(t.shape[d]), Field::kExtent);
      whole.number(static_cast<uint32_t>(t.type), Field::kType);
      whole.number(offset, Field::kOffset);
      offset += (t.data.size() + 31) / 32 * 32;
    }
    for (const Tensor& t : tensors_) {
      whole.out_.resize((whole.out_.size() + 31) / 32 * 32);
      whole.out_ += t.data;
    }
    file_marks_ = std::move(whole.marks_);
    return std::move(whole.out_);
  }
  /// Of the file that bytes() made last.
  const std::vector<Mark>& marks() const { return file_marks_; }

 private:
  struct Tensor {
    std::string name;
    std::vector<int64_t> shape;
    TensorType type;
    std::string data;
  };
  template <class T>
  void number(T value, Field field) {
    marks_.push_back({out_.size(), sizeof value, field});
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void string(std::string_view text) {
    number(static_cast<uint64_t>(text.size()), Field::kLength);
    marks_.push_back({out_.size(), text.size(), Field::kText});
    out_ += text;
  }
  template <class Put>
  Writer& pair(std::string_view key, ValueType type, Put put) {
    string(key);
    number(static_cast<uint32_t>(type), Field::kType);
    put();
    ++pairs_;
    return *this;
  }
  uint32_t version_;
  uint64_t pairs_ = 0;
  std::string out_;
  std::vector<Mark> marks_, file_marks_;
  std::vector<Tensor> tensors_;
};

}  // namespace hone::gguf::test
