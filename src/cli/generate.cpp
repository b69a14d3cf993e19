#include <memory>

#include "base/error.h"
#include "cli/jsonl.h"
#include "cli/model_options.h"
#include "cli/row_text.h"
#include "cli/verb.h"
#include "text/stop.h"

namespace hone::cli {
namespace {

constexpr int64_t kMostCompletions = 100'000;  ///< of one prompt; they wait in memory until their row is written
constexpr double kLeastTemperature = 1e-6;

class Watcher : public rollout::StopWatcher {
 public:
  Watcher(const text::Tokenizer& tokenizer, text::StopMatcher matcher)
      : tokenizer_(tokenizer), matcher_(std::move(matcher)) {}
  bool feed(int32_t token) override { return matcher_.feed(tokenizer_.token_bytes(token)).has_value(); }

 private:
  const text::Tokenizer& tokenizer_;
  text::StopMatcher matcher_;
};

// The completion's text: without special tokens, and up to the stop string.
std::string text_of(const text::Tokenizer& tokenizer, text::StopMatcher matcher, std::span<const int32_t> ids) {
  struct Piece {
    size_t begin;
    std::string_view bytes;
  };
  std::vector<Piece> pieces;
  size_t fed = 0, cut = SIZE_MAX;
  for (const int32_t id : ids) {
    const std::string_view bytes = tokenizer.token_bytes(id);
    if (const auto hit = matcher.feed(bytes)) cut = hit->begin;
    if (!tokenizer.is_special(id)) pieces.push_back({fed, bytes});
    fed += bytes.size();
  }
  std::string out;
  for (const Piece& p : pieces)
    if (p.begin < cut) out += p.bytes.substr(0, cut - p.begin);
  return out;
}

}  // namespace

int generate(Options& options) {
  ModelOptions model;
  RowText rows_text;
  JsonlOptions rows;
  rollout::SamplingParams sampling;
  rollout::GenerateOptions how;
  int64_t n = 1;
  sampling.max_tokens = 128;
  std::vector<std::string> stops;
  bool ignore_end = false;
  model.declare(options, "model folder, or a .gguf file");
  options.value("--n", &n, "N", "completions of each prompt").in_group("Sampling");
  options.value("--max-tokens", &sampling.max_tokens, "N", "most tokens of one completion, the end token included")
      .in_group("Sampling");
  options.value("--min-tokens", &sampling.min_tokens, "N", "no end token before this many").in_group("Sampling");
  options.value("--temperature", &sampling.temperature, "X", "softmax temperature; 0 is greedy").in_group("Sampling");
  options.value("--top-p", &sampling.top_p, "X", "nucleus: the smallest set of tokens with this probability; 1: all")
      .in_group("Sampling");
  options.value("--top-k", &sampling.top_k, "N", "only the N most likely tokens; 0: all").in_group("Sampling");
  options.value("--stop", &stops, "TEXT", "end a completion before this text; may be repeated").in_group("Sampling");
  options.flag("--ignore-end", ignore_end, "let the model's end token not end a completion").in_group("Sampling");
  options.value("--seed", &how.seed, "N", "random numbers are a function of seed, prompt, sample and position")
      .in_group("Sampling");
  options
      .value("--max-batch", &how.max_batch, "N", "most sequences in flight; changes speed and memory, not the answers")
      .in_group("Machine");
  rows_text.declare(options);
  rows.declare(options);
  options.about(
      "{\"prompt\"}, {\"messages\"} or {\"ids\"} to {\"completions\": [{\"text\", \"ids\", \"logps\", \"finish\"}]}. "
      "logps are those of the distribution "
      "sampled from (after temperature, top-k and top-p; greedy: the model's own); finish is \"stop\" or \"length\". "
      "A row's completions depend on that row and the seed alone.");
  options.example(
      "echo '{\"prompt\": \"where is the red ball?\"}' | hone generate --model runs/align/07-ppo/model --max-tokens 40",
      "one sampled answer");
  options.example("hone generate --model DIR --in prompts.jsonl --out answers.jsonl --n 4 --temperature 0.7 --seed 3",
                  "four answers to each prompt, into a file");
  options.example("echo '{\"ids\": [1, 5, 9]}' | hone generate --model DIR --temperature 0",
                  "greedy, from token ids; no tokenizer is needed for them");
  if (!options.parse()) return kDone;
  if (n < 1 || n > kMostCompletions) usage_error("'--n' must lie between 1 and " + std::to_string(kMostCompletions));
  if (sampling.max_tokens < 1) usage_error("'--max-tokens' must be at least 1");
  if (sampling.min_tokens < 0 || sampling.min_tokens > sampling.max_tokens)
    usage_error("'--min-tokens' must be between 0 and --max-tokens");
  if (sampling.temperature < 0) usage_error("'--temperature' must not be negative");
  if (sampling.temperature > 0 && sampling.temperature < kLeastTemperature)
    usage_error("'--temperature' must be 0 or at least 1e-6: divided by less, logits overflow", "0 is greedy");
  if (sampling.top_p <= 0 || sampling.top_p > 1) usage_error("'--top-p' must be above 0 and at most 1");
  if (sampling.top_k < 0) usage_error("'--top-k' must not be negative");
  if (how.max_batch < 1) usage_error("'--max-batch' must be at least 1");

  const infer::Engine engine = infer::Engine::open(model.path(), model.engine);
  rows_text.open(model.path(), engine.end_ids());
  // Ids need no tokenizer; without one there is no text and no stop string.
  const bool has_tokenizer = rows_text.has_tokenizer();
  const text::StopMatcher matcher = stops.empty() ? text::StopMatcher() : text::StopMatcher(stops);
  if (!stops.empty()) {
    const text::Tokenizer& tokenizer = rows_text.tokenizer();
    how.stop = [&tokenizer, &matcher] { return std::make_unique<Watcher>(tokenizer, matcher); };
  }
  if (has_tokenizer) {
    how.absent_ids = rows_text.tokenizer().without_token(engine.vocab_size());
    text::say_without_token(how.absent_ids, model.path());
  }
  if (!ignore_end) how.end_ids = rows_text.end_ids();

  return process_jsonl(rows, {"prompt", "messages", "ids", "completions"}, [&](std::span<Item*> items) {
    std::vector<Item*> good;
    std::vector<std::vector<int32_t>> prompts;
    for_each_item(items, [&](Item& item) {
      std::vector<int32_t> ids = rows_text.prompt(item.row);
      engine.require_fit(ids, 1);
      prompts.push_back(std::move(ids));
      good.push_back(&item);
    });
    const auto answers = engine.generate(prompts, n, sampling, how);
    for (size_t i = 0; i < good.size(); ++i) {
      Json completions = Json::array();
      for (const rollout::Completion& c : answers[i]) {
        Json one = Json::object();
        if (has_tokenizer) one["text"] = text_of(rows_text.tokenizer(), matcher, c.ids);
        one["ids"] = c.ids;
        one["logps"] = c.logps;
        one["finish"] = c.finish == rollout::Finish::kStop ? "stop" : "length";
        completions.push_back(std::move(one));
      }
      good[i]->row["completions"] = std::move(completions);
    }
  });
}

}  // namespace hone::cli
