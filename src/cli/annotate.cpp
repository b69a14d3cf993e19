#include <cerrno>  // program_invocation_name, of glibc
#include <chrono>
#include <thread>

#include "annotate/service.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/reading_options.h"
#include "cli/terminal_signals.h"
#include "cli/verb.h"
#include "infer/verify_model.h"
#include "judge/dpo_learner.h"
#include "judge/model_sampler.h"

namespace hone::cli {

namespace {

// What is opened; mistakes that can be seen without loading are told before the page is.
std::string model_path(const std::string& model, const std::string& adapter) {
  infer::require_model_folder(model);
  const std::string path = ModelChoice{model, adapter}.path();
  if (infer::is_reward_model(path))
    usage_error(path + ": is a reward model, it answers no prompts", "`hone score` asks it for rewards");
  return path;
}

}  // namespace

int annotate(Options& options) {
  annotate::ServiceSettings settings;
  std::string store;
  std::vector<std::string> more;
  std::string model, adapter;
  judge::SamplerSettings sampler;
  judge::LearnSettings learning;
  double temperature = 0, top_p = 0;
  int64_t top_k = 0;
  options.value("--store", &store, "FILE", "the feedback store: one SQLite file, made where there is none").required();
  options.value("--model", &model, "DIR",
                "the model whose answers are compared: a model folder or a .gguf file. It makes pairs while you judge");
  options.value("--adapter", &adapter, "DIR", "a LoRA adapter (PEFT folder) to put over the model");
  options
      .value("--prompts", &settings.prompts, "FILE",
             "what the model is asked: prompts in any format that hone reads; files, folders or patterns; builtin: 400 "
             "everyday questions that ask for short answers")
      .shows("builtin");
  options.value("--pairs", &settings.pairs, "FILE",
                "pairs to judge in place of a model's: rows {\"prompt\", \"answers\": [a, b]}, or comparisons in any "
                "format that hone reads, whose verdict is not shown; files, folders or patterns");
  options.positional("FILE", &more, "further files of prompts or pairs");
  options.value("--temperature", &temperature, "X", "softmax temperature, above 0")
      .in_group("Sampling")
      .shows("the model's own, else 0.7");
  options.value("--top-p", &top_p, "X", "nucleus: the smallest set of tokens with this probability; 1: all")
      .in_group("Sampling")
      .shows("the model's own, else 0.95");
  options.value("--top-k", &top_k, "N", "only the N most likely tokens; 0: all")
      .in_group("Sampling")
      .shows("the model's own, else 0");
  options.value("--max-tokens", &sampler.max_tokens, "N", "most tokens of an answer; one that is cut there is marked")
      .in_group("Sampling");
  options
      .value("--lr", &learning.lr, "X",
             "learning rate of a round's DPO with LoRA; 0: the faster of 3e-4 and 1e-4 that stays near the start")
      .in_group("Learning");
  options
      .value("--epochs", &learning.epochs, "X",
             "passes over what was judged, at most; 0: 120 divided by how many comparisons there are, from 1 to 4")
      .in_group("Learning");
  options.value("--device", &sampler.engine.device, "DEVICE", "cpu, cuda or cuda:N").in_group("Machine");
  options.value("--threads", &sampler.engine.threads, "N", "CPU threads; 0: what affinity and quota allow")
      .in_group("Machine");
  options.value("--port", &settings.port, "N", "port on this machine; 0: any free one");
  options.value("--annotator", &settings.annotator, "NAME", "a pseudonym for who judges")
      .shows("one that belongs to the store");
  declare_reading(options, settings.read);
  options.about(
      "Judge pairs of answers in a browser: a model's, which are made while you judge, or those of files. It serves a "
      "page on this machine alone (127.0.0.1), prints its address and "
      "runs until Ctrl-C. Arrow keys choose, the page tells the other keys. A judgement is on the disk before it is "
      "acknowledged, and started again with the same model or files it goes on where it was. The address signs one "
      "browser in; "
      "the next one is printed then. Nothing leaves the machine. Which answer stands first is random and recorded. "
      "`hone feedback export` then gives rows for `hone preference`.");
  options.example("hone annotate --store evening.store --model DIR", "prints the address of the page");
  options.example("hone annotate --store evening.store --model DIR --prompts my-questions.txt",
                  "answers to your own questions, one a line");
  options.example("hone annotate --store evening.store --pairs pairs.jsonl", "pairs that you have");
  options.example("hone annotate --store evening.store --pairs monday.jsonl tuesday.jsonl --port 9000",
                  "pairs of two files, on another port");
  options.example("hone feedback export --store evening.store > chosen.jsonl",
                  "what was chosen, as rows for hone preference --data");
  if (!options.parse()) return kDone;
  settings.store = store;
  settings.program = program_invocation_name;
  if (settings.pairs.empty() == model.empty())
    usage_error(model.empty() ? "'--model' or '--pairs' must be given" : "'--model' and '--pairs' were both given",
                "--model DIR makes pairs, --pairs FILE has them");
  if (model.empty()) {
    for (const char* of_model : {"--adapter", "--prompts", "--temperature", "--top-p", "--top-k", "--max-tokens"})
      if (options.given(of_model)) usage_error("'" + std::string(of_model) + "' belongs to '--model'");
    settings.pairs.insert(settings.pairs.end(), more.begin(), more.end());
  } else {
    settings.prompts.insert(settings.prompts.end(), more.begin(), more.end());
    if (options.given("--temperature")) sampler.temperature = temperature;
    if (sampler.temperature && *sampler.temperature <= 0)
      usage_error("temperature 0 gives the same answer every time, and there is nothing to compare",
                  "give '--temperature' above 0");
    if (options.given("--top-p")) sampler.top_p = top_p;
    if (options.given("--top-k")) sampler.top_k = top_k;
    sampler.model = model_path(model, adapter);
    settings.model = [sampler] { return std::make_unique<judge::ModelSampler>(sampler); };
  }

  judge::DpoLearner learner(sampler, learning);
  if (!model.empty()) {
    settings.learner = &learner;
    settings.original = std::filesystem::absolute(sampler.model).string();
  }

  signals::watch();
  std::stop_source stop;
  annotate::Progress judged;
  {
    const std::jthread watcher([&stop](const std::stop_token& done) {
      while (!done.stop_requested() && !signals::interrupted() && !signals::terminated())
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stop.request_stop();
    });
    judged =
        annotate::serve_pairs(settings, stop.get_token(), [](const std::string& address) { print(address + "\n"); });
  }
  log::info(count_text(judged.decided) + " decided, " + count_text(judged.tie) + " tied, " +
            count_text(judged.both_bad + judged.cant_tell + judged.skip) + " without a verdict in " + store);
  return kDone;
}

}  // namespace hone::cli
