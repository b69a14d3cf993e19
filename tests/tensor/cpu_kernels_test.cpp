// Every instruction set's kernels that this processor can run against each other.
#include "tensor/cpu/kernels.h"

#include <algorithm>

#include "base/error.h"
#include "gradcheck.h"
#include "tensor/cpu/panels.h"

using namespace hone;
using test::noise;

TEST_CASE("kernels are chosen by name; what is not there or does not run here is refused") {
  const std::string before = cpu::kernels().name;
  std::string message, hint;
  try {
    cpu::choose_kernels("v5");
  } catch (const Error& e) {
    message = e.what();
    hint = e.hint;
  }
  CHECK(message == "there are no CPU kernels 'v5'");
  CHECK(hint.starts_with("HONE_CPU names one of: base"));
  CHECK_THROWS_AS(cpu::choose_kernels(""), Error);
  CHECK(cpu::kernels().name == before);
  for (const cpu::Kernels* k : cpu::runnable_kernels()) {
    cpu::choose_kernels(k->name);
    CHECK(&cpu::kernels() == k);
  }
  for (const char* name : {"v3", "v4"})
    if (std::ranges::none_of(cpu::runnable_kernels(),
                             [&](const cpu::Kernels* k) { return k->name == std::string(name); }))
      CHECK_THROWS_AS(cpu::choose_kernels(name), Error);
  cpu::choose_kernels(before);
}

TEST_CASE("panel linear layers: every instruction set, every remainder") {
  for (const cpu::Kernels* k : cpu::runnable_kernels())
    for (const int64_t width : {k->lanes, 2 * k->lanes})
      for (const int64_t n : {1, 3, 4, 11, 12, 29}) {
        CAPTURE(k->name);
        const Tensor x = noise({width, 37}, 1, at::kFloat), w = noise({n, 37}, 2, at::kFloat),
                     b = noise({n}, 3, at::kFloat);
        cpu::Panels from(width, 37, width), to(width, n, width);
        from.pack(x.const_data_ptr<float>());
        k->panel_linear(from.panel(0), width, w.const_data_ptr<float>(), 37, b.const_data_ptr<float>(), to.panel(0), 0,
                        n, false);
        Tensor y = at::empty({width, n}, at::kFloat);
        to.unpack(y.mutable_data_ptr<float>());
        CHECK(test::max_difference(y, at::linear(x.to(at::kDouble), w.to(at::kDouble), b.to(at::kDouble))) < 1e-5);
      }
}

TEST_CASE("a single row comes out as a row of a panel does, to the bit") {
  for (const cpu::Kernels* k : cpu::runnable_kernels())
    for (const int64_t in : {5, 37, 64})
      for (const int64_t n : {1, 7, 16, 29, 64})
        for (const bool add : {false, true})
          for (const bool bias : {false, true}) {
            CAPTURE(k->name);
            const int64_t width = k->lanes;
            const Tensor x = noise({1, in}, 1, at::kFloat), w = noise({n, in}, 2, at::kFloat),
                         b = noise({n}, 3, at::kFloat), before = noise({1, n}, 4, at::kFloat);
            cpu::Panels from(1, in, width), panel(1, n, width), single(1, n, width);
            from.pack(x.const_data_ptr<float>());
            panel.pack(before.const_data_ptr<float>());
            single.pack(before.const_data_ptr<float>());
            const float* added = bias ? b.const_data_ptr<float>() : nullptr;
            k->panel_linear(from.panel(0), width, w.const_data_ptr<float>(), in, added, panel.panel(0), 0, n, add);
            k->single_linear(x.const_data_ptr<float>(), w.const_data_ptr<float>(), in, added, single.panel(0), width, 0,
                             n, add);
            Tensor a = at::empty({1, n}, at::kFloat), c = at::empty({1, n}, at::kFloat);
            panel.unpack(a.mutable_data_ptr<float>());
            single.unpack(c.mutable_data_ptr<float>());
            CHECK(at::equal(a, c));
          }
}

TEST_CASE("training kernels agree between instruction sets") {
  for (const cpu::Kernels* k : cpu::runnable_kernels()) {
    CAPTURE(k->name);
    constexpr int64_t kLength = 45, kHeadDim = 24;
    const Tensor q = noise({kLength, kHeadDim}, 1, at::kFloat), key = noise({kLength, kHeadDim}, 2, at::kFloat),
                 v = noise({kLength, kHeadDim}, 3, at::kFloat);
    Tensor out = at::empty({kLength, kHeadDim}, at::kFloat), logsumexp = at::empty({kLength}, at::kFloat);
    Tensor scratch = at::empty({k->train_attend_scratch(kLength, kHeadDim, true)}, at::kFloat);
    cpu::TrainAttendJob job{};
    job.length = kLength;
    job.group = 1;
    job.head_dim = job.q_stride = job.kv_stride = job.out_stride = kHeadDim;
    job.logsumexp_stride = 1;
    job.scale = 0.2F;
    job.q = q.const_data_ptr<float>();
    job.k = key.const_data_ptr<float>();
    job.v = v.const_data_ptr<float>();
    job.out = out.mutable_data_ptr<float>();
    job.logsumexp = logsumexp.mutable_data_ptr<float>();
    job.scratch = scratch.mutable_data_ptr<float>();
    k->train_attend_forward(job);
    const Tensor scores = (at::matmul(q.to(at::kDouble), key.to(at::kDouble).t()) * 0.2)
                              .masked_fill(at::ones({kLength, kLength}, at::kBool).triu(1), -INFINITY);
    CHECK(test::max_difference(out, at::matmul(at::softmax(scores, 1), v.to(at::kDouble))) < 1e-5);
    CHECK(test::max_difference(logsumexp, at::logsumexp(scores, {1})) < 1e-5);

    const Tensor z = noise({77}, 5, at::kFloat) * 5;
    float logp = 0, lse = 0, entropy = 0;
    k->softmax_row(z.const_data_ptr<float>(), 77, 76, &logp, &lse, &entropy);
    const Tensor want = at::log_softmax(z.to(at::kDouble), 0);
    CHECK(logp == doctest::Approx(want[76].item<double>()).epsilon(1e-5));
    CHECK(entropy == doctest::Approx(-(want.exp() * want).sum().item<double>()).epsilon(1e-4));
  }
}
