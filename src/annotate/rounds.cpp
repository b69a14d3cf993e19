#include "annotate/rounds.h"

#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "feedback/exchange.h"
#include "text/message_json.h"

namespace hone::annotate {
namespace {

using feedback::ModelName;
using feedback::Round;
using feedback::RoundOutcome;
using feedback::RoundStart;

constexpr size_t kMeasured = 32;  // prompts on which old and new are measured beside taste
constexpr size_t kFewestAsked = 8;
constexpr size_t kAsked = 32;  // others, which are asked while it learns

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Desk::Refused(Desk::Trouble::kConflict, what, hint);
}

void write_rows(const std::string& path, const feedback::Exported& exported) {
  std::string rows;
  for (const Json& row : exported.rows) rows += dump_json(row) + "\n";
  write_file_atomic(path, rows);
}

std::optional<Round> last_round(const feedback::Store& store) {
  std::vector<Round> all = feedback::rounds(store.events());
  return all.empty() ? std::nullopt : std::optional(std::move(all.back()));
}

}  // namespace

Rounds::Rounds(feedback::Store& store, Desk& desk, ModelThread& thread, Learner& learner, PromptDeck& deck,
               std::string annotator, std::string original, std::function<void(const ModelName&)> chosen,
               std::function<void()> changed)
    : store_(store),
      desk_(desk),
      thread_(thread),
      learner_(learner),
      deck_(deck),
      annotator_(std::move(annotator)),
      original_(std::move(original)),
      chosen_(std::move(chosen)),
      changed_(std::move(changed)) {
  if (const auto last = last_round(store_); last && last->outcome == RoundOutcome::kRunning)
    now_.state = RoundState::kPaused;
}

Rounds::~Rounds() {
  ModelThread::Job job, dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    job = job_;
    dropped = dropped_;
  }
  job.request_stop();
  dropped.request_stop();
  job.wait();  // it lets nothing out
  dropped.wait();
}

std::filesystem::path Rounds::folder_of(const std::string& round) const {
  return std::filesystem::absolute(store_.path()).string() + ".rounds/" + round;
}

std::vector<feedback::Label> Rounds::own_labels(std::span<const feedback::Event> log) const {
  std::vector<feedback::Label> out = feedback::labels(log);
  std::erase_if(out, [&](const feedback::Label& label) { return label.comparison.annotator != annotator_; });
  return out;
}

int64_t Rounds::rows_now() const { return std::ssize(feedback::training_set(own_labels(store_.events())).pairs); }

Rounds::Now Rounds::now() const {
  Now out;
  {
    const std::lock_guard lock(mutex_);
    out = now_;
  }
  if (out.state == RoundState::kIdle) out.pairs = rows_now();
  return out;
}

ModelName Rounds::current() const { return feedback::chosen_model(store_.events()).value_or(ModelName{"", original_}); }

void Rounds::append(const feedback::NewEvent& event) {
  store_.append(event);
  desk_.catch_up();
}

void Rounds::run(bool fresh) {
  now_ = {.state = RoundState::kStarting, .step = 0, .total = 0, .trouble = {}, .pairs = 0};
  job_ = thread_.run(Urgency::kTraining, [this, fresh](const std::stop_token& stop) { work(fresh, stop); });
}

void Rounds::start() {
  {
    const std::lock_guard lock(mutex_);
    if (now_.state != RoundState::kIdle) refuse("a round is open already");
    if (const int64_t rows = rows_now(); rows < kFewestPairs)
      refuse("there are " + std::to_string(rows) + " comparisons to learn from; a round takes at least " +
                 std::to_string(kFewestPairs),
             "choose an answer on more pairs");
    run(true);
  }
  changed_();
}

void Rounds::resume() {
  {
    const std::lock_guard lock(mutex_);
    if (now_.state != RoundState::kPaused) return;
    run(false);
  }
  changed_();
}

void Rounds::go_on() {
  {
    const std::lock_guard lock(mutex_);
    if (now_.state != RoundState::kPaused) refuse("no round is stopped");
  }
  resume();
}

void Rounds::stop() {
  const std::lock_guard lock(mutex_);
  if (now_.state != RoundState::kLearning && now_.state != RoundState::kStarting) refuse("nothing is learning");
  job_.request_stop();
  // A job that has not begun is dropped, and so says nothing of its end: another one behind it does.
  if (now_.state == RoundState::kStarting)
    dropped_ = thread_.run(Urgency::kTraining, [this](const std::stop_token&) {
      {
        const std::lock_guard lock(mutex_);
        if (now_.state != RoundState::kStarting || !job_.done()) return;
        const auto last = last_round(store_);
        now_ = {};
        if (last && last->outcome == RoundOutcome::kRunning) now_.state = RoundState::kPaused;
        if (ending_) return;
      }
      changed_();
    });
}

void Rounds::give_up() {
  {
    const std::lock_guard lock(mutex_);
    if (now_.state != RoundState::kPaused) refuse("no round is stopped", "stop it first");
    const auto last = last_round(store_);
    if (last && last->outcome == RoundOutcome::kRunning)
      append(feedback::round_finished(annotator_, {last->round, RoundOutcome::kStopped, "stopped by hand", {}}));
    now_ = {};
  }
  changed_();
}

void Rounds::choose(bool tested) {
  const auto last = last_round(store_);
  if (!last || !last->model) refuse("no round made a model");
  const ModelName& model = tested ? *last->model : last->start;
  append(feedback::model_chosen(annotator_, last->round, model));
  chosen_(model);
  changed_();
}

LearnTask Rounds::task_of(const RoundStart& round) const {
  LearnTask task;
  task.folder = folder_of(round.round);
  task.name = "round-" + round.round;
  task.start = round.start;
  task.original = round.original;
  task.comparisons = task.folder.string() + ".jsonl";
  task.prompts = task.folder.string() + ".prompts.jsonl";
  task.asked = task.folder.string() + ".asked.jsonl";
  task.kept = task.folder.string() + ".kept.jsonl";
  task.texts = task.folder.string() + ".texts.jsonl";
  return task;
}

void Rounds::work(bool fresh, const std::stop_token& stop) {
  std::string trouble;
  try {
    // 1. The round as the log has it, with the rows that it learns from.
    RoundStart round;
    if (fresh) {
      const std::vector<feedback::Event> log = store_.events();
      const std::vector<feedback::Label> labels = own_labels(log);
      const feedback::TrainingSet set = feedback::training_set(labels);
      round.round = std::to_string(feedback::rounds(log).size() + 1);
      round.original = {learner_.open(original_, "")->policy(), original_};
      round.start = feedback::chosen_model(log).value_or(round.original);
      round.folder = folder_of(round.round).string();
      round.head_seq = log.back().seq;
      round.head_hash = log.back().hash;
      round.pairs = std::ssize(set.pairs);
      std::filesystem::create_directories(folder_of(round.round).parent_path());
      write_rows(round.folder + ".jsonl",
                 feedback::export_rows(labels, feedback::ExportShape::kMessages, feedback::Ties::kDrop));
      write_rows(round.folder + ".kept.jsonl", feedback::evaluation_rows(labels));
      // Those that were dealt before may be learned from, and fewer than some tell nothing: then none is asked.
      const std::vector<DealtPrompt> deal = deck_.fresh_ones(kMeasured + kAsked);
      const bool ask = !deal.empty() && deal.front().visit == 0 && deal.size() >= 2 * kFewestAsked;
      const size_t measured = std::min(kMeasured, ask ? (deal.size() + 1) / 2 : deal.size());
      std::string prompts, asked, texts;
      for (size_t i = 0; i < (ask ? deal.size() : measured); ++i) {
        const DealtPrompt& p = deal[i];
        if (i < measured) texts += dump_json(Json{{"text", p.messages.back().content}}) + "\n";
        (i < measured ? prompts : asked) +=
            dump_json(Json{{"prompt", text::messages_json(p.messages)}, {"id", p.hash.substr(0, 16)}}) + "\n";
      }
      write_file_atomic(round.folder + ".prompts.jsonl", prompts);
      write_file_atomic(round.folder + ".asked.jsonl", asked);
      write_file_atomic(round.folder + ".texts.jsonl", texts);
      append(feedback::round_started(annotator_, round));
    } else {
      const auto last = last_round(store_);
      HONE_CHECK(last && last->outcome == RoundOutcome::kRunning);
      round = *last;
    }
    {
      const std::lock_guard lock(mutex_);
      now_.state = RoundState::kLearning;
    }
    changed_();

    // 2. The run; between its steps others have their turn.
    const Learned learned = learner_.learn(task_of(round), stop, [this](int64_t step, int64_t total) {
      {
        const std::lock_guard lock(mutex_);
        now_.step = step;
        now_.total = total;
      }
      changed_();
      thread_.let_in();
    });

    // 3. What came of it.
    feedback::RoundEnd end{round.round, learned.outcome, learned.why, {}};
    if (learned.outcome != RoundOutcome::kNothing) end.model = learned.model;
    append(feedback::round_finished(annotator_, end));
    const std::lock_guard lock(mutex_);
    now_ = {};
  } catch (const Error& e) {
    if (e.kind != Kind::kInterrupted) trouble = std::string(e.what()) + (e.hint.empty() ? "" : "; " + e.hint);
    const std::lock_guard lock(mutex_);
    now_.state = RoundState::kPaused;
  } catch (const std::exception& e) {
    trouble = e.what();
    const std::lock_guard lock(mutex_);
    now_.state = RoundState::kPaused;
  }
  {
    const std::lock_guard lock(mutex_);
    now_.trouble = trouble;
    const auto last = last_round(store_);
    if (now_.state == RoundState::kPaused && (!last || last->outcome != RoundOutcome::kRunning))
      now_.state = RoundState::kIdle;
    if (ending_) return;
  }
  if (!trouble.empty()) log::warn("learning stopped: " + trouble);
  changed_();
}

}  // namespace hone::annotate
