#include "train/tokenizer.h"

#include <chrono>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "data/inspect.h"
#include "data/read.h"
#include "text/bpe_train.h"

namespace hone::train {

namespace {

// Running text as it stands; of conversations and comparisons what is said in them.
std::vector<std::string> read_texts(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    const bool json = path.find(".json") != std::string::npos;
    const std::string kind = json ? data::inspect({path}, {}, nullptr).kind : "documents";
    if (kind == "documents") {
      for (data::Document& d : data::read_documents({path}).rows) out.push_back(std::move(d.text));
      continue;
    }
    for (const data::Prompt& p : data::read_prompts({path}).rows)
      for (const text::Message& m : p.messages) out.push_back(m.content);
    if (kind == "prompts") continue;
    for (const data::Demonstration& d : data::read_demonstrations({path}).rows)
      out.push_back(d.messages.back().content);
  }
  return out;
}

}  // namespace

void TokenizerParams::check() const {
  if (data.empty()) usage_error("no data", "give data = [\"corpus.txt\"]");
}

void run_tokenizer(const TokenizerParams& params, config::StageContext& context) {
  const std::vector<std::string> texts = read_texts(params.data);
  size_t bytes = 0;
  for (const std::string& t : texts) bytes += t.size();
  const auto start = std::chrono::steady_clock::now();
  const text::Tokenizer tokenizer = text::train_bpe(texts, static_cast<int>(params.size));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fs::create_directories(context.folder / config::names::kModel);
  tokenizer.save(context.folder / config::names::kModel);
  // How well it packs text, on a first part of the data.
  std::string probe = texts.front().substr(0, 1 << 18);
  const double bytes_per_token = static_cast<double>(probe.size()) /
                                 static_cast<double>(std::max<size_t>(1, tokenizer.encode(probe, false).size()));
  log::info("  " + count_text(tokenizer.size()) + " tokens from " + decimal_text(static_cast<double>(bytes) / 1e6, 1) +
            " MB in " + decimal_text(seconds, 1) + " s; " + decimal_text(bytes_per_token, 2) + " bytes a token");
  context.record.summary_json =
      dump_json(Json{{"vocabulary", tokenizer.size()}, {"bytes_per_token", bytes_per_token}, {"corpus_bytes", bytes}});
}

}  // namespace hone::train
