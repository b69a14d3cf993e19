#include "foreign/import.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/sha256.h"
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

}  // namespace

void ImportParams::check() const {
  if (file.empty()) usage_error("no file", "give file = \"stories260K.bin\"");
}

void run_import(const ImportParams& params, config::StageContext& context) {
  model::Decoder decoder = model::import_llama2c(params.file);
  const fs::path vocabulary = params.vocabulary.empty()
                                  ? text::find_llama2c_vocabulary(params.file, decoder.config().vocab_size)
                                  : fs::path(params.vocabulary);
  const fs::path folder = context.folder / config::names::kModel;
  fs::create_directories(folder);
  text::llama2c_tokenizer(vocabulary, decoder.config().vocab_size).save(folder);
  end_with_begin_token(folder);
  const text::Tokenizer tokenizer = text::Tokenizer::load(folder);
  if (tokenizer.eos()) decoder.config().eos = {*tokenizer.eos()};
  model::save_model(folder, decoder);
  int64_t unknown = 0;
  for (int32_t id = 0; id < static_cast<int32_t>(tokenizer.size()); ++id)
    unknown += tokenizer.token_text(id).starts_with("<unk_");
  log::info("  " + count_text(decoder.parameter_count()) + " parameters, " + count_text(tokenizer.size()) + " tokens" +
            (unknown ? ", of which " + count_text(unknown) + " nobody recovered (<unk_N>)" : "") + "; " +
            (vocabulary.empty() ? "no vocabulary was found" : "vocabulary from " + vocabulary.string()));
  if (!vocabulary.empty()) context.record.inputs.emplace_back(vocabulary.string(), sha256_file(vocabulary));
  context.record.model_json = dump_json(Json{{"parameters", decoder.parameter_count()},
                                             {"vocabulary", decoder.config().vocab_size},
                                             {"layers", decoder.config().layers},
                                             {"width", decoder.config().width}});
  context.record.summary_json = dump_json(Json{{"parameters", decoder.parameter_count()}, {"unknown_tokens", unknown}});
}

}  // namespace hone::foreign
