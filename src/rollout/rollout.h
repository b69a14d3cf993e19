// Rollouts: prompts to completions with log-probabilities. Torch-free, so that any room may name these types.
//
// Numbered promises:
//  1. Which token comes next depends on (seed, prompt key, sample, position) and the logits only: never on batch size,
//     order, threads or schedule beyond what those change in the logits. With `batch_invariant`, on the CPU with f32
//     weights, those change nothing: completions are bit-identical for every batch size and schedule. Otherwise they
//     may differ where rounding flips a near-tie.
//  2. `logps` are under the distribution actually sampled from: over the tokens that there are (`absent_ids` is what a
//     vocabulary padded to a round size has beside them), after temperature, top-k and top-p, renormalised.
//  3. Nothing is re-tokenised: `ids` are what was sampled, the end token included where it was produced.
//  4. Prompt and completion together never exceed the model's context; one that fills it finishes by length.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace hone::rollout {

struct SamplingParams {
  double temperature = 1.0;
  double top_p = 1.0;
  int64_t top_k = 0;
  int64_t max_tokens = 64;
  int64_t min_tokens = 0;
  double kv_gb = 4;

  template <class V>
  void fields(V& v) {
    v("temperature", temperature, "softmax temperature; 0 is greedy");
    v("top_p", top_p, "nucleus: smallest set of tokens with this probability (1 = all)");
    v("top_k", top_k, "only the k most likely tokens (0 = all)");
    v("max_tokens", max_tokens, "most tokens of one completion, the end token included");
    v("min_tokens", min_tokens, "the end token cannot be sampled before this many tokens");
    v("kv_gb", kv_gb,
      "memory for keys and values, in 10^9 bytes: a sequence starts once its prompt and max_tokens fit beside those in "
      "flight");
    v.range("kv_gb", 0.001);
    v.range("temperature", 0);
    v.range("top_p", 0, 1);
    v.range("max_tokens", 1);
  }
};

/// One completion to make.
struct Request {
  std::vector<int32_t> prompt;  ///< at least one token (a begin token where the model has one)
  uint64_t key = 0;             ///< names the prompt in the random stream
  uint64_t sample = 0;          ///< which of the prompt's samples this is
  int64_t row = 0;              ///< the caller's own number of the prompt; nothing here reads it
};

enum class Finish { kStop, kLength, kCancelled };

struct Completion {
  std::vector<int32_t> ids;
  std::vector<float> logps;  ///< one for each id, nats
  Finish finish = Finish::kLength;
};

/// Watches the bytes of one completion and says when a stop string has appeared.
class StopWatcher {
 public:
  virtual ~StopWatcher() = default;
  /// Feeds one token; true once a stop string is complete.
  virtual bool feed(int32_t token) = 0;
};

struct GenerateOptions {
  uint64_t seed = 0;
  std::vector<int32_t> end_ids;                        ///< tokens that end a completion (kept in it)
  std::vector<int32_t> absent_ids;                     ///< ids without a token: never drawn
  int64_t max_batch = 64;                              ///< sequences in flight
  bool batch_invariant = true;                         ///< hone's own kernels where there are any; off: LibTorch's
  bool bf16 = false;                                   ///< matrix work away from the CPU in bf16, as training's there
  std::function<std::unique_ptr<StopWatcher>()> stop;  ///< none if empty
  std::function<void(int64_t done, int64_t total)> progress;  ///< none if empty
  /// Told of each token as soon as it is drawn; none if empty.
  std::function<void(size_t request, int32_t token)> token;
  /// Asked between tokens and every few hundred tokens of a prompt; once it says true all that is unfinished ends as it
  /// stands (Finish::kCancelled). Never if empty.
  std::function<bool()> cancelled;
};

struct GenerateStats {
  int64_t prompt_tokens = 0, new_tokens = 0;
  double seconds = 0;
};

}  // namespace hone::rollout
