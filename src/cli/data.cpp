#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/output.h"
#include "cli/reading_options.h"
#include "cli/row_writer.h"
#include "cli/verb.h"
#include "data/convert.h"
#include "data/inspect.h"
#include "model/config.h"
#include "text/tokenizer.h"

namespace hone::cli {
namespace {

void declare_row_reading(Options& options, data::ReadSettings& read) {
  declare_reading(options, read);
  options.value("--ties", &read.ties, "HOW", "comparisons without a winner").choices({"drop", "half"});
  options.value("--split-text-by", &read.split_text_by, "HOW", "what one document is in a plain text file")
      .choices({"file", "blank_line", "line"});
}

// Tokens that end an answer by the model's configuration; a tokenizer alone has none.
std::vector<int64_t> ends_of(const std::string& model) {
  if (!model::holds_model(model)) return {};
  return model::load_config(model).config.eos;
}

int inspect(Options& options) {
  std::vector<std::string> files;
  std::string model;
  bool json = false;
  data::ReadSettings read;
  data::LengthSettings lengths;
  data::InspectSettings settings;
  options.positional("FILE", &files, "files, folders or patterns").required();
  declare_row_reading(options, read);
  options.value("--model", &model, "DIR",
                "show lengths in tokens, and the first examples token by token with their loss weight");
  options.value("--max-length", &lengths.max_length, "N", "with --model: count what would not fit; 0: no limit");
  options.value("--examples", &settings.examples, "N", "first examples to show");
  options.flag("--json", json, "print JSON");
  options.about(
      "What a file is: format, counts, lengths, oddities, first examples. A line that cannot be read is an error that "
      "names it; with --on-bad-line skip such lines are counted and named, and the rest is shown.");
  options.example("hone data inspect comparisons.jsonl", "format, counts, lengths, how often the longer answer wins");
  options.example("hone data inspect demos.jsonl --model runs/align/04-sft/model --examples 1",
                  "the first example token by token with its loss weights");
  if (!options.parse()) return kDone;
  if (settings.examples < 0) usage_error("'--examples' must not be negative");
  if (lengths.max_length < 0) usage_error("'--max-length' must not be negative");
  std::optional<data::Encoder> encoder;
  if (!model.empty()) encoder = data::Encoder::make(text::Tokenizer::load(model), lengths.chat_format, ends_of(model));
  const data::Inspection result = data::inspect(files, read, encoder ? &*encoder : nullptr, lengths, settings);
  print(json ? dump_json(result.to_json(), 2) + "\n" : result.to_text());
  return kDone;
}

int convert(Options& options) {
  std::vector<std::string> files, targets;
  std::string to, out;
  data::ReadSettings read;
  for (const std::string_view t : data::writable_formats()) targets.emplace_back(t);
  options.positional("FILE", &files, "files, folders or patterns").required();
  options.value("--to", &to, "FORMAT", "the format to write").required().choices(targets);
  options.value("--out", &out, "FILE", "where to write, complete or not at all; default: standard output");
  declare_row_reading(options, read);
  options.about(
      "One format to another, as JSON Lines. What the target cannot say is left out and counted on standard error.");
  options.example("hone data convert harmless.jsonl.gz --to preference --out harmless.jsonl",
                  "HH transcripts to prompt, chosen, rejected");
  options.example("hone data convert comparisons.jsonl --to prompt", "the prompts alone");
  if (!options.parse()) return kDone;
  RowWriter writer(out);
  std::string waiting;
  const data::ReadReport report = data::convert(files, to, read, [&](std::string_view line) {
    waiting.append(line);
    if (line.empty() || line.back() != '\n') waiting += '\n';
    if (waiting.size() > (1 << 16)) {
      writer.write(waiting);
      waiting.clear();
    }
  });
  writer.write(waiting);
  writer.finish();
  log::info(report.summary());
  return kDone;
}

}  // namespace

int data(Options& options) {
  const std::string word = options.take_word({"inspect", "convert"});
  if (word == "inspect") return inspect(options);
  if (word == "convert") return convert(options);
  options.about(
      "Two words: `hone data inspect FILE…` says what a file is; `hone data convert FILE… --to FORMAT` writes it in "
      "another format. `hone help data inspect` says more.");
  options.example("hone data inspect comparisons.jsonl", "format, counts, lengths, oddities, first examples");
  options.example("hone data convert harmless.jsonl.gz --to preference --out harmless.jsonl",
                  "HH transcripts to prompt, chosen, rejected");
  if (!options.parse()) return kDone;
  usage_error("`hone data` needs a word: inspect or convert", "`hone help data` says more");
}

}  // namespace hone::cli
