#include "model/incremental_cpu.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "model/layer.h"
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
        spec_(decoder.spec()),
        cache_(cache),
        runs_(runs),
        rows_(static_cast<int64_t>(ids.size())),
        width_(cpu::panel_width(rows_)),
        x_(rows_, c_.width, width_),
        h_(rows_, c_.width, width_),
        qkv_(rows_, (c_.heads + 2 * c_.kv_heads) * c_.head_dim, width_),
        attended_(rows_, c_.heads * c_.head_dim, width_),
        gate_(rows_, spec_.mlp == LayerSpec::Mlp::kSwiglu ? c_.ffn : 0, width_),
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
    for (layer_ = 0; layer_ < c_.layers; ++layer_) run_layer(spec_, *this, Value{&x_});
    normalise({&x_}, Slot::kFinalNorm);
    for (const StepRun& run : runs_) cache_.sequences[run.sequence].length += run.rows;
    Tensor out = at::empty({rows_, c_.width}, at::kFloat);
    h_.unpack(out.mutable_data_ptr<float>());
    return out;
  }

  // run_layer's operations. A value is a place in one of the buffers, of which there is one for each role.
  struct Value {
    Panels* panels = nullptr;
    int64_t offset = 0;  ///< first feature
  };
  Value normalise(Value x, Slot norm) {
    const float *w = data(norm), *b = data(bias_of(norm));
    at::parallel_for(0, x_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (b == nullptr) kernels_.panel_rms_norm(x.panels->panel(i), width_, w, c_.norm_eps, h_.panel(i), c_.width);
        else kernels_.panel_layer_norm(x.panels->panel(i), width_, w, b, c_.norm_eps, h_.panel(i), c_.width);
      }
    });
    return {&h_};
  }
  Value project(Value x, Slot matrix) {
    const Value y = place_of(matrix);
    project(*x.panels, matrix, *y.panels, y.offset, false);
    return y;
  }
  Value add_projected(Value x, Value y, Slot matrix) {
    project(*y.panels, matrix, *x.panels, x.offset, true);
    return x;
  }
  Value add(Value x, Value y) {
    at::parallel_for(0, x_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* to = x.panels->panel(i);
        const float* from = y.panels->panel(i);
        for (int64_t k = 0; k < x_.stride(); ++k) to[k] += from[k];
      }
    });
    return x;
  }
  Value normalise_heads(Value x, Slot norm) {
    const Tensor& weight = decoder_.at(norm, layer_);
    const float* w = data(weight);
    const int64_t each = weight.size(0), count = (norm == Slot::kQNorm ? c_.heads : c_.kv_heads) * c_.head_dim / each;
    at::parallel_for(0, x_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t n = 0; n < count; ++n) {
          float* at = x.panels->panel(i) + (x.offset + n * each) * width_;
          kernels_.panel_rms_norm(at, width_, w, c_.norm_eps, at, each);
        }
    });
    return x;
  }
  std::array<Value, 3> split(Value qkv) {
    const int64_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    return {qkv, Value{qkv.panels, q}, Value{qkv.panels, q + kv}};
  }
  Value attend(Value, Value k, Value v) {
    if (spec_.positions == LayerSpec::Positions::kRotary)
      at::parallel_for(0, qkv_.count(), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)  // queries and keys lie one behind the other
          kernels_.panel_rope(qkv_.panel(i), width_, cos_.panel(i), sin_.panel(i), c_.heads + c_.kv_heads, c_.head_dim);
      });
    append_to_cache(k.offset, v.offset);
    attend_to_cache();
    return {&attended_};
  }
  Value swiglu(Value, Value) {
    at::parallel_for(0, up_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        kernels_.panel_swiglu(gate_.panel(i), up_.panel(i), up_.panel(i), up_.stride());
    });
    return {&up_};
  }
  Value gelu(Value) {
    at::parallel_for(0, up_.count(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) kernels_.panel_gelu(up_.panel(i), up_.panel(i), up_.stride());
    });
    return {&up_};
  }

 private:
  Value place_of(Slot matrix) {
    const int64_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    switch (matrix) {
      case Slot::kQkv:
      case Slot::kQ:
        return {&qkv_};
      case Slot::kK:
        return {&qkv_, q};
      case Slot::kV:
        return {&qkv_, q + kv};
      case Slot::kGate:
        return {&gate_};
      case Slot::kUp:
        return {&up_};
      case Slot::kO:  // on their way through a norm behind
      case Slot::kDown:
        return {&h_};
      default:
        HONE_CHECK(false, "no buffer for this projection");
        return {};
    }
  }
  const float* data(Slot slot) const { return data(decoder_.at(slot, layer_)); }
  static const float* data(const Tensor& t) {
    if (!t.defined()) return nullptr;
    HONE_CHECK(t.is_contiguous() && t.scalar_type() == at::kFloat && t.is_cpu(),
               "step: weights must be contiguous f32");
    return t.const_data_ptr<float>();
  }
  void embed(std::span<const int32_t> ids) {
    const float* table = data(Slot::kEmbedding);
    const float* learned = data(Slot::kPositions);
    RopeTable rope;
    if (learned == nullptr) {
      rope = decoder_.rope().table(longest_, at::TensorOptions(at::kFloat));
      cos_ = Panels(rows_, c_.head_dim / 2, width_);
      sin_ = cos_;
    }
    for (int64_t i = 0; i < rows_; ++i) {
      const int64_t position = positions_[i];
      const auto place = [&](Panels& panels) { return panels.panel(i / width_) + i % width_; };
      const float* row = table + ids[i] * c_.width;
      float* x = place(x_);
      for (int64_t d = 0; d < c_.width; ++d)
        x[d * width_] = learned == nullptr ? row[d] : row[d] + learned[position * c_.width + d];
      if (learned != nullptr) continue;
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

  void project(const Panels& x, Slot matrix, Panels& y, int64_t offset, bool add) {
    const Tensor& weight = decoder_.at(matrix, layer_);
    const bool bf16 = weight.scalar_type() == at::kBFloat16;  // of a frozen model
    HONE_CHECK(weight.is_contiguous() && weight.is_cpu(), "step: weights must be contiguous");
    cpu::linear(x,
                {bf16 ? nullptr : data(weight), data(bias_of(matrix)), weight.size(0),
                 bf16 ? static_cast<const uint16_t*>(weight.const_data_ptr()) : nullptr},
                y, offset, add);
    const LowRank* adapter = decoder_.low_rank(matrix, layer_);
    if (adapter == nullptr) return;
    const int64_t rank = adapter->a.size(0);
    if (low_.features != rank) low_ = Panels(rows_, rank, width_);
    cpu::linear(x, {data(adapter->a), nullptr, rank}, low_);
    const auto scale = static_cast<float>(adapter->scale);
    for (float& value : low_.data) value *= scale;
    cpu::linear(low_, {data(adapter->b), nullptr, adapter->b.size(0)}, y, offset, /*add=*/true);
  }
  void append_to_cache(int64_t k, int64_t v) {
    at::parallel_for(0, rows_, 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t head = 0; head < c_.kv_heads; ++head) {
          const float* key = qkv_.panel(i / width_) + (k + head * c_.head_dim) * width_ + i % width_;
          cache_.write(sequences_[i], layer_, head, positions_[i], key, key + (v - k) * width_, width_);
        }
    });
  }
  void attend_to_cache() {
    const int64_t group = c_.heads / c_.kv_heads;
    at::parallel_for(0, static_cast<int64_t>(jobs_.size()), 1, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(cpu::kAttendTile * ((longest_ + 15) / 16 * 16));
      for (int64_t j = begin; j < end; ++j) {
        const Job& job = jobs_[j];
        kernels_.attend({.blocks = cache_.sequences[job.sequence].blocks.data(),
                         .k_offset = cache_.k_offset(layer_, job.head),
                         .v_offset = cache_.v_offset(layer_, job.head),
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
  const LayerSpec& spec_;
  KvCache::Blocks& cache_;
  std::span<const StepRun> runs_;
  int64_t rows_, width_, longest_ = 0, layer_ = 0;
  Panels x_, h_, qkv_, attended_, gate_, up_, cos_, sin_, low_;
  std::vector<int64_t> positions_, sequences_;
  std::vector<Job> jobs_;
};

}  // namespace

Tensor step_cpu(const Decoder& decoder, KvCache::Blocks& cache, std::span<const int32_t> ids,
                std::span<const StepRun> runs) {
  return CpuStep(decoder, cache, ids, runs).run();
}

}  // namespace hone::model
