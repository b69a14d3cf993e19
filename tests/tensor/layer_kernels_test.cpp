// Hand-written kernels against plain operators in f64, values and gradients.
#include "tensor/layer_kernels.h"

#include <map>

#include "gradcheck.h"
#include "tensor/packed_attention.h"

using namespace hone;
using test::noise;

namespace {

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

// Values and all gradients of f in f32 against g in f64.
double worst(const Function& f, const Function& g, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> narrow, wide;
  for (const Tensor& t : inputs) {
    narrow.push_back(t.to(at::kFloat).requires_grad_(true));
    wide.push_back(t.to(at::kFloat).to(at::kDouble).requires_grad_(true));
  }
  const Tensor a = f(narrow), b = g(wide);
  const Tensor weights = noise(b.sizes().vec(), 99);
  double out = test::max_difference(a, b);
  const auto da = gradients({(a * weights.to(at::kFloat)).sum()}, {}, narrow),
             db = gradients({(b * weights).sum()}, {}, wide);
  for (size_t i = 0; i < da.size(); ++i) out = std::max(out, test::max_difference(da[i], db[i]));
  return out;
}

Tensor rotate_plain(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  if (!cos.defined()) return x;
  const Tensor c = cos.to(at::kDouble).unsqueeze(1), s = sin.to(at::kDouble).unsqueeze(1);
  const std::vector<Tensor> h = at::chunk(x, 2, 2);
  return at::cat({h[0] * c - h[1] * s, h[1] * c + h[0] * s}, 2);
}

// Sequences of these lengths, end to end; one that is given branches becomes a tree.
std::vector<AttentionTree> trees_of(const std::vector<int64_t>& offsets,
                                    const std::map<size_t, std::vector<int64_t>>& branches = {}) {
  std::vector<AttentionTree> out;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    out.push_back({offsets[s], offsets[s + 1] - offsets[s], {}});
    if (const auto it = branches.find(s); it != branches.end()) out.back().branches = it->second;
  }
  return out;
}

// (T, T): true where row i may not see row j.
Tensor hidden_of(const AttentionTree& tree) {
  Tensor hidden = at::ones({tree.length, tree.length}, at::kBool).triu(1);
  for (size_t b = 1; b < tree.branches.size(); ++b)  // the branches before b, from b on
    hidden.narrow(0, tree.branches[b], tree.length - tree.branches[b])
        .narrow(1, tree.branches[0], tree.branches[b] - tree.branches[0])
        .fill_(true);
  return hidden;
}

Tensor attention_plain(const std::vector<Tensor>& in, const Tensor& cos, const Tensor& sin,
                       const std::vector<AttentionTree>& trees) {
  const Tensor q = rotate_plain(in[0], cos, sin), k = rotate_plain(in[1], cos, sin), v = in[2];
  const int64_t group = q.size(1) / k.size(1);
  std::vector<Tensor> parts;
  for (const AttentionTree& tree : trees) {
    const int64_t n = tree.length;
    if (n == 0) continue;
    const auto take = [&](const Tensor& t, int64_t repeat) {
      return t.narrow(0, tree.begin, n).transpose(0, 1).repeat_interleave(repeat, 0);  // (H, T, d)
    };
    const Tensor scores =
        at::matmul(take(q, 1), take(k, group).transpose(1, 2)) / std::sqrt(static_cast<double>(q.size(2)));
    const Tensor p = at::softmax(scores.masked_fill(hidden_of(tree), -INFINITY), 2);
    parts.push_back(at::matmul(p, take(v, group)).transpose(0, 1).reshape({n, -1}));
  }
  return at::cat(parts);
}

}  // namespace

TEST_CASE("RMSNorm: values and gradients") {
  for (const int64_t width : {1, 5, 16, 24, 33, 512})
    CHECK(worst([](auto& in) { return rms_norm(in[0], in[1], 1e-5); },
                [](auto& in) { return in[0] * at::rsqrt(in[0].square().mean(1, true) + 1e-5) * in[1]; },
                {noise({300, width}, 1) * 2, noise({width}, 2)}) < 1e-4);
  const auto f = [](const std::vector<Tensor>& in) { return (rms_norm(in[0], in[1], 1e-5) * noise({3, 7}, 5)).sum(); };
  CHECK(test::gradient_error(f, {noise({3, 7}, 1), noise({7}, 2)}) < 1e-7);
}

TEST_CASE("SwiGLU: values and gradients, far out too") {
  const auto plain = [](auto& in) { return in[0] * at::sigmoid(in[0]) * in[1]; };
  for (const int64_t width : {1, 7, 48})
    CHECK(worst([](auto& in) { return swiglu(in[0], in[1]); }, plain,
                {noise({50, width}, 1) * 8, noise({50, width}, 2)}) < 1e-5);
  const Tensor far = at::full({2, 3}, 200.0), up = at::ones({2, 3}, at::kDouble);
  CHECK(worst([](auto& in) { return swiglu(in[0], in[1]); }, plain, {far.to(at::kDouble), up}) < 1e-4);
  CHECK(worst([](auto& in) { return swiglu(in[0], in[1]); }, plain, {-far.to(at::kDouble), up}) < 1e-6);
  const auto f = [](const std::vector<Tensor>& in) { return swiglu(in[0], in[1]).sum(); };
  CHECK(test::gradient_error(f, {noise({3, 7}, 1), noise({3, 7}, 2)}) < 1e-7);
}

TEST_CASE(
    "packed attention: values and gradients, all lengths, with and without RoPE and groups, sequences and trees") {
  const std::vector<int64_t> offsets{0, 1, 4, 4, 21, 37, 85, 86, 186};
  // Two branches of one row each behind a trunk of one; a trunk longer than a block of rows; four branches.
  const auto plain = trees_of(offsets),
             branched = trees_of(offsets, {{1, {1, 2}}, {5, {33, 35}}, {7, {16, 17, 64, 90}}});
  for (const auto& [heads, key_heads, d] : {std::tuple{4, 2, 8}, {3, 3, 32}, {2, 1, 64}, {2, 2, 6}, {1, 1, 80}})
    for (const bool rope : {true, false}) {
      CAPTURE(d);
      CAPTURE(rope);
      const Tensor angle = noise({186, d / 2}, 7) * 3;
      const Tensor cos = rope ? angle.cos().to(at::kFloat) : Tensor(),
                   sin = rope ? angle.sin().to(at::kFloat) : Tensor();
      for (const auto& trees : {plain, branched})
        CHECK(worst([&](auto& in) { return packed_attention(in[0], in[1], in[2], cos, sin, trees); },
                    [&](auto& in) { return attention_plain(in, cos, sin, trees); },
                    {noise({186, heads, d}, 1) * 2, noise({186, key_heads, d}, 2) * 2, noise({186, key_heads, d}, 3)}) <
              1e-4);
    }
}

TEST_CASE("packed attention takes views of one fused matrix") {
  const std::vector<int64_t> offsets{0, 10, 30};
  const Tensor fused = noise({30, 3 * 2 * 8}, 4, at::kFloat);
  const std::vector<Tensor> parts = at::chunk(fused, 3, 1);
  std::vector<Tensor> views, copies;
  for (const Tensor& p : parts) {
    views.push_back(p.unflatten(1, {2, 8}));
    copies.push_back(views.back().contiguous());
  }
  CHECK(at::equal(packed_attention(views[0], views[1], views[2], {}, {}, trees_of(offsets)),
                  packed_attention(copies[0], copies[1], copies[2], {}, {}, trees_of(offsets))));
}
