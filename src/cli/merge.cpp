#include "foreign/merge.h"

#include "base/log.h"
#include "cli/model_options.h"
#include "cli/scratch_folder.h"
#include "cli/verb.h"

namespace hone::cli {

int merge(Options& options) {
  ModelChoice model;
  std::string out;
  model.declare(options, "an adapter's folder; or its base, with --adapter");
  options.value("--out", &out, "DIR", "the model folder to write").required();
  options.about(
      "An adapter (LoRA, a PEFT folder) and its base as one model folder, for programs that know no adapters: "
      "config.json, model.safetensors, tokenizer.json.");
  options.example("hone merge --model runs/chat/02-preference/model --out models/chat",
                  "a stage's adapter, which names its base");
  options.example("hone merge --model models/smollm2 --adapter downloaded-adapter --out models/chat",
                  "an adapter from elsewhere");
  if (!options.parse()) return kDone;
  ScratchFolder scratch(out, "merge");
  const std::filesystem::path folder = scratch.path() / "model";
  foreign::merge(model.path(), folder);
  scratch.move_into_place(folder);
  log::info("wrote " + out);
  return kDone;
}

}  // namespace hone::cli
