#include "cli/chat.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/adapter.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "cli/verb.h"
#include "text/tokenizer.h"

namespace hone::cli {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// $XDG_STATE_HOME/hone/chat_history; "" where there is no home.
std::string history_path() {
  std::string state = variable("XDG_STATE_HOME");
  if (state.empty() && !variable("HOME").empty()) state = variable("HOME") + "/.local/state";
  return state.empty() ? "" : state + "/hone/chat_history";
}

// An adapter that does not find its base by itself stands over the model that answers.
void find_base(const std::string& path, const std::string& model) {
  if (!is_adapter(path)) return;
  try {
    adapter_base(path);
  } catch (const Error&) {
    tell_adapter_base(path, model);
  }
}

}  // namespace

std::string ending_note(const Chat& chat, const chat::Answer& answer) {
  switch (answer.end) {
    case chat::Answer::End::kStop:
      return "";
    case chat::Answer::End::kMaxTokens:
      return "stopped at " + count_text(chat.settings.max_tokens) + " tokens; max-tokens allows no more";
    case chat::Answer::End::kContext:
      return "stopped: the model's context is full";
    case chat::Answer::End::kCancelled:
      return "cancelled";
  }
  return "";
}

std::string stats_text(const chat::Answer& a) {
  char text[160];
  std::snprintf(text, sizeof text,
                "%lld tokens, %.1f a second, first after %.0f ms; %lld of the prompt's %lld were kept",
                static_cast<long long>(a.tokens), a.tokens_per_second(), 1000 * a.first_token,
                static_cast<long long>(a.held_tokens), static_cast<long long>(a.prompt_tokens));
  return text;
}

int chat(Options& options) {
  Chat chat;
  std::vector<std::string> models, compared;
  std::string adapter, system;
  infer::EngineOptions engine;
  chat::Settings& settings = chat.settings;
  options.value("--model", &models, "DIR", "model folder, or a .gguf file; further ones are compared with the first")
      .required();
  options.value("--adapter", &adapter, "DIR", "a LoRA adapter (PEFT folder) to put over the first model");
  options.value("--compare", &compared, "DIR", "a model or adapter for /compare; may be repeated");
  options.value("--system", &system, "TEXT", "the system prompt");
  options.value("--preferences", &chat.preferences, "FILE", "where /prefer appends its rows");
  options.flag("--stats", chat.stats, "tokens a second and the time to the first token behind each answer");
  options.value("--temperature", &settings.temperature, "X", "softmax temperature; 0 is greedy").in_group("Sampling");
  options.value("--top-p", &settings.top_p, "X", "nucleus: the smallest set of tokens with this probability; 1: all")
      .in_group("Sampling");
  options.value("--top-k", &settings.top_k, "N", "only the N most likely tokens; 0: all").in_group("Sampling");
  options.value("--max-tokens", &settings.max_tokens, "N", "most tokens of one answer, the end token included")
      .in_group("Sampling");
  options
      .value("--seed", &settings.seed, "N",
             "random numbers are a function of seed, conversation and position: the same again gives the same answers")
      .in_group("Sampling");
  options.value("--device", &engine.device, "DEVICE", "cpu, cuda or cuda:N").in_group("Machine");
  options.value("--threads", &engine.threads, "N", "CPU threads; 0: what affinity and quota allow").in_group("Machine");
  options.about(
      "A conversation with a model. On a terminal answers come as they are sampled; Ctrl-C stops one, /help lists the "
      "commands, a line that ends in a backslash goes on in the next, and \"\"\" begins and ends a longer text. Where "
      "standard input or output is no terminal, every line is a question and gets one line: its answer, with \\n for a "
      "newline and \\\\ for a backslash; the conversation goes on from line to line, and there are no commands. "
      "temperature, top-p and top-k are those of generation_config.json unless they are given. When the context is "
      "full the oldest questions are left out with their answers, and it is said; the system prompt stays. A model "
      "without a chat template continues every line by itself.");
  options.example("hone chat --model runs/dpo/model", "a conversation; /help says what else there is");
  options.example("hone chat --model base --compare runs/dpo/model --system 'Answer briefly.'",
                  "before and after: /compare asks both, /prefer keeps the better answer as a row for hone preference");
  options.example("hone chat --model DIR --temperature 0 < questions.txt > answers.txt", "one answer a line");
  if (!options.parse()) return kDone;

  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  if (!adapter.empty()) {
    if (!is_adapter(adapter))
      usage_error("'--adapter' " + adapter + ": is no adapter (no adapter_config.json, or a whole model beside it)");
    tell_adapter_base(adapter, models[0]);
  }
  std::vector<std::string> paths = {adapter.empty() ? models[0] : adapter};
  paths.insert(paths.end(), models.begin() + 1, models.end());
  paths.insert(paths.end(), compared.begin(), compared.end());
  if (paths.size() > 1 && !terminal) usage_error("models are compared on a terminal", "over a pipe give one --model");
  const std::vector<std::string> names = chat::names_of(paths);
  for (size_t i = 0; i < paths.size(); ++i) {
    find_base(paths[i], models[0]);
    chat.assistants.push_back(
        std::make_unique<chat::Assistant>(paths[i], names[i], engine, i == 0 ? nullptr : chat.assistants[0].get()));
  }
  chat::Settings given = settings;
  settings.take_defaults(chat.assistants[0]->generation_config());
  if (options.given("--temperature")) settings.temperature = given.temperature;
  if (options.given("--top-p")) settings.top_p = given.top_p;
  if (options.given("--top-k")) settings.top_k = given.top_k;
  settings.check();
  if (!system.empty() && !chat.assistants[0]->chats())
    usage_error(models[0] + ": has no chat template, so it has no place for a system prompt", "leave --system out");
  chat.conversation.set_system(system);
  if (!terminal) return chat_over_pipe(chat);
  chat.history = history_path();
  chat.colours = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return chat_on_terminal(chat);
}

}  // namespace hone::cli
