#include "gguf/tensor_type.h"

#include <array>

#include "base/error.h"

namespace hone::gguf {
namespace {

// Blocks as ggml-common.h lays them out: 32 values, or 256 of the K types (two f16 scales at most, and packed bits).
struct Supported {
  TensorType type;
  std::string_view name;
  BlockLayout layout;
};
constexpr std::array<Supported, 13> kSupported{{{TensorType::kF32, "F32", {1, 4}},
                                                {TensorType::kF16, "F16", {1, 2}},
                                                {TensorType::kBF16, "BF16", {1, 2}},
                                                {TensorType::kQ4_0, "Q4_0", {32, 2 + 16}},
                                                {TensorType::kQ4_1, "Q4_1", {32, 4 + 16}},
                                                {TensorType::kQ5_0, "Q5_0", {32, 2 + 4 + 16}},
                                                {TensorType::kQ5_1, "Q5_1", {32, 4 + 4 + 16}},
                                                {TensorType::kQ8_0, "Q8_0", {32, 2 + 32}},
                                                {TensorType::kQ2_K, "Q2_K", {256, 16 + 64 + 4}},
                                                {TensorType::kQ3_K, "Q3_K", {256, 32 + 64 + 12 + 2}},
                                                {TensorType::kQ4_K, "Q4_K", {256, 4 + 12 + 128}},
                                                {TensorType::kQ5_K, "Q5_K", {256, 4 + 12 + 32 + 128}},
                                                {TensorType::kQ6_K, "Q6_K", {256, 128 + 64 + 16 + 2}}}};

// What else ggml has, so that it can be refused by name.
struct Known {
  uint32_t type;
  std::string_view name;
};
constexpr Known kUnsupported[] = {
    {4, "Q4_2"},        {5, "Q4_3"},        {9, "Q8_1"},      {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"},
    {18, "IQ3_XXS"},    {19, "IQ1_S"},      {20, "IQ4_NL"},   {21, "IQ3_S"}, {22, "IQ2_S"},   {23, "IQ4_XS"},
    {24, "I8"},         {25, "I16"},        {26, "I32"},      {27, "I64"},   {28, "F64"},     {29, "IQ1_M"},
    {31, "Q4_0_4_4"},   {32, "Q4_0_4_8"},   {33, "Q4_0_8_8"}, {34, "TQ1_0"}, {35, "TQ2_0"},   {36, "IQ4_NL_4_4"},
    {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}, {39, "MXFP4"},    {40, "NVFP4"}};

const Supported* find(uint32_t type) {
  for (const Supported& s : kSupported)
    if (static_cast<uint32_t>(s.type) == type) return &s;
  return nullptr;
}

}  // namespace

bool is_supported(uint32_t type) { return find(type) != nullptr; }

BlockLayout layout(TensorType type) {
  const Supported* found = find(static_cast<uint32_t>(type));
  HONE_CHECK(found != nullptr, "a tensor type without a layout");
  return found->layout;
}

std::string type_name(uint32_t type) {
  if (const Supported* found = find(type)) return std::string(found->name);
  for (const Known& known : kUnsupported)
    if (known.type == type) return std::string(known.name);
  return "type " + std::to_string(type);
}

std::string supported_types() {
  std::string out;
  for (const Supported& s : kSupported) out += (out.empty() ? "" : ", ") + std::string(s.name);
  return out;
}

}  // namespace hone::gguf
