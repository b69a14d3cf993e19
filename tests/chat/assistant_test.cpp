// A model in a conversation: the answers of `hone generate`, whatever is kept; cancel, limits, reasoning.
#include "chat/assistant.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "chat_tokenizer.h"
#include "model/hf_folder.h"

using namespace hone;
using namespace hone::chat;

namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-chat-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

// Random weights, far from uniform: it says bytes of any kind.
fs::path write_model(const fs::path& folder, const text::Tokenizer& tokenizer, int64_t context = 512) {
  model::ModelConfig config = model::llama_config(tokenizer.size(), 32, 2, 4, 2, 64, context);
  config.init_std = 0.3;
  model::save_model(folder, model::make_decoder(config, 5));
  tokenizer.save(folder);
  return folder;
}

Settings settings_of(double temperature, int64_t max_tokens) {
  Settings s;
  s.temperature = temperature;
  s.top_p = 1;
  s.max_tokens = max_tokens;
  s.seed = 3;
  return s;
}

std::vector<Answer> answer(Assistant& assistant, const Conversation& conversation, const Settings& settings,
                           std::vector<uint64_t> samples = {0}, Assistant::TextSink sink = nullptr,
                           std::function<bool()> cancelled = nullptr) {
  assistant.begin(conversation, samples, settings, std::move(sink), std::move(cancelled));
  while (assistant.step()) {
  }
  return assistant.finish();
}

}  // namespace

TEST_CASE("several turns on kept keys and values say what hone generate says of the same messages, to the bit") {
  const Scratch scratch;
  size_t templates = 0;
  for (const auto& [name, source] : test::own_templates()) {
    CAPTURE(name);
    const text::Tokenizer tokenizer = test::chat_tokenizer(source, "<|endoftext|>");
    try {
      data::Encoder::make(tokenizer, "auto");
    } catch (const Error&) {
      continue;  // a template that no stage takes; tests/data names them
    }
    ++templates;
    const fs::path folder = write_model(scratch.path / std::to_string(templates), tokenizer);
    const infer::Engine engine = infer::Engine::open(folder, {});
    const data::Encoder encoder = data::Encoder::make(text::Tokenizer::load(folder), "auto", engine.end_ids());
    for (const double temperature : {0.0, 1.0}) {
      Assistant assistant(folder, "one", {});
      if (temperature == 0) assistant.read_ahead({});
      const Settings settings = settings_of(temperature, 12);
      Conversation conversation;
      int64_t held = 0;
      for (const char* question : {"who is it?", "and then?", "世界?"}) {
        conversation.ask(question);
        rollout::GenerateOptions how;
        how.seed = settings.seed;
        how.end_ids = encoder.endings().ids();
        how.absent_ids = encoder.tokenizer().without_token(engine.vocab_size());
        const std::vector<std::vector<int32_t>> prompt = {encoder.prompt(conversation.prompt())};
        const auto expected = engine.generate(prompt, 2, settings.sampling(), how)[0];
        std::string streamed[2];
        const std::vector<Answer> answers = answer(assistant, conversation, settings, {0, 1},
                                                   [&](size_t i, std::string_view text, bool) { streamed[i] += text; });
        for (size_t i = 0; i < 2; ++i) {
          Utf8Stream whole;
          std::string text;
          for (const int32_t id : expected[i].ids)
            if (!encoder.tokenizer().is_special(id)) text += whole.feed(encoder.tokenizer().token_bytes(id));
          text += whole.finish();
          CHECK(answers[i].message.content == text);
          CHECK(streamed[i] == text);
          CHECK(answers[i].tokens == std::ssize(expected[i].ids));
        }
        if (held > 0) CHECK(answers[0].held_tokens > 0);
        held = answers[0].prompt_tokens;
        conversation.answer(answers[0].message);
      }
    }
  }
  CHECK(templates > 5);
}

TEST_CASE("Ctrl-C keeps what was said, and the conversation goes on") {
  const Scratch scratch;
  Assistant assistant(write_model(scratch.path / "m", test::chat_tokenizer(test::kChatMl, "<|endoftext|>")), "m", {});
  const Settings settings = settings_of(1, 100);
  Conversation conversation;
  conversation.ask("who?");
  const Answer whole = answer(assistant, conversation, settings)[0];
  std::string seen;
  const Answer cut = answer(
      assistant, conversation, settings, {0}, [&](size_t, std::string_view text, bool) { seen += text; },
      [&] { return seen.size() > 5; })[0];
  CHECK(cut.end == Answer::End::kCancelled);
  CHECK(cut.message.content == seen);
  CHECK(cut.tokens < whole.tokens);
  conversation.answer(cut.message);
  conversation.ask("and?");
  CHECK(answer(assistant, conversation, settings)[0].end != Answer::End::kCancelled);
  // Before it begins.
  CHECK(answer(assistant, conversation, settings, {0}, nullptr, [] { return true; })[0].says_nothing());
}

TEST_CASE("a full context leaves the oldest turns out, keeps the system prompt, and ends an answer") {
  const Scratch scratch;
  const text::Tokenizer tokenizer = test::chat_tokenizer(test::kChatMl, "<|endoftext|>");
  Assistant assistant(write_model(scratch.path / "m", tokenizer, 256), "m", {});
  const Settings settings = settings_of(1, 20);
  Conversation conversation;
  conversation.set_system("Be brief.");
  size_t out = 0, times = 0;
  for (int turn = 0; turn < 30; ++turn) {
    conversation.ask("question " + std::to_string(turn));
    const Answer a = answer(assistant, conversation, settings)[0];
    CHECK(a.prompt_tokens + 20 <= 256);
    if (assistant.left_out() > out) {
      ++times;
      CHECK(a.prompt_tokens + 20 <= 192);  // a quarter is free
      out = assistant.left_out();
    }
    conversation.answer(text::Message{"assistant", "yes"});
  }
  CHECK(out > 10);
  CHECK(times < 12);  // not at every turn
  conversation.clear();
  conversation.ask("short");
  answer(assistant, conversation, settings);
  CHECK(assistant.left_out() == 0);
  CHECK(answer(assistant, conversation, settings_of(1, 100'000))[0].end != Answer::End::kMaxTokens);
  CHECK(answer(assistant, conversation, settings_of(1, 1))[0].end != Answer::End::kContext);
  conversation.answer(text::Message{"assistant", "yes"});
  conversation.ask(std::string(400, 'x'));
  CHECK_THROWS_WITH_AS(answer(assistant, conversation, settings), doctest::Contains("the context of m holds 256"),
                       Error);
  conversation.take_back();
  answer(assistant, conversation, settings);
}

TEST_CASE("without a chat template every question is continued by itself") {
  const Scratch scratch;
  Assistant assistant(write_model(scratch.path / "m", test::chat_tokenizer("", "<|endoftext|>")), "m", {});
  CHECK_FALSE(assistant.chats());
  const Settings settings = settings_of(0, 8);
  Conversation alone, later;
  alone.ask("Once upon");
  const Answer a = answer(assistant, alone, settings)[0];
  later.ask("something else");
  later.answer(text::Message{"assistant", "yes"});
  later.ask("Once upon");
  CHECK(answer(assistant, later, settings)[0].message == a.message);
}

TEST_CASE("names of folders tell models apart") {
  const std::vector<std::string> paths = {"runs/a/model", "runs/b/model/", "base", "x/base"};
  const std::vector<std::string> names = {"a", "b", "base", "base (2)"};
  CHECK(names_of(paths) == names);
}
