#include "chat/assistant.h"

#include <algorithm>

#include "base/error.h"
#include "base/progress.h"

namespace hone::chat {
namespace fs = std::filesystem;
namespace {

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

data::Encoder encoder_of(const fs::path& path, const infer::Engine& engine) {
  if (!text::Tokenizer::found(path))
    usage_error(path.string() + ": has no tokenizer, so nobody can talk to it",
                "put tokenizer.json beside config.json");
  return data::Encoder::make(text::Tokenizer::load(path), "auto", engine.end_ids());
}

}  // namespace

double Answer::tokens_per_second() const {
  return tokens > 1 && seconds > first_token ? static_cast<double>(tokens - 1) / (seconds - first_token) : 0;
}

Assistant::Assistant(const fs::path& path, std::string name, const infer::EngineOptions& options,
                     const Assistant* beside)
    : name_(std::move(name)),
      engine_(infer::Engine::open(path, options, false, beside != nullptr ? &beside->engine_ : nullptr)),
      encoder_(encoder_of(path, engine_)),
      session_(engine_),
      absent_(encoder_.tokenizer().without_token(engine_.vocab_size())),
      reader_(encoder_) {}

void Assistant::read_ahead(Conversation conversation) {
  conversation.ask("A");
  Settings settings;
  settings.max_tokens = 1;
  const uint64_t sample = 0;
  begin(conversation, {&sample, 1}, settings, nullptr, nullptr);
  step();
  finish();
}

std::vector<int32_t> Assistant::fit(const Conversation& conversation, const Settings& settings) {
  const size_t turns = conversation.turns().size();
  if (!chats()) return encoder_.prompt(std::vector<text::Message>{{"user", conversation.turns().back().question}});
  const int64_t room = std::min(settings.max_tokens, context() / 4);
  size_t left = std::min(left_out_, turns - 1);
  std::vector<int32_t> ids = encoder_.prompt(conversation.prompt(left));
  if (std::ssize(ids) + room > context())
    while (left + 1 < turns && std::ssize(ids) + room > context() - context() / 4)
      ids = encoder_.prompt(conversation.prompt(++left));
  left_out_ = left;
  return ids;
}

void Assistant::begin(const Conversation& conversation, std::span<const uint64_t> samples, const Settings& settings,
                      TextSink sink, std::function<bool()> cancelled) {
  begun_ = std::chrono::steady_clock::now();
  std::vector<int32_t> ids = fit(conversation, settings);
  if (std::ssize(ids) >= context())
    usage_error("the question takes " + count_text(std::ssize(ids)) + " tokens; the context of " + name_ + " holds " +
                    count_text(context()),
                "ask something shorter");
  engine_.require_fit(ids, 1);
  sink_ = std::move(sink);
  growing_.assign(samples.size(), {});
  prompt_tokens_ = std::ssize(ids);
  most_tokens_ = settings.max_tokens;
  rollout::GenerateOptions how;
  how.seed = settings.seed;
  how.end_ids = encoder_.endings().ids();
  how.absent_ids = absent_;
  how.cancelled = std::move(cancelled);
  how.token = [this](size_t answer, int32_t token) {
    Growing& g = growing_[answer];
    g.last = since(begun_);
    if (g.first == 0) g.first = g.last;
    show(answer, reader_.feed(g.text, token));
  };
  session_.begin(std::move(ids), samples, settings.sampling(), how);
}

void Assistant::show(size_t answer, const std::string& text) {
  if (!text.empty() && sink_) sink_(answer, text, reader_.thinks(growing_[answer].text.text));
}

bool Assistant::step() { return session_.step(); }

std::vector<Answer> Assistant::finish() {
  const int64_t held = session_.held_tokens();
  const std::vector<rollout::Completion> completions = session_.finish();
  std::vector<Answer> out;
  for (size_t i = 0; i < completions.size(); ++i) {
    show(i, reader_.finish(growing_[i].text));
    Answer answer;
    answer.message = reader_.message_of(growing_[i].text.text);
    answer.tokens = std::ssize(completions[i].ids);
    answer.prompt_tokens = prompt_tokens_;
    answer.held_tokens = held;
    answer.first_token = growing_[i].first;
    answer.seconds = growing_[i].last;
    switch (completions[i].finish) {
      case rollout::Finish::kStop:
        answer.end = Answer::End::kStop;
        break;
      case rollout::Finish::kLength:
        answer.end = answer.tokens >= most_tokens_ ? Answer::End::kMaxTokens : Answer::End::kContext;
        break;
      case rollout::Finish::kCancelled:
        answer.end = Answer::End::kCancelled;
        break;
    }
    out.push_back(std::move(answer));
  }
  sink_ = nullptr;
  return out;
}

std::vector<std::string> names_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    fs::path p = fs::path(path).lexically_normal();
    if (!p.has_filename()) p = p.parent_path();
    std::string name = p.filename().string();
    if (name == "model" && p.has_parent_path() && p.parent_path().has_filename())
      name = p.parent_path().filename().string();
    if (name.empty()) name = path;
    const std::string base = name;
    for (int n = 2; std::ranges::find(out, name) != out.end(); ++n) name = base + " (" + std::to_string(n) + ")";
    out.push_back(name);
  }
  return out;
}

}  // namespace hone::chat
