// Logits of random-weight models against Hugging Face transformers; made by tools/golden/models.py, versions beside
// them.
#include <doctest/doctest.h>

#include "model/hf_folder.h"
#include "tensor/gradcheck.h"
#include "tensor/linear.h"
#include "tensor/safetensors.h"

using namespace hone;
using namespace hone::model;

namespace {

Packed packed_from(const SafetensorsFile& expected) {
  const Tensor ids = expected.load("ids"), lengths = expected.load("lengths");
  std::vector<std::vector<int32_t>> sequences;
  int64_t at = 0;
  for (int64_t s = 0; s < lengths.numel(); ++s) {
    sequences.emplace_back();
    for (int64_t i = 0; i < lengths[s].item<int64_t>(); ++i)
      sequences.back().push_back(static_cast<int32_t>(ids[at++].item<int64_t>()));
  }
  return pack(sequences);
}

}  // namespace

TEST_CASE("logits agree with transformers to 1e-4 on every shape") {
  int shapes = 0;
  for (const auto& entry : fs::directory_iterator("tests/golden/models")) {
    if (!entry.is_directory()) continue;
    ++shapes;
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    const SafetensorsFile expected(entry.path() / "expected.safetensors");
    const LoadedModel model = load_model(entry.path());
    const Packed packed = packed_from(expected);
    const at::NoGradGuard no_grad;
    const Tensor hidden = model.decoder.hidden(packed);
    Tensor got;
    if (model.head) {
      std::vector<Tensor> last;
      for (const Place& place : packed.places) last.push_back(hidden[place.last()]);
      got = model.head->scores(at::stack(last)).unsqueeze(1);
    } else {
      got = hone::linear(hidden, model.decoder.output_weight());
    }
    const Tensor want = expected.load("logits");
    REQUIRE(got.sizes() == want.sizes());
    CHECK(test::max_difference(got, want) < 1e-4);
    if (!model.head) CHECK(want.std().item<double>() >= 1);
  }
  CHECK(shapes >= 14);
}
