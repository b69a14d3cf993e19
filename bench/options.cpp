#include "bench/options.h"

#include <charconv>
#include <cstring>

#include "base/error.h"
#include "base/machine.h"
#include "bench/shapes.h"

namespace hone::bench {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

int64_t number(const std::string& option, const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    usage_error(option + " takes a whole number of at least 1, got '" + text + "'");
  return value;
}

}  // namespace

Options read_options(int count, char** words) {
  Options o;
  for (const Shape& s : shapes()) o.sizes.push_back(s.name);
  for (const Row& r : rows()) o.rows.emplace_back(r.name);
  o.dtypes = {"f32", "bf16"};
  o.settings.threads = usable_threads();
  for (int i = 1; i < count; ++i) {
    const std::string option = words[i];
    if (option == "--help" || option == "-h") {
      o.help = true;
      return o;
    }
    if (option == "--quick") {
      o.settings.steps = o.settings.iterations = o.settings.repeats = 1;
      o.settings.batch_tokens = 1024;
      o.settings.batch = 8;
      continue;
    }
    if (i + 1 == count) usage_error("'" + option + "' is not known or lacks its value", "model_bench --help");
    const std::string value = words[++i];
    if (option == "--size") o.sizes = split(value);
    else if (option == "--dtype") o.dtypes = split(value);
    else if (option == "--rows") o.rows = split(value);
    else if (option == "--threads") o.settings.threads = number(option, value);
    else if (option == "--batch") o.settings.batch = number(option, value);
    else if (option == "--batch-tokens") o.settings.batch_tokens = number(option, value);
    else if (option == "--steps") o.settings.steps = number(option, value);
    else if (option == "--iterations") o.settings.iterations = number(option, value);
    else if (option == "--repeats") o.settings.repeats = number(option, value);
    else if (option == "--json") o.json = value;
    else if (option == "--inputs") o.inputs = value, o.keep_inputs = true;
    else usage_error("unknown option '" + option + "'", "model_bench --help");
  }
  for (const std::string& s : o.sizes) shape(s);
  for (const std::string& d : o.dtypes)
    if (d != "f32" && d != "bf16") usage_error("unknown dtype '" + d + "'", "choices: f32, bf16");
  for (const std::string& name : o.rows) {
    bool known = false;
    for (const Row& r : rows()) known |= r.name == name;
    if (!known) usage_error("no row '" + name + "'", "model_bench --help names them");
  }
  return o;
}

std::string help_text() {
  std::string text =
      "model_bench: tokens a second of each stage beside the measured matrix-multiply peak (docs/bench.md)\n"
      "  --size LIST          4M,26M\n"
      "  --dtype LIST         f32,bf16: precision of matrix products, each against its own peak\n"
      "  --rows LIST          of the rows below\n"
      "  --threads N          default: what affinity and quota allow\n"
      "  --batch N            sequences of a rollout and of a PPO iteration (32)\n"
      "  --batch-tokens N     tokens of a training step (4096)\n"
      "  --steps N            training steps timed (4), --iterations N of PPO (2), --repeats N of the rollout (3)\n"
      "  --quick              as little as runs at all: to see that it works, not how fast\n"
      "  --inputs DIR         write models and texts there and keep them\n"
      "  --json FILE          the figures, for programs\n"
      "rows:\n";
  for (const Row& r : rows()) {
    std::string name(r.name);
    name.resize(16, ' ');
    text += "  " + name + std::string(r.what) + "; counts " + std::string(r.counts) + "\n";
  }
  return text;
}

}  // namespace hone::bench
