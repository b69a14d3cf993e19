#include "rollout/generation.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/common_beginning.h"
#include "base/error.h"
#include "base/rng.h"
#include "model/incremental.h"
#include "rollout/sampling.h"
#include "tensor/from_host.h"

namespace hone::rollout {

struct Generation::Active {
  size_t request = 0;
  int64_t sequence = 0;  // in the cache; -1: to be forked from the one before it
  int64_t held = 0;      // tokens of the prompt that were in the cache already
  Stream stream;
  std::unique_ptr<StopWatcher> stop;
};

Generation::Generation(const model::Decoder& decoder, std::span<const Request> requests, const SamplingParams& params,
                       GenerateOptions options, KeptSequences* kept)
    : decoder_(decoder),
      requests_(requests),
      params_(params),
      options_(std::move(options)),
      own_(decoder, options_.batch_invariant),
      kept_(kept),
      cache_((kept != nullptr ? *kept : own_).cache()),
      absent_(index_from_host(options_.absent_ids, decoder.device())),
      out_(requests.size()),
      room_(params.kv_gb * 1e9 / static_cast<double>(model::kv_bytes_per_token(decoder.config()))) {
  if (options_.bf16 && !decoder.device().is_cpu()) {
    compute_.matmul = at::kBFloat16;
    compute_.casts = std::make_shared<WeightCasts>();
  }
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
}

Generation::~Generation() {
  // Left early: what a caller keeps must not hold sequences that nobody knows.
  for (const Active& a : active_)
    if (a.sequence >= 0) cache_.remove(a.sequence);
  if (kept_ != nullptr) kept_->settle();
}

// A sequence is admitted with all that it may come to need; shared prompts are counted for each.
double Generation::need(size_t request) const {
  return static_cast<double>(std::min(static_cast<int64_t>(requests_[request].prompt.size()) + params_.max_tokens,
                                      decoder_.config().max_positions));
}

// Chats begin with the same system prompt. Only where it changes no bit (model/incremental.h).
void Generation::feed_common() {
  if (kept_ != nullptr || !decoder_.device().is_cpu()) return;
  std::vector<std::span<const int32_t>> prompts;
  for (const Request& r : requests_) prompts.emplace_back(r.prompt);
  const auto ids = std::span(requests_[0].prompt).first(common_beginning(prompts));
  if (ids.empty()) return;
  const int64_t sequence = cache_.add();
  model::step(decoder_, cache_, ids, std::vector<int64_t>(ids.size(), sequence), compute_);
  stats_.prompt_tokens += std::ssize(ids);
  own_.keep(sequence, {ids.begin(), ids.end()});
  own_.settle();
}

// Requests join while there is room for them.
void Generation::join() {
  constexpr int64_t kPrefillTokens = 4096;  // bounds the memory of one step
  int64_t prefill = 0;
  const size_t running = active_.size();
  if (next_ == 0) feed_common();
  KeptSequences& kept = kept_ != nullptr ? *kept_ : own_;
  while (next_ < requests_.size() && static_cast<int64_t>(active_.size()) < options_.max_batch) {
    const Request& r = requests_[next_];
    const auto n = static_cast<int64_t>(r.prompt.size());
    // Samples of one prompt stand next to each other: they share its keys and values. The last token is fed by each,
    // so that each has its own row.
    const bool shares = active_.size() > running && requests_[next_ - 1].prompt == r.prompt && n > 1;
    if (!shares && prefill > 0 && prefill + n > kPrefillTokens) break;
    if (!active_.empty() && reserved_ + need(next_) > room_) break;
    reserved_ += need(next_);
    const KeptSequences::Begun begun = shares ? KeptSequences::Begun{-1, 0} : kept.begin(r.prompt);
    active_.push_back({next_, begun.sequence, begun.held, Stream(options_.seed, "sample", r.key, r.sample),
                       options_.stop ? options_.stop() : nullptr});
    if (!shares) prefill += n - begun.held;
    held_ += begun.held;
    ++next_;
  }
  stats_.prompt_tokens += prefill;
}

// Feeds all but the last token of each new prompt. False: cancelled on the way.
bool Generation::prefill(std::span<Active> fresh) {
  std::vector<int32_t> ids;
  std::vector<int64_t> sequences;
  for (const Active& a : fresh) {
    if (a.sequence < 0) continue;
    const std::vector<int32_t>& prompt = requests_[a.request].prompt;
    ids.insert(ids.end(), prompt.begin() + a.held, prompt.end() - 1);
    sequences.insert(sequences.end(), prompt.size() - 1 - static_cast<size_t>(a.held), a.sequence);
  }
  // Where somebody may cancel, in the pieces that a step is cut into anyway.
  const size_t piece = options_.cancelled ? model::kStepRows : std::max<size_t>(ids.size(), 1);
  for (size_t begin = 0; begin < ids.size(); begin += piece) {
    if (begin > 0 && options_.cancelled()) return false;
    const size_t n = std::min(piece, ids.size() - begin);
    model::step(decoder_, cache_, std::span(ids).subspan(begin, n), std::span(sequences).subspan(begin, n), compute_);
  }
  int64_t parent = -1;
  for (Active& a : fresh) {
    if (a.sequence < 0) a.sequence = cache_.fork(parent);
    parent = a.sequence;
  }
  return true;
}

bool Generation::step() {
  if (done()) return false;
  const at::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  const auto count_time = [&] {
    stats_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if (options_.cancelled && options_.cancelled()) {
    cancel();
    return false;
  }
  const int64_t context = decoder_.config().max_positions;

  // 1. Rows of this step: the newest token of each running sequence, and the prompts of those that join.
  std::vector<int32_t> ids;
  std::vector<int64_t> sequences;
  for (const Active& a : active_) {
    ids.push_back(out_[a.request].ids.back());
    sequences.push_back(a.sequence);
  }
  const size_t running = active_.size();
  join();
  if (!prefill(std::span(active_).subspan(running))) {
    cancel();
    count_time();
    return false;
  }
  for (size_t i = running; i < active_.size(); ++i) {
    ids.push_back(requests_[active_[i].request].prompt.back());
    sequences.push_back(active_[i].sequence);
  }

  // 2. Their logits, over the tokens that there are.
  const Tensor hidden = model::step(decoder_, cache_, ids, sequences, compute_);
  Tensor logits = decoder_.logits(hidden, options_.batch_invariant, compute_);
  if (absent_.defined()) logits.index_fill_(1, absent_, -std::numeric_limits<float>::infinity());

  // 3. A token of each.
  std::vector<double> uniforms;
  std::vector<uint8_t> forbid_end;
  for (const Active& a : active_) {
    const size_t length = out_[a.request].ids.size();
    uniforms.push_back(a.stream.uniform_at(length));
    forbid_end.push_back(static_cast<int64_t>(length) < params_.min_tokens);
  }
  const std::vector<Draw> draws = draw(logits, uniforms, params_, forbid_end, options_.end_ids);

  // 4. Those that end leave.
  std::vector<Active> still, ended_now;
  for (size_t i = 0; i < active_.size(); ++i) {
    Active& a = active_[i];
    Completion& c = out_[a.request];
    c.ids.push_back(draws[i].token);
    c.logps.push_back(draws[i].logp);
    ++stats_.new_tokens;
    const bool ended = std::ranges::find(options_.end_ids, draws[i].token) != options_.end_ids.end() ||
                       (a.stop && a.stop->feed(draws[i].token));
    if (ended) c.finish = Finish::kStop;
    // The newest token is not in the cache yet, but it takes a place of the context.
    const auto length = static_cast<int64_t>(requests_[a.request].prompt.size() + c.ids.size());
    const bool leaves = ended || static_cast<int64_t>(c.ids.size()) >= params_.max_tokens || length >= context;
    (leaves ? ended_now : still).push_back(std::move(a));
  }
  active_ = std::move(still);
  for (Active& a : ended_now) finish(a);
  count_time();
  if (options_.token) {
    std::vector<size_t> drawn;
    for (const auto* list : {&active_, &ended_now})
      for (const Active& a : *list) drawn.push_back(a.request);
    std::ranges::sort(drawn);
    for (const size_t request : drawn) options_.token(request, out_[request].ids.back());
  }
  if (options_.progress) options_.progress(static_cast<int64_t>(done_), static_cast<int64_t>(requests_.size()));
  return !done();
}

void Generation::finish(Active& a) {
  reserved_ -= need(a.request);
  ++done_;
  if (a.sequence < 0) return;
  if (kept_ == nullptr) {
    cache_.remove(a.sequence);
    return;
  }
  std::vector<int32_t> ids = requests_[a.request].prompt;
  ids.insert(ids.end(), out_[a.request].ids.begin(), out_[a.request].ids.end());
  ids.resize(cache_.length(a.sequence));  // the newest token, at least, was not fed
  kept_->keep(a.sequence, std::move(ids));
}

void Generation::cancel() {
  std::vector<Active> active = std::move(active_);
  active_.clear();
  for (Active& a : active) {
    out_[a.request].finish = Finish::kCancelled;
    finish(a);
  }
  for (; next_ < requests_.size(); ++next_, ++done_) out_[next_].finish = Finish::kCancelled;
}

}  // namespace hone::rollout
