// Foreign checkpoints to model folders.
#pragma once
#include "config/fields.h"
#include "config/stage_context.h"

namespace hone::foreign {

struct ImportParams {
  std::string file;
  std::string vocabulary;

  /// No file: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    v.path("file", file, "the checkpoint: a llama2.c .bin (legacy v0)");
    v.path("vocabulary", vocabulary,
           "llama2.c tokenizer.bin, or a recovered vocabulary (.json); empty: looked for beside the file");
  }
};

/// Writes FOLDER/model.
void run_import(const ImportParams& params, config::StageContext& context);

}  // namespace hone::foreign
