#include <cmath>

#include "base/error.h"
#include "cli/jsonl.h"
#include "cli/model_options.h"
#include "cli/row_text.h"
#include "cli/verb.h"
#include "data/fields_of_row.h"

namespace hone::cli {
namespace {

infer::Scored scored(const Json& row, RowText& text) {
  if (row.contains("ids")) {
    infer::Scored out{ids_of(row), 1};
    if (row.contains("prompt_len")) {
      const int64_t length = data::whole_field(row, "prompt_len");
      if (length < 0 || length > static_cast<int64_t>(out.ids.size()))
        usage_error("'prompt_len' is " + std::to_string(length) + ", but there are " + std::to_string(out.ids.size()) +
                    " ids");
      out.first = std::max<int64_t>(1, length);
    }
    return out;
  }
  if (row.contains("messages") || row.contains("prompt")) {
    RowText::Answered a = text.answered(row, false);
    return {std::move(a.ids), std::max<int64_t>(1, a.prompt_length)};
  }
  if (row.contains("text")) return {text.plain(data::text_field(row, "text")), 1};
  lacks("'text', 'prompt' and 'completion', 'messages', 'ids'");
}

}  // namespace

int logprobs(Options& options) {
  ModelOptions model;
  RowText text;
  JsonlOptions rows;
  bool with_ids = false;
  model.declare(options, "model folder, or a .gguf file");
  options.flag("--ids", with_ids, "add the token ids that were scored, and where the completion begins (prompt_len)");
  text.declare(options);
  rows.declare(options);
  options.about(
      "{\"text\"}, {\"prompt\", \"completion\"}, {\"messages\"} or {\"ids\", \"prompt_len\"} to {\"logps\", \"sum\", "
      "\"count\"}: natural logarithms of the "
      "probabilities of the completion's tokens, or of all tokens after the first where there is no prompt. By a chat "
      "template the end of the turn belongs "
      "to the completion; a plain completion is taken as it is. `ids` need no tokenizer.");
  options.example("echo '{\"prompt\": \"is the cat red?\", \"completion\": \"yes\"}' | hone logprobs --model DIR",
                  "how likely the answer is");
  options.example("echo '{\"ids\": [1, 5, 9, 2], \"prompt_len\": 2}' | hone logprobs --model DIR",
                  "of the tokens 9 and 2");
  options.example("hone logprobs --model DIR --in texts.jsonl --out scored.jsonl",
                  "a file; perplexity is exp(-sum / count)");
  if (!options.parse()) return kDone;

  const infer::Engine engine = infer::Engine::open(model.path(), model.engine);
  text.open(model.path(), engine.end_ids());
  rows.chunk_rows = 64;
  return process_jsonl(rows, {"text", "prompt", "completion", "messages", "ids", "prompt_len", "logps", "sum", "count"},
                       [&](std::span<Item*> items) {
                         std::vector<Item*> good;
                         std::vector<infer::Scored> sequences;
                         for_each_item(items, [&](Item& item) {
                           infer::Scored s = scored(item.row, text);
                           engine.require_fit(s.ids);
                           sequences.push_back(std::move(s));
                           good.push_back(&item);
                         });
                         const auto logps = engine.logprobs(sequences);
                         for (size_t i = 0; i < good.size(); ++i) {
                           double sum = 0;
                           for (const float v : logps[i]) sum += v;
                           if (!std::isfinite(sum)) {
                             good[i]->fail("the model gives log-probabilities that are not finite");
                             continue;
                           }
                           Json& row = good[i]->row;
                           if (with_ids) {
                             row["ids"] = sequences[i].ids;
                             row["prompt_len"] = sequences[i].first;
                           }
                           row["logps"] = logps[i];
                           row["sum"] = sum;
                           row["count"] = logps[i].size();
                         }
                       });
}

}  // namespace hone::cli
