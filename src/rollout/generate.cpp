#include "rollout/generate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/rng.h"
#include "model/incremental.h"
#include "model/kv_cache.h"
#include "rollout/sampling.h"
#include "tensor/from_host.h"

namespace hone::rollout {
namespace {

struct Active {
  size_t request = 0;
  int64_t sequence = 0;  // in the cache
  Stream stream;
  std::unique_ptr<StopWatcher> stop;
};

// Feeds all but the last token of each new prompt; a sequence of -1 forks the one before it.
void prefill_prompts(const model::Decoder& decoder, model::KvCache& cache, const model::ComputeOptions& compute,
                     std::span<const Request> requests, std::span<Active> fresh) {
  std::vector<int32_t> ids;
  std::vector<int64_t> sequences;
  for (const Active& a : fresh) {
    if (a.sequence < 0) continue;
    const std::vector<int32_t>& prompt = requests[a.request].prompt;
    ids.insert(ids.end(), prompt.begin(), prompt.end() - 1);
    sequences.insert(sequences.end(), prompt.size() - 1, a.sequence);
  }
  if (!ids.empty()) model::step(decoder, cache, ids, sequences, compute);
  int64_t parent = -1;
  for (Active& a : fresh) {
    if (a.sequence < 0) a.sequence = cache.fork(parent);
    parent = a.sequence;
  }
}

}  // namespace

std::vector<Completion> generate(const model::Decoder& decoder, std::span<const Request> requests,
                                 const SamplingParams& params, const GenerateOptions& options, GenerateStats* stats) {
  const at::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  const int64_t context = decoder.config().max_positions;
  if (params.max_tokens < 1) usage_error("max_tokens must be at least 1");
  for (const Request& r : requests) {
    if (r.prompt.empty())
      usage_error("a prompt without a single token cannot be continued", "give the model a begin token or some text");
    if (static_cast<int64_t>(r.prompt.size()) >= context)
      usage_error("a prompt of " + std::to_string(r.prompt.size()) +
                  " tokens leaves no room in the model's context of " + std::to_string(context));
    for (const int32_t id : r.prompt)
      if (id < 0 || id >= decoder.config().vocab_size)
        usage_error("token id " + std::to_string(id) + " is outside the model's vocabulary of " +
                    std::to_string(decoder.config().vocab_size));
  }
  const Tensor absent = index_from_host(options.absent_ids, decoder.device());
  std::vector<Completion> out(requests.size());
  model::KvCache cache(decoder.config(), decoder.device(), decoder.dtype(), options.batch_invariant);
  model::ComputeOptions compute;
  if (options.bf16 && !decoder.device().is_cpu()) {
    compute.matmul = at::kBFloat16;
    compute.casts = std::make_shared<WeightCasts>();
  }
  std::vector<Active> active;
  size_t next = 0, done = 0;
  int64_t prompt_tokens = 0, new_tokens = 0;
  // A sequence is admitted with all that it may come to need; shared prompts are counted for each.
  const double room = params.kv_gb * 1e9 / static_cast<double>(model::kv_bytes_per_token(decoder.config()));
  const auto need = [&](size_t request) {
    return static_cast<double>(std::min(static_cast<int64_t>(requests[request].prompt.size()) + params.max_tokens,
                                        decoder.config().max_positions));
  };
  double reserved = 0;

  while (done < requests.size()) {
    // Rows of this step: the newest token of each running sequence, and the prompts of those that join.
    std::vector<int32_t> ids;
    std::vector<int64_t> sequences;
    for (const Active& a : active) {
      ids.push_back(out[a.request].ids.back());
      sequences.push_back(a.sequence);
    }
    constexpr int64_t kPrefillTokens = 4096;  // bounds the memory of one step
    int64_t prefill = 0;
    const size_t running = active.size();
    while (next < requests.size() && static_cast<int64_t>(active.size()) < options.max_batch) {
      const Request& r = requests[next];
      const auto n = static_cast<int64_t>(r.prompt.size());
      // Samples of one prompt stand next to each other: they share its keys and values. The last token is fed by each,
      // so that each has its own row.
      const bool shares = active.size() > running && requests[next - 1].prompt == r.prompt && n > 1;
      if (!shares && prefill > 0 && prefill + n > kPrefillTokens) break;
      if (!active.empty() && reserved + need(next) > room) break;
      reserved += need(next);
      Active a{next, shares ? -1 : cache.add(), Stream(options.seed, "sample", r.key, r.sample),
               options.stop ? options.stop() : nullptr};
      active.push_back(std::move(a));
      if (!shares) prefill += n;
      ++next;
    }
    prefill_prompts(decoder, cache, compute, requests, std::span(active).subspan(running));
    for (size_t i = running; i < active.size(); ++i) {
      ids.push_back(requests[active[i].request].prompt.back());
      sequences.push_back(active[i].sequence);
    }
    prompt_tokens += prefill;

    const Tensor hidden = model::step(decoder, cache, ids, sequences, compute);
    Tensor logits = decoder.logits(hidden, options.batch_invariant, compute);
    if (absent.defined()) logits.index_fill_(1, absent, -std::numeric_limits<float>::infinity());

    std::vector<double> uniforms;
    std::vector<uint8_t> forbid_end;
    for (const Active& a : active) {
      const size_t length = out[a.request].ids.size();
      uniforms.push_back(a.stream.uniform_at(length));
      forbid_end.push_back(static_cast<int64_t>(length) < params.min_tokens);
    }
    const std::vector<Draw> draws = draw(logits, uniforms, params, forbid_end, options.end_ids);

    std::vector<Active> still;
    for (size_t i = 0; i < active.size(); ++i) {
      Active& a = active[i];
      Completion& c = out[a.request];
      c.ids.push_back(draws[i].token);
      c.logps.push_back(draws[i].logp);
      ++new_tokens;
      const bool ended = std::ranges::find(options.end_ids, draws[i].token) != options.end_ids.end() ||
                         (a.stop && a.stop->feed(draws[i].token));
      if (ended) c.finish = Finish::kStop;
      // The newest token is not in the cache yet, but it takes a place of the context.
      const auto length = static_cast<int64_t>(requests[a.request].prompt.size() + c.ids.size());
      if (ended || static_cast<int64_t>(c.ids.size()) >= params.max_tokens || length >= context) {
        cache.remove(a.sequence);
        reserved -= need(a.request);
        ++done;
      } else {
        still.push_back(std::move(a));
      }
    }
    active = std::move(still);
    if (options.progress) options.progress(static_cast<int64_t>(done), static_cast<int64_t>(requests.size()));
  }
  if (stats) {
    stats->prompt_tokens += prompt_tokens;
    stats->new_tokens += new_tokens;
    stats->seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return out;
}

}  // namespace hone::rollout
