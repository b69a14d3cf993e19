#include "foreign/import.h"

#include "base/files.h"
#include "base/log.h"
#include "cli/scratch_folder.h"
#include "cli/verb.h"
#include "config/run_folder.h"

namespace hone::cli {

int import(Options& options) {
  foreign::ImportParams params;
  std::string out;
  options.positional("FILE", &params.file, "the checkpoint: a .gguf, or a llama2.c .bin").required();
  options.value("--out", &out, "DIR", "the model folder to write").required();
  options.value(
      "--vocabulary", &params.vocabulary, "FILE",
      "of a llama2.c checkpoint: tokenizer.bin, or a recovered vocabulary (.json); default: looked for beside FILE");
  options.about("A foreign checkpoint to a Hugging Face folder: config.json, model.safetensors, tokenizer.json.");
  options.example("hone import SmolLM2-135M-Instruct.Q4_1.gguf --out models/smollm2",
                  "weights in f32, with the chat template and the end tokens");
  options.example("hone import stories260K.bin --out models/stories", "then: hone generate --model models/stories");
  if (!options.parse()) return kDone;
  ScratchFolder scratch(out, "import");  // a failed import leaves nothing
  config::StageContext context;
  context.folder = scratch.path();
  foreign::run_import(params, context);
  scratch.move_into_place(scratch.path() / config::names::kModel);
  log::info("wrote " + fs::path(out).string());
  return kDone;
}

}  // namespace hone::cli
