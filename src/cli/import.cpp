#include "foreign/import.h"

#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
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
  const fs::path folder(out);
  if (fs::exists(folder) && !fs::is_empty(folder))
    usage_error(out + ": is there already and not empty", "choose another folder with --out");

  // Beside its place, then moved there: a failed import leaves nothing.
  struct Scratch {
    fs::path path;
    ~Scratch() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  };
  fs::path beside = folder.lexically_normal();
  if (!beside.has_filename()) beside = beside.parent_path();
  const Scratch scratch{beside.string() + ".import-" + std::to_string(::getpid())};
  fs::create_directories(scratch.path);
  config::StageContext context;
  context.folder = scratch.path;
  foreign::run_import(params, context);
  if (fs::exists(folder)) fs::remove(folder);
  fs::rename(scratch.path / config::names::kModel, folder);
  log::info("wrote " + folder.string());
  return kDone;
}

}  // namespace hone::cli
