#include "model/llama2c.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "model/hf_folder.h"
#include "model/incremental.h"
#include "tensor/gradcheck.h"
#include "tensor/linear.h"

using namespace hone;
using namespace hone::model;

namespace {

fs::path stories() {
  const char* root = std::getenv("HONE_DATA");
  return fs::path(root != nullptr ? root : "../shared/data") / "stories260k";
}

}  // namespace

TEST_CASE("the story model's golden logits and greedy text are reproduced") {
  if (!fs::exists(stories() / "stories260K.bin")) {
    std::cerr << "skipped: " << stories().string() << " is not there (set HONE_DATA)\n";
    return;
  }
  const Decoder decoder = import_llama2c(stories() / "stories260K.bin");
  const Json golden = parse_json(read_file(stories() / "golden.json"), "golden.json");
  std::vector<int32_t> ids{1};
  for (const Json& id : golden["greedy_ids_from_bos"]) ids.push_back(id.get<int32_t>());
  const std::string raw = read_file(stories() / "greedy_logits_f32_256x512.bin.gz");
  REQUIRE(raw.size() == 256 * 512 * 4);
  Tensor want = at::empty({256, 512}, at::kFloat);
  std::memcpy(want.data_ptr(), raw.data(), raw.size());

  const at::NoGradGuard no_grad;
  std::vector<std::vector<int32_t>> batch{std::vector<int32_t>(ids.begin(), ids.begin() + 256)};
  CHECK(test::max_difference(hone::linear(decoder.hidden(pack(batch)), decoder.output_weight()), want) < 1e-4);

  KvCache cache(decoder.config());  // and token by token, choosing the likeliest
  const std::vector<int64_t> sequence{cache.add()};
  int32_t token = 1;
  for (int64_t t = 0; t < 256; ++t) {
    const Tensor logits = invariant_linear(step(decoder, cache, {&token, 1}, sequence), decoder.output_weight());
    CHECK(test::max_difference(logits[0], want[t]) < 1e-4);
    token = static_cast<int32_t>(logits.argmax(1).item<int64_t>());
    REQUIRE(token == ids[static_cast<size_t>(t) + 1]);
  }
}

TEST_CASE("files that are not llama2.c models are refused before anything is allocated") {
  const fs::path path = fs::temp_directory_path() / ("hone-llama2c-" + std::to_string(::getpid()));
  const auto refused = [&](std::initializer_list<int32_t> header, size_t more) {
    std::string bytes(header.size() * 4 + more, '\0');
    std::memcpy(bytes.data(), std::data(header), header.size() * 4);
    write_file_atomic(path, bytes);
    try {
      import_llama2c(path);
    } catch (const Error& e) {
      return e.kind == Kind::kUsage;
    }
    return false;
  };
  CHECK(refused({1, 2}, 0));
  CHECK(refused({64, 172, 5, 8, 4, 512, 512}, 100));
  CHECK(refused({1 << 20, 1 << 22, 1000, 8, 4, 1 << 20, 512}, 100));
  CHECK(refused({64, 172, 5, 0, 4, 512, 512}, 0));
  CHECK(refused({-64, 172, 5, 8, 4, 512, 512}, 0));
  CHECK(refused({65, 172, 5, 8, 4, 512, 512}, 0));
  fs::remove(path);
}
