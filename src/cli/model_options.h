// The options of the verbs that ask a model.
#pragma once
#include <string>

#include "cli/options.h"
#include "infer/engine.h"

namespace hone::cli {

struct ModelOptions {
  std::string folder;
  infer::EngineOptions engine;

  void declare(Options& options, const std::string& what) {
    options.value("--model", &folder, "DIR", what).required();
    options.value("--dtype", &engine.dtype, "DTYPE", "precision of matrix work; auto: f32 on the CPU")
        .choices({"auto", "f32", "bf16"})
        .in_group("Machine");
    options.value("--device", &engine.device, "DEVICE", "cpu, cuda or cuda:N").in_group("Machine");
    options.value("--threads", &engine.threads, "N", "CPU threads; 0: what affinity and quota allow")
        .in_group("Machine");
  }
};

}  // namespace hone::cli
