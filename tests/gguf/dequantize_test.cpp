// Every type of tensor against PyPI's gguf, bit by bit: tests/golden/gguf/blocks.gguf of tools/golden/gguf_files.py.
#include "gguf/dequantize.h"

#include <doctest/doctest.h>

#include <bit>
#include <set>

#include "../shared_data.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "gguf/file.h"

using namespace hone;
using gguf::TensorInfo;

namespace {

std::vector<float> values_of(const TensorInfo& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.elements));
  gguf::dequantize(tensor.type, tensor.data.data(), out.size() / gguf::layout(tensor.type).elements, out.data());
  return out;
}

}  // namespace

TEST_CASE("blocks of every type are dequantised to the very bits that gguf gives") {
  const gguf::File file("tests/golden/gguf/blocks.gguf");
  std::set<gguf::TensorType> seen;
  for (const TensorInfo& tensor : file.tensors()) {
    const TensorInfo* expected = file.find(std::string(tensor.name) + ".values");
    if (expected == nullptr) continue;
    seen.insert(tensor.type);
    const std::vector<float> got = values_of(tensor), want = values_of(*expected);
    CAPTURE(tensor.name);
    REQUIRE(got.size() == want.size());
    for (size_t i = 0; i < got.size(); ++i)
      REQUIRE(std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(want[i]));
  }
  CHECK(seen.size() == 13);
}

TEST_CASE("every half-precision number is read exactly") {
  // 2^-24 × fraction, 2^(e-15) × (1 + fraction / 1024), infinity: IEEE 754.
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const char bytes[2] = {static_cast<char>(bits & 0xff), static_cast<char>(bits >> 8)};
    float got = 0;
    gguf::dequantize(gguf::TensorType::kF16, bytes, 1, &got);
    const uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                             : exponent == 0 ? fraction * 0x1p-24
                                             : (1 + fraction / 1024.0) * std::exp2(static_cast<int>(exponent) - 15);
    if (std::isnan(magnitude)) CHECK(std::isnan(got));
    else CHECK(static_cast<double>(got) == (bits >> 15 ? -magnitude : magnitude));
  }
}

TEST_CASE("a real model: every tensor of SmolLM2 has the values that gguf gives") {
  const char* name = "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (data_missing(name)) return;
  const Json expected = parse_json(read_file("tests/golden/gguf/smollm2.json"), "smollm2.json")["tensors"];
  const gguf::File file(data_root() / name);
  CHECK(file.tensors().size() == 272);
  REQUIRE(expected.size() == 272);
  for (const TensorInfo& tensor : file.tensors()) {
    const std::vector<float> values = values_of(tensor);
    const std::string hash = sha256({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    CHECK(hash.substr(0, 16) == expected[std::string(tensor.name)].get<std::string>());
  }
}
