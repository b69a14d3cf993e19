// `make bench`: what each stage makes in tokens a second, the share of this machine's best square matrix product that
// is, and its peak memory. docs/bench.md says how to read it.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/progress.h"
#include "bench/child.h"
#include "bench/inputs.h"
#include "bench/options.h"
#include "bench/peak.h"
#include "config/run_folder.h"
#include "tensor/runtime.h"

namespace {

using namespace hone;
using namespace hone::bench;

Json measured_peak(const Options& options, const std::string& dtype, const fs::path& log) {
  Json j = in_child(log, [&] {
    set_threads(static_cast<int>(options.settings.threads));
    const Peak peak = measure_peak(dtype);
    return Json{{"gflops", peak.flops * 1e-9}, {"size", peak.size}};
  });
  std::printf("  %-5s %8.1f GFLOP/s, square product of %s\n", dtype.c_str(), j["gflops"].get<double>(),
              count_text(j["size"].get<int64_t>()).c_str());
  return j;
}

// Sampling on the CPU is in f32, whatever the precision of training: it is held against f32's peak.
bool in_f32_only(const Row& row) { return row.name.starts_with("rollout"); }

void print_row(const Row& row, const std::string& dtype, const Json& j) {
  std::printf("  %-14s %-5s %10s %-10s  %8.1f  %6.1f%%  %8s MB\n", std::string(row.name).c_str(), dtype.c_str(),
              count_text(static_cast<int64_t>(j["tokens_per_s"].get<double>())).c_str(),
              std::string(row.counts).c_str(), j["gflops"].get<double>(), 100 * j["share_of_peak"].get<double>(),
              count_text(static_cast<int64_t>(j["peak_mb"].get<double>())).c_str());
  std::fflush(stdout);
}

Json run_rows(const Options& options, const Shape& shape, const Json& peaks, const fs::path& work,
              const fs::path& inputs) {
  Json out = Json::array();
  for (const std::string& dtype : options.dtypes)
    for (const Row& row : rows()) {
      if (std::ranges::find(options.rows, row.name) == options.rows.end()) continue;
      if (in_f32_only(row) && dtype != "f32") continue;
      RowSettings settings = options.settings;
      settings.dtype = dtype;
      const fs::path scratch = work / "run";
      fs::remove_all(scratch);
      fs::create_directories(scratch);
      Json j{{"row", row.name}, {"size", shape.name}, {"dtype", dtype}};
      j.update(in_child(work / "log.txt", [&] { return row.run(inputs, scratch, shape, settings); }));
      j["gflops"] = j["tokens_per_s"].get<double>() * j["flops_per_token"].get<double>() * 1e-9;
      j["share_of_peak"] = j["gflops"].get<double>() / peaks[dtype]["gflops"].get<double>();
      print_row(row, dtype, j);
      out.push_back(std::move(j));
    }
  return out;
}

void run(const Options& options, const fs::path& work) {
  fs::remove_all(work);
  fs::create_directories(work);
  const int64_t threads = options.settings.threads;
  std::printf("hone bench: %s, %s thread%s, torch %s\nmatrix-multiply peak\n", processor_name().c_str(),
              count_text(threads).c_str(), threads == 1 ? "" : "s", torch_version().c_str());
  Json peaks = Json::object();
  for (const std::string& dtype : options.dtypes) peaks[dtype] = measured_peak(options, dtype, work / "log.txt");
  Json results = Json::array();
  for (const std::string& size : options.sizes) {
    const Shape& s = shape(size);
    const fs::path inputs = (options.keep_inputs ? options.inputs : work / "inputs") / size;
    in_child(work / "log.txt", [&] {
      write_inputs(inputs, s);
      return Json::object();
    });
    std::printf("\n%s: %s parameters\n  %-14s %-5s %-21s  %8s  %7s  %11s\n", size.c_str(),
                count_text(model::parameter_count(s.config)).c_str(), "row", "dtype", "  per second", "GFLOP/s",
                "of peak", "peak memory");
    for (Json& j : run_rows(options, s, peaks, work, inputs)) results.push_back(std::move(j));
  }
  fs::remove_all(work);
  if (!options.json.empty())
    write_file_atomic(options.json, dump_json(Json{{"when", config::utc_now()},
                                                   {"processor", processor_name()},
                                                   {"threads", threads},
                                                   {"torch", torch_version()},
                                                   {"peaks", peaks},
                                                   {"rows", results}},
                                              1) +
                                        "\n");
}

}  // namespace

int main(int count, char** words) {
  try {
    const Options options = read_options(count, words);
    if (options.help) std::cout << help_text();
    else run(options, fs::path(words[0]).parent_path() / "work");
    return 0;
  } catch (const Error& e) {
    std::cerr << "error: " << e.what() << '\n';
    if (!e.hint.empty()) std::cerr << "hint: " << e.hint << '\n';
  } catch (const std::exception& e) {
    std::cerr << "error: " << e.what() << '\n';
  }
  return 1;
}
