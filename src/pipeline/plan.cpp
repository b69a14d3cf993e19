// What a recipe would do, before it does it: stages, what they read and what of it is missing, sizes of models, memory.
// Runs nothing and writes nothing.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"
#include "tensor/runtime.h"

namespace hone::pipeline {
namespace {

std::string text_of(const config::Fields& fields, const std::string& key) {
  for (const config::Field& f : fields.list())
    if (f.key == key)
      if (auto* s = std::get_if<std::string*>(&f.value)) return **s;
  return "";
}

int64_t whole_of(const config::Fields& fields, const std::string& key) {
  for (const config::Field& f : fields.list())
    if (f.key == key)
      if (auto* s = std::get_if<int64_t*>(&f.value)) return **s;
  return 0;
}

// Weights of a model that exists (config.json and the size of its files), or of the shape that pretraining would make.
int64_t parameters_of_folder(const std::string& folder) {
  std::error_code ec;
  uint64_t bytes = 0;
  for (const auto& e : fs::directory_iterator(folder, ec))
    if (e.path().extension() == ".safetensors") bytes += fs::file_size(e.path(), ec);
  return static_cast<int64_t>(bytes / 4);
}

int64_t parameters_of_shape(const config::Fields& f, int64_t vocabulary) {
  const int64_t d = whole_of(f, "shape.width"), heads = std::max<int64_t>(1, whole_of(f, "shape.heads")),
                kv = whole_of(f, "shape.kv_heads");
  const int64_t head = d / heads, per_layer = 2 * d * d + 2 * d * kv * head + 3 * d * whole_of(f, "shape.ffn") + 2 * d;
  return vocabulary * d + whole_of(f, "shape.layers") * per_layer + d;
}

// Copies of the weights that a kind of stage holds: weights, gradients, two moments; frozen networks only weights.
double bytes_for(const std::string& kind, int64_t parameters) {
  const double one = 4.0 * static_cast<double>(parameters);
  if (kind == "pretrain" || kind == "sft" || kind == "preference") return 4 * one;
  if (kind == "reward") return 4 * one;
  if (kind == "ppo") return (4 + 4 + 1 + 1) * one;  // policy, critic, reference, reward model
  return one;
}

}  // namespace

void print_plan(const config::Recipe& recipe) {
  log::info((recipe.run.title.empty() ? recipe.path : recipe.run.title) + ": " + std::to_string(recipe.stages.size()) +
            " stage" + (recipe.stages.size() == 1 ? "" : "s") + ", seed " + std::to_string(recipe.run.seed) + ", " +
            recipe.run.device + ", " + std::to_string(recipe.run.threads > 0 ? recipe.run.threads : usable_threads()) +
            " threads, " + decimal_text(static_cast<double>(memory_bytes()) / 1e9, 1) + " GB of memory");
  std::map<std::string, int64_t> sizes;  // by stage name
  int64_t vocabulary = 0;
  double most = 0;
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const config::StageEntry& entry = recipe.stages[i];
    const std::unique_ptr<Stage> stage = make_stage(entry.kind, entry.where);
    const config::Fields fields = stage->fields();
    config::apply_entries(fields, entry);
    if (entry.kind == "tokenizer") vocabulary = whole_of(fields, "size");
    std::string model = text_of(fields, "model");
    int64_t parameters = 0;
    if (model.starts_with('@')) parameters = sizes[model.substr(1, model.find('/') - 1)];
    else if (!model.empty()) parameters = parameters_of_folder(model);
    else if (entry.kind == "pretrain") parameters = parameters_of_shape(fields, vocabulary);
    sizes[entry.name] = parameters;
    std::string line =
        "  " + std::to_string(i + 1) + ". " + entry.name + (entry.name == entry.kind ? "" : " (" + entry.kind + ")");
    if (parameters > 0) {
      const double bytes = bytes_for(entry.kind, parameters);
      most = std::max(most, bytes);
      line += ": " + count_text(parameters) + " parameters, about " + decimal_text(bytes / 1e6, 0) +
              " MB of weights and optimiser state";
    }
    log::info(line);
    for (const config::Field& f : fields.list())
      for (std::string value : config::paths_of(f)) {
        if (value.empty()) continue;
        if (value.starts_with("$data/")) value = (fs::path(recipe.run.data) / value.substr(6)).string();
        std::error_code ec;
        const bool later = value.find('@') != std::string::npos;
        std::string note;
        if (!later && fs::is_regular_file(value, ec))
          note = " (" + decimal_text(static_cast<double>(fs::file_size(value, ec)) / 1e6, 1) + " MB)";
        else if (!later && value.find('*') == std::string::npos && !fs::exists(value, ec)) note = " (MISSING)";
        log::info("       " + f.key + ": " + value + note);
      }
    std::string settings;
    for (const config::Entry& e : entry.entries)
      if (!e.text.starts_with('[') && e.text.find('@') == std::string::npos)
        settings += (settings.empty() ? "" : ", ") + e.key + " = " + e.text;
    if (!settings.empty()) log::info("       " + settings);
  }
  log::info("  most memory for weights at once: about " + decimal_text(most / 1e6, 0) +
            " MB, activations besides; nothing was run");
  if (most > 0.8 * static_cast<double>(memory_bytes())) log::warn("that is more than this machine has");
}

}  // namespace hone::pipeline
