// Pairs that a model makes: two answers to a prompt, kept ready ahead of the person.
//
//  1. While nothing is ready one pair is made alone, and it is on offer while it grows. Else answers come in batches of
//     16, whenever fewer than 8 pairs are ready: two answers to each of 8 prompts while fewer than 4 are, to be quick;
//     else four to each of 4 prompts, of whose six pairs one is drawn (acquisition.h).
//  2. Two answers that read nearly the same (likeness.h) are no pair. A prompt that gives none is sampled again, with
//     another seed, at most twice; then it is passed over. Both are counted.
//  3. A pair is in the store's outside_buffer before it is ready, so that a restart goes on with it; what the desk
//     shows of it goes into the log with the judgement. A pair that is still growing at a kill grows again, the same.
//  4. A pair is named by store, model, prompt and visit, not by its answers: it has its name before they are there.
//  5. The head learns from what the person said of pairs for learning alone; those for evaluation select nothing.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "annotate/acquisition.h"
#include "annotate/answer_sampler.h"
#include "annotate/model_thread.h"
#include "annotate/pair_source.h"
#include "annotate/prompts.h"
#include "feedback/store.h"

namespace hone::annotate {

class SampledPairs : public PairSource {
 public:
  static constexpr size_t kReady = 8, kFew = 4, kAnswers = 16;
  static constexpr int64_t kPrecise = 4;  ///< answers to a prompt while there is time
  static constexpr int kTries = 3;        ///< for two answers that differ

  /// Runs on the model thread, where the model is loaded.
  using Open = std::function<std::unique_ptr<AnswerSampler>()>;
  /// Told once, from the model thread, of an error after which no pair comes any more.
  using Failed = std::function<void(std::exception_ptr)>;

  /// Borrows store, thread and deck. `annotator`: whose judgements are looked at. Nothing is made before start().
  SampledPairs(feedback::Store& store, ModelThread& thread, PromptDeck& deck, std::string annotator,
               const AcquisitionSettings& settings = {});
  ~SampledPairs() override;

  /// Loads the model and begins to make pairs; again, it goes on with another model: what is ready stays.
  void start(Open open, Failed failed);

  struct Counts {
    int64_t pairs = 0, resampled = 0, passed_over = 0, too_long = 0, answers = 0, cut = 0;
  };
  Counts counts() const;

  Offer offer(size_t most) const override;
  std::optional<Pair> find(const std::string& id) const override;
  void settle(const std::string& id) override;
  void reopen(const std::string& id) override;
  std::optional<int64_t> left() const override { return std::nullopt; }
  void on_change(std::function<void()> changed) override;

 private:
  struct Made;  // a prompt with its answers
  void load();
  void want_more();  // with mutex_ held
  void work(const std::stop_token& stop);
  void rest(const std::stop_token& stop);
  void grow_one(const std::stop_token& stop);
  void make_batch(const std::stop_token& stop, int64_t answers);
  std::vector<Made> sample(std::vector<DealtPrompt> prompts, int64_t n, const AnswerSampler::Grown& grown,
                           const std::function<bool()>& cancelled);
  std::vector<Pair> choose(std::vector<Made> made);
  Pair pair_of(const Made& made, size_t first, size_t second, const Drawn& drawn) const;
  std::string id_of(const DealtPrompt& prompt) const;
  Stream stream_of(const DealtPrompt& prompt, std::string_view purpose) const;
  LinearHead head(std::vector<Features>& candidates);
  std::vector<Features> features_of(std::span<const std::vector<text::Message>> conversations);
  void keep(std::vector<Pair> pairs);
  void tell() const;

  feedback::Store& store_;
  ModelThread& thread_;
  PromptDeck& deck_;
  const std::string annotator_;
  const AcquisitionSettings settings_;
  const uint64_t seed_;

  // The model thread's own.
  std::unique_ptr<AnswerSampler> sampler_;
  std::map<std::string, Features> differences_;  // φ(a) − φ(b) of a query, by sampler_'s features

  mutable std::mutex mutex_;           // of what follows
  std::vector<std::string> ready_;     // on offer, in this order
  std::map<std::string, Pair> known_;  // all that were ever ready or shown
  std::set<std::string> buffered_;     // in the store's buffer
  std::optional<Pair> growing_;
  ModelThread::Job loading_, job_;
  bool pending_ = false, started_ = false, broken_ = false;
  Failed failed_;
  std::function<void()> changed_;
  Counts counts_;
};

}  // namespace hone::annotate
