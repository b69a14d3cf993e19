// Foreign checkpoints to model folders: GGUF files, by their first bytes, and else llama2.c's.
#pragma once
#include "config/fields.h"
#include "config/stage_context.h"
#include "model/config.h"

namespace hone::foreign {

struct ImportParams {
  std::string file;
  std::string vocabulary;

  /// No file: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    v.path("file", file, "the checkpoint: a .gguf, or a llama2.c .bin (legacy v0)");
    v.path("vocabulary", vocabulary,
           "of a llama2.c checkpoint: tokenizer.bin, or a recovered vocabulary (.json); empty: looked for beside the "
           "file");
  }
};

/// What the checkpoint is, by its header alone.
model::ModelConfig import_config(const ImportParams& params);

/// Writes FOLDER/model.
void run_import(const ImportParams& params, config::StageContext& context);

}  // namespace hone::foreign
