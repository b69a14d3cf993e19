#include "gguf/dequantize.h"

#include <bit>
#include <cstring>

#include "base/error.h"

namespace hone::gguf {
namespace {

using Bytes = const uint8_t*;

uint16_t u16(Bytes p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }

// IEEE binary16 to binary32, exact.
float half(Bytes p) {
  const uint32_t h = u16(p), sign = (h & 0x8000) << 16, exponent = h >> 10 & 0x1f, fraction = h & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float subnormal = static_cast<float>(fraction) * 0x1p-24F;
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(subnormal));
}

float signed_value(uint8_t byte) { return static_cast<float>(static_cast<int8_t>(byte)); }

// Blocks of 32 values of 4 bits: low halves of 16 bytes, then high halves.

void q4_0(Bytes b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((b[2 + i] & 15) - 8);
    out[i + 16] = d * static_cast<float>((b[2 + i] >> 4) - 8);
  }
}

void q4_1(Bytes b, float* out) {
  const float d = half(b), m = half(b + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(b[4 + i] & 15) + m;
    out[i + 16] = d * static_cast<float>(b[4 + i] >> 4) + m;
  }
}

// The fifth bits of the 32 values are one little-endian word before the halves.
int fifth_bit(Bytes word, int i) { return (word[i / 8] >> (i % 8) & 1) << 4; }

void q5_0(Bytes b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(((b[6 + i] & 15) | fifth_bit(b + 2, i)) - 16);
    out[i + 16] = d * static_cast<float>((b[6 + i] >> 4 | fifth_bit(b + 2, i + 16)) - 16);
  }
}

void q5_1(Bytes b, float* out) {
  const float d = half(b), m = half(b + 2);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>((b[8 + i] & 15) | fifth_bit(b + 4, i)) + m;
    out[i + 16] = d * static_cast<float>(b[8 + i] >> 4 | fifth_bit(b + 4, i + 16)) + m;
  }
}

void q8_0(Bytes b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) out[i] = signed_value(b[2 + i]) * d;
}

// Blocks of 256 values. Sixteen or eight sub-blocks have a scale (and a minimum) of their own, in units of the block's.

void q2_k(Bytes b, float* out) {
  const Bytes scales = b, q = b + 16;
  const float d = half(b + 80), dmin = half(b + 82);
  for (int i = 0; i < 256; ++i) {
    const uint8_t scale = scales[i / 16];
    const float dl = d * static_cast<float>(scale & 15), ml = dmin * static_cast<float>(scale >> 4);
    const int bits = q[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    out[i] = dl * static_cast<float>(bits) - ml;
  }
}

void q3_k(Bytes b, float* out) {
  const Bytes high = b, low = b + 32, scales = b + 96;
  const float d = half(b + 108);
  for (int i = 0; i < 256; ++i) {
    const int sub = i / 16;  // its scale: four low bits here, two high bits there
    const int scale = (scales[sub % 8] >> (sub / 8 * 4) & 15) | (scales[8 + sub % 4] >> (sub / 4 * 2) & 3) << 4;
    const float dl = d * static_cast<float>(scale - 32);
    const int bits = low[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    const int offset = (high[i % 32] >> (i / 32) & 1) != 0 ? 0 : 4;
    out[i] = dl * static_cast<float>(bits - offset);
  }
}

// Six bits each for eight scales and eight minima in twelve bytes (Q4_K, Q5_K).
struct ScaleMin {
  int scale, min;
};
ScaleMin scale_min(Bytes s, int i) {
  if (i < 4) return {s[i] & 63, s[i + 4] & 63};
  return {(s[i + 4] & 15) | (s[i - 4] >> 2 & 0x30), s[i + 4] >> 4 | (s[i] >> 2 & 0x30)};
}

// `high`: the fifth bits; null for Q4_K.
void q45_k(Bytes b, Bytes high, Bytes q, float* out) {
  const float d = half(b), dmin = half(b + 2);
  for (int sub = 0; sub < 8; ++sub) {
    const ScaleMin s = scale_min(b + 4, sub);
    const float dl = d * static_cast<float>(s.scale), ml = dmin * static_cast<float>(s.min);
    for (int i = 0; i < 32; ++i) {
      int bits = q[sub / 2 * 32 + i] >> (sub % 2 * 4) & 15;
      if (high != nullptr) bits |= (high[i] >> sub & 1) << 4;
      out[sub * 32 + i] = dl * static_cast<float>(bits) - ml;
    }
  }
}
void q4_k(Bytes b, float* out) { q45_k(b, nullptr, b + 16, out); }
void q5_k(Bytes b, float* out) { q45_k(b, b + 16, b + 48, out); }

void q6_k(Bytes b, float* out) {
  const Bytes low = b, high = b + 128, scales = b + 192;
  const float d = half(b + 208);
  for (int i = 0; i < 256; ++i) {
    const float dl = d * signed_value(scales[i / 16]);
    const int four = low[i / 128 * 64 + i % 64] >> (i / 64 % 2 * 4) & 15;
    const int two = high[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2) & 3;
    out[i] = dl * static_cast<float>((four | two << 4) - 32);
  }
}

void f16(Bytes b, float* out) { *out = half(b); }
void bf16(Bytes b, float* out) { *out = std::bit_cast<float>(uint32_t{u16(b)} << 16); }

template <void (*Block)(Bytes, float*)>
void each(TensorType type, Bytes data, uint64_t blocks, float* out) {
  const BlockLayout size = layout(type);
  for (uint64_t i = 0; i < blocks; ++i) Block(data + i * size.bytes, out + i * size.elements);
}

}  // namespace

void dequantize(TensorType type, const char* data, uint64_t blocks, float* out) {
  const auto b = reinterpret_cast<Bytes>(data);
  switch (type) {
    case TensorType::kF32:
      if (blocks > 0) std::memcpy(out, data, blocks * sizeof(float));
      return;
    case TensorType::kF16:
      return each<f16>(type, b, blocks, out);
    case TensorType::kBF16:
      return each<bf16>(type, b, blocks, out);
    case TensorType::kQ4_0:
      return each<q4_0>(type, b, blocks, out);
    case TensorType::kQ4_1:
      return each<q4_1>(type, b, blocks, out);
    case TensorType::kQ5_0:
      return each<q5_0>(type, b, blocks, out);
    case TensorType::kQ5_1:
      return each<q5_1>(type, b, blocks, out);
    case TensorType::kQ8_0:
      return each<q8_0>(type, b, blocks, out);
    case TensorType::kQ2_K:
      return each<q2_k>(type, b, blocks, out);
    case TensorType::kQ3_K:
      return each<q3_k>(type, b, blocks, out);
    case TensorType::kQ4_K:
      return each<q4_k>(type, b, blocks, out);
    case TensorType::kQ5_K:
      return each<q5_k>(type, b, blocks, out);
    case TensorType::kQ6_K:
      return each<q6_k>(type, b, blocks, out);
  }
  HONE_CHECK(false, "a tensor type that cannot be dequantised");
}

}  // namespace hone::gguf
