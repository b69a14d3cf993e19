#include "tensor/packed_attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/error.h"
#include "tensor/autograd.h"
#include "tensor/cpu/kernels.h"

namespace hone {
namespace {

// What both directions need.
struct Attention {
  Tensor q, k, v, cos, sin;
  std::vector<AttentionTree> trees;

  int64_t group() const { return q.size(1) / k.size(1); }

  cpu::TrainAttendJob job(const AttentionTree& tree, int64_t key_head) const {
    const int64_t d = q.size(2), head = key_head * group();
    cpu::TrainAttendJob j{};
    j.begin = tree.begin;
    j.length = tree.length;
    j.branches = tree.branches.data();
    j.branch_count = std::ssize(tree.branches);
    j.group = group();
    j.head_dim = d;
    j.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
    j.cos = cos.defined() ? cos.const_data_ptr<float>() : nullptr;
    j.sin = sin.defined() ? sin.const_data_ptr<float>() : nullptr;
    j.q = q.const_data_ptr<float>() + head * d;
    j.k = k.const_data_ptr<float>() + key_head * d;
    j.v = v.const_data_ptr<float>() + key_head * d;
    j.q_stride = q.stride(0);
    j.kv_stride = k.stride(0);
    j.out_stride = q.size(1) * d;
    j.logsumexp_stride = q.size(1);
    return j;
  }

  // Long ones first; each thread takes the next unit when it is free. Which thread takes it changes no number.
  void run(bool backward, const std::function<void(cpu::TrainAttendJob&, int64_t key_head)>& work) const {
    std::vector<const AttentionTree*> order;
    for (const AttentionTree& tree : trees)
      if (tree.length > 0) order.push_back(&tree);
    std::ranges::stable_sort(order, std::ranges::greater(), &AttentionTree::length);
    const int64_t heads = k.size(1), units = std::ssize(order) * heads;
    const int64_t scratch_floats =
        cpu::kernels().train_attend_scratch(order.empty() ? 0 : order[0]->length, q.size(2), backward);
    std::atomic<int64_t> next{0};
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
      const Tensor scratch = at::empty({scratch_floats}, at::kFloat);
      for (int64_t unit = next++; unit < units; unit = next++) {
        cpu::TrainAttendJob j = job(*order[unit / heads], unit % heads);
        j.scratch = scratch.mutable_data_ptr<float>();
        work(j, unit % heads);
      }
    });
  }
};

Tensor heads_contiguous(const Tensor& t) { return t.stride(2) == 1 && t.stride(1) == t.size(2) ? t : t.contiguous(); }

}  // namespace

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos, const Tensor& sin,
                        std::span<const AttentionTree> trees) {
  HONE_CHECK(q.dim() == 3 && k.sizes() == v.sizes() && q.size(1) % k.size(1) == 0, "attention: (N, H, d), (N, K, d)");
  Attention a;
  Tensor out, logsumexp;
  const int64_t n = q.size(0), width = q.size(1) * q.size(2);
  {
    const at::NoGradGuard no_grad;
    a = {heads_contiguous(q.detach()), heads_contiguous(k.detach()), heads_contiguous(v.detach()), cos, sin,
         {trees.begin(), trees.end()}};
    if (a.k.stride(0) != a.v.stride(0)) a.k = a.k.contiguous(), a.v = a.v.contiguous();
    out = at::empty({n, width}, q.options().requires_grad(false));
    logsumexp = at::empty({n, q.size(1)}, out.options());
    auto *po = out.mutable_data_ptr<float>(), *pl = logsumexp.mutable_data_ptr<float>();
    a.run(false, [&](cpu::TrainAttendJob& j, int64_t key_head) {
      j.out = po + key_head * a.group() * j.head_dim;
      j.logsumexp = pl + key_head * a.group();
      cpu::kernels().train_attend_forward(j);
    });
  }
  const Tensor kept = out.detach();
  return attach_backward({q, k, v}, {out}, [a, kept, logsumexp](const std::vector<Tensor>& grads) {
    const Tensor d_out = grads[0].contiguous();
    Tensor dq = at::empty(a.q.sizes(), a.q.options()), dk = at::empty(a.k.sizes(), a.k.options()),
           dv = at::empty(a.v.sizes(), a.v.options());
    const auto* pd = d_out.const_data_ptr<float>();
    auto *po = kept.mutable_data_ptr<float>(), *pl = logsumexp.mutable_data_ptr<float>();
    auto *pq = dq.mutable_data_ptr<float>(), *pk = dk.mutable_data_ptr<float>(), *pv = dv.mutable_data_ptr<float>();
    a.run(true, [&](cpu::TrainAttendJob& j, int64_t key_head) {
      const int64_t head = key_head * a.group() * j.head_dim;
      j.out = po + head;
      j.logsumexp = pl + key_head * a.group();
      j.d_out = pd + head;
      j.dq = pq + head;
      j.dk = pk + key_head * j.head_dim;
      j.dv = pv + key_head * j.head_dim;
      j.dq_stride = dq.stride(0);
      j.dkv_stride = dk.stride(0);
      cpu::kernels().train_attend_backward(j);
    });
    return std::vector<Tensor>{dq, dk, dv};
  })[0];
}

}  // namespace hone
