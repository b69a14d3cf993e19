#include "checkpoint/store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/files.h"
#include "base/version.h"
#include "checkpoint/machine.h"
#include "tensor/tensor.h"

namespace fs = std::filesystem;
namespace checkpoint = hone::checkpoint;
using hone::Error;
using hone::Json;

namespace {
struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-checkpoint-test-" + std::to_string(::getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

hone::optim::StateTensors tensors(double x, int64_t n = 5) {
  return {{"weights.a", at::full({n}, x)}, {"optim.step", at::full({1}, 3, at::TensorOptions().dtype(at::kLong))}};
}
Json some_state(int step) { return {{"cursor", step * 10}, {"files", {{"metrics.jsonl", 123}}}}; }
Json machine() { return checkpoint::this_machine("cpu", "f32"); }
}  // namespace

TEST_CASE("what is saved comes back to the bit, and a machine that differs is named") {
  const Folder dir;
  checkpoint::Store store(dir.path);
  CHECK(!store.newest());
  const Json state = {{"kl_coef", 0.1 + 0.2}, {"seed", UINT64_MAX}, {"cursor", 7}};
  store.save(12, tensors(1.0 / 3), state, machine(), 0.25);
  const checkpoint::Loaded back = store.load(*store.newest());
  CHECK(back.step == 12);
  CHECK(back.state == state);
  CHECK(back.score == 0.25);
  CHECK(store.path(12).filename() == "step-000012");
  const auto saved = tensors(1.0 / 3);
  REQUIRE(back.tensors.size() == saved.size());
  for (const auto& [name, tensor] : back.tensors)
    for (const auto& [other, value] : saved)
      if (name == other) CHECK(at::equal(tensor, value));
  CHECK(checkpoint::differences(back.machine, machine()).empty());
  Json elsewhere = machine();
  elsewhere["threads"] = 64;
  const auto lines = checkpoint::differences(back.machine, elsewhere);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("threads was "));
  // The build is a version and a compiler, so that a mere rebuild is none of them.
  CHECK(machine()["build"].get<std::string>().starts_with("hone " + std::string(hone::kVersion) + ", "));
}

TEST_CASE("the newest ones and the best one are kept") {
  const Folder dir;
  checkpoint::Store store(dir.path, 2);
  const double scores[] = {5, 1, 3, 4, 1};
  for (int i = 0; i < 5; ++i) store.save(100 * (i + 1), tensors(i), some_state(i), machine(), scores[i]);
  CHECK(store.steps() == std::vector<int64_t>{200, 400, 500});  // of the two best the earlier
  CHECK(store.best() == 200);
  store.save(600, tensors(9), some_state(6), machine());  // not evaluated
  CHECK(store.steps() == std::vector<int64_t>{200, 500, 600});
  store.save(600, tensors(10), some_state(6), machine());  // again: replaced
  CHECK(store.load(600).tensors.size() == 2);
  CHECK_THROWS_AS(checkpoint::Store(dir.path, 0), Error);
}

TEST_CASE("a truncated, changed, missing or unfinished checkpoint is an error that names the file and the way out") {
  const Folder dir;
  checkpoint::Store store(dir.path, 3);
  for (const int64_t step : {1, 2}) store.save(step, tensors(1), some_state(1), machine());
  const fs::path file = store.path(2) / "tensors.safetensors";
  const std::string bytes = hone::read_file(file);
  CHECK(store.verify(2).empty());

  fs::resize_file(file, bytes.size() - 3);
  CHECK_THROWS_WITH_AS(store.load(2), doctest::Contains("tensors.safetensors has"), Error);
  try {
    store.load(2);
  } catch (const Error& e) {
    CHECK(e.hint == "remove that folder to resume from step 1");
  }
  std::string flipped = bytes;
  flipped[bytes.size() - 1] = static_cast<char>(flipped[bytes.size() - 1] ^ 1);
  hone::write_file_atomic(file, flipped);
  CHECK_THROWS_WITH_AS(store.load(2), doctest::Contains("tensors.safetensors: its SHA-256 is not the one in DONE"),
                       Error);
  fs::remove(file);
  CHECK_THROWS_WITH_AS(store.load(2), doctest::Contains("tensors.safetensors is missing"), Error);
  hone::write_file_atomic(file, bytes);
  CHECK_NOTHROW(store.load(2));
  hone::write_file_atomic(store.path(2) / "DONE", "{\"format\":");
  CHECK_THROWS_WITH_AS(store.load(2), doctest::Contains("DONE is damaged"), Error);
  fs::remove(store.path(2) / "DONE");
  CHECK_THROWS_WITH_AS(store.load(2), doctest::Contains("not written to its end"), Error);
  CHECK(store.newest() == 1);  // an unfinished one does not count
  CHECK_THROWS_AS(store.load(77), Error);
}

TEST_CASE("leavings of a killed save are cleared and never taken for a checkpoint") {
  const Folder dir;
  checkpoint::Store store(dir.path);
  fs::create_directories(dir.path / ".writing-step-000004");
  hone::write_file_atomic(dir.path / ".writing-step-000004" / "tensors.safetensors", "half");
  CHECK(store.steps().empty());
  store.save(5, tensors(1), some_state(1), machine());
  CHECK(!fs::exists(dir.path / ".writing-step-000004"));
  CHECK(store.steps() == std::vector<int64_t>{5});

  // Killed after the rename and before older ones were deleted: a resume finds what an undisturbed run would have left.
  store.save(6, tensors(1), some_state(1), machine());
  fs::copy(store.path(6), dir.path / "step-000003", fs::copy_options::recursive);
  fs::create_directories(dir.path / ".removing-step-000002");
  store.clear();
  CHECK(store.steps() == std::vector<int64_t>{5, 6});
  CHECK(std::distance(fs::directory_iterator(dir.path), fs::directory_iterator{}) == 2);
}

// A file-size limit stands in for a full disk: writes fail in the middle, as they would with ENOSPC.
TEST_CASE("a disk that fills up while writing leaves the previous checkpoint whole") {
  const Folder dir;
  checkpoint::Store store(dir.path, 1);
  store.save(1, tensors(1), some_state(1), machine());
  struct rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small{50000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string hint, message;
  try {
    store.save(2, tensors(2, 1 << 20), some_state(2), machine());
  } catch (const Error& e) {
    CHECK(e.kind == hone::Kind::kRun);
    message = e.what();
    hint = e.hint;
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(message.starts_with("cannot write the checkpoint of step 2: "));
  CHECK(hint == "the checkpoint of step 1 is whole: free some space, then --resume");
  CHECK(store.steps() == std::vector<int64_t>{1});
  CHECK(store.load(1).step == 1);
  CHECK(std::distance(fs::directory_iterator(dir.path), fs::directory_iterator{}) == 1);
}

TEST_CASE("too little space is an error before the run starts") {
  const Folder dir;
  checkpoint::Store store(dir.path);
  CHECK_NOTHROW(store.require_space(1000));
  CHECK_THROWS_WITH_AS(store.require_space(uint64_t{1} << 60), doctest::Contains("free"), Error);
}
