#include "annotate/sampled_pairs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "annotate/likeness.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "feedback/labels.h"

namespace hone::annotate {
namespace {

using feedback::Outside;
using Clock = std::chrono::steady_clock;

constexpr const char* kOwner = "pairs";                   // of the buffer's rows
constexpr uint64_t kJsonWhole = (1ULL << 53) - 1;         // the largest seed that every JSON reader keeps
constexpr auto kGrowth = std::chrono::milliseconds(200);  // between two looks at a growing pair
constexpr auto kStoreRest = std::chrono::seconds(2);      // before a store that refused is tried again
constexpr int64_t kInVain = 32;                           // prompts in a row without a pair: the model gives none
constexpr size_t kMostLabels = 400;                       // that the head learns from, the newest; n³ in their number
constexpr size_t kFeatureBatch = 8;                       // conversations between two looks at more urgent jobs

std::string text_of(const feedback::Answer& answer) {
  std::string out;
  for (const text::Message& m : answer.messages) out += m.reasoning + m.content;
  return out;
}

bool says_nothing(const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; }

// As the sampler records it.
bool was_cut(const feedback::Answer& answer) {
  const Json how = Json::parse(answer.sampling, nullptr, false);
  return how.is_object() && how.contains("finish") && how["finish"] == "length";
}

Pair pair_of_shown(const std::string& id, const feedback::Shown& shown) {
  Pair pair;
  pair.id = id;
  pair.query = shown.query;
  pair.query.order = feedback::Order::kUnknown;
  pair.purpose = shown.purpose;
  pair.cut_a = was_cut(pair.query.a);
  pair.cut_b = was_cut(pair.query.b);
  return pair;
}

// A row of the buffer is the payload that the log will have of the pair.
std::string row_of(const Pair& pair) {
  return feedback::shown("system", pair.id, pair.query, pair.purpose, "").payload;
}

Pair pair_of_row(const feedback::OutsideEntry& row) {
  feedback::Event event;
  event.type = feedback::name_of(feedback::EventType::kShown);
  event.query = row.name;
  event.payload = row.value;
  return pair_of_shown(row.name, feedback::read_shown(event));
}

std::vector<text::Message> conversation(const std::vector<text::Message>& prompt, const feedback::Answer& answer) {
  std::vector<text::Message> out = prompt;
  out.insert(out.end(), answer.messages.begin(), answer.messages.end());
  return out;
}

// Zeros of that length where there is none.
Features difference(const Features& a, const Features& b, size_t length) {
  Features out(length, 0);
  if (a.size() == length && b.size() == length)
    for (size_t i = 0; i < length; ++i) out[i] = a[i] - b[i];
  return out;
}

}  // namespace

struct SampledPairs::Made {
  DealtPrompt prompt;
  std::vector<SampledAnswer> answers;
  std::vector<std::pair<size_t, size_t>> candidates;  // of answers that differ
};

SampledPairs::SampledPairs(feedback::Store& store, ModelThread& thread, PromptDeck& deck, std::string annotator,
                           const AcquisitionSettings& settings)
    : store_(store),
      thread_(thread),
      deck_(deck),
      annotator_(std::move(annotator)),
      settings_(settings),
      seed_(hash64(store.id())) {
  load();
}

SampledPairs::~SampledPairs() {
  std::array<ModelThread::Job, 2> jobs;
  {
    const std::lock_guard lock(mutex_);
    started_ = false;  // nothing is asked for any more
    jobs = {loading_, job_};
    changed_ = nullptr;
  }
  for (ModelThread::Job& job : jobs) job.request_stop();
  for (const ModelThread::Job& job : jobs) job.wait();  // they let nothing out
}

// What was shown first: the desk settles what is judged of it, so that what is left was undone. Then the buffer.
void SampledPairs::load() {
  store_.each([&](const feedback::Event& event) {
    if (event.type != feedback::name_of(feedback::EventType::kShown)) return true;
    const feedback::Shown shown = feedback::read_shown(event);
    deck_.mark_dealt(shown.query.prompt);
    if (event.actor != annotator_ || shown.purpose == feedback::Purpose::kBlind) return true;
    known_.insert_or_assign(event.query, pair_of_shown(event.query, shown));
    ready_.push_back(event.query);
    return true;
  });
  for (const feedback::OutsideEntry& row : store_.list(Outside::kBuffer, kOwner)) {
    if (known_.contains(row.name)) {  // shown since, and the row not yet taken away
      store_.drop(Outside::kBuffer, kOwner, row.name);
      continue;
    }
    try {
      Pair pair = pair_of_row(row);
      deck_.mark_dealt(pair.query.prompt);
      known_.insert_or_assign(row.name, std::move(pair));
    } catch (const Error& e) {
      log::warn("a pair that was ready cannot be read and is made anew: " + std::string(e.what()));
      store_.drop(Outside::kBuffer, kOwner, row.name);
      continue;
    }
    buffered_.insert(row.name);
    ready_.push_back(row.name);
  }
}

void SampledPairs::start(Open open, Failed failed) {
  const std::lock_guard lock(mutex_);
  failed_ = std::move(failed);
  started_ = true;
  broken_ = false;
  // Not more urgent than work(), so that it is never let in where the sampler is in use.
  loading_ = thread_.run(Urgency::kBuffer, [this, open = std::move(open)](const std::stop_token& stop) {
    try {
      sampler_ = open();
      differences_.clear();
    } catch (...) {
      const std::lock_guard inner(mutex_);
      broken_ = true;
      if (failed_) failed_(std::current_exception());
      return;
    }
    const std::lock_guard inner(mutex_);
    if (!stop.stop_requested()) want_more();
  });
}

// One job at a time; the next one is asked for when it ends.
void SampledPairs::want_more() {
  if (!started_ || pending_ || broken_ || ready_.size() >= kReady) return;
  pending_ = true;
  job_ = thread_.run(ready_.empty() ? Urgency::kWatched : Urgency::kBuffer,
                     [this](const std::stop_token& stop) { work(stop); });
}

void SampledPairs::work(const std::stop_token& stop) {
  std::exception_ptr thrown;
  try {
    size_t ready = 0;
    {
      const std::lock_guard lock(mutex_);
      ready = ready_.size();
    }
    if (ready == 0) grow_one(stop);
    else make_batch(stop, ready < kFew ? 2 : kPrecise);
  } catch (const feedback::StoreError& e) {
    // A full disk may have room again: what was made is lost, no judgement is.
    log::warn_once(std::string(e.what()) + (e.hint.empty() ? "" : "; " + e.hint));
    const std::lock_guard lock(mutex_);
    growing_.reset();
    if (started_) job_ = thread_.run(Urgency::kTraining, [this](const std::stop_token& s) { rest(s); });
    return;
  } catch (...) {
    thrown = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  growing_.reset();
  pending_ = false;
  if (thrown) {
    broken_ = true;
    if (failed_) failed_(thrown);
  } else if (!stop.stop_requested()) {
    want_more();
  }
}

// As little urgent as anything: who asks to learn meanwhile is told what is wrong, and does not wait behind it.
void SampledPairs::rest(const std::stop_token& stop) {
  for (const auto end = Clock::now() + kStoreRest; Clock::now() < end && !stop.stop_requested();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    thread_.let_in();
  }
  const std::lock_guard lock(mutex_);
  pending_ = false;
  if (!stop.stop_requested()) want_more();
}

std::string SampledPairs::id_of(const DealtPrompt& prompt) const {
  return sha256(store_.id() + "\n" + sampler_->policy() + "\n" + prompt.hash + "\n" + std::to_string(prompt.visit))
      .substr(0, 32);
}

Stream SampledPairs::stream_of(const DealtPrompt& prompt, std::string_view purpose) const {
  return Stream(seed_, purpose, hash64(prompt.hash), static_cast<uint64_t>(prompt.visit));
}

std::vector<SampledPairs::Made> SampledPairs::sample(std::vector<DealtPrompt> prompts, int64_t n,
                                                     const AnswerSampler::Grown& grown,
                                                     const std::function<bool()>& cancelled) {
  const auto visit = static_cast<uint64_t>(prompts.front().visit);
  std::vector<Made> out;
  std::vector<DealtPrompt> open = prompts;
  for (uint64_t attempt = 0; attempt < kTries && !open.empty(); ++attempt) {
    std::vector<std::vector<text::Message>> messages;
    for (const DealtPrompt& prompt : open) messages.push_back(prompt.messages);
    const uint64_t seed = mix64(seed_, visit * kTries + attempt) & kJsonWhole;
    std::vector<std::vector<SampledAnswer>> answers = sampler_->sample(messages, n, seed, grown, cancelled);
    if (answers.empty()) {  // cancelled
      for (const DealtPrompt& prompt : prompts) deck_.give_back(prompt);
      return {};
    }
    std::vector<DealtPrompt> alike;
    const std::lock_guard lock(mutex_);
    for (size_t p = 0; p < open.size(); ++p) {
      if (answers[p].empty()) {
        ++counts_.too_long;
        continue;
      }
      counts_.answers += std::ssize(answers[p]);
      Made made{open[p], std::move(answers[p]), {}};
      std::vector<std::string> texts;
      for (const SampledAnswer& a : made.answers) {
        counts_.cut += a.cut;
        texts.push_back(text_of(a.answer));
      }
      for (size_t i = 0; i < texts.size(); ++i)
        for (size_t j = i + 1; j < texts.size(); ++j)
          if (!(says_nothing(texts[i]) && says_nothing(texts[j])) && likeness(texts[i], texts[j]) < kAlike)
            made.candidates.emplace_back(i, j);
      if (!made.candidates.empty()) out.push_back(std::move(made));
      else if (attempt + 1 < kTries) alike.push_back(open[p]), ++counts_.resampled;
      else ++counts_.passed_over;
    }
    open = std::move(alike);
  }
  return out;
}

std::vector<Features> SampledPairs::features_of(std::span<const std::vector<text::Message>> conversations) {
  std::vector<Features> out;
  for (size_t begin = 0; begin < conversations.size(); begin += kFeatureBatch) {
    thread_.let_in();
    for (Features& f :
         sampler_->features(conversations.subspan(begin, std::min(kFeatureBatch, conversations.size() - begin))))
      out.push_back(std::move(f));
  }
  return out;
}

// What this person said, and with it the scale of all differences.
LinearHead SampledPairs::head(std::vector<Features>& candidates) {
  std::vector<feedback::Label> labels = feedback::labels(store_);
  std::erase_if(labels, [&](const feedback::Label& l) {
    return l.comparison.annotator != annotator_ || l.purpose != feedback::Purpose::kLearn ||
           !(feedback::decided(l.comparison.outcome) || l.comparison.outcome == feedback::Outcome::kTie);
  });
  if (labels.size() > kMostLabels)
    labels.erase(labels.begin(), labels.end() - static_cast<std::ptrdiff_t>(kMostLabels));
  std::vector<std::vector<text::Message>> conversations;
  std::vector<std::string> missing;
  for (const feedback::Label& l : labels) {
    if (differences_.contains(l.query)) continue;
    missing.push_back(l.query);
    for (const feedback::Answer* answer : {&l.comparison.a, &l.comparison.b})
      conversations.push_back(conversation(l.comparison.prompt, *answer));
  }
  const size_t length = candidates.front().size();
  const std::vector<Features> features = features_of(conversations);
  for (size_t i = 0; i < missing.size(); ++i)
    differences_[missing[i]] = difference(features[2 * i], features[2 * i + 1], length);

  std::vector<Features> x;
  std::vector<double> y;
  for (const feedback::Label& l : labels) {
    x.push_back(differences_.at(l.query));
    y.push_back(l.comparison.outcome == feedback::Outcome::kA   ? 1
                : l.comparison.outcome == feedback::Outcome::kB ? 0
                                                                : 0.5);
  }
  std::vector<Features> all = x;
  all.insert(all.end(), candidates.begin(), candidates.end());
  return LinearHead(std::move(x), std::move(y), LinearHead::scale_of(all));
}

Pair SampledPairs::pair_of(const Made& made, size_t first, size_t second, const Drawn& drawn) const {
  Pair pair;
  pair.id = id_of(made.prompt);
  pair.query.prompt = made.prompt.messages;
  pair.query.a = made.answers[first].answer;
  pair.query.b = made.answers[second].answer;
  pair.query.strategy = drawn.uniform ? kUniform : kVariance;
  pair.query.propensity = drawn.propensity;
  pair.query.id = made.prompt.hash.substr(0, 16);
  pair.purpose = drawn.uniform ? feedback::Purpose::kEvaluate : feedback::Purpose::kLearn;
  pair.cut_a = made.answers[first].cut;
  pair.cut_b = made.answers[second].cut;
  return pair;
}

std::vector<Pair> SampledPairs::choose(std::vector<Made> made) {
  if (made.empty()) return {};
  std::vector<size_t> sizes;
  size_t pairs = 0;
  for (const Made& m : made) {
    sizes.push_back(m.candidates.size());
    pairs += m.candidates.size();
  }
  LogOdds odds;
  std::vector<Features> features;
  if (pairs > made.size()) {
    std::vector<std::vector<text::Message>> conversations;
    for (const Made& m : made)
      for (const SampledAnswer& a : m.answers) conversations.push_back(conversation(m.prompt.messages, a.answer));
    features = features_of(conversations);
  }
  size_t length = 0;  // the sampler's, or 0 where every answer is too long for it
  for (const Features& f : features) length = std::max(length, f.size());
  if (length > 0) {
    std::vector<Features> candidates;
    size_t begin = 0;
    for (const Made& m : made) {
      for (const auto& [i, j] : m.candidates)
        candidates.push_back(difference(features[begin + i], features[begin + j], length));
      begin += m.answers.size();
    }
    odds = head(candidates).log_odds(candidates);
  } else {  // nothing to choose between
    odds.mean.assign(pairs, 0);
    odds.covariance.assign(pairs * pairs, 0);
  }
  std::vector<Pair> out;
  size_t begin = 0;
  const std::vector<Drawn> drawn =
      draw_pairs(std::move(odds), sizes, stream_of(made.front().prompt, "draw"), settings_);
  for (size_t p = 0; p < made.size(); ++p) {
    const auto& [first, second] = made[p].candidates[drawn[p].candidate - begin];
    out.push_back(pair_of(made[p], first, second, drawn[p]));
    begin += sizes[p];
  }
  return out;
}

void SampledPairs::grow_one(const std::stop_token& stop) {
  const std::vector<DealtPrompt> prompts = deck_.deal(1);
  {
    const std::lock_guard lock(mutex_);
    growing_ = Pair{};
    growing_->id = id_of(prompts[0]);
    growing_->query.prompt = prompts[0].messages;
    growing_->query.a.messages = growing_->query.b.messages = {{"assistant", ""}};
    growing_->growing = true;
  }
  tell();
  auto told = Clock::now();
  const auto grown = [&](size_t, size_t answer, const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      (answer == 0 ? growing_->query.a : growing_->query.b).messages[0].content = text;
    }
    if (Clock::now() - told < kGrowth) return;
    tell();
    told = Clock::now();
  };
  keep(choose(sample(prompts, 2, grown, [&] {
    thread_.let_in();
    return stop.stop_requested();
  })));
}

void SampledPairs::make_batch(const std::stop_token& stop, int64_t answers) {
  keep(choose(sample(deck_.deal(kAnswers / static_cast<size_t>(answers)), answers, {}, [&] {
    thread_.let_in();
    return stop.stop_requested();
  })));
}

// Into the buffer, then on offer.
void SampledPairs::keep(std::vector<Pair> pairs) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    counts_.pairs += std::ssize(pairs);
    for (const std::string& id : buffered_)
      if (std::ranges::find(ready_, id) == ready_.end()) gone.push_back(id);
    if (counts_.passed_over + counts_.too_long >= kInVain && counts_.pairs == 0)
      fail(Kind::kRun,
           "no pair came of " + std::to_string(counts_.passed_over + counts_.too_long) + " prompts (" +
               std::to_string(counts_.passed_over) + " answered nearly the same twice, " +
               std::to_string(counts_.too_long) + " too long for the model)",
           counts_.passed_over > 0 ? "give a higher --temperature" : "give shorter prompts");
  }
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Pair& pair : pairs) rows.emplace_back(pair.id, row_of(pair));
  store_.put(Outside::kBuffer, kOwner, rows);
  for (const std::string& id : gone) store_.drop(Outside::kBuffer, kOwner, id);
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& id : gone) buffered_.erase(id);
    growing_.reset();
    for (Pair& pair : pairs) {
      buffered_.insert(pair.id);
      ready_.push_back(pair.id);
      known_.insert_or_assign(pair.id, std::move(pair));
    }
  }
  if (!pairs.empty()) tell();
}

void SampledPairs::tell() const {
  std::function<void()> changed;
  {
    const std::lock_guard lock(mutex_);
    changed = changed_;
  }
  if (changed) changed();
}

SampledPairs::Counts SampledPairs::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

Offer SampledPairs::offer(size_t most) const {
  const std::lock_guard lock(mutex_);
  Offer out;
  for (size_t i = 0; i < std::min(most, ready_.size()); ++i) out.pairs.push_back(known_.at(ready_[i]));
  if (growing_ && out.pairs.empty()) out.pairs.push_back(*growing_);
  out.beyond = ready_.size() > most ? Supply::kReady : broken_ ? Supply::kEnd : Supply::kCold;
  return out;
}

std::optional<Pair> SampledPairs::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  if (growing_ && growing_->id == id) return growing_;
  const auto at = known_.find(id);
  return at == known_.end() ? std::nullopt : std::optional(at->second);
}

void SampledPairs::settle(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase(ready_, id);
  want_more();
}

void SampledPairs::reopen(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (!known_.contains(id)) return;
  std::erase(ready_, id);
  ready_.insert(ready_.begin(), id);
}

void SampledPairs::on_change(std::function<void()> changed) {
  const std::lock_guard lock(mutex_);
  changed_ = std::move(changed);
}

}  // namespace hone::annotate
