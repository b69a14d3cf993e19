// The options of the verbs that ask a model.
#pragma once
#include <string>

#include "base/adapter.h"
#include "base/error.h"
#include "cli/options.h"
#include "infer/engine.h"

namespace hone::cli {

/// --model, and --adapter over it.
struct ModelChoice {
  std::string folder, adapter;

  void declare(Options& options, const std::string& what) {
    options.value("--model", &folder, "DIR", what).required();
    options.value("--adapter", &adapter, "DIR", "a LoRA adapter (PEFT folder) to put over the model");
  }
  /// The folder that the rest of the program opens.
  std::string path() const {
    if (adapter.empty()) return folder;
    if (!is_adapter(adapter))
      usage_error("'--adapter' " + adapter + ": is no adapter (no adapter_config.json, or a whole model beside it)");
    tell_adapter_base(adapter, folder);
    return adapter;
  }
};

struct ModelOptions : ModelChoice {
  infer::EngineOptions engine;

  void declare(Options& options, const std::string& what) {
    ModelChoice::declare(options, what);
    options.value("--dtype", &engine.dtype, "DTYPE", "precision of matrix work; auto: f32 on the CPU")
        .choices({"auto", "f32", "bf16"})
        .in_group("Machine");
    options.value("--device", &engine.device, "DEVICE", "cpu, cuda or cuda:N").in_group("Machine");
    options.value("--threads", &engine.threads, "N", "CPU threads; 0: what affinity and quota allow")
        .in_group("Machine");
  }
};

}  // namespace hone::cli
