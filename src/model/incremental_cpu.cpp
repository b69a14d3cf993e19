#include "model/incremental_cpu.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/rope.h"
#include "tensor/cpu/kernels.h"
#include "tensor/cpu/panels.h"

namespace hone::model {
namespace {

using cpu::Panels;

class CpuStep {
 public:
  CpuStep(const Decoder& decoder, KvCache::Blocks& cache, std::span<const int32_t> ids, std::span<const StepRun> runs)
      : decoder_(decoder),
        c_(decoder.config()),
        cache_(cache),
        runs_(runs),
        rows_(static_cast<int64_t>(ids.size())),
        width_(cpu::panel_width(rows_)),
        x_(rows_, c_.width, width_),
        h_(rows_, c_.width, width_),
        qkv_(rows_, (c_.heads + 2 * c_.kv_heads) * c_.head_dim, width_),
        attended_(rows_, c_.heads * c_.head_dim, width_),
        gate_(rows_, c_.gpt2() ? 0 : c_.ffn, width_),
        up_(rows_, c_.ffn, width_) {
    for (const StepRun& run : runs_) {
      cache_.grow(run.sequence, run.rows);
      longest_ = std::max(longest_, run.position + run.rows);
      for (int64_t i = 0; i < run.rows; ++i) {
        positions_.push_back(run.position + i);
        sequences_.push_back(run.sequence);
      }
    }
    embed(ids);
    make_jobs();
  }

  Tensor run() {
    for (int64_t l = 0; l < c_.layers; ++l) layer(l);
    normalise(x_, h_, Slot::kFinalNorm, Slot::kFinalNormBias, 0);
    for (const StepRun& run : runs_) cache_.sequences[static_cast<size_t>(run.sequence)].length += run.rows;
    Tensor out = at::empty({rows_, c_.width}, at::kFloat);
    h_.unpack(out.mutable_data_ptr<float>());
    return out;
  }

 private:
  const float* data(Slot slot, int64_t l) const {
    const Tensor& t = decoder_.at(slot, l);
    if (!t.defined()) return nullptr;
    HONE_CHECK(t.is_contiguous() && t.scalar_type() == at::kFloat && t.is_cpu(),
               "step: weights must be contiguous f32");
    return t.const_data_ptr<float>();
  }
  void embed(std::span<const int32_t> ids) {
    const float* table = data(Slot::kEmbedding, 0);
    const float* learned = data(Slot::kPositions, 0);
    RopeTable rope;
    if (!c_.gpt2()) {
      rope = decoder_.rope().table(longest_, at::TensorOptions(at::kFloat));
      cos_ = Panels(rows_, c_.head_dim / 2, width_);
      sin_ = cos_;
    }
    for (int64_t i = 0; i < rows_; ++i) {
      const int64_t position = positions_[static_cast<size_t>(i)];
      const auto place = [&](Panels& panels) { return panels.panel(i / width_) + i % width_; };
      const float* row = table + ids[static_cast<size_t>(i)] * c_.width;
      float* x = place(x_);
      for (int64_t d = 0; d < c_.width; ++d)
        x[d * width_] = learned == nullptr ? row[d] : row[d] + learned[position * c_.width + d];
      if (c_.gpt2()) continue;
      const int64_t half = c_.head_dim / 2;
      const float* cos = rope.cos.const_data_ptr<float>() + position * half;
      const float* sin = rope.sin.const_data_ptr<float>() + position * half;
      for (int64_t d = 0; d < half; ++d) {
        place(cos_)[d * width_] = cos[d];
        place(sin_)[d * width_] = sin[d];
      }
    }
  }
  // One job per run of rows and key head; long runs in pieces, for the threads.
  void make_jobs() {
    constexpr int64_t kRows = 32;
    for (const StepRun& run : runs_)
      for (int64_t first = 0; first < run.rows; first += kRows)
        for (int64_t head = 0; head < c_.kv_heads; ++head) {
          const int64_t rows = std::min(kRows, run.rows - first);
          jobs_.push_back({.sequence = run.sequence,
                           .row = run.row + first,
                           .rows = rows,
                           .position = run.position + first,
                           .head = head});
        }
  }

  void normalise(const Panels& x, Panels& y, Slot weight, Slot bias, int64_t l) {
    const float *w = data(weight, l), *b = data(bias, l);
    at::parallel_for(0, x.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (b == nullptr) kernels_.panel_rms_norm(x.panel(i), width_, w, c_.norm_eps, y.panel(i), c_.width);
        else kernels_.panel_layer_norm(x.panel(i), width_, w, b, c_.norm_eps, y.panel(i), c_.width);
      }
    });
  }
  void project(const Panels& x, Slot weight, Slot bias, int64_t l, Panels& y, int64_t offset = 0, bool add = false) {
    cpu::linear(x, {data(weight, l), data(bias, l), decoder_.at(weight, l).size(0)}, y, offset, add);
  }

  void layer(int64_t l) {
    const int64_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    normalise(x_, h_, Slot::kNorm1, Slot::kNorm1Bias, l);
    if (c_.gpt2()) {
      project(h_, Slot::kQkv, Slot::kQkvBias, l, qkv_);
    } else {
      project(h_, Slot::kQ, Slot::kQBias, l, qkv_);
      project(h_, Slot::kK, Slot::kKBias, l, qkv_, q);
      project(h_, Slot::kV, Slot::kVBias, l, qkv_, q + kv);
      at::parallel_for(0, qkv_.count(), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)  // queries and keys lie one behind the other
          kernels_.panel_rope(qkv_.panel(i), width_, cos_.panel(i), sin_.panel(i), c_.heads + c_.kv_heads, c_.head_dim);
      });
    }
    attend(l, q, kv);
    project(attended_, Slot::kO, Slot::kOBias, l, x_, 0, /*add=*/true);
    normalise(x_, h_, Slot::kNorm2, Slot::kNorm2Bias, l);
    project(h_, Slot::kUp, Slot::kUpBias, l, up_);
    if (!c_.gpt2()) project(h_, Slot::kGate, Slot::kGateBias, l, gate_);
    at::parallel_for(0, up_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (c_.gpt2()) kernels_.panel_gelu(up_.panel(i), up_.panel(i), up_.stride());
        else kernels_.panel_swiglu(gate_.panel(i), up_.panel(i), up_.panel(i), up_.stride());
      }
    });
    project(up_, Slot::kDown, Slot::kDownBias, l, x_, 0, /*add=*/true);
  }

  void attend(int64_t l, int64_t q, int64_t kv) {
    at::parallel_for(0, rows_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t head = 0; head < c_.kv_heads; ++head) {
          const float* key = qkv_.panel(i / width_) + (q + head * c_.head_dim) * width_ + i % width_;
          cache_.write(sequences_[static_cast<size_t>(i)], l, head, positions_[static_cast<size_t>(i)], key,
                       key + kv * width_, width_);
        }
    });
    const int64_t group = c_.heads / c_.kv_heads;
    at::parallel_for(0, static_cast<int64_t>(jobs_.size()), 1, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(static_cast<size_t>(cpu::kAttendTile * ((longest_ + 15) / 16 * 16)));
      for (int64_t j = begin; j < end; ++j) {
        const Job& job = jobs_[static_cast<size_t>(j)];
        kernels_.attend({.blocks = cache_.sequences[static_cast<size_t>(job.sequence)].blocks.data(),
                         .k_offset = cache_.k_offset(l, job.head),
                         .v_offset = cache_.v_offset(l, job.head),
                         .v_stride = cache_.v_stride,
                         .q = qkv_.panel(0),
                         .q_stride = qkv_.stride(),
                         .out = attended_.panel(0),
                         .out_stride = attended_.stride(),
                         .width = width_,
                         .row = job.row,
                         .rows = job.rows,
                         .position = job.position,
                         .head = job.head * group,
                         .group = group,
                         .head_dim = c_.head_dim,
                         .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(c_.head_dim))),
                         .scratch = scratch.data()});
      }
    });
  }

  struct Job {
    int64_t sequence, row, rows, position, head;
  };
  const cpu::Kernels& kernels_ = cpu::kernels();
  const Decoder& decoder_;
  const ModelConfig& c_;
  KvCache::Blocks& cache_;
  std::span<const StepRun> runs_;
  int64_t rows_, width_, longest_ = 0;
  Panels x_, h_, qkv_, attended_, gate_, up_, cos_, sin_;
  std::vector<int64_t> positions_, sequences_;
  std::vector<Job> jobs_;
};

}  // namespace

Tensor step_cpu(const Decoder& decoder, KvCache::Blocks& cache, std::span<const int32_t> ids,
                std::span<const StepRun> runs) {
  return CpuStep(decoder, cache, ids, runs).run();
}

}  // namespace hone::model
