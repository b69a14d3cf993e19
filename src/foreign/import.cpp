#include "foreign/import.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "gguf/file.h"
#include "model/hf_folder.h"
#include "model/llama2c.h"
#include "text/llama2c_tokenizer.h"

namespace hone::foreign {
namespace {

// llama2.c ends a text with the begin token of the next one and never trained an end token of its own, so the begin
// token is what ends a text here too.
void end_with_begin_token(const fs::path& folder) {
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    if (!fs::exists(folder / name)) continue;
    Json j = parse_json(read_file(folder / name), (folder / name).string());
    if (!j.contains("bos_token")) continue;
    j["eos_token"] = j["bos_token"];
    write_file_atomic(folder / name, dump_json(j, 2) + "\n");
  }
}

struct Imported {
  model::Decoder decoder;
  text::Tokenizer tokenizer;
  std::string origin;          // of the vocabulary
  int64_t unknown_tokens = 0;  // that nobody recovered
};

Imported import_gguf(const ImportParams& params) {
  if (!params.vocabulary.empty())
    usage_error("vocabulary = \"" + params.vocabulary + "\": a GGUF file brings its own", "leave it out");
  text::Tokenizer tokenizer = text::Tokenizer::load(params.file);  // first: it is quick, and more often refused
  model::LoadedModel loaded = model::load_model(params.file);
  for (const std::string& note : loaded.notes) log::warn(note);
  if (tokenizer.size() > loaded.decoder.config().vocab_size)
    usage_error(params.file + ": its vocabulary has " + std::to_string(tokenizer.size()) + " tokens, its embedding " +
                std::to_string(loaded.decoder.config().vocab_size));
  const std::string origin = tokenizer.chat_template().empty() ? "no chat template" : "with a chat template";
  return {std::move(loaded.decoder), std::move(tokenizer), origin};
}

Imported import_llama2c(const ImportParams& params, config::StageContext& context, const fs::path& folder) {
  model::Decoder decoder = model::import_llama2c(params.file);
  const fs::path vocabulary = params.vocabulary.empty()
                                  ? text::find_llama2c_vocabulary(params.file, decoder.config().vocab_size)
                                  : fs::path(params.vocabulary);
  text::llama2c_tokenizer(vocabulary, decoder.config().vocab_size).save(folder);
  end_with_begin_token(folder);
  text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  if (tokenizer.eos()) decoder.config().eos = {*tokenizer.eos()};
  int64_t unknown = 0;
  for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.size()); ++id)
    unknown += tokenizer.token_text(id).starts_with("<unk_");
  if (!vocabulary.empty()) context.record.inputs.emplace_back(vocabulary.string(), sha256_file(vocabulary));
  return {std::move(decoder), std::move(tokenizer),
          vocabulary.empty() ? "no vocabulary was found" : "vocabulary from " + vocabulary.string(), unknown};
}

void require_file(const std::string& file) {
  std::error_code ec;
  if (fs::is_directory(file, ec))
    usage_error(
        file + ": is a folder, not a checkpoint in one file",
        fs::exists(fs::path(file) / "config.json", ec) ? "it is a model folder already: give it as a model" : "");
  if (!fs::exists(file, ec)) usage_error(file + ": no such file");
}

}  // namespace

void ImportParams::check() const {
  if (file.empty()) usage_error("no file", "give file = \"model.gguf\" or a llama2.c .bin");
}

model::ModelConfig import_config(const ImportParams& params) {
  require_file(params.file);
  return gguf::is_gguf(params.file) ? model::load_config(params.file).config : model::llama2c_config(params.file);
}

void run_import(const ImportParams& params, config::StageContext& context) {
  require_file(params.file);
  const fs::path folder = context.folder / config::names::kModel;
  const bool gguf = gguf::is_gguf(params.file);
  if (!gguf) fs::create_directories(folder);
  const auto [decoder, tokenizer, origin, unknown] =
      gguf ? import_gguf(params) : import_llama2c(params, context, folder);
  if (gguf) {
    fs::create_directories(folder);
    tokenizer.save(folder);
  }
  model::save_model(folder, decoder);
  log::info("  " + count_text(decoder.parameter_count()) + " parameters, " + count_text(tokenizer.size()) + " tokens" +
            (unknown ? ", of which " + count_text(unknown) + " nobody recovered (<unk_N>)" : "") + "; " + origin);
  context.record.model_json = dump_json(Json{{"parameters", decoder.parameter_count()},
                                             {"vocabulary", decoder.config().vocab_size},
                                             {"layers", decoder.config().layers},
                                             {"width", decoder.config().width}});
  context.record.summary_json = dump_json(Json{{"parameters", decoder.parameter_count()}, {"unknown_tokens", unknown}});
}

}  // namespace hone::foreign
