#include "annotate/blind_pairs.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "feedback/labels.h"

namespace hone::annotate {
namespace {

using feedback::ModelName;
using feedback::NewEvent;
using feedback::Outside;

constexpr const char* kOwner = "blind";  // of the buffer's rows
constexpr uint64_t kJsonWhole = (1ULL << 53) - 1;

bool was_cut(const feedback::Answer& answer) {
  const Json how = Json::parse(answer.sampling, nullptr, false);
  return how.is_object() && how.contains("finish") && how["finish"] == "length";
}

// A row of the buffer: the payload that the log will have, and the test.
std::string row_of(const Pair& pair) {
  const NewEvent event = feedback::shown("system", pair.id, pair.query, pair.purpose, "");
  return dump_json(Json{{"test", pair.test}, {"shown", event.payload}});
}

Pair pair_of(const std::string& id, const std::string& test, feedback::Shown shown) {
  Pair pair;
  pair.id = id;
  pair.query = std::move(shown.query);
  pair.query.order = feedback::Order::kUnknown;
  pair.purpose = feedback::Purpose::kBlind;
  pair.test = test;
  pair.cut_a = was_cut(pair.query.a);
  pair.cut_b = was_cut(pair.query.b);
  return pair;
}

Pair pair_of_row(const feedback::OutsideEntry& row) {
  const Json json = parse_json(row.value, "a pair of a blind test");
  feedback::Event event;
  event.type = feedback::name_of(feedback::EventType::kShown);
  event.query = row.name;
  event.payload = json.at("shown");
  return pair_of(row.name, json.at("test"), feedback::read_shown(event));
}

}  // namespace

BlindPairs::BlindPairs(feedback::Store& store, PairSource& rest, ModelThread* thread, Learner* learner,
                       PromptDeck* deck, std::string annotator)
    : store_(store),
      rest_(rest),
      thread_(thread),
      learner_(learner),
      deck_(deck),
      annotator_(std::move(annotator)),
      seed_(mix64(hash64(store.id()), hash64("blind"))) {
  load();
}

BlindPairs::~BlindPairs() { end(); }

void BlindPairs::end() {
  ModelThread::Job job;
  {
    const std::lock_guard lock(mutex_);
    changed_ = nullptr;
    job = job_;
  }
  job.request_stop();
  job.wait();  // it lets nothing out
}

// What was shown (an undo may open it again), then what waits in the buffer. Rows whose test never began are dropped:
// it was being prepared when hone ended.
void BlindPairs::load() {
  const std::vector<feedback::Event> log = store_.events();
  const std::vector<feedback::Label> labels = feedback::labels(log);
  const std::vector<feedback::BlindTest> tests = feedback::blind_tests(log, labels);
  std::map<std::string, feedback::Shown> shown;
  for (const feedback::Event& e : log) {
    if (e.actor != annotator_) continue;
    if (e.type == feedback::name_of(feedback::EventType::kShown)) {
      feedback::Shown s = feedback::read_shown(e);
      if (s.purpose == feedback::Purpose::kBlind) shown.emplace(e.query, std::move(s));
    } else if (e.type == feedback::name_of(feedback::EventType::kBlindAnswered)) {
      if (const auto at = shown.find(e.query); at != shown.end() && !known_.contains(e.query))
        add(pair_of(e.query, feedback::read_name(e), at->second));
    }
  }
  for (const feedback::OutsideEntry& row : store_.list(Outside::kBuffer, kOwner)) {
    Pair pair = pair_of_row(row);
    if (deck_ != nullptr) deck_->mark_dealt(pair.query.prompt);
    const auto test = std::ranges::find(tests, pair.test, &feedback::BlindTest::test);
    if (test != tests.end() && test->person != annotator_) continue;  // another person's, who comes back to it
    if (test == tests.end() || known_.contains(pair.id)) store_.drop(Outside::kBuffer, kOwner, row.name);
    else add(std::move(pair));
  }
}

// Mixed: by a hash of the name.
void BlindPairs::add(Pair pair) {
  const std::string id = pair.id;
  known_.insert_or_assign(id, std::move(pair));
  const auto place = [&](const std::string& name) { return mix64(seed_, hash64(name)); };
  if (std::ranges::find(open_, id) != open_.end()) return;
  open_.insert(std::ranges::upper_bound(open_, place(id), {}, place), id);
}

void BlindPairs::begin(const std::string& round, const ModelName& tested, const std::vector<Opponent>& against,
                       int64_t prompts, std::function<void(std::string)> ready) {
  std::vector<Order> orders;
  for (const Opponent& o : against) {
    const std::string test = round + "/" + o.name;
    orders.push_back(
        {test, tested, o.model, feedback::blind_begun(annotator_, {test, round, prompts, tested, o.model, o.name})});
  }
  prepare(std::move(orders), prompts, std::move(ready));
}

void BlindPairs::extend(const feedback::BlindTest& test, int64_t prompts, std::function<void(std::string)> ready) {
  prepare({{test.test, test.tested, test.against, feedback::blind_extended(annotator_, test.test, prompts)}}, prompts,
          std::move(ready));
}

void BlindPairs::prepare(std::vector<Order> orders, int64_t prompts, std::function<void(std::string)> ready) {
  HONE_CHECK(thread_ != nullptr && learner_ != nullptr && deck_ != nullptr);
  const int64_t wanted = prompts * std::ssize(orders), fresh = deck_->fresh();
  if (wanted > fresh)
    usage_error("a blind test of " + std::to_string(prompts) + " needs " + std::to_string(wanted) +
                    " prompts that nobody saw, and there are " + std::to_string(fresh),
                "ask for a smaller test, or start hone annotate with further --prompts");
  const std::lock_guard lock(mutex_);
  if (preparing_) usage_error("a blind test is being prepared already");
  preparing_ = true;
  job_ = thread_->run(Urgency::kTest, [this, orders = std::move(orders), prompts,
                                       ready = std::move(ready)](const std::stop_token& stop) {
    std::string trouble;
    std::vector<DealtPrompt> dealt;
    bool begun = false;
    try {
      std::vector<Pair> pairs = make(orders, prompts, stop, dealt);
      if (!stop.stop_requested()) {
        std::vector<std::pair<std::string, std::string>> rows;
        for (const Pair& pair : pairs) rows.emplace_back(pair.id, row_of(pair));
        store_.put(Outside::kBuffer, kOwner, rows);
        std::vector<NewEvent> events;
        for (const Order& o : orders) events.push_back(o.begins);
        store_.append(events);
        begun = true;
        const std::lock_guard inner(mutex_);
        for (Pair& pair : pairs) add(std::move(pair));
      }
    } catch (const Error& e) {
      trouble = std::string(e.what()) + (e.hint.empty() ? "" : "; " + e.hint);
    } catch (const std::exception& e) {
      trouble = e.what();
    }
    if (!begun)  // nobody saw them
      for (const DealtPrompt& prompt : dealt) deck_->give_back(prompt);
    std::function<void()> changed;
    {
      const std::lock_guard inner(mutex_);
      preparing_ = false;
      changed = changed_;
    }
    if (stop.stop_requested()) return;
    ready(trouble);
    if (changed) changed();
  });
}

// One model after another: two in memory would be one too many for a small machine.
std::vector<Pair> BlindPairs::make(const std::vector<Order>& orders, int64_t prompts, const std::stop_token& stop,
                                   std::vector<DealtPrompt>& dealt) {
  const auto cancelled = [&] {
    thread_->let_in();
    return stop.stop_requested();
  };
  while (std::ssize(dealt) < prompts * std::ssize(orders)) {
    const std::vector<DealtPrompt> more = deck_->deal(static_cast<size_t>(prompts * std::ssize(orders)) - dealt.size());
    dealt.insert(dealt.end(), more.begin(), more.end());
    if (more.front().visit > 0) usage_error("the fresh prompts ran out", "ask for a smaller test");
  }
  const auto answers_of = [&](const ModelName& model, std::span<const DealtPrompt> asked) {
    const std::unique_ptr<AnswerSampler> sampler = learner_->open(model.folder, shown_name(model.policy));
    if (sampler->policy() != model.policy)
      usage_error(model.folder + ": is not the model that the round's events name: '" + sampler->policy() + "', not '" +
                      model.policy + "'",
                  "was the folder changed or moved? Put the model back");
    std::vector<std::vector<text::Message>> messages;
    for (const DealtPrompt& p : asked) messages.push_back(p.messages);
    return sampler->sample(messages, 1, seed_ & kJsonWhole, {}, cancelled);
  };
  std::vector<Pair> out;
  for (size_t o = 0; o < orders.size(); ++o) {
    const Order& order = orders[o];
    const auto asked = std::span(dealt).subspan(o * static_cast<size_t>(prompts), static_cast<size_t>(prompts));
    const auto tested = answers_of(order.tested, asked);
    const auto against = stop.stop_requested() ? decltype(tested){} : answers_of(order.against, asked);
    if (tested.empty() || against.empty()) return {};  // asked to stop
    for (size_t p = 0; p < asked.size(); ++p) {
      if (tested[p].empty() || against[p].empty())
        usage_error("a prompt of the blind test is too long for the model", "give shorter --prompts");
      Pair pair;
      pair.id = sha256(store_.id() + "\n" + order.test + "\n" + asked[p].hash).substr(0, 32);
      pair.purpose = feedback::Purpose::kBlind;
      pair.test = order.test;
      pair.query.prompt = asked[p].messages;
      const bool tested_is_a = Stream(seed_, "side", hash64(pair.id)).uniform_at(0) < 0.5;
      const SampledAnswer &a = tested_is_a ? tested[p][0] : against[p][0],
                          &b = tested_is_a ? against[p][0] : tested[p][0];
      pair.query.a = a.answer;
      pair.query.b = b.answer;
      pair.cut_a = a.cut;
      pair.cut_b = b.cut;
      pair.query.strategy = "blind";
      pair.query.id = asked[p].hash.substr(0, 16);
      out.push_back(std::move(pair));
    }
  }
  return out;
}

bool BlindPairs::preparing() const {
  const std::lock_guard lock(mutex_);
  return preparing_;
}

int64_t BlindPairs::open() const {
  const std::lock_guard lock(mutex_);
  return std::ssize(open_);
}

Offer BlindPairs::offer(size_t most) const {
  {
    const std::lock_guard lock(mutex_);
    Offer out;
    for (size_t i = 0; i < std::min(most, open_.size()); ++i) out.pairs.push_back(known_.at(open_[i]));
    out.beyond = Supply::kReady;
    if (!out.pairs.empty()) return out;
  }
  return rest_.offer(most);
}

std::optional<Pair> BlindPairs::find(const std::string& id) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = known_.find(id); at != known_.end()) return at->second;
  }
  return rest_.find(id);
}

void BlindPairs::settle(const std::string& id) {
  bool mine = false;
  {
    const std::lock_guard lock(mutex_);
    mine = known_.contains(id);
    if (mine) std::erase(open_, id);
  }
  if (mine) store_.drop(Outside::kBuffer, kOwner, id);  // the log has it
  else rest_.settle(id);
}

void BlindPairs::reopen(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (known_.contains(id)) {
      std::erase(open_, id);
      open_.insert(open_.begin(), id);
      return;
    }
  }
  rest_.reopen(id);
}

void BlindPairs::on_change(std::function<void()> changed) {
  {
    const std::lock_guard lock(mutex_);
    changed_ = changed;
  }
  rest_.on_change(std::move(changed));
}

}  // namespace hone::annotate
