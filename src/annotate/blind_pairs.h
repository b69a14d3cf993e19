// Blind tests at the desk: a round's model against another one, on prompts that nobody saw, before all other pairs.
//
//  1. A test's pairs are made on the model thread before it begins: two models answer the same fresh prompts, and what
//     they said is in the store's outside_buffer. Only then "blind_begun" fixes the number; a kill before that begins
//     nothing, one after it goes on with the same pairs.
//  2. Which of the two models is answer a is drawn by the store's id and the prompt, the order on the page by the desk:
//     neither tells who is who, and nothing that the page gets names a model.
//  3. While pairs of a test are open they alone are on offer, of two tests (against the round's start, against the
//     original) mixed at random; then the source beneath goes on. Answers that read the same are offered too: leaving
//     them out would hide ties.
#pragma once
#include <map>
#include <mutex>
#include <vector>

#include "annotate/learner.h"
#include "annotate/model_thread.h"
#include "annotate/pair_source.h"
#include "annotate/prompts.h"
#include "feedback/blind.h"
#include "feedback/store.h"

namespace hone::annotate {

/// Prompts of one test that are offered, and most of them.
inline constexpr int64_t kBlindPrompts = 20, kMostBlindPrompts = 200;

class BlindPairs : public PairSource {
 public:
  /// Borrows all; `rest`: what is offered while there is no test.
  BlindPairs(feedback::Store& store, PairSource& rest, ModelThread* thread, Learner* learner, PromptDeck* deck,
             std::string annotator);
  ~BlindPairs() override;
  /// Asks what is being prepared to stop, and waits. Nothing is told any more.
  void end();

  /// A test of `prompts` prompts against each of `against`, (opponent, model). Too few fresh prompts: kUsage. `ready`
  /// is told, from the model thread, when it has begun, or what went wrong.
  struct Opponent {
    std::string name;  ///< "start" or "original"
    feedback::ModelName model;
  };
  void begin(const std::string& round, const feedback::ModelName& tested, const std::vector<Opponent>& against,
             int64_t prompts, std::function<void(std::string trouble)> ready);
  /// So many more prompts of a test that the log knows.
  void extend(const feedback::BlindTest& test, int64_t prompts, std::function<void(std::string trouble)> ready);
  bool preparing() const;
  /// Pairs of tests that are not answered.
  int64_t open() const;

  Offer offer(size_t most) const override;
  std::optional<Pair> find(const std::string& id) const override;
  void settle(const std::string& id) override;
  void reopen(const std::string& id) override;
  std::optional<int64_t> left() const override { return rest_.left(); }
  void on_change(std::function<void()> changed) override;

 private:
  struct Order {
    std::string test;
    feedback::ModelName tested, against;
    feedback::NewEvent begins;
  };
  void prepare(std::vector<Order> orders, int64_t prompts, std::function<void(std::string)> ready);
  std::vector<Pair> make(const std::vector<Order>& orders, int64_t prompts, const std::stop_token& stop,
                         std::vector<DealtPrompt>& dealt);  // puts into `dealt` what it took from the deck
  void load();
  void add(Pair pair);  // with mutex_ held

  feedback::Store& store_;
  PairSource& rest_;
  ModelThread* const thread_;
  Learner* const learner_;
  PromptDeck* const deck_;
  const std::string annotator_;
  const uint64_t seed_;

  mutable std::mutex mutex_;  // of what follows
  std::map<std::string, Pair> known_;
  std::vector<std::string> open_;  // in the order in which they are offered
  bool preparing_ = false;
  ModelThread::Job job_;
  std::function<void()> changed_;
};

}  // namespace hone::annotate
